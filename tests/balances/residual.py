"""Mass balance residuals from the table of flows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reeuncert.system.definition import OUTSIDE, SystemDefinition


def residual(system: SystemDefinition, mass_flow: ArrayLike) -> NDArray[np.float64]:
    """Relative imbalance of every process in every year: (in − out) / larger of the two.

    Masses have the shape (..., flow, year), in any unit, and are ignored where a flow is absent; the residual (...,
    process, year) is NaN where the process has no flows. Uses only source, target and years of the flows, so that it
    applies to any result file. A stock enters its process in the year after, where the process still has outflows then.

    Examples
    --------
    >>> from reeuncert.system.definition import Flow, Process, SystemDefinition
    >>> system = SystemDefinition(
    ...     (Process("market"),),
    ...     (
    ...         Flow("supply", "outside", "market", "production", years=(2000, 2001)),
    ...         Flow("use", "market", "outside", "end_use", years=(2000, 2001)),
    ...         Flow("stock", "market", "market", "stock", years=(2000,)),
    ...     ),
    ...     (2000, 2001),
    ... )
    >>> residual(system, [[10.0, 10.0], [8.0, 11.0], [2.0, float("nan")]])
    array([[0.        , 0.08333333]])
    """
    mass = np.asarray(mass_flow, dtype=np.float64)
    shape = (len(system.flows), len(system.years))
    if mass.shape[-2:] != shape:
        raise ValueError(f"mass_flow ends in {mass.shape[-2:]}; (flow, year) of this system is {shape}")
    exists = system.exists
    mass = np.where(exists, mass, 0.0)
    inflow = np.zeros((*mass.shape[:-2], len(system.processes), shape[1]))
    outflow = np.zeros_like(inflow)
    touched = np.zeros(inflow.shape[-2:], dtype=bool)
    leaves = np.zeros_like(touched)
    for i, flow in enumerate(system.flows):
        if flow.from_process != OUTSIDE:
            source = system.process_index[flow.from_process]
            outflow[..., source, :] += mass[..., i, :]
            leaves[source] |= exists[i]
            touched[source] |= exists[i]
        if flow.to_process != OUTSIDE and not flow.is_stock:
            target = system.process_index[flow.to_process]
            inflow[..., target, :] += mass[..., i, :]
            touched[target] |= exists[i]
    for i, flow in enumerate(system.flows):
        if flow.is_stock and flow.from_process != OUTSIDE:
            target = system.process_index[flow.to_process]
            inflow[..., target, 1:] += np.where(leaves[target, 1:], mass[..., i, :-1], 0.0)
    scale = np.maximum(np.abs(inflow), np.abs(outflow))
    balanced = (inflow - outflow) / np.where(scale > 0.0, scale, 1.0)
    return np.where(touched, balanced, np.nan)
