"""Mining without a licence or beyond it: its level, its part of a region's mining, and who does it."""

from __future__ import annotations

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.mining import by_region, mining_of
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import CHEN


def unregistered_mining_share(unregistered: Array, mined: Array) -> Array:
    """Unregistered part of mine production; NaN where nothing is mined.

    Examples
    --------
    >>> unregistered_mining_share(np.array([30.0]), np.array([150.0]))
    array([0.2])
    """
    return ratio(unregistered, mined)


@indicator(
    "unregistered_mining",
    title="Unregistered mine production",
    unit="mass",
    dims=("region",),
    cumulated=True,
    reference=CHEN,
)
def _level(table: FlowTable) -> Array:
    return by_region(table, "unregistered")


@indicator(
    "world_unregistered_mining",
    title="Unregistered mine production of the world",
    unit="mass",
    cumulated=True,
    reference=CHEN,
)
def _world(table: FlowTable) -> Array:
    return np.array(mining_of(table, None, "unregistered"))


@indicator(
    "unregistered_mining_share",
    title="Unregistered part of the region's mine production",
    unit="1",
    dims=("region",),
    cumulated=True,
    reference=CHEN,
)
def _share(table: FlowTable) -> Array:
    return unregistered_mining_share(by_region(table, "unregistered"), by_region(table))


@indicator(
    "share_of_unregistered_mining",
    title="Share of the world's unregistered mine production",
    unit="1",
    dims=("region",),
    cumulated=True,
    reference=CHEN,
)
def _share_of_world(table: FlowTable) -> Array:
    return ratio(by_region(table, "unregistered"), mining_of(table, None, "unregistered")[:, :, None])
