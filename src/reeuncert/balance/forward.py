"""Balanced flows of many draws in NumPy: no compiler needed, and as fast as compiled code for many draws."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.network import Network
from reeuncert.system.graph import BEYOND

Floats = NDArray[np.float64]


def flows_of_draws(u: Floats, network: Network) -> Floats:
    """Flows from coordinates, as `reeuncert.balance.op.balanced_flows`.

    Coordinates (..., n_coordinates) → flows, not logs (..., n_edges), in the unit of the inputs.
    """
    edges, draws = network.edges, u.shape[:-1]
    u = u.reshape(-1, network.n_coordinates)
    leaving, entering = edges.leaving, edges.entering
    padded = np.concatenate([u, np.zeros((len(u), 1))], axis=1)  # the ratio of a reference outflow is 0
    flow = padded[:, network.edge_coordinate].T  # edge axis first: every step below is vectorised over draws
    for k, stated in network.anchors:
        ratio = flow[leaving[edges.target[k]]]
        top = ratio.max(axis=0)
        flow[k] += top + np.log(np.exp(ratio - top).sum(axis=0)) - flow[stated]
    share = np.exp(flow, out=flow)
    for node, outflows in leaving.items():
        if node == BEYOND:
            continue
        ratio = padded[:, network.edge_coordinate[outflows]].T
        weight = np.exp(ratio - ratio.max(axis=0, initial=-np.inf))
        share[outflows] = weight / weight.sum(axis=0)
    for component in network.components:
        inside = {node: i for i, node in enumerate(component)}
        supply = np.array(
            [flow[[k for k in entering[n] if edges.source[k] not in inside]].sum(axis=0) for n in component]
        )
        throughput = supply if len(component) == 1 else _cycle(supply, share, component, inside, leaving, edges.target)
        for node, amount in zip(component, throughput, strict=True):
            flow[leaving[node]] = share[leaving[node]] * amount
    return flow[np.array(edges.flow) >= 0].T.reshape(*draws, network.n_edges)


def _cycle(
    supply: Floats,
    share: Floats,
    component: Sequence[int],
    inside: dict[int, int],
    leaving: dict[int, list[int]],
    target: Sequence[int],
) -> Floats:
    """Throughput (node, draw) of nodes that feed each other: elimination without subtraction (GTH)."""
    n, draws = supply.shape
    passed, leak = np.zeros((n, n, draws)), np.zeros((n, draws))
    for i, node in enumerate(component):
        for k in leaving[node]:
            if target[k] in inside:
                passed[i, inside[target[k]]] += share[k]
            else:
                leak[i] += share[k]
    left = np.empty((n, draws))
    for j in range(n - 1, -1, -1):
        left[j] = passed[j, :j].sum(axis=0) + leak[j]
        onward = passed[:j, j] / left[j]
        passed[:j, :j] += onward[:, None] * passed[j, :j]
        leak[:j] += onward * leak[j]
        supply[:j] += supply[j] / left[j] * passed[j, :j]
    throughput = supply
    for j in range(n):
        throughput[j] = (supply[j] + (throughput[:j] * passed[:j, j]).sum(axis=0)) / left[j]
    return throughput
