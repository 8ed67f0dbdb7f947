"""Indicators of dependence: functions of flows, computed on every draw.

Every indicator is one plain function on arrays and one record in `reeuncert.indicators.registry.INDICATORS` (name,
title, unit, reference, dims). They look at the *roles* of flows (quantity, product, origin, destination, route,
end_use), never at names, so that they work in every case.

Dims and labels
---------------
``region``
    The regions of the case. In a pair, ``region`` is the importer (the dependent one), ``partner`` the exporter.
``partner``
    The regions of the case; for embodied dependence also ``"opening stock"`` (was in stock when the first year began)
    and ``"no region"`` (entered otherwise than by mining, or never refined or separated).
``product``
    The products of the case, ``"refined"`` (all products that a `production` flow makes), ``"all"`` (without goods,
    products of a `fabrication` flow), and for indicators of elements the elements of ``contents.csv``.
``end_use``
    The end uses of the case.
``year``
    Every variable has it. A variable ``<name>_cumulated`` holds the same indicator with every mass cumulative from the
    first year to ``year``; a headline with ``year = 0`` means its last year.

Names
-----
The mark ``+`` says that ``<name>_cumulated`` exists too. Masses are in the unit of the case, ratios have unit 1.

Masses over (region, product)
    apparent_consumption+ (use after process losses), imports (importer's record), exports (exporter's record),
    refined_production+ (gross by product; ``"refined"``: net of refined products used as feed),
    refined_production_registered (with what it bought from the unregistered), stock_change,
    net_imports+ (recorded), fabrication+ (goods made of refined products), element_mined+
Masses over (region)
    apparent_consumption_usgs+ (refined, recorded: production + imports - exports, no stock change),
    mine_production+, mine_production_registered+, unregistered_mining+
Masses over (region, partner)
    smuggled_mass+ (unrecorded trade u from partner to region), smuggled_mass_declared+ (κu, declared on arrival)
Masses over (region, end_use)
    end_use_consumption+
Masses of the world
    world_mine_production+, world_unregistered_mining+; over (product): world_apparent_consumption+,
    world_refined_production+; over (end_use): world_end_use_consumption+
Ratios over (region)
    net_import_reliance ((imports - exports - stock change) / apparent consumption, refined, recorded or not),
    share_of_consumption+, share_of_mining+ (registered), share_of_mining_with_unregistered+,
    unregistered_mining_share+ (of the region's mining), share_of_unregistered_mining+ (of the world's),
    refining_beyond_quota ((refined - quota) / refined), refining_beyond_quota_own_ore (from the region's own ore only),
    unregistered_over_quota, mine_output_over_consumption+, consumption_over_mine_output+, reserves_over_output (years),
    consumption_growth (over the first year), consumption_annual_growth,
    customs_gap_all_partners+ (of the exporter)
Ratios of the world
    world_unregistered_share+, world_consumption_growth, world_consumption_annual_growth
Ratios over (region, product)
    share_of_refining+ (registered), share_of_refining_with_unregistered+, supplier_concentration (HHI),
    share_of_fabrication+, net_importer, net_imports_peak (year of the maximum; both 1 or 0, their means over the draws
    are probabilities), element_share_of_mining+
Ratios over (region, partner, product)
    import_dependence (imports from partner / all imports, importer's record), import_dependence_with_unrecorded,
    embodied_dependence_mined, embodied_dependence_refined, embodied_dependence_separated (consumption by the region of
    its mine, of the plant that first refined it, of the plant that last separated it), goods_by_reduction,
    goods_by_fabrication (use of goods by the region that made their metal, or them), element_dependence+ (part of a
    partner's ore and goods in the supply of an element)
Ratios over (region, partner)
    interdependence (import dependence over all products, both directions of a pair),
    export_dependence+ (exports to partner / all exports, all products, exporter's record),
    supply_dependence, supply_dependence_with_unrecorded (refined imports from partner / apparent consumption),
    customs_gap+ (importer's record / exporter's record - 1, refined products, trade in one direction),
    customs_gap_net+ (the same for net trade), return_share (refined imports from partner / unrefined exports to it),
    return_share_traced (only what was made of the region's own ore),
    ore_shipped+ (unrefined exports to partner / mine production), relabelled_share+ (of the unregistered ore)
Ratios over (region, end_use), or (end_use)
    end_use_share+; world_end_use_share+
"""

# Each module registers its indicators; tables and reports list them in this order.
# isort: off
from reeuncert.indicators import consumption, trade, dependence, mining, refining, quota, customs_gap
from reeuncert.indicators import embodied

# isort: on
from reeuncert.indicators.registry import INDICATORS, Indicator, UnknownIndicatorError, lookup, valid_names

__all__ = [
    "INDICATORS",
    "Indicator",
    "UnknownIndicatorError",
    "consumption",
    "customs_gap",
    "dependence",
    "embodied",
    "lookup",
    "mining",
    "quota",
    "refining",
    "trade",
    "valid_names",
]
