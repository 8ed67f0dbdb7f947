"""Refined production, apparent consumption and its end uses, each region's share of them; stock change of markets."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from reeuncert.indicators.flows import REFINED, Array, FlowTable, ratio, shares
from reeuncert.indicators.registry import MINING, indicator
from reeuncert.indicators.trade import (
    CONSUMED,
    PRODUCT,
    REGION,
    USGS,
    cumulated_mass,
    cumulated_ratio,
    exports_of,
    imports_of,
    mass_of_products,
    yearly_ratio,
)  # fmt: skip


@cumulated_mass(
    "refined_production",
    title="Refined production, registered and unregistered",
    dims=PRODUCT,
    topic=MINING,
    each=True,
)
def refined_production_of(table: FlowTable, region: str, label: str, *, registered: bool = False) -> Array:
    """Refined production of a region, array (chain, draw, year): gross for a product; for all refined products net of
    those fed to the next refining step, since gross output would count one tonne at every step.

    The label is a refined product or ``"refined"``; others are absent. ``registered``: only registered plants,
    including purchases from unregistered ones that they book as their own. A region that only processes imported
    refined products has a slightly negative net output, by its losses.
    """
    products = table.members(label) if label in (REFINED, *table.refined) else ()
    here = table.where(origin=region, product=products)
    routed = table.where(route="registered") if registered else np.ones_like(here)
    made = here & routed & table.where(quantity="production")
    if label != REFINED:
        return table.sum(made)
    if registered:
        made = made | (here & table.where(quantity="sale"))
    return table.sum(made, here & routed & table.where(quantity="feed"))


registered_production_of = partial(refined_production_of, registered=True)
mass_of_products("refined_production_registered", title="Refined production, registered", topic=MINING)(
    registered_production_of
)


@cumulated_mass(
    "world_refined_production",
    title="Refined production of the world, registered and unregistered",
    dims=("product",),
    topic=MINING,
)
def _refined_in_world(table: FlowTable) -> Array:
    regional = table.over("region", "product", of=partial(refined_production_of, table))
    absent = np.isnan(regional).all(axis=2)
    return np.where(absent, np.nan, np.nansum(regional, axis=2))


def _share_of_refining(table: FlowTable, of: Callable[..., Array]) -> Array:
    # A region that only processes imports has a small negative net output: counted as no production.
    return shares(np.maximum(table.over("region", "product", of=partial(of, table)), 0.0), 2)


for _name, _title, _of in (
    ("share_of_refining", "registered", registered_production_of),
    ("share_of_refining_with_unregistered", "with unregistered", refined_production_of),
):
    cumulated_ratio(_name, title=f"Share of the world's refined production, {_title}", dims=PRODUCT, topic=MINING)(
        partial(_share_of_refining, of=_of)
    )


@mass_of_products("apparent_consumption", title="Apparent consumption", cumulated=True)
def consumption_of(table: FlowTable, region: str, label: str) -> Array:
    """Apparent consumption of a region from the network, array (chain, draw, year): by mass balance production +
    imports - exports - stock change, and the sum of end uses.
    """
    return table.sum(table.where(quantity=CONSUMED, destination=region, product=table.members(label)))


@indicator(
    "apparent_consumption_usgs",
    title="Apparent consumption from recorded flows, without stock change",
    unit="mass",
    dims=REGION,
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
    return primary + secondary + bought - sold


@mass_of_products(
    "world_apparent_consumption", title="Apparent consumption of the world", dims=("product",), cumulated=True
)
def _world(table: FlowTable, label: str) -> Array:
    return table.sum(table.where(quantity=CONSUMED, product=table.members(label)))


@cumulated_ratio(
    "share_of_consumption", title="Share of the world's apparent consumption of refined products", dims=REGION
)
def _share(table: FlowTable) -> Array:
    world = table.sum(table.where(quantity=CONSUMED, product=table.refined))
    return ratio(consumed(table), world[:, :, None])


@cumulated_mass("end_use_consumption", title="Consumption by end use", dims=("region", "end_use"))
def _uses_by_region(table: FlowTable) -> Array:
    chosen = partial(table.where, quantity="end_use")
    return table.over("region", "end_use", of=lambda r, use: table.sum(chosen(destination=r, end_use=use)))


cumulated_ratio("end_use_share", title="Share of an end use in the region's consumption", dims=("region", "end_use"))(
    lambda table: shares(_uses_by_region(table), -2)
)


@cumulated_mass("world_end_use_consumption", title="Consumption of the world by end use", dims=("end_use",))
def _uses_of_world(table: FlowTable) -> Array:
    return table.over("end_use", of=lambda use: table.sum(table.where(quantity="end_use", end_use=use)))


cumulated_ratio("world_end_use_share", title="Share of an end use in the world's consumption", dims=("end_use",))(
    lambda table: shares(_uses_of_world(table), -2)
)


def growth_factor(values: Array) -> Array:
    """Value of a year over that of the first year; NaN where the first is zero or absent."""
    return ratio(values, values[..., :1])


def annual_growth(values: Array, years: Sequence[int]) -> Array:
    """Mean growth a year since the first year; NaN in the first year.

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


def _consumed_by_world(table: FlowTable) -> Array:
    return np.nansum(consumed(table), axis=2)


_growth = partial(yearly_ratio, percent=False, scale="ratio")
_growth(
    "consumption_growth", title="Apparent consumption of refined products over that of the first year", dims=REGION
)(lambda table: growth_factor(consumed(table)))
_yearly_growth = partial(yearly_ratio, scale="excess")
_yearly_growth(
    "consumption_annual_growth", title="Annual growth of apparent consumption since the first year", dims=REGION
)(lambda table: annual_growth(consumed(table), table.years))
_growth("world_consumption_growth", title="The world's apparent consumption over that of the first year")(
    lambda table: growth_factor(_consumed_by_world(table))
)
_yearly_growth(
    "world_consumption_annual_growth", title="Annual growth of the world's apparent consumption since the first year"
)(lambda table: annual_growth(_consumed_by_world(table), table.years))


@mass_of_products(
    "stock_change",
    title="Stock change",
    reference="Brunner & Rechberger 2016, Handbook of Material Flow Analysis, doi 10.1201/9781315313450",
)
def stock_change_of(table: FlowTable, region: str, label: str) -> Array:
    """Stock change of a region's markets of some products, all routes, array (chain, draw, year); negative: decrease.

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
    return table.accumulate(closing - opening)
