"""Smuggled mass: unrecorded exports, and the part declared on arrival."""

from __future__ import annotations

from reeuncert.indicators.flows import ALL, Array, FlowTable
from reeuncert.indicators.trade import cumulated_mass, imports_of


def _by_pair(table: FlowTable, quantity: str) -> Array:
    return table.over("region", "partner", of=lambda r, p: imports_of(table, r, ALL, [p], [quantity]))


@cumulated_mass("smuggled_mass", title="Unrecorded exports (smuggling)", dims=("region", "partner"))
def _unrecorded(table: FlowTable) -> Array:
    return _by_pair(table, "unrecorded_trade")


@cumulated_mass("smuggled_mass_declared", title="Unrecorded exports declared on arrival", dims=("region", "partner"))
def _declared(table: FlowTable) -> Array:
    return _by_pair(table, "declared")
