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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.system.definition import OUTSIDE
from reeuncert.system.graph import strong_components

Index = NDArray[np.int64]

STAGES = {"separated": "separation", "reduced": "electrolysis", "fabricated": "fabrication"}
"""Kind of origin → stage of the processes that give it."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Solution order of the process compositions, and where mass gets its origin (index of a label; −1: nowhere)."""

    source: Index  # of each flow: the process that it leaves (−1: outside)
    target: Index  # of each flow: the process that it enters
    entry: Index  # of each flow: the origin of mass from outside
    reset: Index  # of each process: the origin that it assigns to all its outflows (−1: it mixes its inflows)
    components: list[list[int]]  # strongly connected processes in topological order
    incoming: list[list[int]]  # flows that enter each process, stocks of last year included


def plan(
    source: Sequence[str], target: Sequence[str], entry: Sequence[int], reset: dict[str, int] | None = None
) -> Plan:
    """Order the processes topologically within a year, each cycle as one component; equal ends of a flow are a stock.
    Arguments are those of `Plan`, with names of processes.
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

    Masses (flow, draw, year) are balanced, NaN or zero where absent; ``carried`` (flow, year) marks stocks of the year
    before that enter their process in this year; weights (sum, flow) are zero for flows from outside. Array (sum,
    origin, draw, year) in the unit of the masses; the sum over origins is the weighted sum of the flows.

    A market mixes 3 from its own mine (origin 0) with 1 from another (origin 1), and 2 of the 4 are consumed:

    >>> source, target = ["outside", "outside", "market", "market"], ["market", "market", "outside", "outside"]
    >>> network = plan(source, target, entry=[0, 1, 0, 0])
    >>> mass = np.array([3.0, 1.0, 2.0, 2.0]).reshape(4, 1, 1)
    >>> trace(mass, np.zeros((4, 1), bool), network, 2, np.array([[0.0, 0.0, 1.0, 0.0]])).ravel()
    array([1.5, 0.5])
    """
    used: list[dict[int, list[int]]] = [{} for _ in weights]  # flows of one process have one composition
    for groups, row in zip(used, weights, strict=True):
        for f in np.flatnonzero(row).tolist():
            groups.setdefault(int(network.source[f]), []).append(f)
    asked = set(network.source[weights.any(axis=0)].tolist())
    if -1 in asked:
        raise ValueError("a flow from outside has no composition: give it no weight")
    components = _upstream(network, asked)
    n_draws, n_years = mass.shape[1:]
    there = np.isfinite(mass[:, 0])
    result = np.zeros((len(weights), n_origins, n_years, n_draws))
    now = np.zeros((len(network.reset), n_origins, n_draws))
    for y in range(n_years):
        before, now = now, np.zeros_like(now)
        last_year = mass[:, :, y - 1]
        for component in components:
            _compose(now, before, mass[:, :, y], last_year, carried[:, y], there[:, y], network, component)
        for total, row, groups in zip(result, weights, used, strict=True):
            for node, flows in groups.items():
                total[:, y] += sum(mass[f, :, y] * row[f] for f in flows if there[f, y]) * now[node]
    return np.moveaxis(result, 2, 3)


def _upstream(network: Plan, asked: set[int]) -> list[list[int]]:
    """Components on which the composition of some processes depends."""
    found, new = set(asked), list(asked)
    while new:
        before = {int(i) for i in network.source[network.incoming[new.pop()]]} - found - {-1}
        found |= before
        new += before
    return [component for component in network.components if component[0] in found]


def _compose(
    now: Array,
    before: Array,
    mass: Array,
    last_year: Array,
    carried: Mask,
    there: Mask,
    network: Plan,
    component: Sequence[int],
) -> None:
    """Fill in the composition ``now`` (process, origin, draw) of the processes of one component, in one year.

    ``before`` is that of the year before; masses are arrays (flow, draw), ``carried`` and ``there`` (flow,).
    """
    size, (_, n_origins, n_draws) = len(component), now.shape
    place = {node: k for k, node in enumerate(component)}
    matrix: dict[tuple[int, int], Array] = {}  # of most pairs of processes neither feeds the other
    right = np.zeros((size, n_origins, n_draws))
    for k, node in enumerate(component):
        throughput = np.zeros(n_draws)
        for f in network.incoming[node]:
            i = int(network.source[f])
            if i == node:  # a stock: last year's mass with last year's composition
                if carried[f]:
                    throughput += last_year[f]
                    right[k] += last_year[f] * before[node]
                continue
            if not there[f]:
                continue
            throughput += mass[f]
            if i < 0:
                right[k, network.entry[f]] += mass[f]
            elif i in place:
                matrix[k, place[i]] = matrix.get((k, place[i]), 0.0) - mass[f]
            else:
                right[k] += mass[f] * now[i]
        flowing = throughput > 0
        if network.reset[node] >= 0:
            for pair in [pair for pair in matrix if pair[0] == k]:
                matrix[pair] = np.where(flowing, 0.0, matrix[pair])
            right[k][:, flowing] = 0.0
            right[k, network.reset[node], flowing] = 1.0
            throughput = np.ones(n_draws)
        matrix[k, k] = np.where(flowing, throughput, 1.0)
    # Elimination without pivoting: every row is weakly diagonally dominant.
    for k in range(size):
        later = [m for m in range(k + 1, size) if (k, m) in matrix]
        for j in range(k + 1, size):
            if (j, k) in matrix:
                factor = matrix[j, k] / matrix[k, k]
                for m in later:
                    matrix[j, m] = matrix.get((j, m), 0.0) - factor * matrix[k, m]
                right[j] -= factor * right[k]
    for k in range(size - 1, -1, -1):
        for m in range(k + 1, size):
            if (k, m) in matrix:
                right[k] -= matrix[k, m] * now[component[m]]
        now[component[k]] = right[k] / matrix[k, k]


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
        entry[mined] = [number.get(str(region), nowhere) for region in destination[mined]]
    else:
        refineries = target[table.where(quantity="feed", product=table.unrefined)].tolist()
        plants = [process.name for process in table.case.system.processes if process.stage == STAGES.get(kind)]
        processes = refineries if kind == "refined" else plants
        for i in np.flatnonzero(table.where(quantity=("production", "fabrication"), from_process=processes)):
            reset[str(source[i])] = number.get(str(table.attributes["origin"][i]), nowhere)
    return plan([str(p) for p in source], [str(p) for p in target], [int(e) for e in entry], reset)


def gives_regions(table: FlowTable, kind: str) -> bool:
    """Whether some mass of a table gets a region as its origin; else all of it would have none."""
    found = origins_of(table, kind)
    given = np.concatenate([found.entry, found.reset])
    return bool(((given >= 0) & (given < len(table.regions))).any())


def traced[K](table: FlowTable, kind: str, weights: Mapping[K, NDArray[Any]]) -> dict[K, Array]:
    """Mass by origin (origin, chain, draw, year) in weighted sums of the flows of a table, by the same keys as their
    weights (flow,). Kinds are those of `origins_of`.
    """
    if not weights:
        return {}
    chains, draws, years = table.shape
    n_origins = len(table.labels("partner"))
    mass = table.mass.reshape(len(table.mass), chains * draws, years)
    of_flows = np.stack([of.astype(float) for of in weights.values()])
    result = trace(mass, table.carried, origins_of(table, kind), n_origins, of_flows)
    return dict(zip(weights, table.accumulate(result.reshape(-1, n_origins, chains, draws, years)), strict=True))
