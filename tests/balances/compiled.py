"""Balanced flows by the compiled kernels, one draw after the other."""

from __future__ import annotations

import numpy as np

from reeuncert.balance import kernels
from reeuncert.balance.network import Network


def compiled_flows(u: np.ndarray, network: Network) -> np.ndarray:
    """Flows (..., n_edges) from coordinates (..., n_coordinates)."""
    u = network.anchors.to_inputs(np.asarray(u, dtype=float))
    flat = np.ascontiguousarray(u.reshape(-1, network.n_coordinates))
    log_flow = [kernels.forward(one, network.layout, network.visible)[0] for one in flat]
    return np.exp(log_flow).reshape(*u.shape[:-1], network.n_edges)
