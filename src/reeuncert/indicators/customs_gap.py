"""Customs gap (mirror discrepancy): importer's over exporter's record − 1; and unrecorded exports.

Records without reporting error: recorded trade, plus the unrecorded trade declared on arrival. Biases and errors of
published figures belong to the evidence. NaN where the exporter records nothing, or net imports.
"""

from functools import partial

import numpy as np

from reeuncert.indicators.flows import ALL, REFINED, Array, FlowTable, ratio
from reeuncert.indicators.registry import UNRECORDED
from reeuncert.indicators.trade import (
    PAIR,
    RECORDED_ARRIVALS,
    REGION,
    cumulated_mass,
    cumulated_ratio,
    exports_of,
    imports_of,
)

_gap = partial(cumulated_ratio, scale="excess", whole="exporter's record", topic=UNRECORDED, each=True)
_mass = partial(cumulated_mass, dims=PAIR, topic=UNRECORDED, each=True)


@_gap("customs_gap", title="Customs gap, refined products, gross trade", dims=PAIR)
def _gross(table: FlowTable, region: str, partner: str) -> Array:
    """Trade in one direction, from partner to region; absent where the system has no unrecorded trade."""
    if not _smuggles(table, partner, region):
        return table.absent
    seen_on_arrival = imports_of(table, region, REFINED, [partner])
    return ratio(seen_on_arrival, exports_of(table, partner, REFINED, [region])) - 1.0


@_gap("customs_gap_net", title="Customs gap, refined products, net trade", dims=PAIR)
def _net(table: FlowTable, region: str, partner: str) -> Array:
    """Net imports of region from partner (importer's office) over net exports of partner to region (exporter's
    office).
    """
    if not _smuggles(table, partner, region):
        return table.absent
    back = np.nan_to_num(exports_of(table, region, REFINED, [partner]))
    returned = np.nan_to_num(imports_of(table, partner, REFINED, [region]))
    by_importer = imports_of(table, region, REFINED, [partner]) - back
    return ratio(by_importer, exports_of(table, partner, REFINED, [region]) - returned) - 1.0


@_gap(
    "customs_gap_all_partners", title="Customs gap of an exporter, refined products, all partners together", dims=REGION
)
def _pooled(table: FlowTable, region: str) -> Array:
    to = [partner for partner in table.regions if partner != region]
    if not _smuggles(table, region, to):
        return table.absent
    seen = table.where(quantity=RECORDED_ARRIVALS, origin=region, destination=to, product=table.refined)
    return ratio(table.sum(seen), exports_of(table, region, REFINED)) - 1.0


def _smuggles(table: FlowTable, origin: str, destination: str | list[str]) -> bool:
    declared = table.where(quantity="declared", origin=origin, destination=destination, product=table.refined)
    return bool(table.present[declared].any())


@_mass("smuggled_mass", title="Unrecorded exports (smuggling)")
def _unrecorded(table: FlowTable, region: str, partner: str) -> Array:
    return imports_of(table, region, ALL, [partner], ["unrecorded_trade"])


@_mass("smuggled_mass_declared", title="Unrecorded exports declared on arrival")
def _declared(table: FlowTable, region: str, partner: str) -> Array:
    return imports_of(table, region, ALL, [partner], ["declared"])
