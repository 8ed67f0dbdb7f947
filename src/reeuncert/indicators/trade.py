"""Imports and exports, recorded or actual."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.indicators.registry import DEPENDENCE, indicator

RECORDED_ARRIVALS = ("trade", "declared")
"""Importer's record: recorded trade plus unrecorded trade declared on arrival."""

ALL_ARRIVALS = ("trade", "declared", "undeclared")
RECORDED_DEPARTURES = ("trade",)
"""Exporter's record."""

ALL_DEPARTURES = ("trade", "unrecorded_trade")

CONSUMED = "apparent_consumption"
REGION, PAIR, PRODUCT = ("region",), ("region", "partner"), ("region", "product")

USGS = "U.S. Geological Survey, Mineral Commodity Summaries 2024, appendix B, doi 10.3133/mcs2024"
CHEN = "Chen, Eckelman, Sprecher, Chen & Wang 2024, One Earth 7(2), doi 10.1016/j.oneear.2024.01.011"

cumulated_mass = partial(indicator, unit="mass", cumulated=True, reference=CHEN)
"""Registers a mass whose sum over the years is an indicator too."""

cumulated_ratio = partial(indicator, unit="1", cumulated=True, reference=CHEN)
"""Registers a ratio of masses of a year, and of their sums over the years."""

yearly_ratio = partial(indicator, unit="1", reference=CHEN)

mass_of_products = partial(indicator, unit="mass", dims=PRODUCT, reference=USGS, each=True)
"""Registers a mass of a region and product from a function of both."""


def imports_of(
    table: FlowTable,
    region: str,
    label: str,
    partners: Sequence[str] | None = None,
    quantities: Sequence[str] = RECORDED_ARRIVALS,
) -> Array:
    """Imports of a region from some partners (None: all), array (chain, draw, year)."""
    origins = [p for p in (table.regions if partners is None else partners) if p != region]
    products = table.members(label)
    return table.sum(table.where(quantity=quantities, origin=origins, destination=region, product=products))


def exports_of(
    table: FlowTable,
    region: str,
    label: str,
    partners: Sequence[str] | None = None,
    quantities: Sequence[str] = RECORDED_DEPARTURES,
) -> Array:
    """Exports of a region to some partners (None: all), array (chain, draw, year)."""
    destinations = [p for p in (table.regions if partners is None else partners) if p != region]
    products = table.members(label)
    return table.sum(table.where(quantity=quantities, origin=region, destination=destinations, product=products))


mass_of_products("imports", title="Imports recorded by the importer")(imports_of)
mass_of_products("exports", title="Exports recorded by the exporter")(exports_of)


@mass_of_products("net_imports", title="Net imports, recorded", cumulated=True, topic=DEPENDENCE)
def net_imports_of(table: FlowTable, region: str, label: str) -> Array:
    """Recorded imports minus recorded exports of a region, array (chain, draw, year); absent where it has neither."""
    bought, sold = imports_of(table, region, label), exports_of(table, region, label)
    if np.isnan(bought).all() and np.isnan(sold).all():
        return bought
    return np.nan_to_num(bought) - np.nan_to_num(sold)


probability = partial(yearly_ratio, dims=PRODUCT, topic=DEPENDENCE, event=True, each=True)
"""Registers a function of a region and product that is 1 in draws in which something is so, 0 in others."""


@probability("net_importer", title="Probability of net imports")
def _net_importer(table: FlowTable, region: str, label: str) -> Array:
    net = net_imports_of(table, region, label)
    return np.where(np.isnan(net), np.nan, net > 0)


@probability("net_imports_peak", title="Probability that net imports are the largest of all years")
def _peak(table: FlowTable, region: str, label: str) -> Array:
    net = net_imports_of(table, region, label)
    return np.where(np.isnan(net), np.nan, net == np.max(net, axis=-1, keepdims=True))
