"""Draws of indicators, computed when they are first looked at; then only the cells that exist are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.indicators.registry import CUMULATED, Indicator

KEPT_BYTES = 300_000_000
"""Draws of one table that are kept in memory; of a large case, those that were looked at last."""


@dataclass(frozen=True, eq=False)
class _Held:
    """Draws of the cells that exist (cell, chain, draw), and the cell of each combination of labels (−1: none)."""

    draws: Array
    cell: NDArray[np.int64]

    @classmethod
    def of(cls, values: Array) -> Self:
        """From an array (chain, draw, *labels); cells that are NaN in every draw do not exist."""
        there = ~np.isnan(values).all(axis=(0, 1))
        cell = np.full(there.shape, -1)
        cell[there] = np.arange(there.sum())
        return cls(np.ascontiguousarray(np.moveaxis(values, (0, 1), (-2, -1))[there]), cell)

    def part(self, key: tuple[Any, ...]) -> Array:
        """The array again, or part of it; in memory its draws are together, so that no use of them copies."""
        cell = self.cell[key[2:]]
        draws = self.draws[:, *key[:2]]
        out = np.full((*cell.shape, *draws.shape[1:]), np.nan)
        out[cell >= 0] = draws[cell[cell >= 0]]
        out.flags.writeable = False
        return np.moveaxis(out, range(cell.ndim), range(-cell.ndim, 0))


class Computed:
    """Indicators of one table of flows.

    Parameters
    ----------
    table
        The flows.
    """

    def __init__(self, table: FlowTable):
        self.table = table
        self._cumulated = table.cumulated()
        self._first = table.first_draw()
        self._kept: dict[str, _Held] = {}

    def variables(self, record: Indicator) -> Mapping[str, xr.Variable]:
        """Name → variable of an indicator and, where it has one, of its cumulative variant."""
        chains, draws, years = self.table.shape
        shape = (chains, draws, *(len(self.table.labels(dim)) for dim in record.dims), years)
        _computed(record, self._first)  # what cannot be computed fails now
        titles = {record.name: record.title}
        if record.cumulated:
            titles[record.name + CUMULATED] = f"{record.title}, cumulated"
        unit = self.table.unit if record.unit == "mass" else record.unit
        return {
            name: xr.Variable(
                ("chain", "draw", *record.dims, "year"),
                # Who assigns to it gets a copy of his own, as with the variables of a file.
                indexing.CopyOnWriteArray(indexing.LazilyIndexedArray(_Draws(self, record, name, shape))),  # type: ignore[arg-type]  # as xarray's own files do
                {"long_name": title, "units": unit, "reference": record.reference},
            )
            for name, title in titles.items()
        }

    def held(self, record: Indicator, name: str) -> _Held:
        """Draws of an indicator."""
        found = self._kept.pop(name, None)
        if found is None:
            found = _Held.of(_computed(record, self.table if name == record.name else self._cumulated))
        self._kept[name] = found  # the last one looked at comes last
        while len(self._kept) > 1 and sum(one.draws.nbytes for one in self._kept.values()) > KEPT_BYTES:
            del self._kept[next(iter(self._kept))]
        return found


def _computed(record: Indicator, table: FlowTable) -> Array:
    # A case without regions or end uses has no cell of an indicator by region or end use.
    return record.of_flows(table) if all(table.labels(d) for d in record.dims) else table.blank(*record.dims)


class _Draws(BackendArray):
    """One indicator, as xarray reads the variables of a file."""

    def __init__(self, computed: Computed, record: Indicator, name: str, shape: tuple[int, ...]):
        self.computed, self.record, self.name, self.shape = computed, record, name, shape
        self.dtype = np.dtype(np.float64)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        basic = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, basic, self._part)

    def _part(self, key: tuple[Any, ...]) -> Array:
        return self.computed.held(self.record, self.name).part(key)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing of it changes
