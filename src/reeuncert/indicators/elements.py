"""Elements: what is mined of one, and from where a region gets it. The product of a cell names the element."""

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, Mask, ratio
from reeuncert.indicators.trade import ALL_ARRIVALS, cumulated_mass, cumulated_ratio


def _mined(table: FlowTable) -> Array:
    out = table.blank("region", "product")
    for k, element in enumerate(table.labels("product")):
        for r, region in enumerate(table.regions):
            out[:, :, r, k] = table.element(element, table.where(quantity="mine_production", origin=region))
    return out


cumulated_mass("element_mined", title="Mass of an element in mine production", dims=("region", "product"))(_mined)


@cumulated_ratio(
    "element_share_of_mining", title="Share of what the world mines of an element", dims=("region", "product")
)
def _share(table: FlowTable) -> Array:
    mined = _mined(table)
    return ratio(mined, np.nansum(mined, axis=2, keepdims=True))


@cumulated_ratio(
    "element_dependence",
    title="Share of a partner's ore and goods in a region's supply of an element",
    dims=("region", "partner", "product"),
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

    return table.over("region", "partner", "product", of=of_pair)
