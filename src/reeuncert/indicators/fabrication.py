"""Goods made of refined products, and each region's share in making them."""

from __future__ import annotations

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import CHEN


def fabrication_of(table: FlowTable) -> Array:
    """Output of goods (flows of quantity `fabrication`), array (chain, draw, region, product, year)."""

    def of_cell(region: str, label: str) -> Array:
        return table.sum(table.where(quantity="fabrication", origin=region, product=table.members(label)))

    return table.over("region", "product", of=of_cell)


@indicator(
    "fabrication",
    title="Output of goods made of refined products",
    unit="mass",
    dims=("region", "product"),
    cumulated=True,
    reference=CHEN,
)
def _output(table: FlowTable) -> Array:
    return fabrication_of(table)


@indicator(
    "share_of_fabrication",
    title="Share of the world's output of goods made of refined products",
    unit="1",
    dims=("region", "product"),
    cumulated=True,
    reference=CHEN,
)
def _share(table: FlowTable) -> Array:
    made = fabrication_of(table)
    return ratio(made, np.nansum(made, axis=2, keepdims=True))
