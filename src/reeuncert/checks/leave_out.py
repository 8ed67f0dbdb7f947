"""Cross-validation: coverage of left-out figures by predictive intervals. Read from the group ``leave_out``."""

from __future__ import annotations

import pandas as pd

from reeuncert.checks.result import CheckResult, information, judged
from reeuncert.result.left_out import left_out_of
from reeuncert.result.result import Result

LEVEL = 0.9
ERRORS = 2.0
"""Allowed shortfall of the coverage, in standard errors."""

LARGEST_R_HAT = 1.05
"""R-hat of a flow above which the message warns of short fits."""

NARROWEST = 0.05
"""Allowed shortfall in any case: the standard error from a few folds is itself uncertain."""


def check(result: Result) -> list[CheckResult]:
    """Coverage of left-out figures at 50, 80, 90 and 95 %, compared with that of the prior."""
    found = left_out_of(result.dt)
    if found is None:
        message = "No fit without part of the evidence was made: how well the rest predicts a figure is not known. "
        return [information("left-out figures", message + "Run `reeuncert leave-out` on the results.")]
    coverage = found.coverage()
    r_hat = found.rows.groupby("scheme")["r_hat"].max()
    return [
        _verdict(str(scheme), part, found.by_source(), float(r_hat[scheme]))
        for scheme, part in coverage.groupby("scheme", sort=False)
    ]


def _verdict(scheme: str, part: pd.DataFrame, sources: pd.DataFrame, r_hat: float) -> CheckResult:
    here = part.loc[part["level"] == LEVEL].iloc[0]
    least = LEVEL - max(NARROWEST, ERRORS * here["error"])
    levels = ", ".join(f"{row.coverage:.0%}" for row in part.itertuples(index=False))
    priors = ", ".join(f"{row.prior_coverage:.0%}" for row in part.itertuples(index=False))
    asked = ", ".join(f"{level:.0%}" for level in part["level"])
    message = (
        f"Of {here['figures']:.0f} figures, each predicted without its fold ({here['folds']:.0f} folds), "
        f"{levels} fall in the central {asked} intervals (by the prior alone: {priors})."
    )
    if r_hat > LARGEST_R_HAT:
        message += f" The fits are short: the largest R-hat of a flow in them is {r_hat:.2f}."
    remedy = "Intervals are too narrow: look at the sources at the top of the table."
    name = "left-out sources" if scheme == "sources" else f"left-out rows ({scheme})"
    worst = sources[sources["scheme"] == scheme].drop(columns="scheme")
    good = bool(here["coverage"] >= least)
    return judged(name, good, here["coverage"], f">= {least:.3g}", message, remedy, table=worst)
