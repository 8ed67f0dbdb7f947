"""Where the mass in a flow comes from: composition of every market by origin, traced through years, stocks and cycles.

Each process mixes what enters it and sends the mixture out: a flow has the composition of the process that it leaves
(proportional mixing, as in Kastner, Kastner & Nonhebel 2011, Ecological Economics 70,
doi 10.1016/j.ecolecon.2011.01.012, which covers re-exports). With s the throughput, x the flows and B the mass that
enters from outside or from last year's stock by origin, the compositions C of one year solve

    s_j C_j − Σ_i x_ij C_i = B_j ,

the transpose of the fundamental matrix of the absorbing Markov chain whose transition probabilities are the outflow
shares (for metals: Eckelman & Daigo 2008, Ecological Economics 67(2), 265–273). The pattern of flows is the same in
every draw, so the system is solved one strongly connected component after the other, in numba: trade among n regions
makes components of n markets, everything else is a chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from reeuncert.compiling import kernel, source_version
from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.system.definition import OUTSIDE

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Plan:
    """Order in which the compositions of the processes are solved, and where mass gets its origin.

    Parameters
    ----------
    source, target
        Process index of each flow's ends (−1: outside).
    entry
        Origin (index of a label) of the mass of each flow from outside; −1 for the others.
    reset
        Origin that a process gives to all that leaves it; −1: it passes on what enters.
    nodes, starts
        Processes in order of solution, and where each strongly connected component starts among them.
    """

    source: Index
    target: Index
    entry: Index
    reset: Index
    nodes: Index
    starts: Index


def plan(
    source: Sequence[str], target: Sequence[str], entry: Sequence[int], reset: dict[str, int] | None = None
) -> Plan:
    """Order the processes so that each comes after all that feed it in the same year, cycles together.

    Parameters
    ----------
    source, target
        Names of the processes at the ends of each flow; equal ends are a stock.
    entry
        Index of the origin of each flow that comes from outside.
    reset
        Process → index of the origin that it gives to its outflows.
    """
    names = sorted({*source, *target} - {OUTSIDE})
    index = {name: i for i, name in enumerate(names)} | {OUTSIDE: -1}
    ends = np.array([[index[a], index[b]] for a, b in zip(source, target, strict=True)], dtype=np.int64).reshape(-1, 2)
    inner = ends[(ends >= 0).all(axis=1) & (ends[:, 0] != ends[:, 1])]
    links = coo_array((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), shape=(len(names), len(names)))
    count, component = connected_components(links, directed=True, connection="strong")
    order = _topological(count, {(int(component[a]), int(component[b])) for a, b in inner})
    groups = [np.flatnonzero(component == c) for c in order]
    resets = np.full(len(names), -1, dtype=np.int64)
    for name, origin in (reset or {}).items():
        resets[index[name]] = origin
    return Plan(
        ends[:, 0].copy(),
        ends[:, 1].copy(),
        np.where(ends[:, 0] < 0, np.asarray(entry, dtype=np.int64), -1),
        resets,
        np.concatenate([*groups, np.zeros(0, dtype=np.int64)]).astype(np.int64),
        np.cumsum([0, *(len(g) for g in groups)]).astype(np.int64),
    )


def trace(mass: Array, carried: Mask, network: Plan, n_origins: int, weights: Array) -> Array:
    """Mass by origin in weighted sums of flows.

    Parameters
    ----------
    mass
        Array (flow, draw, year), zero where absent, balanced.
    carried
        Boolean array (flow, year): the flow is a stock that enters its process in this year, from the year before.
    network
        From `plan`.
    n_origins
        Number of origins.
    weights
        Array (sum, flow): coefficients of the flows in each sum; flows that come from outside must have none.

    Returns
    -------
    array (sum, origin, draw, year)
        In the unit of `mass`; over origins it adds up to the weighted sum of the flows.

    Examples
    --------
    A market mixes 3 from its own mine (origin 0) with 1 from another (origin 1), and 2 of the 4 are consumed:

    >>> source, target = ["outside", "outside", "market", "market"], ["market", "market", "outside", "outside"]
    >>> network = plan(source, target, entry=[0, 1, 0, 0])
    >>> mass = np.array([3.0, 1.0, 2.0, 2.0]).reshape(4, 1, 1)
    >>> trace(mass, np.zeros((4, 1), bool), network, 2, np.array([[0.0, 0.0, 1.0, 0.0]])).ravel()
    array([1.5, 0.5])
    """
    in_flows, in_starts = _incoming(network)
    used = [np.flatnonzero(row).astype(np.int64) for row in weights]
    out_flows = np.concatenate([*used, np.zeros(0, dtype=np.int64)]).astype(np.int64)
    out_starts = np.cumsum([0, *(len(u) for u in used)]).astype(np.int64)
    out_weights = np.concatenate([*(row[u] for row, u in zip(weights, used, strict=True)), np.zeros(0)])
    if (network.source[out_flows] < 0).any():
        raise ValueError("a flow from outside has no composition: give it no weight")
    result = np.zeros((len(weights), n_origins, mass.shape[1], mass.shape[2]))
    _trace(
        *(mass, carried, network.source, network.target, network.entry, network.reset, network.nodes, network.starts),
        *(in_flows, in_starts, out_flows, out_starts, out_weights, result),
    )
    return result


def _topological(count: int, links: set[tuple[int, int]]) -> list[int]:
    feeding = {c: {a for a, b in links if b == c and a != c} for c in range(count)}
    order: list[int] = []
    ready = [c for c in range(count) if not feeding[c]]
    while ready:
        done = ready.pop()
        order.append(done)
        for c in range(count):
            if done in feeding[c]:
                feeding[c].discard(done)
                if not feeding[c]:
                    ready.append(c)
    return order


def _incoming(network: Plan) -> tuple[Index, Index]:
    """Flows that enter each process (stocks of last year included), process by process."""
    order = np.argsort(network.target, kind="stable")
    order = order[network.target[order] >= 0]
    counts = np.bincount(network.target[order], minlength=len(network.reset))
    return order.astype(np.int64), np.cumsum([0, *counts]).astype(np.int64)


@kernel(source_version(__file__), error_model="python", nogil=True)
def _trace(
    mass: Array,
    carried: Mask,
    source: Index,
    target: Index,
    entry: Index,
    reset: Index,
    nodes: Index,
    starts: Index,
    in_flows: Index,
    in_starts: Index,
    out_flows: Index,
    out_starts: Index,
    out_weights: Array,
    result: Array,
) -> None:  # pragma: no cover - compiled
    n_draws, n_years = mass.shape[1], mass.shape[2]
    n_nodes, n_origins = len(reset), result.shape[1]
    place = np.full(n_nodes, -1)
    largest = 0
    for c in range(len(starts) - 1):
        largest = max(largest, starts[c + 1] - starts[c])
    matrix = np.zeros((largest, largest))
    right = np.zeros((largest, n_origins))
    before = np.zeros((n_nodes, n_origins))
    now = np.zeros((n_nodes, n_origins))
    for d in range(n_draws):
        now[:] = 0.0
        for y in range(n_years):
            before, now = now, before
            now[:] = 0.0
            for c in range(len(starts) - 1):
                first, size = starts[c], starts[c + 1] - starts[c]
                for k in range(size):
                    place[nodes[first + k]] = k
                matrix[:size, :size] = 0.0
                right[:size] = 0.0
                for k in range(size):
                    node = nodes[first + k]
                    throughput = 0.0
                    for e in range(in_starts[node], in_starts[node + 1]):
                        f = in_flows[e]
                        i = source[f]
                        if i == node:  # a stock: last year's mass with last year's composition
                            if carried[f, y]:
                                x = mass[f, d, y - 1]
                                throughput += x
                                for o in range(n_origins):
                                    right[k, o] += x * before[node, o]
                            continue
                        x = mass[f, d, y]
                        throughput += x
                        if i < 0:
                            right[k, entry[f]] += x
                        elif place[i] >= 0:
                            matrix[k, place[i]] -= x
                        else:
                            for o in range(n_origins):
                                right[k, o] += x * now[i, o]
                    if reset[node] >= 0 and throughput > 0.0:
                        matrix[k, :size] = 0.0
                        matrix[k, k] = 1.0
                        right[k] = 0.0
                        right[k, reset[node]] = 1.0
                    elif throughput > 0.0:
                        matrix[k, k] += throughput
                    else:
                        matrix[k, k] = 1.0
                # Elimination without pivots: every row is weakly dominated by its diagonal.
                for k in range(size):
                    pivot = matrix[k, k]
                    for j in range(k + 1, size):
                        factor = matrix[j, k] / pivot
                        if factor != 0.0:
                            for m in range(k + 1, size):
                                matrix[j, m] -= factor * matrix[k, m]
                            for o in range(n_origins):
                                right[j, o] -= factor * right[k, o]
                for k in range(size - 1, -1, -1):
                    node = nodes[first + k]
                    for o in range(n_origins):
                        value = right[k, o]
                        for m in range(k + 1, size):
                            value -= matrix[k, m] * now[nodes[first + m], o]
                        now[node, o] = value / matrix[k, k]
                for k in range(size):
                    place[nodes[first + k]] = -1
            for s in range(len(out_starts) - 1):
                for e in range(out_starts[s], out_starts[s + 1]):
                    f = out_flows[e]
                    x = mass[f, d, y] * out_weights[e]
                    for o in range(n_origins):
                        result[s, o, d, y] += x * now[source[f], o]


def origins_of(table: FlowTable, kind: str) -> Plan:
    """Plan for tracing a table of flows to the regions where it was ``"mined"``, ``"refined"`` or ``"separated"``.

    Origins are numbered like the labels of the dim ``partner``: regions, opening stock, no region. Mined: ore has the
    region of its mine. Refined: what leaves a process that feeds on unrefined products has the region of that process.
    Separated: so has what leaves a process of stage `separation`, also if it was separated before. What never passed
    such a process has no region, or was in stock when the first year began.

    Raises
    ------
    ValueError
        If the kind is neither, or stages of processes are needed and the table knows none.
    """
    if kind not in ("mined", "refined", "separated"):
        raise ValueError(f"cannot trace '{kind}' origins; use 'mined', 'refined' or 'separated'")
    number = {region: i for i, region in enumerate(table.regions)}
    opening, nowhere = len(number), len(number) + 1
    quantity, destination = table.attributes["quantity"], table.attributes["destination"]
    source, target = table.attributes["from_process"], table.attributes["to_process"]
    entry = np.where(quantity == "opening_stock", opening, nowhere)
    reset: dict[str, int] = {}
    if kind == "mined":
        mined = np.flatnonzero(quantity == "ore")
        entry[mined] = [number[str(region)] for region in destination[mined]]
    else:
        processes = _refineries(table) if kind == "refined" else _separation_plants(table)
        for i in np.flatnonzero(table.where(quantity="production", from_process=processes)):
            reset[str(source[i])] = number[str(table.attributes["origin"][i])]
    return plan([str(p) for p in source], [str(p) for p in target], [int(e) for e in entry], reset)


def _refineries(table: FlowTable) -> set[str]:
    fed = table.where(quantity="feed", product=table.unrefined)
    return {str(process) for process in table.attributes["to_process"][fed]}


def _separation_plants(table: FlowTable) -> set[str]:
    if table.stages is None:
        raise ValueError("tracing separation needs the stages of processes, which the case holds; give it the case")
    return {process for process, stage in table.stages.items() if stage == "separation"}


def traced(table: FlowTable, kind: str, weights: Array) -> Array:
    """Mass by origin in weighted sums of the flows of a table, array (sum, origin, chain, draw, year).

    Parameters
    ----------
    kind
        ``"mined"``, ``"refined"`` or ``"separated"``, see `origins_of`.
    weights
        Array (sum, flow).
    """
    chains, draws, years = table.shape
    n_origins = len(table.labels("partner"))
    mass = table.mass.reshape(len(table.mass), chains * draws, years)
    result = trace(mass, table.carried, origins_of(table, kind), n_origins, weights)
    return table.accumulate(result.reshape(len(weights), n_origins, chains, draws, years))
