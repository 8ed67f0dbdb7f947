"""Supply dependence: imports from one partner over consumption."""

from __future__ import annotations

from collections.abc import Sequence

from reeuncert.indicators.consumption import consumption_of
from reeuncert.indicators.flows import REFINED, Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import ALL_ARRIVALS, CHEN, RECORDED_ARRIVALS, imports_of


def supply_dependence(from_partner: Array, consumption: Array) -> Array:
    """Imports from one partner over apparent consumption; NaN where nothing is consumed.

    Above 1 where a region imports for export, for stock or as feed.

    Examples
    --------
    >>> import numpy as np
    >>> supply_dependence(np.array([6.0]), np.array([12.0]))
    array([0.5])
    """
    return ratio(from_partner, consumption)


def _of_flows(table: FlowTable, quantities: Sequence[str]) -> Array:
    bought = table.over("region", "partner", of=lambda r, p: imports_of(table, r, REFINED, [p], quantities))
    consumed = table.over("region", of=lambda r: consumption_of(table, r, REFINED))
    return supply_dependence(bought, consumed[:, :, :, None])


@indicator(
    "supply_dependence",
    title="Supply dependence, refined products, recorded",
    unit="1",
    dims=("region", "partner"),
    reference=CHEN,
)
def _recorded(table: FlowTable) -> Array:
    return _of_flows(table, RECORDED_ARRIVALS)


@indicator(
    "supply_dependence_with_unrecorded",
    title="Supply dependence, refined products, with unrecorded",
    unit="1",
    dims=("region", "partner"),
    reference=CHEN,
)
def _with_unrecorded(table: FlowTable) -> Array:
    return _of_flows(table, ALL_ARRIVALS)
