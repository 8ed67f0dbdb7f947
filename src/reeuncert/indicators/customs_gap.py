"""Customs gap: how much more the importer's office records than the exporter's."""

from __future__ import annotations

import numpy as np

from reeuncert.indicators.flows import REFINED, Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import CHEN, exports_of, imports_of


def customs_gap(importer_record: Array, exporter_record: Array) -> Array:
    """Importer's record over exporter's record, less one; NaN where the exporter records nothing, or net imports.

    These are records without error: recorded trade, and what smuggled goods are declared on arrival. What the offices
    print also holds their biases and errors, which belong to the evidence.

    Examples
    --------
    >>> customs_gap(np.array([14.4]), np.array([10.0])).round(2)
    array([0.44])
    """
    return ratio(importer_record, exporter_record) - 1.0


@indicator(
    "customs_gap",
    title="Customs gap, refined products, gross trade",
    unit="1",
    dims=("region", "partner"),
    cumulated=True,
    reference=CHEN,
)
def _gross(table: FlowTable) -> Array:
    """Trade in one direction, from partner to region; absent where the system has no smuggling that opens a gap."""
    out = table.blank("region", "partner")
    for r, region in enumerate(table.regions):
        for p, partner in enumerate(table.regions):
            if _smuggles(table, partner, region):
                seen_on_arrival = imports_of(table, region, REFINED, [partner])
                out[:, :, r, p] = customs_gap(seen_on_arrival, exports_of(table, partner, REFINED, [region]))
    return out


@indicator(
    "customs_gap_net",
    title="Customs gap, refined products, net trade",
    unit="1",
    dims=("region", "partner"),
    cumulated=True,
    reference=CHEN,
)
def _net(table: FlowTable) -> Array:
    """Net imports of region from partner by its own office, over net exports of partner to region by the other."""
    out = table.blank("region", "partner")
    for r, region in enumerate(table.regions):
        for p, partner in enumerate(table.regions):
            if _smuggles(table, partner, region):
                exported = exports_of(table, partner, REFINED, [region])
                by_importer = imports_of(table, region, REFINED, [partner])
                by_importer = by_importer - np.nan_to_num(exports_of(table, region, REFINED, [partner]))
                by_exporter = exported - np.nan_to_num(imports_of(table, partner, REFINED, [region]))
                out[:, :, r, p] = customs_gap(by_importer, by_exporter)
    return out


def _smuggles(table: FlowTable, origin: str, destination: str) -> bool:
    declared = table.where(quantity="declared", origin=origin, destination=destination, product=table.refined)
    return bool(table.present[declared].any())
