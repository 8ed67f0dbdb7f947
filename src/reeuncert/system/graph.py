"""The system as one graph over all years: a node is a process in a year, an edge a flow in a year."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reeuncert.system.definition import OUTSIDE, SystemDefinition

BEYOND = -1  # node number that stands for `outside`


@dataclass(frozen=True)
class SpaceTimeGraph:
    """Nodes and edges of a system over all its years."""

    # Indices into ``system.processes`` and ``system.years`` of each node; ordered by year, then process
    node_process: tuple[int, ...]
    node_year: tuple[int, ...]
    # Indices into ``system.flows`` and ``system.years`` of each edge; ordered by flow, then year
    edge_flow: tuple[int, ...]
    edge_year: tuple[int, ...]
    # Nodes of each edge; `BEYOND` for outside
    edge_from: tuple[int, ...]
    edge_to: tuple[int, ...]


def space_time_graph(system: SystemDefinition) -> SpaceTimeGraph:
    """Expand a system over its years.

    A stock (a flow from a process to itself) of year t enters the same process in year t + 1 where that process has
    an outflow then; else it leaves the system, as the closing stock of the last year does.

    >>> from reeuncert.system.definition import Flow, Process, SystemDefinition
    >>> ways = {"supply": ("outside", "market"), "use": ("market", "outside"), "stock": ("market", "market")}
    >>> flows = tuple(Flow(name, *way, quantity=name, years=(2000, 2001)) for name, way in ways.items())
    >>> graph = space_time_graph(SystemDefinition((Process("market"),), flows, (2000, 2001)))
    >>> list(zip(graph.edge_flow, graph.edge_from, graph.edge_to))
    [(0, -1, 0), (0, -1, 1), (1, 0, -1), (1, 1, -1), (2, 0, 1), (2, 1, -1)]
    """
    process = {**system.process_index, OUTSIDE: BEYOND}
    ends = [(process[flow.from_process], process[flow.to_process]) for flow in system.flows]
    pairs = [(i, t) for i, row in enumerate(system.exists.tolist()) for t, there in enumerate(row) if there]
    touched: set[tuple[int, int]] = set()
    with_outflow: set[tuple[int, int]] = set()
    for i, t in pairs:
        touched.update((t, end) for end in ends[i])
        with_outflow.add((t, ends[i][0]))
    nodes = sorted((t, p) for t, p in touched if p != BEYOND)
    number = {node: k for k, node in enumerate(nodes)}
    edge_from, edge_to = [], []
    for i, t in pairs:
        source, target = ends[i]
        edge_from.append(number.get((t, source), BEYOND))
        if source == target:
            edge_to.append(number[t + 1, target] if (t + 1, target) in with_outflow else BEYOND)
        else:
            edge_to.append(number.get((t, target), BEYOND))
    node_process, node_year = tuple(p for _, p in nodes), tuple(t for t, _ in nodes)
    edge_flow, edge_year = tuple(i for i, _ in pairs), tuple(t for _, t in pairs)
    return SpaceTimeGraph(node_process, node_year, edge_flow, edge_year, tuple(edge_from), tuple(edge_to))


def strong_components(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """Strongly connected components of a directed graph, in topological order (Tarjan 1972, doi:10.1137/0201010).
    Target nodes of the edges of each node → components, each sorted, and each before every component that its edges
    lead to.

    >>> strong_components([[1], [2], [1, 3], []])
    [[0], [1, 2], [3]]
    """
    n = len(successors)
    index, low, on_stack = [-1] * n, [0] * n, [False] * n
    stack: list[int] = []
    found: list[list[int]] = []
    counter = 0
    # Roots start from the last node, so that the reversed result keeps the order of nodes where possible.
    for root in range(n - 1, -1, -1):
        if index[root] >= 0:
            continue
        work = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                index[node] = low[node] = counter
                counter += 1
                stack.append(node)
                on_stack[node] = True
            for k in range(position, len(successors[node])):
                other = successors[node][k]
                if index[other] < 0:
                    work.extend([(node, k + 1), (other, 0)])
                    break
                if on_stack[other]:
                    low[node] = min(low[node], index[other])
            else:
                if low[node] == index[node]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack[member] = False
                        component.append(member)
                        if member == node:
                            break
                    found.append(sorted(component))
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
    return found[::-1]


def reachable(starts: Iterable[int], successors: Sequence[Sequence[int]]) -> set[int]:
    """Nodes reachable from some nodes, including these.

    >>> sorted(reachable([1], [[1], [2], []]))
    [1, 2]
    """
    seen = set(starts)
    todo = list(seen)
    while todo:
        for other in successors[todo.pop()]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen
