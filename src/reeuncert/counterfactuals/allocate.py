"""Allocation of short supply: demand goes up the chain, supply comes down, for all draws at once.

In one round, every process passes its demand to its suppliers (through its transfer coefficients, up to its capacity,
stocks first), in proportion to what they lack to their deliveries in the draw, then beyond these, up to their limits.
Then supply comes down: a process with a shortage serves all its customers by the same fraction; surplus goes to its
stock. Unmet demand is passed again to suppliers with spare supply, until a round adds nothing. See
`docs/method/counterfactuals.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reeuncert.counterfactuals.network import BEYOND, World, YearNetwork
from reeuncert.counterfactuals.rounds import DONE, allocate_draws
from reeuncert.counterfactuals.steps import FLOW, PROCESS, Graph, Records
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.flows import Array, Mask

_LEAST = 1e-9  # a flow limited to less than this fraction of its drawn value is set to zero


@dataclass(frozen=True, eq=False)
class Allocation:
    """Flows of the counterfactual, array (flow, draw), and the stock of each process at its end, (process, draw)."""

    mass: Array
    closing: Array


def allocate(network: YearNetwork, world: World, tiers: Sequence[Mask], *, within_supply: bool = False) -> Allocation:
    """Serve the demand of each tier (a boolean array of the demanded flows, whose demand is the drawn value) in turn,
    then rebuild stocks. A process without stock must have no surplus supply.

    ``within_supply``: from the first round on, no supplier is asked for more than it can get, and markets that supply
    each other pass on none of what they ask of each other: where trade has no limit, demand that no one can serve would
    circulate between them.
    """
    limit = np.where(world.limit < _LEAST * world.mass, 0.0, world.limit)
    per_flow, per_process = (world.mass, limit), (world.capacity, world.carried, world.kept, world.closing, world.extra)
    arrays = [np.ascontiguousarray(a.T) for a in (*per_flow, *per_process)]
    flows, processes, graph = _records(network, (limit > 0).any(axis=1))
    arrays.append(out := np.empty_like(arrays[0]))
    stuck = allocate_draws(flows, processes, graph, np.array(tiers), within_supply, *arrays)
    if stuck != DONE:
        names = ", ".join(np.array(network.processes)[processes["group"] == processes["group"][stuck]])
        message = f"the counterfactual does not converge: flow circulates between {names} and almost nothing leaves; "
        raise ReeUncertError(f"{message}check the flows between them in this year")
    return _balanced(network, np.where(network.opening[:, None], world.mass, out.T), world.carried)


def _records(network: YearNetwork, open_flows: Mask) -> tuple[Records, Records, Graph]:
    """The network as the compiled rounds read it."""
    flows = np.zeros(len(network.source), FLOW).view(np.recarray)
    processes = np.zeros(len(network.processes), PROCESS).view(np.recarray)
    for name in ("source", "target", "made", "aside"):
        flows[name] = getattr(network, name)
    ends = []
    for side, ending in (("in", np.where(network.opening, BEYOND, network.target)), ("out", network.source)):
        chosen = np.flatnonzero(open_flows & (ending != BEYOND))
        chosen = chosen[np.argsort(ending[chosen], kind="stable")]
        bounds = np.searchsorted(ending[chosen], np.arange(len(processes) + 1))
        processes[f"{side}_start"], processes[f"{side}_end"] = bounds[:-1], bounds[1:]
        ends.append(chosen)
    processes["stocked"] = network.closing >= 0
    given = network.source[open_flows & ~network.made]
    processes["plant"] = ~processes["stocked"] & ~np.isin(np.arange(len(processes)), given)
    groups = network.order(open_flows)
    for g, group in enumerate(groups):
        processes["group"][group] = g
    within = np.minimum(flows["source"], flows["target"]) >= 0
    flows["inside"] = within & (processes["group"][flows["source"]] == processes["group"][flows["target"]])
    start = np.cumsum([0, *(len(group) for group in groups)])
    return flows, processes, (ends[0], ends[1], start, np.array([j for group in groups for j in group]))


def _balanced(network: YearNetwork, mass: Array, carried: Array) -> Allocation:
    """Stock balance: surplus supply is carried into the next year."""
    closing, inflow = carried.copy(), carried.copy()
    into, out = (network.target != BEYOND) & ~network.opening, network.source != BEYOND
    np.add.at(inflow, network.target[into], mass[into])
    np.add.at(closing, network.target[into], mass[into])
    np.subtract.at(closing, network.source[out], mass[out])
    stocked = (network.closing >= 0)[:, None]
    over = (closing > 1e-9 * inflow) & ~stocked
    if over.any():
        process = network.processes[int(np.flatnonzero(over.any(axis=1))[0])]
        message = f"the counterfactual leaves surplus supply at process '{process}', which has no demand or stock for "
        raise ReeUncertError(f"{message}it; add a stock flow to the case (from the process to itself)")
    return Allocation(mass, np.maximum(closing, 0.0) * stocked)
