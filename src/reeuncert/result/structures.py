"""Headlines under the rival structures of a case, as the group ``structures`` of a result holds them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

GROUP = "structures"
"""Group of a result that holds its headlines under the structures of its case."""
NOT_IDENTIFIED = "not identified by these data"
HOLDS = "holds under every structure"
LABELS = ["indicator", "region", "partner", "product", "year"]


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
    """Whether each headline holds under every structure.

    Parameters
    ----------
    table
        Columns structure, indicator, region, partner, product, year, median, eti90_lb, eti90_ub.

    Returns
    -------
    DataFrame
        One row a headline: its labels, verdict, lower, lowest_median, highest_median, upper.

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
