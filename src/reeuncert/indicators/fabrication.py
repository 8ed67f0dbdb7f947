"""Goods made of refined products, and each region's share in making them."""

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.trade import cumulated_mass, cumulated_ratio


def fabrication_of(table: FlowTable) -> Array:
    """Output of goods (flows of quantity `fabrication`), array (chain, draw, region, product, year)."""

    def of_cell(region: str, label: str) -> Array:
        return table.sum(table.where(quantity="fabrication", origin=region, product=table.members(label)))

    return table.over("region", "product", of=of_cell)


cumulated_mass("fabrication", title="Output of goods made of refined products", dims=("region", "product"))(
    fabrication_of
)


@cumulated_ratio(
    "share_of_fabrication",
    title="Share of the world's output of goods made of refined products",
    dims=("region", "product"),
)
def _share(table: FlowTable) -> Array:
    made = fabrication_of(table)
    return ratio(made, np.nansum(made, axis=2, keepdims=True))
