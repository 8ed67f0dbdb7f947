"""Edges of a system over all its years, with a hidden node for each group of flows; and the arrays that kernels read.

A group is a set of flows whose total has one coordinate: a hidden node between a process and its flows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reeuncert.errors import ModelError
from reeuncert.system.definition import OUTSIDE, SystemDefinition
from reeuncert.system.graph import BEYOND, space_time_graph

HIDDEN = -1
"""Process number of a hidden node, and flow number of the edge that leads to it."""

Positions = NDArray[np.uint32]
"""Unsigned: numba looks at every signed index for being negative."""


@dataclass(frozen=True)
class Group:
    """Flows that leave one process (or that all come from outside), and whose total has one coordinate. In each year
    the last existing one of its flows takes the remainder of the total.
    """

    name: str
    flows: tuple[str, ...]


@dataclass(frozen=True)
class Edges:
    """Edges over all years, those to hidden nodes after the visible ones."""

    name: tuple[str, ...]  # the flow or group of each edge
    flow: tuple[int, ...]  # index of the flow; `HIDDEN` for a group
    year: tuple[int, ...]  # index of the year
    source: tuple[int, ...]  # nodes of the edge; `BEYOND` for outside
    target: tuple[int, ...]
    stands_for: tuple[tuple[int, ...], ...]  # flows of an edge: itself, or the existing members of its group
    rank: tuple[int, ...]  # place in the table of flows; of a group, that of its first flow in any year
    node_process: tuple[int, ...]  # process of each node; `HIDDEN` for a group

    @cached_property
    def leaving(self) -> dict[int, list[int]]:
        """Edges by the node that they leave, `BEYOND` included."""
        return _by_node(self.source)

    @cached_property
    def entering(self) -> dict[int, list[int]]:
        """Edges by the node that they enter, `BEYOND` included."""
        return _by_node(self.target)


def _by_node(nodes: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for k, node in enumerate(nodes):
        found.setdefault(node, []).append(k)
    return found


def edges_with_groups(system: SystemDefinition, groups: Sequence[Group]) -> Edges:
    """Expand a system over its years and add a hidden node before the flows of each group."""
    _check_groups(system, groups)
    graph = space_time_graph(system)
    flow, year = list(graph.edge_flow), list(graph.edge_year)
    source, target, node_process = list(graph.edge_from), list(graph.edge_to), list(graph.node_process)
    name, rank = [system.flows[i].name for i in flow], list(flow)
    stands_for: list[tuple[int, ...]] = [(i,) for i in flow]
    edge_of = {pair: k for k, pair in enumerate(zip(flow, year, strict=True))}
    for group in groups:
        members = [system.flow_index[name] for name in group.flows]
        for t in range(len(system.years)):
            alive = [i for i in members if (i, t) in edge_of]
            if len(alive) < 2:
                continue
            name.append(group.name)
            flow.append(HIDDEN)
            year.append(t)
            source.append(source[edge_of[alive[0], t]])
            target.append(len(node_process))
            stands_for.append(tuple(alive))
            rank.append(min(members))
            for i in alive:
                source[edge_of[i, t]] = len(node_process)
            node_process.append(HIDDEN)
    ends = tuple(source), tuple(target)
    return Edges(tuple(name), tuple(flow), tuple(year), *ends, tuple(stands_for), tuple(rank), tuple(node_process))


def _check_groups(system: SystemDefinition, groups: Sequence[Group]) -> None:
    lines = []
    owner: dict[str, str] = {}
    seen: set[str] = set()
    for group in groups:
        if group.name in seen or group.name in system.flow_index:
            lines.append(f"group '{group.name}' has the name of another group or of a flow; rename it")
        seen.add(group.name)
        origins = set()
        for name in group.flows:
            origins.add(system.flows[system.flow_index[name]].from_process)
            if owner.setdefault(name, group.name) != group.name:
                lines.append(f"flow '{name}' is in two groups, '{owner[name]}' and '{group.name}'; keep it in one")
        if len(origins) > 1:
            places = ", ".join("outside" if name == OUTSIDE else f"'{name}'" for name in sorted(origins))
            lines.append(f"the flows of group '{group.name}' leave several processes ({places}); a group leaves one")
    if lines:
        raise ModelError("\n".join(lines))


class Packed(NamedTuple):
    """A network as the kernels read it, so that one compiled function serves all networks.

    Nodes are numbered in topological order of their components, edges by their source node (outside first), so that
    both passes read memory in order.
    """

    coordinate: Positions  # of each edge, hidden ones included; ``n_coordinates`` for a reference outflow
    target: Positions  # node that each edge enters; the number of nodes for outside
    out_start: Positions  # first outflow of each node; one more at the end
    component_start: Positions  # first node of each component; one more at the end
    anchor: Positions  # inputs stated by what their process delivers, and the outflow that states each, shape (n, 2)
    room: Positions  # numbers that the cycles keep for the way back, shape (1,)


def pack(
    edges: Edges,
    coordinate: NDArray[np.int64],
    components: Sequence[Sequence[int]],
    anchors: Sequence[tuple[int, int]],
) -> tuple[Packed, NDArray[np.int64]]:
    """Pack a network for the kernels. Coordinates are -1 for reference outflows; components are strongly connected, in
    topological order. Returns also the place of each visible edge in the order of the kernels.
    """
    order = [node for component in components for node in component]
    nodes = len(order)
    number = np.empty(nodes + 1, dtype=np.int64)
    number[order] = np.arange(nodes)
    number[BEYOND] = BEYOND
    source = number[np.array(edges.source, dtype=np.int64)]
    # Edges of one node keep the order of the table; outside (-1) sorts first.
    by_source = np.argsort(source, kind="stable")
    place = np.empty(len(source), dtype=np.int64)
    place[by_source] = np.arange(len(source))
    target = number[np.array(edges.target, dtype=np.int64)][by_source]
    own = coordinate[by_source]
    sizes = np.array([len(component) for component in components], dtype=np.int64)
    arrays = (
        np.where(own >= 0, own, (own >= 0).sum()),
        np.where(target == BEYOND, nodes, target),
        np.searchsorted(source[by_source], np.arange(nodes + 1)),
        np.concatenate([[0], np.cumsum(sizes)]),
        place[np.array(anchors, np.int64).reshape(-1, 2)],
        [np.where(sizes > 1, sizes * (sizes + 3), 0).sum()],
    )
    return Packed(*(np.ascontiguousarray(array, np.uint32) for array in arrays)), place[np.array(edges.flow) != HIDDEN]
