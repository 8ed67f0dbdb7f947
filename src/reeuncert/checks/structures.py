"""Do the headlines hold whichever rival structure is true? Read from the group ``structures`` of a result.

Where the medians of a headline under two structures leave each other's intervals, the figures do not decide between
them, and the headline is "not identified by these data": what can be said is the range over the structures.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.checks.result import CheckResult, information, judged, warned
from reeuncert.result.diagnostics import LARGEST_R_HAT, SMALLEST_ESS
from reeuncert.result.result import Result

GROUP = "structures"
"""Group of a result that holds its headlines under the structures of its case."""
NOT_IDENTIFIED = "not identified by these data"
HOLDS = "holds under every structure"
CONVERGENCE = ("ess_bulk", "ess_tail", "r_hat", "divergences")
"""Of each headline under each structure; divergences are those of the whole run."""
LABELS = ["indicator", "region", "partner", "product", "year"]


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
    return [warned(name, not said, len(said), "<= 0", message, remedy, table), *_convergence(result.dt)]


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
    return [judged("convergence of structures", bad.empty, len(bad), "<= 0", message, remedy, table=bad)]


def stored_verdicts(dt: xr.DataTree) -> pd.DataFrame:
    """`verdicts_over_structures` of the headlines under each structure that are stored in a result."""
    frame = dt[GROUP].to_dataset()[["median", "lower", "upper"]].to_dataframe().reset_index()
    return verdicts_over_structures(frame.rename(columns={"lower": "eti90_lb", "upper": "eti90_ub"}))


def open_ranges(dt: xr.DataTree) -> dict[tuple[object, ...], tuple[float, float]]:
    """Labels of each headline that is not identified → its range over the structures; empty if none were run."""
    if GROUP not in dt.children:
        return {}
    table = stored_verdicts(dt)
    rows = table[table["verdict"] == NOT_IDENTIFIED].to_dict("records")
    return {tuple(row[name] for name in LABELS): (float(row["lower"]), float(row["upper"])) for row in rows}


def verdicts_over_structures(table: pd.DataFrame) -> pd.DataFrame:
    """Whether each headline holds under every structure. The result has one row a headline: its labels, verdict, lower,
    lowest_median, highest_median, upper.

    Examples
    --------
    >>> rows = [("a", 1.0, 0.5, 2.0), ("b", 1.5, 0.8, 3.0)]
    >>> frame = pd.DataFrame(rows, columns=["structure", "median", "eti90_lb", "eti90_ub"])
    >>> frame = frame.assign(indicator="smuggled_mass", region="", partner="", product="", year=0)
    >>> verdicts_over_structures(frame)["verdict"].tolist()
    ['holds under every structure']
    >>> verdicts_over_structures(frame.assign(eti90_ub=[1.2, 3.0]))["verdict"].tolist()
    ['not identified by these data']
    """
    rows = []
    for labels, part in labelled(table).groupby(LABELS, sort=False):
        median, lower, upper = (part[c].to_numpy(dtype=float) for c in ("median", "eti90_lb", "eti90_ub"))
        inside = (median[:, None] >= lower[None, :]) & (median[:, None] <= upper[None, :])
        verdict = HOLDS if bool(np.all(inside)) else NOT_IDENTIFIED
        rows.append((*labels, verdict, lower.min(), median.min(), median.max(), upper.max()))
    return pd.DataFrame(rows, columns=[*LABELS, "verdict", "lower", "lowest_median", "highest_median", "upper"])


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """The table with empty text for labels that a headline does not name (no region, no product)."""
    names = table[LABELS].astype(object)
    return table.assign(**names.where(names.notna(), ""))
