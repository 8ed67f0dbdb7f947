"""Refined production, and each region's share of it."""

from collections.abc import Callable
from functools import partial

import numpy as np

from reeuncert.indicators.flows import REFINED, Array, FlowTable, ratio
from reeuncert.indicators.trade import cumulated_mass, cumulated_ratio, mass_of_products


def refined_production(production: Array, feed: Array, bought: Array | float = 0.0) -> Array:
    """Net output of refined products: production minus refined products fed to the next refining step.

    Gross output would count one tonne at every step. A region that only processes imported refined products has a
    slightly negative net output, by its losses. ``bought``: refined products that the chain bought from another chain
    in the region and books as its own.

    Examples
    --------
    >>> refined_production(np.array([100.0 + 57.0]), np.array([60.0]))
    array([97.])
    """
    return production + bought - feed


def share_of_refining(production: Array, world: Array) -> Array:
    """Share of world refined production; NaN where the world makes none.

    Examples
    --------
    >>> share_of_refining(np.array([97.0]), np.array([100.0]))
    array([0.97])
    """
    return ratio(production, world)


@cumulated_mass(
    "refined_production",
    title="Refined production, registered and unregistered",
    dims=("region", "product"),
    each=True,
)
def refined_production_of(table: FlowTable, region: str, label: str, *, registered: bool = False) -> Array:
    """Refined production of a region, array (chain, draw, year): gross for a product, net for all refined products.

    The label is a refined product or ``"refined"``; others are absent. ``registered``: only registered plants,
    including purchases from unregistered ones that they book as their own.
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
mass_of_products("refined_production_registered", title="Refined production, registered")(registered_production_of)


@cumulated_mass(
    "world_refined_production", title="Refined production of the world, registered and unregistered", dims=("product",)
)
def _world(table: FlowTable) -> Array:
    regional = table.over("region", "product", of=partial(refined_production_of, table))
    absent = np.isnan(regional).all(axis=2)
    return np.where(absent, np.nan, np.nansum(regional, axis=2))


def _share(table: FlowTable, of: Callable[..., Array]) -> Array:
    # A region that only processes imports has a small negative net output: counted as no production.
    production = np.maximum(table.over("region", "product", of=partial(of, table)), 0.0)
    return share_of_refining(production, np.nansum(production, axis=2, keepdims=True))


for _name, _title, _of in (
    ("share_of_refining", "registered", registered_production_of),
    ("share_of_refining_with_unregistered", "with unregistered", refined_production_of),
):
    cumulated_ratio(_name, title=f"Share of the world's refined production, {_title}", dims=("region", "product"))(
        partial(_share, of=_of)
    )
