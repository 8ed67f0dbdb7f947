"""Return share: refined imports per unrefined export."""

from __future__ import annotations

import numpy as np

from reeuncert.indicators.flows import REFINED, Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.tracing import traced
from reeuncert.indicators.trade import ALL_ARRIVALS, CHEN, imports_of


def return_share(returned: Array, exported: Array) -> Array:
    """Refined imports from a partner over unrefined exports to it; NaN where nothing was exported.

    Can exceed 1, unless `returned` counts only products of the exported ore; stocks can return a year later.

    Examples
    --------
    >>> return_share(np.array([10.0]), np.array([40.0]))
    array([0.25])
    """
    return ratio(returned, exported)


def _exported(table: FlowTable, region: str, partner: str) -> Array:
    flows = table.where(quantity=ALL_ARRIVALS, origin=region, destination=partner, product=table.unrefined)
    return table.sum(flows)


@indicator(
    "return_share",
    title="Refined imports from a partner over unrefined exports to it",
    unit="1",
    dims=("region", "partner"),
    reference=CHEN,
)
def _of_flows(table: FlowTable) -> Array:
    def of_pair(region: str, partner: str) -> Array:
        returned = imports_of(table, region, REFINED, [partner], ALL_ARRIVALS)
        return return_share(returned, _exported(table, region, partner))

    return table.over("region", "partner", of=of_pair)


@indicator(
    "return_share_traced",
    title="Refined imports made of the region's own ore over its unrefined exports to the partner",
    unit="1",
    dims=("region", "partner"),
    reference=CHEN,
)
def _of_own_ore(table: FlowTable) -> Array:
    out = table.blank("region", "partner")
    chosen = {}
    for r, region in enumerate(table.regions):
        for p, partner in enumerate(table.regions):
            flows = table.where(quantity=ALL_ARRIVALS, origin=partner, destination=region, product=table.refined)
            if partner != region and (flows & table.present.any(axis=1)).any():
                chosen[r, p] = flows.astype(float)
    if not chosen:
        return out
    mass = traced(table, "mined", np.stack(list(chosen.values())))
    for (r, p), by_origin in zip(chosen, mass, strict=True):
        out[:, :, r, p] = return_share(by_origin[r], _exported(table, table.regions[r], table.regions[p]))
    return out
