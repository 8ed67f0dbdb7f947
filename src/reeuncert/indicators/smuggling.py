"""Smuggled mass: unrecorded exports, and the part declared on arrival."""

from __future__ import annotations

from reeuncert.indicators.flows import ALL, Array, FlowTable
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import CHEN, imports_of


def _by_pair(table: FlowTable, quantity: str) -> Array:
    return table.over("region", "partner", of=lambda r, p: imports_of(table, r, ALL, [p], [quantity]))


@indicator(
    "smuggled_mass",
    title="Unrecorded exports (smuggling)",
    unit="mass",
    dims=("region", "partner"),
    cumulated=True,
    reference=CHEN,
)
def _unrecorded(table: FlowTable) -> Array:
    return _by_pair(table, "unrecorded_trade")


@indicator(
    "smuggled_mass_declared",
    title="Unrecorded exports declared on arrival",
    unit="mass",
    dims=("region", "partner"),
    cumulated=True,
    reference=CHEN,
)
def _declared(table: FlowTable) -> Array:
    return _by_pair(table, "declared")
