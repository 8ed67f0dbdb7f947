"""Refining beyond the quota: refined production of all plants of a region, licensed or not, against the quota."""

import numpy as np

from reeuncert.errors import CaseError, Problem
from reeuncert.indicators.flows import ALL, REFINED, Array, FlowTable, ratio
from reeuncert.indicators.mining import mining_of
from reeuncert.indicators.refining import refined_production_of
from reeuncert.indicators.tracing import traced
from reeuncert.indicators.trade import USGS, yearly_ratio
from reeuncert.words.cells import unknown
from reeuncert.words.units import TONNES, mass_unit

SEPARATION_QUOTA, MINING_QUOTA, RESERVES = "separation_quota", "mining_quota", "reserves"


def refining_beyond_quota(refined: Array, quota: Array) -> Array:
    """Share of refined production beyond the quota; negative below it; NaN in years without a quota.

    Examples
    --------
    >>> refining_beyond_quota(np.array([125.0, 125.0]), np.array([100.0, np.nan]))
    array([0.2, nan])
    """
    return ratio(refined - quota, refined)


def quota_of(table: FlowTable, name: str, region: str) -> Array:
    """A quota of a region by year, in the unit of the table, array (year,); NaN in years without one.

    A total (product empty, ``all`` or ``refined``) is taken where there is one, else the sum over products.

    Raises
    ------
    CaseError
        If the unit of a constant cannot be converted to that of the table.
    """
    out = np.full(len(table.years), np.nan)
    for i, year in enumerate(table.years):
        rows = [c for c in table.constants if (c.name, c.region, c.year) == (name, region, year)]
        totals = [c for c in rows if c.product in ("", ALL, REFINED)]
        if rows:
            out[i] = sum(c.value * mass_conversion(c.unit, table.unit) for c in (totals[:1] or rows))
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


@yearly_ratio(
    "refining_beyond_quota",
    title="Part of refined production beyond the quota, from all feed",
    dims=("region",),
    constants=(SEPARATION_QUOTA,),
    scale="beyond",
    each=True,
)
def _from_all_feed(table: FlowTable, region: str) -> Array:
    quota = quota_of(table, SEPARATION_QUOTA, region)
    return refining_beyond_quota(refined_production_of(table, region, REFINED), quota)


@yearly_ratio(
    "refining_beyond_quota_own_ore",
    title="Part of refined production from the region's own ore beyond the quota",
    dims=("region",),
    constants=(SEPARATION_QUOTA,),
    scale="beyond",
)
def _from_own_ore(table: FlowTable) -> Array:
    """Imported concentrate is refined outside the quota; the rest is traced to the region's own mines."""
    out = table.blank("region")
    quotas = {region: quota_of(table, SEPARATION_QUOTA, region) for region in table.regions}
    limited = [region for region in table.regions if np.isfinite(quotas[region]).any()]
    if not limited:
        return out
    made, fed = table.where(quantity="production"), table.where(quantity="feed", product=table.refined)
    weights = [table.where(origin=region) * (made.astype(float) - fed) for region in limited]
    mass = traced(table, "mined", np.stack(weights))
    for region, by_origin in zip(limited, mass, strict=True):
        r = table.regions.index(region)
        out[:, :, r] = refining_beyond_quota(by_origin[r], quotas[region])
    return out


@yearly_ratio(
    "unregistered_over_quota",
    title="Unregistered mine production over the mining quota",
    dims=("region",),
    constants=(MINING_QUOTA,),
    each=True,
)
def _unregistered_over_quota(table: FlowTable, region: str) -> Array:
    return ratio(mining_of(table, region, "unregistered"), quota_of(table, MINING_QUOTA, region))


@yearly_ratio(
    "reserves_over_output",
    title="Reserves over mine production, in years",
    dims=("region",),
    percent=False,
    reference=USGS,
    constants=(RESERVES,),
    scale="ratio",
    each=True,
)
def _reserves_over_output(table: FlowTable, region: str) -> Array:
    return ratio(quota_of(table, RESERVES, region), mining_of(table, region))
