"""Consumption: apparent consumption, its end uses, each region's share; stock change of the markets."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from reeuncert.indicators.flows import REFINED, Array, FlowTable, ratio
from reeuncert.indicators.refining import refined_production_of
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import (
    CONSUMED,
    USGS,
    cumulated_mass,
    cumulated_ratio,
    exports_of,
    imports_of,
    mass_of_products,
    yearly_ratio,
)


def apparent_consumption(production: Array, imports: Array, exports: Array, stock_change: Array | float = 0.0) -> Array:
    """Production + imports - exports - stock change, in the unit of its arguments.

    By mass balance it equals the use of refined products after process losses, and the sum of end uses. Without a stock
    change it is the definition of the U.S. Geological Survey for missing stock data.

    Examples
    --------
    >>> apparent_consumption(np.array([5.0]), np.array([9.0]), np.array([2.0]), np.array([1.0]))
    array([11.])
    """
    return production + imports - exports - stock_change


@mass_of_products("apparent_consumption", title="Apparent consumption", cumulated=True)
def consumption_of(table: FlowTable, region: str, label: str) -> Array:
    """Apparent consumption of a region from the network, array (chain, draw, year)."""
    return table.sum(table.where(quantity=CONSUMED, destination=region, product=table.members(label)))


@indicator(
    "apparent_consumption_usgs",
    title="Apparent consumption from recorded flows, without stock change",
    unit="mass",
    dims=("region",),
    cumulated=True,
    reference=USGS,
    each=True,
)
def _from_records(table: FlowTable, region: str) -> Array:
    terms = (
        refined_production_of(table, region, REFINED, registered=True),
        table.sum(table.where(quantity="recycling", destination=region, product=table.refined)),
        imports_of(table, region, REFINED),
        exports_of(table, region, REFINED),
    )
    if all(np.isnan(term).all() for term in terms):
        return table.absent
    primary, secondary, bought, sold = (np.nan_to_num(term) for term in terms)
    return apparent_consumption(primary + secondary, bought, sold)


@mass_of_products(
    "world_apparent_consumption", title="Apparent consumption of the world", dims=("product",), cumulated=True
)
def _world(table: FlowTable, label: str) -> Array:
    return table.sum(table.where(quantity=CONSUMED, product=table.members(label)))


@cumulated_ratio(
    "share_of_consumption", title="Share of the world's apparent consumption of refined products", dims=("region",)
)
def _share(table: FlowTable) -> Array:
    world = table.sum(table.where(quantity=CONSUMED, product=table.refined))
    return ratio(consumed(table), world[:, :, None])


def end_use_share(consumed: Array, consumption: Array) -> Array:
    """Part of apparent consumption that goes to one end use; NaN where nothing is consumed.

    Examples
    --------
    >>> end_use_share(np.array([3.0]), np.array([12.0]))
    array([0.25])
    """
    return ratio(consumed, consumption)


@cumulated_mass("end_use_consumption", title="Consumption by end use", dims=("region", "end_use"))
def _uses_by_region(table: FlowTable) -> Array:
    chosen = partial(table.where, quantity="end_use")
    return table.over("region", "end_use", of=lambda r, use: table.sum(chosen(destination=r, end_use=use)))


@cumulated_ratio("end_use_share", title="Share of an end use in the region's consumption", dims=("region", "end_use"))
def _use_share(table: FlowTable) -> Array:
    used = _uses_by_region(table)
    return end_use_share(used, np.nansum(used, axis=3, keepdims=True))


@cumulated_mass("world_end_use_consumption", title="Consumption of the world by end use", dims=("end_use",))
def _uses_of_world(table: FlowTable) -> Array:
    return table.over("end_use", of=lambda use: table.sum(table.where(quantity="end_use", end_use=use)))


@cumulated_ratio("world_end_use_share", title="Share of an end use in the world's consumption", dims=("end_use",))
def _world_use_share(table: FlowTable) -> Array:
    used = _uses_of_world(table)
    return end_use_share(used, np.nansum(used, axis=2, keepdims=True))


def growth_factor(values: Array) -> Array:
    """Value of a year over that of the first year; NaN where the first is zero or absent.

    Examples
    --------
    >>> growth_factor(np.array([20.0, 30.0, 80.0]))
    array([1. , 1.5, 4. ])
    """
    return ratio(values, values[..., :1])


def annual_growth(values: Array, years: Sequence[int]) -> Array:
    """Mean growth a year since the first year; NaN in the first year.

    Examples
    --------
    >>> annual_growth(np.array([20.0, 22.0, 24.2]), (2000, 2001, 2002)).round(2)
    array([nan, 0.1, 0.1])
    """
    elapsed = np.array(years, dtype=float) - years[0]
    # NaN by hand: 1 to the power of NaN is 1.
    factor = np.where(elapsed > 0, growth_factor(values), np.nan)
    return np.asarray(factor ** (1.0 / np.where(elapsed > 0, elapsed, 1.0)) - 1.0)


def consumed(table: FlowTable) -> Array:
    """Apparent consumption of refined products, array (chain, draw, region, year)."""
    return table.over("region", of=lambda region: consumption_of(table, region, REFINED))


@yearly_ratio(
    "consumption_growth",
    title="Apparent consumption of refined products over that of the first year",
    dims=("region",),
    percent=False,
)
def _growth(table: FlowTable) -> Array:
    return growth_factor(consumed(table))


@yearly_ratio(
    "consumption_annual_growth", title="Annual growth of apparent consumption since the first year", dims=("region",)
)
def _annual_growth(table: FlowTable) -> Array:
    return annual_growth(consumed(table), table.years)


@yearly_ratio(
    "world_consumption_growth", title="The world's apparent consumption over that of the first year", percent=False
)
def _world_growth(table: FlowTable) -> Array:
    return growth_factor(np.nansum(consumed(table), axis=2))


@yearly_ratio(
    "world_consumption_annual_growth", title="Annual growth of the world's apparent consumption since the first year"
)
def _world_annual_growth(table: FlowTable) -> Array:
    return annual_growth(np.nansum(consumed(table), axis=2), table.years)


def stock_change(closing: Array, opening: Array) -> Array:
    """Increase of a stock in a year (negative: decrease), in the unit of its arguments.

    Examples
    --------
    >>> stock_change(np.array([7.0]), np.array([9.0]))
    array([-2.])
    """
    return closing - opening


@mass_of_products(
    "stock_change",
    title="Stock change",
    reference="Brunner & Rechberger 2016, Handbook of Material Flow Analysis, doi 10.1201/9781315313450",
)
def stock_change_of(table: FlowTable, region: str, label: str) -> Array:
    """Stock change of a region's markets of some products, all routes, array (chain, draw, year).

    The opening stock of a year was carried over into it, or entered as `opening_stock`.
    """
    here = table.where(origin=region, product=table.members(label))
    stocks = np.flatnonzero(here & table.where(quantity="stock") & table.present.any(axis=1))
    entering = np.flatnonzero(here & table.where(quantity="opening_stock") & table.present.any(axis=1))
    if not len(stocks) + len(entering):
        return table.absent
    closing, opening = table.zeros(), table.zeros()
    for i in stocks:
        mass = table.of(i)
        closing += mass
        opening[..., 1:] += mass[..., :-1] * table.carried[i, 1:]
    for i in entering:
        opening += table.of(i)
    return table.accumulate(stock_change(closing, opening))
