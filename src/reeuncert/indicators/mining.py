"""Mine production, with or without a licence, and each region's share of it."""

import numpy as np

from reeuncert.indicators.consumption import consumed
from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.trade import USGS, cumulated_mass, cumulated_ratio


def share_of_mining(production: Array, world: Array) -> Array:
    """Share of world mine production; NaN where the world mines nothing.

    Examples
    --------
    >>> share_of_mining(np.array([3.0]), np.array([12.0]))
    array([0.25])
    """
    return ratio(production, world)


def mining_of(table: FlowTable, region: str | None = None, route: str = "") -> Array:
    """Mine production of a region (None: the world) by a route (empty: all), array (chain, draw, year)."""
    chosen = table.where(quantity="mine_production")
    if region is not None:
        chosen &= table.where(origin=region)
    if route:
        chosen &= table.where(route=route)
    return table.sum(chosen)


@cumulated_mass("mine_production", title="Mine production, registered and unregistered", dims=("region",))
def by_region(table: FlowTable, route: str = "") -> Array:
    """Mine production, array (chain, draw, region, year)."""
    return np.stack([mining_of(table, region, route) for region in table.regions], axis=2)


@cumulated_mass("mine_production_registered", title="Mine production, registered", dims=("region",), reference=USGS)
def _registered(table: FlowTable) -> Array:
    return by_region(table, "registered")


@cumulated_mass("world_mine_production", title="Mine production of the world, registered and unregistered")
def _world(table: FlowTable) -> Array:
    return np.array(mining_of(table))


@cumulated_ratio("share_of_mining", title="Share of the world's mine production, registered", dims=("region",))
def _share_registered(table: FlowTable) -> Array:
    return share_of_mining(by_region(table, "registered"), mining_of(table, None, "registered")[:, :, None])


@cumulated_ratio(
    "share_of_mining_with_unregistered",
    title="Share of the world's mine production, with unregistered",
    dims=("region",),
)
def _share_all(table: FlowTable) -> Array:
    return share_of_mining(by_region(table), mining_of(table)[:, :, None])


def unregistered_mining_share(unregistered: Array, mined: Array) -> Array:
    """Unregistered part of mine production; NaN where nothing is mined.

    Examples
    --------
    >>> unregistered_mining_share(np.array([30.0]), np.array([150.0]))
    array([0.2])
    """
    return ratio(unregistered, mined)


@cumulated_mass("unregistered_mining", title="Unregistered mine production", dims=("region",))
def _unregistered(table: FlowTable) -> Array:
    return by_region(table, "unregistered")


@cumulated_mass("world_unregistered_mining", title="Unregistered mine production of the world")
def _world_unregistered(table: FlowTable) -> Array:
    return np.array(mining_of(table, None, "unregistered"))


@cumulated_ratio(
    "unregistered_mining_share", title="Unregistered part of the region's mine production", dims=("region",)
)
def _unregistered_share(table: FlowTable) -> Array:
    return unregistered_mining_share(by_region(table, "unregistered"), by_region(table))


@cumulated_ratio(
    "share_of_unregistered_mining", title="Share of the world's unregistered mine production", dims=("region",)
)
def _share_of_unregistered(table: FlowTable) -> Array:
    return ratio(by_region(table, "unregistered"), mining_of(table, None, "unregistered")[:, :, None])


@cumulated_ratio("world_unregistered_share", title="Unregistered part of the world's mine production")
def _world_unregistered_share(table: FlowTable) -> Array:
    return ratio(mining_of(table, None, "unregistered"), mining_of(table))


@cumulated_ratio(
    "mine_output_over_consumption",
    title="Mine production over apparent consumption of refined products",
    dims=("region",),
    percent=False,
)
def _over_consumption(table: FlowTable) -> Array:
    return ratio(by_region(table), consumed(table))


@cumulated_ratio(
    "consumption_over_mine_output",
    title="Apparent consumption of refined products over mine production",
    dims=("region",),
    percent=False,
)
def _over_mining(table: FlowTable) -> Array:
    return ratio(consumed(table), by_region(table))


@cumulated_ratio(
    "ore_shipped",
    title="Unrefined exports to a partner over the region's mine production",
    dims=("region", "partner"),
    each=True,
)
def _shipped(table: FlowTable, region: str, partner: str) -> Array:
    """Stocks of earlier years are shipped too, so that it can exceed 1."""
    flows = table.where(quantity="trade", origin=region, destination=partner, product=table.unrefined)
    return ratio(table.sum(flows), mining_of(table, region))


@cumulated_ratio(
    "relabelled_share",
    title="Part of a region's unregistered ore that was mined in a partner",
    dims=("region", "partner"),
    each=True,
)
def _relabelled(table: FlowTable, region: str, partner: str) -> Array:
    """Absent where no flow `relabelled_ore` joins the two."""
    moved = table.where(quantity="relabelled_ore", destination=region)
    from_there = table.sum(moved & table.where(origin=partner))
    came = np.nan_to_num(table.sum(moved))
    return ratio(from_there, came + np.nan_to_num(mining_of(table, region, "unregistered")))
