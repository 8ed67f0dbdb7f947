"""Maps rows of the priors table to coordinates."""

from collections.abc import Sequence

from reeuncert.balance.network import Group, Network
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError
from reeuncert.system.definition import OUTSIDE, SystemDefinition
from reeuncert.words.cells import listed


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


Key = tuple[str, int, str]
"""Name of a flow or group, year, kind."""


def stated_by_rows(case: Case) -> tuple[dict[Key, list[Prior]], dict[tuple[str, int], Prior]]:
    """Rows by what they state; and of each flow and year within a total, the last row of the total."""
    rows: dict[Key, list[Prior]] = {}
    totals: dict[tuple[str, int], Prior] = {}
    group_name = {group.flows: group.name for group in prior_groups(case)}
    for prior in case.priors:
        members = group_members(case, prior)
        flows = [case.system.flows[i] for i in case.system.select(prior.selector)]
        for year in prior.years:
            names = [f.name for f in flows if year in f.years]
            if members and len(names) > 1:
                totals.update({(name, year): prior for name in names})
                names = [group_name[members]]
            for name in names:
                rows.setdefault((name, year, prior.kind), []).append(prior)
    return rows, totals


def covering_rows(case: Case, keys: Sequence[Key]) -> list[Prior]:
    """The row of the priors table that covers each coordinate. A split without a row of its own takes the row of its
    total. Every coordinate must have one row.
    """
    own, totals = stated_by_rows(case)
    rows = []
    for name, year, kind in keys:
        total = [totals[name, year]] if kind == "split" and (name, year) in totals else []
        found = own.get((name, year, kind), total)
        if len(found) != 1:
            which = f"{len(found)} rows ({listed(p.name for p in found)})" if found else "no row"
            message = (
                f"{which} of the priors table cover {name} in {year} ({kind}), which needs one; reeuncert.check_case "
            )
            raise ModelError(f"{message}lists all such problems of a case")
        rows += found
    return rows
