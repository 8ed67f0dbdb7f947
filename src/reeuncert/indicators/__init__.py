"""Indicators of dependence: functions of flows, computed on every draw.

Every indicator is one plain function on arrays and one record in the registry (`reeuncert.indicators.registry.INDICATORS`):
name, title, unit, reference, dims. They look at the *roles* of flows (quantity, product, origin, destination, route,
end_use), never at names, so that they work in every case.

Dims and labels
---------------
``region``
    The regions of the case. In a pair, ``region`` is the one that depends (the importer) and ``partner`` the one depended on
    (the exporter).
``partner``
    The regions of the case; for embodied dependence also ``"opening stock"`` (was in stock when the first year began) and
    ``"no region"`` (entered otherwise than by mining, or never separated).
``product``
    The products of the case, ``"refined"`` (all products that a `production` flow makes) and ``"all"``.
``end_use``
    The end uses of the case.
``year``
    Every variable has it. A variable ``<name>_cumulated`` holds the same indicator with every mass summed from the first
    year up to and including ``year``; a headline with ``year = 0`` means the last year of ``<name>_cumulated``.

Names (C: ``<name>_cumulated`` exists too; mass: unit of the case; all others are ratios, unit 1)

===================================== ========================== ==== = ========================================================
name                                  dims beside year           unit C what
===================================== ========================== ==== = ========================================================
apparent_consumption                  region, product            mass C use after process losses; products that are consumed, and refined
apparent_consumption_usgs             region                     mass C refined, recorded: production + imports - exports, no stock change
world_apparent_consumption            product                    mass C sum over regions
share_of_consumption                  region                     1    C of the world's apparent consumption of refined products
net_import_reliance                   region                     1      (imports - exports - stock change) / apparent consumption, refined
imports                               region, product            mass C as the importer's customs record them
exports                               region, product            mass C as the exporter's customs record them
import_dependence                     region, partner, product   1    C imports from partner / all imports, importer's record
import_dependence_with_unrecorded     region, partner, product   1    C the same, with what no customs office saw
export_dependence                     region, partner, product   1    C exports to partner / all exports, exporter's record
interdependence                       region, partner            1      import dependence over all products, both directions of each pair
supply_dependence                     region, partner            1      refined imports from partner / apparent consumption
supply_dependence_with_unrecorded     region, partner            1      the same, with what no customs office saw
supplier_concentration                region, product            1      Herfindahl-Hirschman index of the origins of imports
mine_production                       region                     mass C registered and unregistered
mine_production_registered            region                     mass C
world_mine_production                                            mass C registered and unregistered
share_of_mining                       region                     1    C of the world's registered mining
share_of_mining_with_unregistered     region                     1    C of all mining
unregistered_mining                   region                     mass C
world_unregistered_mining                                        mass C
unregistered_mining_share             region                     1    C unregistered part of the region's mining
share_of_unregistered_mining          region                     1    C region's part of the world's unregistered mining
refined_production                    region, product            mass C gross by product; "refined": net of refined products used as feed
refined_production_registered         region, product            mass C registered route, with what it bought from the unregistered
world_refined_production              product                    mass C
share_of_refining                     region, product            1    C of the world's registered refined production
share_of_refining_with_unregistered   region, product            1    C of all refined production
refining_beyond_quota                 region                     1      (refined - quota) / refined, from all feed
refining_beyond_quota_own_ore         region                     1      the same, only what was made of ore mined in the region
customs_gap                           region, partner            1    C importer's record / exporter's record - 1, refined, trade in one direction
customs_gap_net                       region, partner            1    C the same for net trade (imports - exports)
smuggled_mass                         region, partner            mass C unrecorded trade u from partner to region
smuggled_mass_declared                region, partner            mass C kappa u, the part of it that is declared on arrival
embodied_dependence_mined             region, partner, product   1      consumption of region by the region where its ore was mined
embodied_dependence_separated         region, partner, product   1      consumption of region by the region where it was separated (last)
return_share                          region, partner            1    C refined imports from partner / unrefined exports to partner
return_share_traced                   region, partner            1    C the same, only what was made of ore mined in region
end_use_consumption                   region, end_use            mass C
world_end_use_consumption             end_use                    mass C
end_use_share                         region, end_use            1    C of the region's consumption
world_end_use_share                   end_use                    1    C of the world's consumption
stock_change                          region, product            mass C of the markets, registered and unregistered
===================================== ========================== ==== = ========================================================
"""

from __future__ import annotations

# Each module registers its indicators; tables and reports list them in this order.
# isort: off
from reeuncert.indicators import consumption, end_use, stock, trade, reliance, dependence, supply_dependence
from reeuncert.indicators import concentration, mining, unregistered_mining, refining, quota, customs_gap, smuggling
from reeuncert.indicators import embodied, return_share

# isort: on
from reeuncert.indicators.compute import add_indicators, indicators_of
from reeuncert.indicators.registry import INDICATORS, Indicator, UnknownIndicatorError, lookup, valid_names

__all__ = [
    "INDICATORS",
    "Indicator",
    "UnknownIndicatorError",
    "add_indicators",
    "concentration",
    "consumption",
    "customs_gap",
    "dependence",
    "embodied",
    "end_use",
    "indicators_of",
    "lookup",
    "mining",
    "quota",
    "refining",
    "reliance",
    "return_share",
    "smuggling",
    "stock",
    "supply_dependence",
    "trade",
    "unregistered_mining",
    "valid_names",
]
