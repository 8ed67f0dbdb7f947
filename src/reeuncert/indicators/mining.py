"""Mine production, with or without a licence, each region's share of it, and production against quotas and reserves."""

from functools import partial

import numpy as np

from reeuncert.errors import CaseError, Problem
from reeuncert.indicators.consumption import consumed, refined_production_of
from reeuncert.indicators.flows import ALL, REFINED, Array, FlowTable, ratio
from reeuncert.indicators.registry import MINING, OUT
from reeuncert.indicators.tracing import traced
from reeuncert.indicators.trade import PAIR, REGION, USGS, cumulated_mass, cumulated_ratio, yearly_ratio
from reeuncert.words.cells import unknown
from reeuncert.words.units import TONNES, mass_unit


def mining_of(table: FlowTable, region: str | None = None, route: str = "") -> Array:
    """Mine production of a region (None: the world) by a route (empty: all), array (chain, draw, year)."""
    chosen = table.where(quantity="mine_production")
    if region is not None:
        chosen &= table.where(origin=region)
    if route:
        chosen &= table.where(route=route)
    return table.sum(chosen)


def by_region(table: FlowTable, route: str = "") -> Array:
    """Mine production, array (chain, draw, region, year)."""
    return np.stack([mining_of(table, region, route) for region in table.regions], axis=2)


def _world(table: FlowTable, route: str = "") -> Array:
    return np.array(mining_of(table, None, route))


def _share(table: FlowTable, route: str = "") -> Array:
    return ratio(by_region(table, route), mining_of(table, None, route)[:, :, None])


_registered, _unregistered = (partial(by_region, route=route) for route in ("registered", "unregistered"))
mass, share, yearly = (partial(of, topic=MINING) for of in (cumulated_mass, cumulated_ratio, yearly_ratio))
_mass, _part = partial(mass, dims=REGION), partial(share, dims=REGION)
_times = partial(_part, percent=False, scale="ratio")

_mass("mine_production", title="Mine production, registered and unregistered")(by_region)
_mass("mine_production_registered", title="Mine production, registered", reference=USGS)(_registered)
mass("world_mine_production", title="Mine production of the world, registered and unregistered")(_world)
_part("share_of_mining", title="Share of the world's mine production, registered")(partial(_share, route="registered"))
_part("share_of_mining_with_unregistered", title="Share of the world's mine production, with unregistered")(_share)
_mass("unregistered_mining", title="Unregistered mine production")(_unregistered)
mass("world_unregistered_mining", title="Unregistered mine production of the world")(
    partial(_world, route="unregistered")
)
_part("unregistered_mining_share", title="Unregistered part of the region's mine production")(
    lambda table: ratio(_unregistered(table), by_region(table))
)
_part("share_of_unregistered_mining", title="Share of the world's unregistered mine production")(
    partial(_share, route="unregistered")
)
share("world_unregistered_share", title="Unregistered part of the world's mine production")(
    lambda table: ratio(mining_of(table, None, "unregistered"), mining_of(table))
)
_times("mine_output_over_consumption", title="Mine production over apparent consumption of refined products")(
    lambda table: ratio(by_region(table), consumed(table))
)
_times("consumption_over_mine_output", title="Apparent consumption of refined products over mine production")(
    lambda table: ratio(consumed(table), by_region(table))
)


@share(
    "ore_shipped",
    title="Unrefined exports to a partner over the region's mine production",
    dims=PAIR,
    scale="ratio",
    way=OUT,
    each=True,
)
def _shipped(table: FlowTable, region: str, partner: str) -> Array:
    """Stocks of earlier years are shipped too, so that it can exceed 1."""
    flows = table.where(quantity="trade", origin=region, destination=partner, product=table.unrefined)
    return ratio(table.sum(flows), mining_of(table, region))


@share(
    "relabelled_share", title="Part of a region's unregistered ore that was mined in a partner", dims=PAIR, each=True
)
def _relabelled(table: FlowTable, region: str, partner: str) -> Array:
    """Absent where no flow `relabelled_ore` joins the two."""
    moved = table.where(quantity="relabelled_ore", destination=region)
    from_there = table.sum(moved & table.where(origin=partner))
    came = np.nan_to_num(table.sum(moved))
    return ratio(from_there, came + np.nan_to_num(mining_of(table, region, "unregistered")))


SEPARATION_QUOTA, MINING_QUOTA, RESERVES = "separation_quota", "mining_quota", "reserves"


def quota_of(table: FlowTable, name: str, region: str) -> Array:
    """A quota of a region by year, in the unit of the table, array (year,); NaN in years without one.

    A total (product empty, ``all`` or ``refined``) is taken where there is one, else the sum over products; a unit that
    cannot be converted to that of the table is a CaseError.
    """
    out = np.full(len(table.years), np.nan)
    for i, year in enumerate(table.years):
        rows = [c for c in table.case.constants if (c.name, c.region, c.year) == (name, region, year)]
        totals = [c for c in rows if c.product in ("", ALL, REFINED)]
        if rows:
            out[i] = sum(c.value * mass_conversion(c.unit, table.case.system.unit) for c in (totals[:1] or rows))
    return out


def mass_conversion(unit: str, wanted: str) -> float:
    """Conversion factor between two units of mass."""
    first, second = mass_unit(unit), mass_unit(wanted)
    if first == second:
        return 1.0
    if first not in TONNES or second not in TONNES:
        message = f"{unknown(first, tuple(TONNES), 'unit')} (the constant is converted to {wanted})"
        raise CaseError([Problem("constants.csv", 0, "unit", message)])
    return TONNES[first] / TONNES[second]


# Of what all plants of a region refine, licensed or not.
_beyond_quota = partial(yearly, dims=REGION, constants=(SEPARATION_QUOTA,), scale="beyond")


@_beyond_quota("refining_beyond_quota", title="Part of refined production beyond the quota, from all feed", each=True)
def _from_all_feed(table: FlowTable, region: str) -> Array:
    """Negative below the quota; NaN in years without one."""
    refined = refined_production_of(table, region, REFINED)
    return ratio(refined - quota_of(table, SEPARATION_QUOTA, region), refined)


@_beyond_quota(
    "refining_beyond_quota_own_ore", title="Part of refined production from the region's own ore beyond the quota"
)
def _from_own_ore(table: FlowTable) -> Array:
    """Imported concentrate is refined outside the quota; the rest is traced to the region's own mines."""
    out = table.blank("region")
    quotas = [quota_of(table, SEPARATION_QUOTA, region) for region in table.regions]
    net = table.where(quantity="production").astype(float) - table.where(quantity="feed", product=table.refined)
    limited = {r: table.where(origin=table.regions[r]) * net for r, of in enumerate(quotas) if np.isfinite(of).any()}
    for r, by_origin in traced(table, "mined", limited).items():
        out[:, :, r] = ratio(by_origin[r] - quotas[r], by_origin[r])
    return out


@yearly(
    "unregistered_over_quota",
    title="Unregistered mine production over the mining quota",
    dims=REGION,
    constants=(MINING_QUOTA,),
    scale="ratio",
    each=True,
)
def _unregistered_over_quota(table: FlowTable, region: str) -> Array:
    return ratio(mining_of(table, region, "unregistered"), quota_of(table, MINING_QUOTA, region))


@yearly(
    "reserves_over_output",
    title="Reserves over mine production, in years",
    dims=REGION,
    percent=False,
    reference=USGS,
    constants=(RESERVES,),
    scale="ratio",
    each=True,
)
def _reserves_over_output(table: FlowTable, region: str) -> Array:
    return ratio(quota_of(table, RESERVES, region), mining_of(table, region))
