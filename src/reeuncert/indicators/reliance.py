"""Net import reliance."""

from __future__ import annotations

import numpy as np

from reeuncert.indicators.consumption import consumption_of
from reeuncert.indicators.flows import REFINED, Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.stock import stock_change_of
from reeuncert.indicators.trade import ALL_ARRIVALS, ALL_DEPARTURES, USGS, exports_of, imports_of


def net_import_reliance(imports: Array, exports: Array, stock_change: Array | float, consumption: Array) -> Array:
    """Share of apparent consumption met by net imports and stocks: 1 - production / apparent consumption.

    Negative for a net exporter (the U.S. Geological Survey prints E there); NaN where nothing is consumed.

    Examples
    --------
    >>> net_import_reliance(np.array([9.0]), np.array([2.0]), np.array([-1.0]), np.array([10.0]))
    array([0.8])
    """
    return ratio(imports - exports - stock_change, consumption)


@indicator(
    "net_import_reliance", title="Net import reliance, refined products", unit="1", dims=("region",), reference=USGS
)
def _of_flows(table: FlowTable) -> Array:
    """All flows count, recorded or not; otherwise reliance would not equal 1 - production / consumption."""

    def of_region(region: str) -> Array:
        terms = (
            imports_of(table, region, REFINED, quantities=ALL_ARRIVALS),
            exports_of(table, region, REFINED, quantities=ALL_DEPARTURES),
            stock_change_of(table, region, REFINED),
        )
        bought, sold, stored = (np.nan_to_num(term) for term in terms)
        return net_import_reliance(bought, sold, stored, consumption_of(table, region, REFINED))

    return table.over("region", of=of_region)
