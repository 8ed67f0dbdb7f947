"""Consumption by end use."""

from __future__ import annotations

from functools import partial

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import CHEN


def end_use_share(consumed: Array, consumption: Array) -> Array:
    """Part of apparent consumption that goes to one end use; NaN where nothing is consumed.

    Examples
    --------
    >>> end_use_share(np.array([3.0]), np.array([12.0]))
    array([0.25])
    """
    return ratio(consumed, consumption)


def _by_region(table: FlowTable) -> Array:
    chosen = partial(table.where, quantity="end_use")
    return table.over("region", "end_use", of=lambda r, use: table.sum(chosen(destination=r, end_use=use)))


def _of_world(table: FlowTable) -> Array:
    return table.over("end_use", of=lambda use: table.sum(table.where(quantity="end_use", end_use=use)))


@indicator(
    "end_use_consumption",
    title="Consumption by end use",
    unit="mass",
    dims=("region", "end_use"),
    cumulated=True,
    reference=CHEN,
)
def _regional(table: FlowTable) -> Array:
    return _by_region(table)


@indicator(
    "end_use_share",
    title="Share of an end use in the region's consumption",
    unit="1",
    dims=("region", "end_use"),
    cumulated=True,
    reference=CHEN,
)
def _share(table: FlowTable) -> Array:
    consumed = _by_region(table)
    return end_use_share(consumed, np.nansum(consumed, axis=3, keepdims=True))


@indicator(
    "world_end_use_consumption",
    title="Consumption of the world by end use",
    unit="mass",
    dims=("end_use",),
    cumulated=True,
    reference=CHEN,
)
def _world(table: FlowTable) -> Array:
    return _of_world(table)


@indicator(
    "world_end_use_share",
    title="Share of an end use in the world's consumption",
    unit="1",
    dims=("end_use",),
    cumulated=True,
    reference=CHEN,
)
def _world_share(table: FlowTable) -> Array:
    consumed = _of_world(table)
    return end_use_share(consumed, np.nansum(consumed, axis=2, keepdims=True))
