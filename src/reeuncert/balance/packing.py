"""Packs a network into arrays of integers, so that one compiled function serves all networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.anchors import Anchors
from reeuncert.balance.grouping import Edges
from reeuncert.system.graph import BEYOND

Positions = NDArray[np.uint32]
"""Unsigned: numba looks at every signed index for being negative."""


class Packed(NamedTuple):
    """A network as the kernels read it.

    Nodes are numbered in topological order of their components, edges by their source node (outside first), so that
    both passes read memory in order.

    Parameters
    ----------
    coordinate
        Coordinate of each edge, hidden ones included; ``n_coordinates`` for a reference outflow.
    target
        Node that each edge enters; the number of nodes for outside.
    out_start, component_start
        First outflow of each node, first node of each component; one more at the end.
    anchor
        Inputs that are stated by what their process delivers, and the outflow that states each, shape (n, 2).
    room
        Numbers that the cycles keep for the way back, in an array of shape (1,).
    """

    coordinate: Positions
    target: Positions
    out_start: Positions
    component_start: Positions
    anchor: Positions
    room: Positions


def pack(
    edges: Edges, coordinate: Sequence[int], components: Sequence[Sequence[int]], anchors: Anchors
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
    own = np.array(coordinate, dtype=np.int64)[by_source]
    out_start = np.searchsorted(source[by_source], np.arange(nodes + 1))
    sizes = np.array([len(component) for component in components], dtype=np.int64)
    edge_of = np.empty((own >= 0).sum(), np.int64)
    edge_of[own[own >= 0]] = np.flatnonzero(own >= 0)
    anchor = []
    for position, delivered in zip(anchors.position, anchors.delivered, strict=True):
        node = target[edge_of[position]]
        outflows = np.arange(out_start[node], out_start[node + 1])
        reference = outflows[own[outflows] < 0]
        anchor.append((edge_of[position], edge_of[delivered] if delivered < edge_of.size else reference[0]))
    arrays = (
        np.where(own >= 0, own, edge_of.size),
        np.where(target == BEYOND, nodes, target),
        out_start,
        np.concatenate([[0], np.cumsum(sizes)]),
        np.array(anchor, np.int64).reshape(-1, 2),
        [np.where(sizes > 1, sizes * (sizes + 3), 0).sum()],
    )
    visible = place[[k for k, flow in enumerate(edges.flow) if flow >= 0]]
    return Packed(*(np.ascontiguousarray(array, np.uint32) for array in arrays)), visible
