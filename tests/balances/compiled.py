"""Balanced flows by the compiled kernels, one draw after the other."""

from __future__ import annotations

import numpy as np

from reeuncert.balance import masses
from reeuncert.balance.network import Network


def forward(u: np.ndarray, network: Network) -> tuple[np.ndarray, float, np.ndarray]:
    """Log flows (n_edges,), their log-Jacobian, and what `backward` needs."""
    return masses.forward(u, *network.packed, network.visible)


def backward(to_log_flow: np.ndarray, to_jacobian: float, network: Network, held: np.ndarray) -> np.ndarray:
    """Gradient (n_coordinates,)."""
    return masses.backward(to_log_flow, np.asarray(to_jacobian), *network.packed, network.visible, held)


def compiled_flows(u: np.ndarray, network: Network) -> np.ndarray:
    """Flows (..., n_edges) from coordinates (..., n_coordinates)."""
    u = np.asarray(u, dtype=float)
    log_flow = [forward(one, network)[0] for one in u.reshape(-1, network.n_coordinates)]
    return np.exp(log_flow).reshape(*u.shape[:-1], network.n_edges)
