"""Out-of-sample predictions of figures: record, and group of a result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ArgumentError

GROUP = "leave_out"
LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the central predictive intervals."""

_TEXT = ("row", "source", "lineage", "fold", "scheme")
_NUMBERS = ("below", "prior_below", "r_hat")


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Out-of-sample predictions of figures.

    Parameters
    ----------
    rows
        One row per figure: ``scheme`` (``sources``, or the number of folds), ``fold``, ``row``, ``source``,
        ``lineage``, ``below`` (probability that a figure predicted without its fold is not above the reported one),
        ``prior_below`` (the same from the prior alone), ``r_hat`` (largest of the flows in the fit without the fold).

    Examples
    --------
    >>> rows = pd.DataFrame({"scheme": "sources", "fold": list("aab"), "row": list("xyz"), "source": list("aab")})
    >>> found = LeftOut(rows.assign(lineage="l", below=[0.5, 0.8, 0.99], prior_below=0.5, r_hat=1.0))
    >>> found.coverage()[["level", "coverage", "prior_coverage"]].round(2).values.tolist()
    [[0.5, 0.33, 1.0], [0.8, 0.67, 1.0], [0.9, 0.67, 1.0], [0.95, 0.67, 1.0]]
    """

    rows: pd.DataFrame

    def coverage(self) -> pd.DataFrame:
        """Coverage of left-out figures by central predictive intervals.

        Returns
        -------
        DataFrame
            One row per scheme and level: ``scheme``, ``level``, ``figures``, ``folds``, ``coverage``, ``error``
            (standard error of the coverage, clustered by fold), ``prior_coverage``.
        """
        lines = []
        for scheme, part in self.rows.groupby("scheme", sort=False):
            for level in LEVELS:
                inside, prior = (_inside(part[column], level) for column in ("below", "prior_below"))
                by_fold = (inside - inside.mean()).groupby(part["fold"]).sum()
                error = float(np.sqrt((by_fold**2).sum())) / len(part)
                folds = part["fold"].nunique()
                lines.append((scheme, level, len(part), folds, float(inside.mean()), error, float(prior.mean())))
        names = ["scheme", "level", "figures", "folds", "coverage", "error", "prior_coverage"]
        return pd.DataFrame(lines, columns=names)

    def by_source(self) -> pd.DataFrame:
        """Coverage at 90 % and mean position of the figures of each source in the out-of-sample predictions."""
        inside = _inside(self.rows["below"], 0.9)
        table = self.rows.assign(inside=inside).groupby(["scheme", "source"], sort=False)
        out = table.agg(figures=("row", "size"), coverage=("inside", "mean"), mean_below=("below", "mean"))
        return out.reset_index().sort_values(["scheme", "coverage", "figures"], ignore_index=True)

    def __repr__(self) -> str:
        return f"{len(self.rows)} figures, each predicted without its fold\n{self.coverage().round(3).to_string()}"


def add_left_out(dt: xr.DataTree, *found: LeftOut) -> xr.DataTree:
    """Store out-of-sample predictions in a result, for its checks and its report.

    Returns
    -------
    DataTree
        A copy that shares its draws, with the group ``leave_out`` (dim ``prediction``).

    Raises
    ------
    ArgumentError
        When nothing is given.
    """
    if not found:
        raise ArgumentError("add_left_out: nothing to add is given; give what reeuncert.leave_out returned")
    table = pd.concat([one.rows for one in found], ignore_index=True)
    texts = {name: ("prediction", table[name].astype(str).to_numpy(dtype=object)) for name in _TEXT}
    numbers = {name: ("prediction", table[name].to_numpy(dtype=float)) for name in _NUMBERS}
    out = dt.copy(deep=False)
    out[GROUP] = xr.DataTree(xr.Dataset({**texts, **numbers}))
    return out


def left_out_of(dt: xr.DataTree) -> LeftOut | None:
    """The predictions stored by `add_left_out`; None if there are none."""
    if GROUP not in dt.children:
        return None
    data = dt[GROUP].to_dataset()
    return LeftOut(pd.DataFrame({name: data[name].values for name in (*_TEXT, *_NUMBERS)}))


def _inside(below: pd.Series, level: float) -> pd.Series:
    return ((below - 0.5).abs() <= level / 2).astype(float)
