"""Consumption, goods and elements by origin: where they were mined, refined or made, and what returns to the region
of the ore.

A system without such mines or plants (no flow ``ore``, no ``feed`` of what is unrefined, no process of the stage) has
no indicator of these origins.
"""

from functools import partial
from itertools import permutations

import numpy as np

from reeuncert.indicators.flows import REFINED, Array, FlowTable, Mask, ratio, shares
from reeuncert.indicators.registry import DEPENDENCE, MINING, indicator
from reeuncert.indicators.tracing import gives_regions, traced
from reeuncert.indicators.trade import (
    ALL_ARRIVALS,
    CONSUMED,
    PAIR,
    PRODUCT,
    cumulated_mass,
    cumulated_ratio,
    imports_of,
    yearly_ratio,
)

BY_ORIGIN = (*PAIR, "product")
KASTNER = "Kastner, Kastner & Nonhebel 2011, Ecological Economics 70, doi 10.1016/j.ecolecon.2011.01.012"


def _of_flows(table: FlowTable, kind: str, use: str) -> Array:
    out = table.blank(*BY_ORIGIN)
    chosen: dict[tuple[int, int], Mask] = {}
    for r, region in enumerate(table.regions if gives_regions(table, kind) else ()):
        for k, label in enumerate(table.labels("product")):
            flows = table.where(quantity=use, destination=region, product=table.members(label))
            if table.present[flows].any():
                chosen[r, k] = flows
    for (r, k), by_origin in traced(table, kind, chosen).items():
        out[:, :, r, :, k] = np.moveaxis(ratio(by_origin, by_origin.sum(axis=0, keepdims=True)), 0, 2)
    return out


for _name, _title, _kind, _use in (
    ("embodied_dependence_mined", "consumption by the region where its ore was mined", "mined", CONSUMED),
    ("embodied_dependence_refined", "consumption by the region where its concentrate was refined", "refined", CONSUMED),
    ("embodied_dependence_separated", "consumption by the region where it was separated", "separated", CONSUMED),
    ("goods_by_reduction", "goods in use by the region where their metal was made", "reduced", "use_in_goods"),
    ("goods_by_fabrication", "goods in use by the region where they were made", "fabricated", "use_in_goods"),
):
    indicator(_name, title=f"Share of {_title}", unit="1", dims=BY_ORIGIN, reference=KASTNER, topic=DEPENDENCE)(
        partial(_of_flows, kind=_kind, use=_use)
    )


def _exported(table: FlowTable, region: str, partner: str) -> Array:
    flows = table.where(quantity=ALL_ARRIVALS, origin=region, destination=partner, product=table.unrefined)
    return table.sum(flows)


@yearly_ratio(
    "return_share",
    title="Refined imports from a partner over unrefined exports to it",
    dims=PAIR,
    scale="ratio",
    topic=DEPENDENCE,
    each=True,
)
def _returned(table: FlowTable, region: str, partner: str) -> Array:
    """Can exceed 1, unless only products of the exported ore count; stocks can return a year later."""
    returned = imports_of(table, region, REFINED, [partner], ALL_ARRIVALS)
    return ratio(returned, _exported(table, region, partner))


@yearly_ratio(
    "return_share_traced",
    title="Refined imports made of the region's own ore over its unrefined exports to the partner",
    dims=PAIR,
    scale="ratio",
    topic=DEPENDENCE,
)
def _of_own_ore(table: FlowTable) -> Array:
    out = table.blank("region", "partner")
    chosen: dict[tuple[int, int], Mask] = {}
    for (r, region), (p, partner) in permutations(enumerate(table.regions), 2):
        flows = table.where(quantity=ALL_ARRIVALS, origin=partner, destination=region, product=table.refined)
        if table.present[flows].any():
            chosen[r, p] = flows
    for (r, p), by_origin in traced(table, "mined", chosen).items():
        out[:, :, r, p] = ratio(by_origin[r], _exported(table, table.regions[r], table.regions[p]))
    return out


@cumulated_mass("fabrication", title="Output of goods made of refined products", dims=PRODUCT, each=True)
def _made(table: FlowTable, region: str, label: str) -> Array:
    return table.sum(table.where(quantity="fabrication", origin=region, product=table.members(label)))


cumulated_ratio(
    "share_of_fabrication", title="Share of the world's output of goods made of refined products", dims=PRODUCT
)(lambda table: shares(table.over("region", "product", of=partial(_made, table)), 2))


@cumulated_mass("element_mined", title="Mass of an element in mine production", dims=PRODUCT, topic=MINING)
def _mined(table: FlowTable) -> Array:
    own = table.where(quantity="mine_production")
    return table.over("region", "product", of=lambda r, element: table.element(element, own & table.where(origin=r)))


cumulated_ratio(
    "element_share_of_mining", title="Share of what the world mines of an element", dims=PRODUCT, topic=MINING
)(lambda table: shares(_mined(table), 2))


@cumulated_ratio(
    "element_dependence",
    title="Share of a partner's ore and goods in a region's supply of an element",
    dims=BY_ORIGIN,
    topic=DEPENDENCE,
)
def _dependence(table: FlowTable) -> Array:
    """Supply: what is mined, recycled and bought with a known content, less what is sold of it."""
    own, recovered = table.where(quantity="mine_production"), table.where(quantity="recycling")

    def supply(element: str, region: str, bought: Mask) -> Array:
        sold = table.where(quantity=("trade", "unrecorded_trade"), origin=region) & ~table.where(destination=region)
        home = (own & table.where(origin=region)) | (recovered & table.where(destination=region))
        kept = np.nan_to_num(table.element(element, home)) - np.nan_to_num(table.element(element, sold))
        return np.maximum(kept, 0.0) + np.nan_to_num(table.element(element, bought))

    def of_pair(region: str, partner: str, element: str) -> Array:
        bought = table.where(quantity=ALL_ARRIVALS, destination=region) & ~table.where(origin=region)
        part = table.element(element, bought & table.where(origin=partner))
        return ratio(part, supply(element, region, bought))

    return table.over(*BY_ORIGIN, of=of_pair)
