"""Packs a network into one vector of integers, so that one compiled function serves all networks.

Nodes are numbered in topological order of their components, edges by their source node (outside first), so both passes
read memory in order. The vector begins with `HEADER` numbers:

====  =====================================================================
0     nodes 1     edges, hidden ones included 2     edges from outside (the first ones) 3     components 4
coordinates 5     length of the array stored for the backward pass 6     nodes in the largest component
====  =====================================================================

followed by these arrays:

==================  =====================  =======================================================
coordinate          edges                  coordinate of each edge; -1: reference outflow target              edges
node that each edge enters; -1: outside out_start           nodes + 1              outflows of node j: edges
out_start[j] to out_start[j+1] - 1 in_start            nodes + 1              inflows of node j: in_edge[in_start[j]]
and on in_edge             edges                  (edges that lead outside fill the end and are never read)
component_start     components + 1         nodes of component c component_store     components             position of
its factors; -1: a single node parent              edges                  hidden edge that feeds the hidden node an edge
leaves; -1: none
==================  =====================  =======================================================
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.grouping import Edges
from reeuncert.system.graph import BEYOND

HEADER = 7


def pack(
    edges: Edges, coordinate: Sequence[int], components: Sequence[Sequence[int]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pack a network for the kernels. Coordinates are -1 for reference outflows; components are strongly connected, in
    topological order. Returns the vector described above, and the place of each visible edge in the order of the
    kernels.
    """
    order = [node for component in components for node in component]
    number = np.empty(len(order) + 1, dtype=np.int64)
    number[order] = np.arange(len(order))
    number[BEYOND] = BEYOND
    source = number[np.array(edges.source, dtype=np.int64)]
    target = number[np.array(edges.target, dtype=np.int64)]
    # Edges of one node keep the order of the table; outside (-1) sorts first.
    by_source = np.argsort(source, kind="stable")
    place = np.empty(len(source), dtype=np.int64)
    place[by_source] = np.arange(len(source))
    source, target = source[by_source], target[by_source]
    n_nodes, n_edges = len(order), len(source)
    n_inputs = int(np.sum(source == BEYOND))
    out_start = np.searchsorted(source, np.arange(n_nodes + 1))
    entering = np.argsort(np.where(target == BEYOND, n_nodes, target), kind="stable")
    in_start = np.searchsorted(target[entering][: int(np.sum(target != BEYOND))], np.arange(n_nodes + 1))
    sizes = np.array([len(component) for component in components], dtype=np.int64)
    component_start = np.concatenate([[0], np.cumsum(sizes)])
    # Kept by the forward pass: share of source and of target of each edge, then n (n + 2) numbers a component.
    room = np.where(sizes > 1, sizes * (sizes + 2), 0)
    component_store = np.where(sizes > 1, 2 * n_edges + np.cumsum(room) - room, -1)
    parent = np.array(edges.parent, dtype=np.int64)
    parent = np.where(parent >= 0, place[parent], -1)[by_source]
    header = [
        n_nodes,
        n_edges,
        n_inputs,
        len(components),
        sum(1 for k in coordinate if k >= 0),
        2 * n_edges + int(room.sum()),
        int(sizes.max(initial=0)),
    ]
    parts = [
        np.array(header),
        np.array(coordinate)[by_source],
        target,
        out_start,
        in_start,
        entering,
        component_start,
        component_store,
        parent,
    ]
    layout = np.concatenate(parts).astype(np.int64)
    visible = place[[k for k, flow in enumerate(edges.flow) if flow >= 0]]
    return layout, visible
