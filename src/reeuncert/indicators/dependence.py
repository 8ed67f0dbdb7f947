"""Dependence on trade: net import reliance, import, export and supply dependence, concentration of suppliers."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from reeuncert.indicators.consumption import consumed, consumption_of, stock_change_of
from reeuncert.indicators.flows import ALL, REFINED, Array, FlowTable, ratio, shares
from reeuncert.indicators.registry import DEPENDENCE, MUTUAL, OUT
from reeuncert.indicators.trade import (
    ALL_ARRIVALS,
    ALL_DEPARTURES,
    PAIR,
    PRODUCT,
    RECORDED_ARRIVALS,
    REGION,
    USGS,
    exports_of,
    imports_of,
    yearly_ratio,
)  # fmt: skip

_ratio = partial(yearly_ratio, topic=DEPENDENCE)


@_ratio(
    "net_import_reliance",
    title="Net import reliance, refined products",
    dims=REGION,
    reference=USGS,
    scale="beyond",
    whole="apparent consumption",
    each=True,
)
def _reliance(table: FlowTable, region: str) -> Array:
    """1 - production / consumption, so that all flows count, recorded or not; negative for a net exporter (the U.S.
    Geological Survey prints E there).
    """
    terms = (
        imports_of(table, region, REFINED, quantities=ALL_ARRIVALS),
        exports_of(table, region, REFINED, quantities=ALL_DEPARTURES),
        stock_change_of(table, region, REFINED),
    )
    bought, sold, stored = (np.nan_to_num(term) for term in terms)
    return ratio(bought - sold - stored, consumption_of(table, region, REFINED))


def _of_imports(table: FlowTable, quantities: Sequence[str]) -> Array:
    whole = {
        (r, k): imports_of(table, r, k, quantities=quantities) for r in table.regions for k in table.labels("product")
    }

    def of_cell(region: str, partner: str, product: str) -> Array:
        return ratio(imports_of(table, region, product, [partner], quantities), whole[region, product])

    return table.over("region", "partner", "product", of=of_cell)


for _name, _title, _whole, _quantities in (
    ("import_dependence", "recorded", "recorded imports", RECORDED_ARRIVALS),
    ("import_dependence_with_unrecorded", "with unrecorded", "all imports", ALL_ARRIVALS),
):
    _ratio(_name, title=f"Import dependence, {_title}", dims=(*PAIR, "product"), whole=_whole)(
        partial(_of_imports, quantities=_quantities)
    )


def _of_all_products(table: FlowTable, of: Callable[..., Array]) -> Array:
    part = table.over("region", "partner", of=lambda r, p: of(table, r, ALL, [p]))
    return ratio(part, table.over("region", of=lambda r: of(table, r, ALL))[:, :, :, None])


_ratio(
    "export_dependence",
    title="Export dependence over all products, recorded",
    dims=PAIR,
    cumulated=True,
    whole="recorded exports",
    way=OUT,
)(partial(_of_all_products, of=exports_of))
_ratio(
    "interdependence",
    title="Import dependence over all products, both directions of a pair",
    dims=PAIR,
    whole="recorded imports",
    way=MUTUAL,
)(partial(_of_all_products, of=imports_of))


def _supply(table: FlowTable, quantities: Sequence[str]) -> Array:
    """Above 1 where a region imports for export, for stock or as feed."""
    bought = table.over("region", "partner", of=lambda r, p: imports_of(table, r, REFINED, [p], quantities))
    return ratio(bought, consumed(table)[:, :, :, None])


for _name, _title, _quantities in (
    ("supply_dependence", "recorded", RECORDED_ARRIVALS),
    ("supply_dependence_with_unrecorded", "with unrecorded", ALL_ARRIVALS),
):
    _ratio(
        _name,
        title=f"Supply dependence, refined products, {_title}",
        dims=PAIR,
        scale="ratio",
        whole="apparent consumption",
    )(partial(_supply, quantities=_quantities))


def herfindahl_hirschman(masses: Array) -> Array:
    """Sum of squared shares of origins (origin, …): 1 for a single supplier, 1/n for n equal ones; NaN where none is.

    Absent origins (NaN) supply nothing. An aggregate region counts as one supplier, so the index is an upper bound if
    its suppliers compete.
    """
    return np.where(np.nansum(masses, axis=0) > 0, np.nansum(shares(masses, 0) ** 2, axis=0), np.nan)


@_ratio(
    "supplier_concentration",
    title="Concentration of suppliers (Herfindahl-Hirschman index of import origins)",
    dims=PRODUCT,
    percent=False,
    each=True,
    reference="Thomas, Nassar & DeYoung 2022, Mineral Economics 35, doi 10.1007/s13563-021-00291-2",
)
def _concentration(table: FlowTable, region: str, label: str) -> Array:
    return herfindahl_hirschman(np.stack([imports_of(table, region, label, [p]) for p in table.regions]))
