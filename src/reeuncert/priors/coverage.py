"""Rows of the priors table and the coordinates that they cover; flows that a prior draws from it imply."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Group, Network
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError, Problem
from reeuncert.priors.paths import coordinate_prior
from reeuncert.system.definition import OUTSIDE, SystemDefinition
from reeuncert.words.cells import condensed

COORDINATE_KINDS = ("input", "share", "split")


def group_members(case: Case, prior: Prior) -> tuple[str, ...]:
    """Names of the flows of a total; empty for mode each."""
    if prior.mode != "total" or prior.kind not in ("input", "share"):
        return ()
    members = tuple(case.system.flows[i].name for i in case.system.select(prior.selector))
    return members if len(members) > 1 else ()


def prior_groups(case: Case) -> tuple[Group, ...]:
    """Groups of flows with one coordinate for their total.

    Only rows with ``mode = "total"`` that select more than one flow make a group. Rows for several spans of years about
    the same flows make one group; it is named by the first of them.
    """
    groups: dict[tuple[str, ...], str] = {}
    for prior in case.priors:
        members = group_members(case, prior)
        if members:
            groups.setdefault(members, prior.name)
    return tuple(Group(name=name, flows=members) for members, name in groups.items())


def sole_input(system: SystemDefinition, process: str) -> str | None:
    """The only inflow of a process, if it is one flow from outside."""
    entering = [flow for flow in system.flows if flow.to_process == process]
    return entering[0].name if len(entering) == 1 and entering[0].from_process == OUTSIDE else None


def delivered_inputs(case: Case) -> dict[str, str]:
    """Inputs parametrised by an outflow: flow from outside → outflow.

    A row of kind ``input`` for an outflow of a process states the mass of that flow; the input follows from its shares.
    The process must have no other inflow.
    """
    found: dict[str, str] = {}
    for prior in case.priors:
        if prior.kind != "input":
            continue
        for index in case.system.select(prior.selector):
            flow = case.system.flows[index]
            if flow.from_process == OUTSIDE:
                continue
            source = sole_input(case.system, flow.from_process)
            if source is None:
                raise ModelError(
                    f"prior '{prior.name}' states an input by flow '{flow.name}', but process "
                    f"'{flow.from_process}' does not take in one flow from outside and nothing else"
                )
            found[source] = flow.name
    return found


def case_network(case: Case) -> Network:
    """The network of a case, with the coordinates of its priors table."""
    return Network.from_system(case.system, prior_groups(case), delivered_inputs(case))


def covering_rows(case: Case, names: Sequence[str], years: Sequence[int], kinds: Sequence[str]) -> list[Prior]:
    """The row of the priors table that covers each coordinate.

    Names are those of flows or groups, kinds ``input``, ``share`` or ``split``. A split without a row of its own takes
    the row of its total. Every coordinate must have one row.
    """
    own: dict[tuple[str, int, str], list[Prior]] = {}
    fallback: dict[tuple[str, int], Prior] = {}
    group_name = {group.flows: group.name for group in prior_groups(case)}
    for prior in case.priors:
        if prior.kind not in COORDINATE_KINDS:
            continue
        members = group_members(case, prior)
        flows = [case.system.flows[i] for i in case.system.select(prior.selector)]
        for year in prior.years:
            present = [f.name for f in flows if year in f.years]
            if members and len(present) > 1:
                own.setdefault((group_name[members], year, prior.kind), []).append(prior)
                fallback.update({(name, year): prior for name in present})
            else:
                for name in present:
                    own.setdefault((name, year, prior.kind), []).append(prior)
    rows, missing, double = [], [], []
    for name, year, kind in zip(names, years, kinds, strict=True):
        found = own.get((str(name), int(year), str(kind)), [])
        if not found and kind == "split" and (str(name), int(year)) in fallback:
            found = [fallback[str(name), int(year)]]
        if not found:
            missing.append(f"{name} in {year} ({kind})")
        elif len(found) > 1:
            double.append(f"{name} in {year} ({' and '.join(p.name for p in found)})")
        else:
            rows.append(found[0])
    if missing or double:
        parts = []
        if missing:
            parts.append(f"no row of the priors table covers: {'; '.join(missing[:20])}")
        if double:
            parts.append(f"more than one row covers: {'; '.join(double[:20])}")
        raise ModelError(". ".join(parts) + ". Run `reeuncert check` on the case for the whole list.")
    return rows


MOST_ORDERS = 4.0
"""Width of the 90 % interval of an implied prior, in orders of magnitude, above which it gets a warning."""


def implied_flows(case: Case, draws: int = 500, seed: int = 1) -> tuple[Network, NDArray[np.float64]]:
    """Draw every flow from the prior of a case with ``prior_measure = "coordinates"``.

    Returns the network, whose ``edge_flow`` and ``edge_year`` label the columns, and the log of the mass of each edge
    in the unit of the case, shape (draw, edge).
    """
    network = case_network(case)
    prior = coordinate_prior(case, network)
    z = np.random.default_rng(seed).standard_normal((draws, network.n_coordinates))
    return network, np.log(flows_of_draws(prior.mean + prior.factor.apply(z), network))


def implied_warnings(case: Case, network: Network, log_flow: NDArray[np.float64]) -> list[Problem]:
    """Flows whose implied prior spans more than four orders of magnitude (ends of its 90 % interval)."""
    low, high = np.quantile(log_flow, [0.05, 0.95], axis=0) / np.log(10)
    found = []
    for index, flow in enumerate(case.system.flows):
        edges = np.flatnonzero((network.edge_flow == index) & (high - low > MOST_ORDERS))
        if edges.size:
            worst = edges[np.argmax((high - low)[edges])]
            years = condensed(case.system.years[k] for k in network.edge_year[edges])
            ends = f"{10 ** low[worst]:.2g} to {10 ** high[worst]:.2g} {case.system.unit}"
            message = f"the prior that the table implies for flow '{flow.name}' in {years} spans {ends} (90 %), more "
            message += "than four orders of magnitude; tighten the rows of the processes that feed it"
            found.append(Problem("priors.csv", 0, "", message))
    return found
