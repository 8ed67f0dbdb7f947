"""Embodied dependence: consumption of a region by place of mining, refining or separation."""

from __future__ import annotations

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.tracing import traced

KASTNER = "Kastner, Kastner & Nonhebel 2011, Ecological Economics 70, doi 10.1016/j.ecolecon.2011.01.012"


def embodied_dependence(mass_by_origin: Array, axis: int = 0) -> Array:
    """Share of each origin in consumption; NaN where nothing is consumed.

    Examples
    --------
    >>> embodied_dependence(np.array([6.0, 1.0, 1.0]))
    array([0.75 , 0.125, 0.125])
    """
    return ratio(mass_by_origin, mass_by_origin.sum(axis=axis, keepdims=True))


def _of_flows(table: FlowTable, kind: str) -> Array:
    out = table.blank("region", "partner", "product")
    cells = [(r, k) for r in range(len(table.regions)) for k in range(len(table.labels("product")))]
    chosen = {}
    for r, k in cells:
        products = table.members(table.labels("product")[k])
        flows = table.where(quantity="apparent_consumption", destination=table.regions[r], product=products)
        if (flows & table.present.any(axis=1)).any():
            chosen[r, k] = flows.astype(float)
    if not chosen:
        return out
    mass = traced(table, kind, np.stack(list(chosen.values())))
    for (r, k), by_origin in zip(chosen, mass, strict=True):
        out[:, :, r, :, k] = np.moveaxis(embodied_dependence(by_origin), 0, 2)
    return out


@indicator(
    "embodied_dependence_mined",
    title="Share of consumption by the region where its ore was mined",
    unit="1",
    dims=("region", "partner", "product"),
    reference=KASTNER,
)
def _mined(table: FlowTable) -> Array:
    return _of_flows(table, "mined")


@indicator(
    "embodied_dependence_refined",
    title="Share of consumption by the region where its concentrate was refined",
    unit="1",
    dims=("region", "partner", "product"),
    reference=KASTNER,
)
def _refined(table: FlowTable) -> Array:
    return _of_flows(table, "refined")


@indicator(
    "embodied_dependence_separated",
    title="Share of consumption by the region where it was separated",
    unit="1",
    dims=("region", "partner", "product"),
    reference=KASTNER,
)
def _separated(table: FlowTable) -> Array:
    """Absent (NaN) where the stages of the processes are not known: a table without its case."""
    return table.blank("region", "partner", "product") if table.stages is None else _of_flows(table, "separated")
