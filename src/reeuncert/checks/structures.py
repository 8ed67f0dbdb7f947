"""Do the headlines hold whichever rival structure is true? Read from the group ``structures`` of a result.

Where the medians of a headline under two structures leave each other's intervals, the figures do not decide between
them, and the headline is "not identified by these data": what can be said is the range over the structures.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from reeuncert.checks.result import CheckResult, information, judged, warned
from reeuncert.result.diagnostics import LARGEST_R_HAT, SMALLEST_ESS
from reeuncert.result.result import Result
from reeuncert.result.structures import GROUP, LABELS, NOT_IDENTIFIED, stored_verdicts

CONVERGENCE = ("ess_bulk", "ess_tail", "r_hat", "divergences")
"""Of each headline under each structure; divergences are those of the whole run."""


def check(result: Result) -> list[CheckResult]:
    """Headlines that the evidence does not identify, with the range over the structures."""
    name = "headlines over structures"
    if GROUP not in result.dt.children:
        switches = result.case.compare if result.has_case else ()
        if not switches:
            return [information(name, "The case names no rival structures.")]
        message = f"The rival structures of the case ({', '.join(switches)}) were not run: whether its headlines hold "
        return [information(name, message + "under all of them is not known. Run `reeuncert structures --results`.")]
    table = stored_verdicts(result.dt)
    open_ones = table[table["verdict"] == NOT_IDENTIFIED]
    message = f"Of {len(table)} headlines, {len(table) - len(open_ones)} hold under each of "
    message += f"{result.dt[GROUP].sizes['structure']} rival structures"
    said = [
        f"{' '.join(str(getattr(row, label)) for label in LABELS if getattr(row, label) not in ('', 0))} "
        f"({row.lower:.3g} to {row.upper:.3g} over all)"
        for row in open_ones.itertuples(index=False)
    ]
    message += f"; not identified by these data: {'; '.join(said)}." if said else "."
    remedy = "Report the range over the structures for these, not an interval from one."
    return [warned(name, len(said), "<=", 0, message, remedy, table), *_convergence(result.dt)]


def _convergence(dt: xr.DataTree) -> list[CheckResult]:
    """Whether the run of every structure has converged, as far as its headlines tell."""
    stored = dt[GROUP].to_dataset()
    if not set(CONVERGENCE) <= set(stored):
        return []
    table = stored[list(CONVERGENCE)].to_dataframe().reset_index()
    bad = table[
        (table[["ess_bulk", "ess_tail"]].min(axis=1) < SMALLEST_ESS)
        | (table["r_hat"] > LARGEST_R_HAT)
        | (table["divergences"] > 0)
    ]
    least, most = float(np.nanmin(table[["ess_bulk", "ess_tail"]])), float(table["r_hat"].max())
    message = f"Over the headlines of all structures the smallest ESS is {least:.0f}, the largest R-hat {most:.4f}"
    diverged = table.groupby("structure")["divergences"].max().sum()
    message += f"; {diverged:.0f} draws diverged."
    remedy = "Run `reeuncert structures` with more draws (--draws)."
    return [judged("convergence of structures", len(bad), "<=", 0, message, remedy, bad)]
