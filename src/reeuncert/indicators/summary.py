"""Tables of indicators: posterior and prior with credible intervals (probability named) and diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.errors import AbsentError, ArgumentError, ReeUncertError
from reeuncert.indicators.compute import held
from reeuncert.indicators.printing import label_positions
from reeuncert.indicators.registry import DIMS, Indicator, lookup
from reeuncert.result.diagnostics import diagnose
from reeuncert.result.io import lost_draws
from reeuncert.result.learning import Learning, learning
from reeuncert.result.quantiles import PROBABILITIES, Array, Spread, interval_columns, spread
from reeuncert.result.result import Result

SAMPLE = ("chain", "draw")


def summary(
    dt: xr.DataTree, name: str, *, prob: float = 0.9, **coords: str | int | Iterable[str | int]
) -> pd.DataFrame:
    """Median and credible interval of one indicator, posterior and prior.

    Parameters
    ----------
    dt
        Result to which `add_indicators` has added the indicator.
    name
        Name of an indicator, see `reeuncert.indicators`.
    prob
        Probability of the equal-tailed interval.
    **coords
        Labels to select, e.g. ``region="…", year=[2010, 2011]``; everything by default.

    Returns
    -------
    DataFrame
        A row for each combination of labels and year that exists in the system: ``indicator``, ``region``,
        ``partner``, ``product``, ``end_use``, ``year``, ``unit``, ``mean``, ``median``, ``eti90_lb``, ``eti90_ub``,
        ``ess_bulk``, ``ess_tail``, ``r_hat``, ``prior_median``, ``prior_eti90_lb``, ``prior_eti90_ub``, and their
        comparison (see `reeuncert.result.learning`): ``width_ratio`` (width of the posterior interval over the prior's,
        on the scale of the quantity: near 1, the evidence was not informative), ``prior_below_median`` (share of the
        prior below the posterior median) and ``against_prior`` (the widths in a word); these are of the 90 %
        equal-tailed intervals, whatever is asked for. The names of the interval follow `prob`. Draws in
        which a ratio is undefined are left out, and if they are more than a tenth, the interval is empty. Of an event,
        0 or 1 in a draw, the median is its probability, and the interval is empty.

    Raises
    ------
    UnknownIndicatorError
        If no indicator has the name.
    ReeUncertError
        If the result does not hold the indicator, or a dim or label is not one of its own.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = summary(toy_posterior(draws=20, years=2), "mine_production", region="South", year=2002)
    >>> table[["indicator", "region", "year", "unit"]].values.tolist()
    [['mine_production', 'South', 2002, 'kt']]
    """
    chosen, prior = select_labels(computed(dt, name), coords), computed_prior(dt, name)
    record = lookup(name, Result(dt).case)
    return _table(_cells(chosen, None if prior is None else select_labels(prior, coords), record, prob))


def indicator_table(dt: xr.DataTree, *, prob: float = 0.9) -> pd.DataFrame:
    """All indicators of a result in one tidy table, columns as in `summary`.

    Raises
    ------
    ReeUncertError
        If the result holds no indicator.
    """
    return _joined(all_cells(Result(dt), prob))


def all_indicators(result: Result) -> pd.DataFrame:
    """`indicator_table` of a result."""
    return _joined(result.once(all_cells))


def all_cells(result: Result, prob: float = 0.9) -> dict[str, Cells]:
    """The values of every indicator of a result."""
    dt, out = result.dt, {}
    for name in map(str, derived(dt).data_vars):
        out[name] = _cells(computed(dt, name), computed_prior(dt, name), lookup(name, result.case), prob)
    return out


def computed(dt: xr.DataTree, name: str) -> xr.DataArray:
    """Draws of an indicator that has been added to a result, dims (chain, draw, …)."""
    held = dt["derived"].to_dataset() if "derived" in dt.children else xr.Dataset()
    if name not in held.data_vars:
        lookup(name, Result(dt).case)
        raise AbsentError(
            f"'{name}' has not been computed for this result: call add_indicators(dt, ['{name}']) first; "
            f"it holds {sorted(str(v) for v in held.data_vars) or 'no indicator'}"
        )
    if lost := lost_draws(held[name]):
        raise ArgumentError(lost)
    return held[name]


def select_labels(variable: xr.DataArray, coords: Mapping[str, object] | None, what: str = "") -> xr.DataArray:
    """Part of an indicator, or of something else, selected by `coords` (dim → label or labels); all dims are kept."""
    labels = {str(d): variable[d].values.tolist() for d in variable.dims if d not in SAMPLE}
    return variable.isel(label_positions(what or f"indicator '{variable.name}'", labels, coords or {}))


@dataclass(frozen=True, eq=False)
class Cells:
    """The values of one indicator that exist in the system, with the numbers of every table and figure."""

    name: str
    unit: str
    labels: dict[str, NDArray]  # dim → labels, in the order of its dims
    there: NDArray[np.intp]  # positions of the values in an array of these labels; all arrays below have their order
    prob: float  # of the intervals of `after` and `before`
    after: Spread  # the posterior
    before: Spread | None  # the prior, if it was simulated
    checks: dict[str, NDArray[np.float64]]  # ess_bulk, ess_tail, r_hat
    learned: Learning

    def grid(self, of: Spread) -> NDArray[np.float64]:
        """Quantiles as an array (probability, *labels), NaN where nothing exists."""
        shape = tuple(len(labels) for labels in self.labels.values())
        out = np.full((len(PROBABILITIES), int(np.prod(shape))), np.nan)
        out[:, self.there] = of.quantiles
        return out.reshape(len(PROBABILITIES), *shape)


def derived(dt: xr.DataTree) -> xr.Dataset:
    """The indicators that have been added to a result."""
    if "derived" not in dt.children:
        raise ReeUncertError("this result holds no indicator: call add_indicators(dt) first")
    return dt["derived"].to_dataset()


def computed_prior(dt: xr.DataTree, name: str) -> xr.DataArray | None:
    """Prior draws of an indicator, or None."""
    held = dt["derived_prior"].to_dataset() if "derived_prior" in dt.children else xr.Dataset()
    return held[name] if name in held.data_vars else None


def _cells(posterior: xr.DataArray, prior: xr.DataArray | None, of: Indicator, prob: float) -> Cells:
    dims = [str(d) for d in posterior.dims if d not in SAMPLE]
    own, others = held(posterior), None if prior is None else held(prior)
    # Undefined in every draw, prior and posterior: the system has no such flow.
    exists = own.cell.ravel() >= 0
    if others is not None:
        exists |= others.cell.ravel() >= 0
    there = np.flatnonzero(exists)
    cells = np.moveaxis(own.at(there), 0, 2)
    before = None if others is None else _samples(others.at(there))
    after, checks = _posterior_spread(cells)
    known = None if before is None else spread(before)
    if of.event:
        after, known = after.of_events, known and known.of_events
    learned = learning(after, before, known, scale=of.scale)
    if prob != 0.9 and not of.event:
        after = spread(cells.reshape(-1, cells.shape[2]) if cells.size else cells[0], prob=prob)
        known = None if before is None else spread(before, prob=prob)
    labels = {d: posterior[d].values for d in dims}
    unit = str(posterior.attrs["units"])
    return Cells(str(posterior.name), unit, labels, there, prob, after, known, checks, learned)


def _samples(cells: Array) -> Array:
    """Draws (cell, chain, draw) as (sample, cell)."""
    return cells.reshape(len(cells), cells.shape[1] * cells.shape[2]).T


def label_columns(of: xr.DataArray | Mapping[str, NDArray], there: NDArray) -> dict[str, NDArray]:
    """Labels along each dim, but for those of draws, of some cells of an array, taken in the order of its cells."""
    axes = of if isinstance(of, Mapping) else {str(d): of[d].values for d in of.dims if d not in SAMPLE}
    grids = np.meshgrid(*axes.values(), indexing="ij")
    return {dim: grid.ravel()[there] for dim, grid in zip(axes, grids, strict=True)}


def _table(of: Cells) -> pd.DataFrame:
    at = label_columns(of.labels, of.there)
    columns: dict[str, object] = {"indicator": of.name} | {d: at.get(d, "") for d in (*DIMS, "year")}
    lower, upper = interval_columns(of.prob)
    known = of.before or Spread.empty(len(of.there))
    columns |= {"unit": of.unit, "mean": of.after.mean, "median": of.after.median}
    columns |= {lower: of.after.lower, upper: of.after.upper, **of.checks, "prior_median": known.median}
    columns |= {f"prior_{lower}": known.lower, f"prior_{upper}": known.upper, **of.learned.columns()}
    return pd.DataFrame(columns, index=range(len(of.there)))


def _joined(every: Mapping[str, Cells]) -> pd.DataFrame:
    tables = [_table(cells) for cells in every.values()]
    # A system without the roles of any indicator gives an empty table.
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def _posterior_spread(cells: np.ndarray) -> tuple[Spread, dict[str, np.ndarray]]:
    """One pass of the diagnostics gives mean and interval too; quantities undefined in some draws it leaves empty."""
    found = diagnose(cells, at=PROBABILITIES)
    rest = np.flatnonzero(np.isnan(found.median))
    if len(rest):
        own = spread(cells.reshape(-1, cells.shape[2])[:, rest])
        for f in fields(Spread):
            getattr(found, f.name)[..., rest] = getattr(own, f.name)
    return found, {"ess_bulk": found.ess_bulk, "ess_tail": found.ess_tail, "r_hat": found.r_hat}
