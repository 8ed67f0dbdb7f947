"""Small random systems that can balance, with cycles, stocks, absent years and groups."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from reeuncert.balance.network import Group, Network
from reeuncert.system.checks import network_problems
from reeuncert.system.definition import OUTSIDE, Flow, Process, SystemDefinition


def random_system(rng: np.random.Generator, n_processes: int, n_years: int, density: float = 0.4) -> SystemDefinition:
    """A system in which every process has an input and an outlet in all years, and others come and go.

    Parameters
    ----------
    density
        Chance of a flow between an ordered pair of processes; cycles come by themselves.
    """
    years = tuple(range(2000, 2000 + n_years))
    names = [f"p{i}" for i in range(n_processes)]
    flows = []
    for name in names:
        flows.append(Flow(f"in {name}", OUTSIDE, name, "ore", years=years))
        flows.append(Flow(f"out {name}", name, OUTSIDE, "end_use", years=years))
    for source in names:
        for target in names:
            if rng.random() < density:
                present = tuple(year for year in years if rng.random() < 0.8)
                flows.append(Flow(f"{source} to {target}", source, target, "trade", years=present))
    order = rng.permutation(len(flows))
    flows = [flows[k] for k in order]
    processes = []
    for name in names:
        leaving = [flow.name for flow in flows if flow.from_process == name and flow.name != f"out {name}"]
        preferred = leaving[:1] if rng.random() < 0.5 else []
        processes.append(Process(name, reference_outflow=(*preferred, f"out {name}")))
    # Take away inputs and outlets that are not needed: the throughput of the others then depends on the network alone.
    for k in rng.permutation(len(flows)):
        if flows[k].quantity == "ore" and rng.random() < 0.6:
            fewer = tuple(flow for flow in flows if flow is not flows[k])
            if not network_problems(SystemDefinition(tuple(processes), fewer, years)):
                flows = [
                    *flows[:k],
                    Flow(flows[k].name, OUTSIDE, flows[k].to_process, "ore", years=()),
                    *flows[k + 1 :],
                ]
    return SystemDefinition(tuple(processes), tuple(flows), years)


def random_groups(rng: np.random.Generator, system: SystemDefinition) -> tuple[Group, ...]:
    """Groups of the outflows of some processes, and of some inputs."""
    groups = []
    for name in [OUTSIDE, *(process.name for process in system.processes)]:
        leaving = [flow.name for flow in system.flows if flow.from_process == name]
        chosen = [flow for flow in leaving if rng.random() < 0.6]
        if len(chosen) > 1 and rng.random() < 0.6:
            groups.append(Group(f"total {name}", tuple(chosen)))
    return tuple(groups)


def coordinates(network: Network, rng: np.random.Generator, spread: float = 1.0) -> np.ndarray:
    """Random coordinates of a network."""
    return rng.normal(0.0, spread, network.n_coordinates)


def systems(max_processes: int = 6, max_years: int = 3) -> st.SearchStrategy[SystemDefinition]:
    """Hypothesis strategy of small systems."""
    return st.builds(
        lambda seed, n, years, density: random_system(np.random.default_rng(seed), n, years, density),
        st.integers(0, 2**32 - 1),
        st.integers(1, max_processes),
        st.integers(1, max_years),
        st.sampled_from([0.15, 0.4, 0.8]),
    )
