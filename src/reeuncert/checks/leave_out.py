"""Cross-validation: coverage of left-out figures by predictive intervals. Read from the group ``leave_out``."""

import pandas as pd

from reeuncert.checks.result import CheckResult, information, judged, warned
from reeuncert.result.left_out import left_out_of
from reeuncert.result.result import Result

LEVEL = 0.9


def check(result: Result) -> list[CheckResult]:
    """Coverage of left-out figures at 50, 80, 90 and 95 %, compared with that of the prior."""
    found = left_out_of(result.dt)
    if found is None:
        message = "No fit without part of the evidence was made: how well the rest predicts a figure is not known. "
        return [information("left-out figures", message + "Run `reeuncert leave-out` on the results.")]
    coverage = found.coverage()
    sources = found.by_source()
    return [
        line
        for scheme, part in coverage.groupby("scheme", sort=False)
        for line in _verdicts(str(scheme), part, sources[sources["scheme"] == scheme].drop(columns="scheme"))
    ]


def _verdicts(scheme: str, part: pd.DataFrame, sources: pd.DataFrame) -> list[CheckResult]:
    """Whether intervals are too narrow, and whether they are too wide, as far as the few lineages can tell."""
    here = part.loc[part["level"] == LEVEL].iloc[0]
    levels = ", ".join(f"{row.coverage:.0%}" for row in part.itertuples(index=False))
    priors = ", ".join(f"{row.prior_coverage:.0%}" for row in part.itertuples(index=False))
    asked = ", ".join(f"{level:.0%}" for level in part["level"])
    message = (
        f"Of {here['figures']:.0f} figures, each predicted without its fold ({here['folds']:.0f} folds), "
        f"{levels} fall in the central {asked} intervals (by the prior alone: {priors}). Figures of one lineage miss "
        f"together: they count as {here['lineages']:.1f} lineages, and the coverage at {LEVEL:.0%} is between "
        f"{here['lower']:.0%} and {here['upper']:.0%}."
    )
    if here["refused"]:
        message += f" {here['refused']:.0f} more figures do not count: the fits without them have not converged."
    name = "left-out sources" if scheme == "sources" else f"left-out rows ({scheme})"
    narrow = "Intervals are too narrow: look at the sources at the top of the table."
    wide = "Intervals are wider than the figures need: widths of sources may be too large."
    least = f"The coverage of {LEVEL:.0%} intervals is at least {here['lower']:.0%}."
    return [
        judged(name, here["upper"], ">=", LEVEL, message, narrow, sources),
        warned(f"{name}, width", here["lower"], "<=", LEVEL, least, wide, sources),
    ]
