"""Out-of-sample predictions of figures: record, and group of a result."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import stdtrit

from reeuncert.errors import ArgumentError

GROUP = "leave_out"
LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the central predictive intervals."""

INTERVAL = 0.9
"""Probability of the interval of a coverage."""

_TEXT = ("scheme", "fold", "row", "source", "lineage", "refused")
_NUMBERS = ("below", "prior_below", "r_hat", "ess")
COLUMNS = (*_TEXT, *_NUMBERS)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Out-of-sample predictions of figures.

    Parameters
    ----------
    rows
        One row per figure: ``scheme`` (``sources``, the number of folds, or ``chosen``), ``fold``, ``row``, ``source``,
        ``lineage``, ``below`` (probability that a figure predicted without its fold is not above the reported one),
        ``prior_below`` (the same from the prior alone), ``r_hat`` and ``ess`` (the worst of the flows in the fit
        without the fold), ``refused`` (why the figure does not count: the fit has not converged; else empty).
    """

    rows: pd.DataFrame

    def coverage(self) -> pd.DataFrame:
        """Coverage of left-out figures by central predictive intervals.

        Returns
        -------
        DataFrame
            One row per scheme and level: ``scheme``, ``level``, ``figures``, ``refused`` (figures of fits that have
            not converged, which do not count), ``folds``, ``coverage``, ``error`` (its standard error), ``lower`` and
            ``upper`` (its 90 % interval), ``lineages`` (effective number), ``prior_coverage``.

        Notes
        -----
        Figures of one lineage miss together, so that the error is a jackknife over lineages, which does not
        underestimate if they are few and unequal (CR3), but at least that of independent figures. Its degrees of
        freedom are Satterthwaite's (Bell & McCaffrey 2002, *Survey Methodology* 28(2) 169-181). The interval is
        Wilson's for as many independent figures as would have this error, with the quantile of Student's t.
        ``lineages`` is Kish's effective number, (Σ n)² / Σ n² for n figures each.
        """
        lines = []
        for scheme, whole in self.rows.groupby("scheme", sort=False):
            part = whole[whole["refused"] == ""]
            for level in LEVELS if len(part) else ():
                inside, prior = (_inside(part[column], level) for column in ("below", "prior_below"))
                numbers = _clustered(inside, part["lineage"])
                folds, refused = part["fold"].nunique(), len(whole) - len(part)
                lines.append((scheme, level, len(part), refused, folds, *numbers, float(prior.mean())))
        names = ["scheme", "level", "figures", "refused", "folds", "coverage", "error", "lower", "upper", "lineages"]
        return pd.DataFrame(lines, columns=[*names, "prior_coverage"])

    def by_source(self) -> pd.DataFrame:
        """Coverage at 90 % and mean position of the figures of each source in the out-of-sample predictions."""
        rows = self.rows[self.rows["refused"] == ""]
        table = rows.assign(inside=_inside(rows["below"], INTERVAL)).groupby(["scheme", "source"], sort=False)
        out = table.agg(figures=("row", "size"), coverage=("inside", "mean"), mean_below=("below", "mean"))
        return out.reset_index().sort_values(["scheme", "coverage", "figures"], ignore_index=True)

    def __repr__(self) -> str:
        return f"{len(self.rows)} figures, each predicted without its fold\n{self.coverage().round(3).to_string()}"


def add_left_out(dt: xr.DataTree, *found: LeftOut) -> xr.DataTree:
    """A copy of a result with the group ``leave_out`` of out-of-sample predictions, for its checks and its report."""
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
    return LeftOut(pd.DataFrame({name: data[name].values for name in COLUMNS}))


def _clustered(inside: pd.Series, cluster: pd.Series) -> tuple[float, float, float, float, float]:
    """Share inside, its standard error, its interval, and the effective number of clusters."""
    share, count = float(inside.mean()), len(inside)
    sums = (inside - share).groupby(cluster).sum()
    sizes = cluster.value_counts()[sums.index]
    effective = float(count**2 / (sizes**2).sum())
    rest = (count - sizes).clip(lower=1)
    independent = np.sqrt(share * (1.0 - share) / count)
    # One cluster tells nothing of how clusters differ: it counts as one figure.
    jackknife = np.sqrt(((sums / rest) ** 2).sum()) if len(sizes) > 1 else np.sqrt(share * (1.0 - share))
    error = float(max(jackknife, independent))
    # Of the squared error of independent figures: trace² over the trace of the square of its quadratic form
    own, across = sizes / (count * rest), (sizes / rest) ** 2 / count
    freedom = float(own.sum() ** 2 / ((own**2 - across**2).sum() + across.sum() ** 2))
    alike = max(share * (1.0 - share) / error**2, effective) if error > 0 else effective
    t = float(stdtrit(freedom, 0.5 + INTERVAL / 2))
    middle = (share + t**2 / (2 * alike)) / (1 + t**2 / alike)
    half = t / (1 + t**2 / alike) * np.sqrt(share * (1 - share) / alike + t**2 / (4 * alike**2))
    return share, error, max(middle - half, 0.0), min(middle + half, 1.0), effective


def _inside(below: pd.Series, level: float) -> pd.Series:
    return ((below - 0.5).abs() <= level / 2).astype(float)
