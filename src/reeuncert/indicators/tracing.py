"""Origin of the mass in a flow: composition of every market, traced through years, stocks and cycles.

Each process mixes its inflows: an outflow has the composition of its process
(proportional mixing, as in Kastner, Kastner & Nonhebel 2011, Ecological Economics 70,
doi 10.1016/j.ecolecon.2011.01.012, which covers re-exports). With s the throughput, x the flows and B the mass that
enters from outside or from last year's stock by origin, the compositions C of one year solve

    s_j C_j − Σ_i x_ij C_i = B_j ,

the transpose of the fundamental matrix of the absorbing Markov chain whose transition probabilities are the outflow
shares (for metals: Eckelman & Daigo 2008, Ecological Economics 67(2), 265–273). The pattern of flows is the same in
every draw, so the system is solved one strongly connected component after the other, for all draws at once: trade among
n regions makes components of n markets, everything else is a chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import compiled, kernel, source_version
from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.system.definition import OUTSIDE
from reeuncert.system.graph import strong_components

Index = NDArray[np.int64]

BLOCK = 512
"""Draws that are traced at a time."""

STAGES = {"separated": "separation", "reduced": "electrolysis", "fabricated": "fabrication"}
"""Kind of origin → stage of the processes that give it."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Solution order of the process compositions, and where mass gets its origin.

    Parameters
    ----------
    source, target
        Process index of each flow's ends (−1: outside).
    entry
        Origin (index of a label) of the mass of each flow from outside; −1 for the others.
    reset
        Origin that a process assigns to all its outflows; −1: it mixes its inflows.
    components
        Strongly connected components of processes in topological order.
    incoming
        Flows that enter each process, stocks of last year included.
    """

    source: Index
    target: Index
    entry: Index
    reset: Index
    components: list[list[int]]
    incoming: list[list[int]]


def plan(
    source: Sequence[str], target: Sequence[str], entry: Sequence[int], reset: dict[str, int] | None = None
) -> Plan:
    """Order the processes topologically within a year, each cycle as one component.

    ``source`` and ``target`` name the processes at the ends of each flow; equal ends are a stock. ``entry`` is the
    index of the origin of each flow from outside; ``reset`` that which a process gives to its outflows.
    """
    names = sorted({*source, *target} - {OUTSIDE})
    index = {name: i for i, name in enumerate(names)} | {OUTSIDE: -1}
    ends = np.array([[index[a], index[b]] for a, b in zip(source, target, strict=True)], dtype=np.int64).reshape(-1, 2)
    inner = ends[(ends >= 0).all(axis=1) & (ends[:, 0] != ends[:, 1])]
    successors: list[list[int]] = [[] for _ in names]
    for a, b in inner.tolist():
        successors[a].append(b)
    resets = np.full(len(names), -1, dtype=np.int64)
    for name, origin in (reset or {}).items():
        resets[index[name]] = origin
    return Plan(
        ends[:, 0].copy(),
        ends[:, 1].copy(),
        np.where(ends[:, 0] < 0, np.asarray(entry, dtype=np.int64), -1),
        resets,
        strong_components(successors),
        [np.flatnonzero(ends[:, 1] == node).tolist() for node in range(len(names))],
    )


def trace(mass: Array, carried: Mask, network: Plan, n_origins: int, weights: Array) -> Array:
    """Mass by origin in weighted sums of flows.

    Masses (flow, draw, year) are balanced, zero where absent; ``carried`` (flow, year) marks stocks of the year before
    that enter their process in this year; weights (sum, flow) are zero for flows from outside. Array (sum, origin,
    draw, year) in the unit of the masses; the sum over origins is the weighted sum of the flows.

    Examples
    --------
    A market mixes 3 from its own mine (origin 0) with 1 from another (origin 1), and 2 of the 4 are consumed:

    >>> source, target = ["outside", "outside", "market", "market"], ["market", "market", "outside", "outside"]
    >>> network = plan(source, target, entry=[0, 1, 0, 0])
    >>> mass = np.array([3.0, 1.0, 2.0, 2.0]).reshape(4, 1, 1)
    >>> trace(mass, np.zeros((4, 1), bool), network, 2, np.array([[0.0, 0.0, 1.0, 0.0]])).ravel()
    array([1.5, 0.5])
    """
    if (network.source[weights.any(axis=0)] < 0).any():
        raise ValueError("a flow from outside has no composition: give it no weight")
    years_first = np.ascontiguousarray(np.moveaxis(mass, 2, 1))
    result = np.zeros((len(weights), n_origins, *years_first.shape[1:]))
    entering = np.array([f for flows in network.incoming for f in flows], dtype=np.int64)
    nodes = np.array([node for component in network.components for node in component], dtype=np.int64)
    _trace(
        *(years_first, carried, network.source, network.entry, network.reset),
        *(_starts(network.components), nodes, _starts(network.incoming), entering),
        *(np.asarray(weights, dtype=float), result),
    )
    return np.moveaxis(result, 2, 3)


def _starts(parts: Sequence[Sequence[int]]) -> Index:
    return np.cumsum([0, *map(len, parts)], dtype=np.int64)


@kernel(source_version(__file__), nogil=True)
def _trace(
    mass: Array,
    carried: Mask,
    source: Index,
    entry: Index,
    reset: Index,
    component_start: Index,
    nodes: Index,
    entering_start: Index,
    entering: Index,
    weights: Array,
    result: Array,
) -> None:
    """Add to ``result`` (sum, origin, year, draw), some draws at a time, so that their compositions stay in the cache.

    Masses are (flow, year, draw). Components and flows that enter a process are one list each, with the start of each.
    """
    n_flows, n_years, n_draws = mass.shape
    n_sums, n_origins = result.shape[:2]
    largest = (component_start[1:] - component_start[:-1]).max() if len(component_start) > 1 else 0
    place = np.full(len(reset), -1, np.int64)
    for first in range(0, n_draws, BLOCK):
        width = min(BLOCK, n_draws - first)
        now, before = np.zeros((len(reset), n_origins, width)), np.zeros((len(reset), n_origins, width))
        matrix, right = np.empty((largest, largest, width)), np.empty((largest, n_origins, width))
        for y in range(n_years):
            now, before = before, now
            for c in range(len(component_start) - 1):
                component = nodes[component_start[c] : component_start[c + 1]]
                size = len(component)
                for k in range(size):
                    place[component[k]] = k
                    matrix[k, :size] = 0.0
                    right[k] = 0.0
                for k in range(size):
                    node, throughput = component[k], np.zeros(width)
                    for f in entering[entering_start[node] : entering_start[node + 1]]:
                        i = source[f]
                        if i == node:  # a stock: last year's mass with last year's composition
                            if carried[f, y]:
                                stock = mass[f, y - 1, first : first + width]
                                throughput += stock
                                for o in range(n_origins):
                                    _add(right[k, o], 1.0, stock, before[node, o])
                            continue
                        flow = mass[f, y, first : first + width]
                        throughput += flow
                        if i < 0:
                            right[k, entry[f]] += flow
                        elif place[i] >= 0:
                            matrix[k, place[i]] -= flow
                        else:
                            for o in range(n_origins):
                                _add(right[k, o], 1.0, flow, now[i, o])
                    for d in range(width):
                        if reset[node] >= 0 and throughput[d] > 0:
                            matrix[k, :size, d], right[k, :, d] = 0.0, 0.0
                            right[k, reset[node], d] = 1.0
                        if reset[node] >= 0 or throughput[d] <= 0:
                            throughput[d] = 1.0
                    matrix[k, k] = throughput
                # Elimination without pivoting: every row is weakly diagonally dominant.
                for k in range(size):
                    for j in range(k + 1, size):
                        factor = matrix[j, k] / matrix[k, k]
                        for m in range(k + 1, size):
                            _add(matrix[j, m], -1.0, factor, matrix[k, m])
                        for o in range(n_origins):
                            _add(right[j, o], -1.0, factor, right[k, o])
                for k in range(size - 1, -1, -1):
                    for o in range(n_origins):
                        for m in range(k + 1, size):
                            _add(right[k, o], -1.0, matrix[k, m], now[component[m], o])
                        for d in range(width):
                            now[component[k], o, d] = right[k, o, d] / matrix[k, k, d]
                for k in range(size):
                    place[component[k]] = -1
            for w in range(n_sums):
                for f in range(n_flows):
                    if weights[w, f] != 0.0:
                        for o in range(n_origins):
                            total = result[w, o, y, first : first + width]
                            _add(total, weights[w, f], mass[f, y, first : first + width], now[source[f], o])


@compiled
def _add(total: Array, factor: float, a: Array, b: Array) -> None:
    for d in range(len(total)):
        total[d] += factor * a[d] * b[d]


def origins_of(table: FlowTable, kind: str) -> Plan:
    """Plan for tracing a table of flows to the regions where it was ``"mined"`` or ``"refined"``, or last went through
    a stage: ``"separated"``, ``"reduced"`` (to metal) or ``"fabricated"``.

    Origins are numbered like the labels of the dim ``partner``: regions, opening stock, no region. Mined: ore has the
    region of its mine. Refined: outflows of a process with unrefined inflows have the region of that process.
    Stages: the same for processes of the stage, also if they repeat it. Other mass has no region, or was in the opening
    stock of the first year.
    """
    if kind not in ("mined", "refined", *STAGES):
        raise ValueError(f"cannot trace '{kind}' origins; use 'mined', 'refined', {', '.join(map(repr, STAGES))}")
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
        processes = _refineries(table) if kind == "refined" else _plants(table, STAGES[kind])
        for i in np.flatnonzero(table.where(quantity=("production", "fabrication"), from_process=processes)):
            reset[str(source[i])] = number[str(table.attributes["origin"][i])]
    return plan([str(p) for p in source], [str(p) for p in target], [int(e) for e in entry], reset)


def gives_regions(table: FlowTable, kind: str) -> bool:
    """Whether some mass of a table gets a region as its origin; else all of it would have none."""
    found = origins_of(table, kind)
    return bool(((found.entry >= 0) & (found.entry < len(table.regions))).any() or (found.reset >= 0).any())


def _refineries(table: FlowTable) -> set[str]:
    fed = table.where(quantity="feed", product=table.unrefined)
    return {str(process) for process in table.attributes["to_process"][fed]}


def _plants(table: FlowTable, wanted: str) -> set[str]:
    return {process for process, stage in table.stages.items() if stage == wanted}


def traced(table: FlowTable, kind: str, weights: Array) -> Array:
    """Mass by origin in weighted sums of the flows of a table, array (sum, origin, chain, draw, year). Kinds are those
    of `origins_of`; weights have the shape (sum, flow).
    """
    chains, draws, years = table.shape
    n_origins = len(table.labels("partner"))
    mass = table.mass.reshape(len(table.mass), chains * draws, years)
    result = trace(mass, table.carried, origins_of(table, kind), n_origins, weights)
    return table.accumulate(result.reshape(len(weights), n_origins, chains, draws, years))
