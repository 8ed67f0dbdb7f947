"""Simple reference implementation of the balanced-flow map, for tests and readers.

Shares by softmax, then one dense solve of (I − Pᵀ) s = b over all nodes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.network import Network
from reeuncert.system.graph import BEYOND


def reference_flows(u: NDArray[np.float64], network: Network) -> NDArray[np.float64]:
    """Flows (not logs) from coordinates, shape (n_edges,); cubic in the number of nodes."""
    edges = network.edges
    n_nodes, n_edges = len(edges.node_process), len(edges.source)
    years = network.system.years
    place = {(name, year, kind == "split"): k for k, (name, year, kind) in enumerate(network.coordinate_keys)}
    ratio = np.zeros(n_edges)
    for k in range(n_edges):
        split = edges.source[k] != BEYOND and edges.node_process[edges.source[k]] < 0
        position = place.get((edges.name[k], years[edges.year[k]], split), -1)
        ratio[k] = u[position] if position >= 0 else 0.0
    share = np.zeros(n_edges)
    for node in range(n_nodes):
        outflows = [k for k in range(n_edges) if edges.source[k] == node]
        weights = np.exp(ratio[outflows])
        share[outflows] = weights / weights.sum()
    passed = np.zeros((n_nodes, n_nodes))
    b = np.zeros(n_nodes)
    for k in range(n_edges):
        source, target = edges.source[k], edges.target[k]
        if source == BEYOND:
            b[target] += np.exp(ratio[k])
        elif target != BEYOND:
            passed[source, target] += share[k]
    throughput = np.linalg.solve(np.eye(n_nodes) - passed.T, b)
    flow = [
        np.exp(ratio[k]) if edges.source[k] == BEYOND else throughput[edges.source[k]] * share[k]
        for k in range(n_edges)
    ]
    return np.array([flow[k] for k in range(n_edges) if edges.flow[k] >= 0])


def coordinates_of(flows: NDArray[np.float64], network: Network) -> NDArray[np.float64]:
    """Coordinates of given balanced flows: the inverse map."""
    edges = network.edges
    amount = {}
    for k, flow in enumerate(flows):
        amount[edges.name[k], int(network.edge_year[k])] = float(flow)
    for k in range(len(flows), len(edges.flow)):
        members = (network.system.flows[i].name for i in edges.stands_for[k])
        amount[edges.name[k], edges.year[k]] = sum(amount[name, edges.year[k]] for name in members)
    u = np.empty(network.n_coordinates)
    for k, (name, year, reference) in enumerate(
        zip(network.coordinate_name, network.coordinate_year, network.reference_of, strict=True)
    ):
        t = network.system.year_index[int(year)]
        u[k] = np.log(amount[str(name), t]) - (np.log(amount[str(reference), t]) if reference else 0.0)
    return u
