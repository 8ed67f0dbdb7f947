"""Balanced flows of simulated truths by fixed-point iteration over the processes.

In each year the throughput of every process is set to its total inflow until it converges; no matrix is inverted.
Stocks enter in the next year.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reeuncert.calibration.paths import Draws
from reeuncert.calibration.shares import Drawn, draw_shares
from reeuncert.case.records import Case
from reeuncert.errors import ModelError
from reeuncert.system.definition import OUTSIDE, Flow, SystemDefinition

SETTLED = 1e-14
"""Largest relative change of a throughput in the last round."""

MOST_ROUNDS = 100_000


def simulate_flows(case: Case, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Flows of `size` truths drawn from the priors table.

    Returns
    -------
    ndarray (draw, flow, year)
        In the unit of the case; NaN where a flow does not exist.

    Raises
    ------
    ModelError
        When the case states densities of flows or shares, which cannot be simulated forward, or its priors table
        does not state everything that must be drawn.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> simulate_flows(case, 3, np.random.default_rng(1)).shape
    (3, 16, 5)
    """
    if case.prior_measure != "coordinates":
        raise ModelError(
            f"the priors of case '{case.name}' cannot be simulated forward: prior_measure is '{case.prior_measure}', "
            "and only under 'coordinates' does every row state what can be drawn; calibrate a case written that way"
        )
    system, drawn = case.system, draw_shares(case, size, rng)
    mass = np.full((size, len(system.flows), len(system.years)), np.nan)
    carried: dict[str, Draws] = {}
    for t, year in enumerate(system.years):
        carried = _one_year(system, drawn, year, carried, mass[:, :, t])
    return mass


def _one_year(
    system: SystemDefinition, drawn: Drawn, year: int, carried: dict[str, Draws], mass: NDArray[np.float64]
) -> dict[str, Draws]:
    """Compute the flows of one year; return the stocks carried into the next."""
    alive = [(i, flow) for i, flow in enumerate(system.flows) if year in flow.years]
    for i, flow in alive:
        if flow.from_process == OUTSIDE:
            mass[:, i] = _mass_entering(drawn, flow, [f for _, f in alive], year)
    throughput = _settled([(i, f, drawn.share.get((f.name, year))) for i, f in alive], carried, mass)
    kept: dict[str, Draws] = {}
    for i, flow in alive:
        if flow.from_process == OUTSIDE:
            continue
        mass[:, i] = throughput[flow.from_process] * drawn.share[flow.name, year]
        opens_next = any(f.from_process == flow.from_process and year + 1 in f.years for f in system.flows)
        if flow.is_stock and opens_next:
            kept[flow.from_process] = kept.get(flow.from_process, 0.0) + mass[:, i]
    return kept


def _mass_entering(drawn: Drawn, flow: Flow, alive: list[Flow], year: int) -> Draws:
    if (flow.name, year) in drawn.entering:
        return drawn.entering[flow.name, year]
    # The table states the mass of an outflow: the input follows from its share.
    out = next(f for f in alive if f.from_process == flow.to_process and (f.name, year) in drawn.delivering)
    return np.asarray(drawn.delivering[out.name, year] / drawn.share[out.name, year])


def _settled(
    edges: list[tuple[int, Flow, Draws | None]], carried: dict[str, Draws], mass: NDArray[np.float64]
) -> dict[str, Draws]:
    """Throughput of each process: inputs from outside, from last year, and from other processes."""
    size = mass.shape[0]
    names = {f.from_process for _, f, _ in edges} | {f.to_process for _, f, _ in edges}
    supply = {name: np.array(carried.get(name, np.zeros(size))) for name in sorted(names - {OUTSIDE})}
    for i, flow, _ in edges:
        if flow.from_process == OUTSIDE:
            supply[flow.to_process] += mass[:, i]
    inside = [(f.from_process, f.to_process, share) for _, f, share in edges if share is not None and not f.is_stock]
    passed_on = [(source, target, share) for source, target, share in inside if target != OUTSIDE]
    throughput = supply
    for _ in range(MOST_ROUNDS):
        entering = {name: value.copy() for name, value in supply.items()}
        for source, target, share in passed_on:
            entering[target] += throughput[source] * share
        still = all(np.all(np.abs(entering[n] - throughput[n]) <= SETTLED * entering[n]) for n in entering)
        throughput = entering
        if still:
            return throughput
    raise ModelError(
        f"the flows of a simulated truth have not settled after {MOST_ROUNDS} rounds: almost all of what circulates in "
        "a cycle comes back; state larger shares for the ways out of it"
    )
