"""Adds indicators to a result: the groups ``derived`` (of the posterior) and ``derived_prior`` (of the prior).

Draws of an indicator are computed when they are first looked at; then only the cells that exist are kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from reeuncert.case.records import Case
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.indicators.registry import DIMS, Indicator, choose
from reeuncert.parts import Failed
from reeuncert.result.result import Result


@dataclass(frozen=True, eq=False)
class Held:
    """Draws of the cells that exist (cell, chain, draw), and the cell of each combination of labels (−1: none)."""

    draws: Array
    cell: NDArray[np.int64]

    @classmethod
    def of(cls, values: Array) -> Self:
        """From an array (chain, draw, *labels); cells that are NaN in every draw do not exist."""
        rows = np.moveaxis(values, (0, 1), (-2, -1))
        there = ~np.isnan(rows[..., 0, 0])
        for place in zip(*np.nonzero(~there), strict=True):  # one at a time: most of a large array may be empty
            there[place] = not np.isnan(rows[place]).all()
        cell = np.full(there.shape, -1)
        cell[there] = np.arange(there.sum())
        return cls(np.ascontiguousarray(rows[there]), cell)

    def at(self, positions: NDArray[np.intp]) -> Array:
        """Draws (position, chain, draw) of positions in an array of the labels; NaN where nothing exists."""
        cell = self.cell.ravel()[positions]
        if len(cell) == len(self.draws) and (cell == np.arange(len(cell))).all():
            return self.draws
        out = np.full((len(cell), *self.draws.shape[1:]), np.nan)
        out[cell >= 0] = self.draws[cell[cell >= 0]]
        return out

    def part(self, key: tuple[Any, ...]) -> Array:
        """The array again, or part of it; in memory its draws are together, so that no use of them copies."""
        cell = self.cell[key[2:]]
        draws = self.draws[:, *key[:2]]
        out = np.full((*cell.shape, *draws.shape[1:]), np.nan)
        out[cell >= 0] = draws[cell[cell >= 0]]
        out.flags.writeable = False
        return np.moveaxis(out, range(cell.ndim), range(-cell.ndim, 0))


class _Draws(BackendArray):
    """One indicator of a table of flows, as xarray reads the variables of a file."""

    def __init__(self, record: Indicator, table: FlowTable, last: "dict[_Draws, Held]"):
        chains, draws, years = table.shape
        self.record, self.table, self.last = record, table, last
        self.shape = (chains, draws, *(len(table.labels(dim)) for dim in record.dims), years)
        self.dtype = np.dtype(np.float64)
        self._single: dict[tuple[int, ...], Array] = {}

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        basic = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, basic, self._part)

    def _part(self, key: tuple[Any, ...]) -> Array:
        at = [range(size)[k] for k, size in zip(key[2:], self.shape[2:], strict=True)]
        if not all(isinstance(a, int) or len(a) == 1 for a in at):
            return self.held().part(key)
        place = tuple(a if isinstance(a, int) else a[0] for a in at)
        if place not in self._single:  # draws of one value are kept: what is asked of a headline is asked again
            self._single[place] = self.held().part((slice(None), slice(None), *place))
        draws = self._single[place][key[:2]]
        return np.reshape(draws, (*draws.shape, *(1 for a in at if not isinstance(a, int))))

    def held(self) -> Held:
        """Draws of the cells that exist; those of the indicator that was looked at last are kept."""
        if self not in self.last:
            self.last.clear()
            self.last[self] = Held.of(_computed(self.record, self.table))
        return self.last[self]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing of it changes


def held(variable: xr.DataArray) -> Held:
    """Draws of the cells of an indicator that exist, without an array of all cells where it is computed on demand."""
    inner: Any = variable.variable._data  # xarray tells nowhere else what a variable reads
    while isinstance(inner, indexing.CopyOnWriteArray):
        inner = inner.array
    source = inner.array if isinstance(inner, indexing.LazilyIndexedArray) else None
    if isinstance(source, _Draws) and all(isinstance(k, slice) and k == slice(None) for k in inner.key.tuple):
        return source.held()
    return Held.of(variable.transpose("chain", "draw", ...).values)


def _computed(record: Indicator, table: FlowTable) -> Array:
    # A case without regions or end uses has no cell of an indicator by region or end use.
    return record.of_flows(table) if all(table.labels(d) for d in record.dims) else table.blank(*record.dims)


GROUPS = {"posterior": "derived", "prior": "derived_prior"}
"""Group of draws → group of the indicators computed from them."""


def indicators_of(table: FlowTable, names: Iterable[str] | None = None, *, tried: bool = True) -> xr.Dataset:
    """Indicators of one table of flows, with cumulative variants; each is computed when it is looked at. One variable
    per indicator, read-only, dims (chain, draw, [region], [partner], [product], [end_use], year), with ``long_name``,
    ``units`` and ``reference`` as attributes. NaN: not defined, or no such flow in the system. ``tried``: one draw of
    each is computed at once, so that what cannot be computed fails here; of prior and posterior one is enough.
    """
    records, first, cumulated = choose(names, table.case), table.first_draw(), table.cumulated()
    for record in records if tried else ():
        _computed(record, first)  # what cannot be computed fails now
    variables: dict[str, xr.Variable] = {}
    last: dict[_Draws, Held] = {}
    for record in records:
        unit = table.case.system.unit if record.unit == "mass" else record.unit
        for name, title in record.titles.items():
            read: Any = indexing.LazilyIndexedArray(_Draws(record, table if name == record.name else cumulated, last))
            lazy = indexing.CopyOnWriteArray(read)  # who assigns to it gets a copy, as with the variables of a file
            about = {"long_name": title, "units": unit, "reference": record.reference}
            variables[name] = xr.Variable(("chain", "draw", *record.dims, "year"), lazy, about)
    used = {dim for record in records for dim in record.dims}
    chains, draws, _ = table.shape
    coords: dict[str, object] = {"chain": range(chains), "draw": range(draws), "year": list(table.years)}
    coords |= {dim: list(table.labels(dim)) for dim in DIMS if dim in used}
    return xr.Dataset(variables, coords=coords)


def add_indicators(dt: xr.DataTree, names: Iterable[str] | None = None, *, case: Case | None = None) -> xr.DataTree:
    """Compute indicators on every draw and add them to a result.

    Parameters
    ----------
    dt
        Result with the group ``posterior``, ``prior`` or both.
    names
        Names of indicators (see `reeuncert.indicators`); all by default.
    case
        The case of the result; by default read from its attribute ``case_json``.

    Returns
    -------
    DataTree
        A copy that shares its draws with `dt`, with the groups ``derived`` and ``derived_prior``. Existing variables
        are kept unless computed again. Flows lie in memory by flow and year, not by draw.

    Raises
    ------
    UnknownIndicatorError
        If a name is not known; the message lists the valid ones.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> dt = add_indicators(toy_posterior(draws=5, years=2), ["net_import_reliance"])
    >>> dt["derived"]["net_import_reliance"].dims
    ('chain', 'draw', 'region', 'year')
    """
    case = Result(dt).case if case is None else case
    chosen = [record.name for record in choose(names, case)]
    out = dt.copy(deep=False)
    groups = [group for group in GROUPS if group in dt.children and "mass_flow" in dt[group].data_vars]
    for group in groups:
        draws, derived = dt[group].to_dataset(), GROUPS[group]
        table = FlowTable.from_dataset(draws, case)
        out[group] = xr.DataTree(draws.assign(mass_flow=table.shared(draws["mass_flow"])))
        computed = indicators_of(table, chosen, tried=group == groups[0])
        computed = computed.assign_coords(chain=draws["chain"], draw=draws["draw"])
        if derived in dt.children:
            computed = _merged(dt[derived].to_dataset(), computed)
        out[derived] = xr.DataTree(computed)
    return out


def with_indicators(dt: xr.DataTree) -> Result:
    """A result with all indicators; where they cannot be computed, they are among its failed parts."""
    result = Result(dt)
    if "derived" in dt.children:
        return result
    found = result.part("indicators", lambda: add_indicators(dt))
    return result if isinstance(found, Failed) else Result(found)


def _merged(before: xr.Dataset, computed: xr.Dataset) -> xr.Dataset:
    kept = before.drop_vars([name for name in computed.data_vars if name in before.data_vars])
    return xr.merge([computed, kept], join="exact", compat="equals", combine_attrs="override")
