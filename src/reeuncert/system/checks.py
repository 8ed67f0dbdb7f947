"""Checks that the flows of a system can balance, without any numbers."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from reeuncert.system.definition import OUTSIDE, SystemDefinition
from reeuncert.system.graph import BEYOND, SpaceTimeGraph, reachable, space_time_graph, strong_components
from reeuncert.words.cells import condensed


class NetworkProblem(NamedTuple):
    """One reason why flows cannot balance: the process or flow, the first year (0 when it does not depend on the year),
    a message with the remedy, and the column of its table.
    """

    name: str
    year: int
    message: str
    column: str = "process"


def year_ranges(years: Iterable[int]) -> str:
    """Years as tables have them, e.g. ``2000-2002;2005``."""
    return condensed(years).replace(", ", ";")


def network_problems(system: SystemDefinition) -> list[NetworkProblem]:
    """Find all reasons why the flows of a system cannot balance in every year. The graph is checked only if all names
    are valid.
    """
    problems = _name_problems(system)
    if problems:
        return problems
    graph = space_time_graph(system)
    inflows: list[list[str]] = [[] for _ in graph.node_process]
    outflows: list[list[str]] = [[] for _ in graph.node_process]
    for flow, source, target in zip(graph.edge_flow, graph.edge_from, graph.edge_to, strict=True):
        if source != BEYOND:
            outflows[source].append(system.flows[flow].name)
        if target != BEYOND:
            inflows[target].append(system.flows[flow].name)
    problems = _dead_ends(system, graph, inflows, outflows)
    problems += _references(system, graph, outflows)
    # A dead end also blocks its neighbours; report it once.
    return problems or _closed_parts(system, graph)


def _name_problems(system: SystemDefinition) -> list[NetworkProblem]:
    problems = []
    if OUTSIDE in system.process_index:
        problems.append(NetworkProblem(OUTSIDE, 0, f"'{OUTSIDE}' is not a process of the system; rename the process"))
    for flow in system.flows:
        for end, name in (("from", flow.from_process), ("to", flow.to_process)):
            if name != OUTSIDE and name not in system.process_index:
                message = f"flow '{flow.name}' leads {end} process '{name}', which is not in the table of processes"
                problems.append(NetworkProblem(flow.name, 0, message))
        if flow.from_process == flow.to_process == OUTSIDE:
            message = f"flow '{flow.name}' leads from outside to outside; give it a process of the system"
            problems.append(NetworkProblem(flow.name, 0, message))
    leaving = {(flow.from_process, flow.name) for flow in system.flows}
    for process in system.processes:
        for name in process.reference_outflow:
            if (process.name, name) not in leaving:
                what = "does not leave it" if name in system.flow_index else "is not in the table of flows"
                message = f"reference outflow '{name}' of process '{process.name}' {what}"
                problems.append(NetworkProblem(process.name, 0, message, "reference_outflow"))
    return problems


def _some(names: Iterable[str]) -> str:
    """At most three names, and how many more there are."""
    listed = list(dict.fromkeys(names))
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


def _dead_ends(
    system: SystemDefinition, graph: SpaceTimeGraph, inflows: list[list[str]], outflows: list[list[str]]
) -> list[NetworkProblem]:
    """Processes that lack what enters or what leaves; ``inflows`` and ``outflows``: names of flows, by node."""
    nodes_of: dict[int, list[int]] = defaultdict(list)
    for k, p in enumerate(graph.node_process):
        nodes_of[p].append(k)
    problems = []
    for p, process in enumerate(system.processes):
        for lists, lacking, has, lacks, remedy in (
            (inflows, outflows, "an inflow", "outflow", "add an outflow or end the inflow"),
            (outflows, inflows, "an outflow", "inflow", "add an inflow or end the outflow"),
        ):
            nodes = [k for k in nodes_of[p] if not lacking[k]]
            if nodes:
                years = [system.years[graph.node_year[k]] for k in nodes]
                names = _some(name for k in nodes for name in lists[k])
                when = year_ranges(years)
                message = f"process '{process.name}' has {has} ({names}) but no {lacks} in {when}; {remedy}"
                problems.append(NetworkProblem(process.name, years[0], message))
    return problems


def _references(system: SystemDefinition, graph: SpaceTimeGraph, outflows: list[list[str]]) -> list[NetworkProblem]:
    missing: dict[int, list[int]] = defaultdict(list)
    for k, names in enumerate(outflows):
        process = system.processes[graph.node_process[k]]
        if len(names) > 1 and not set(process.reference_outflow) & set(names):
            missing[graph.node_process[k]].append(k)
    problems = []
    for p, nodes in sorted(missing.items()):
        process = system.processes[p]
        years = [system.years[graph.node_year[k]] for k in nodes]
        several = _some(name for k in nodes for name in outflows[k])
        said = f"none of its reference outflows ({_some(process.reference_outflow)}) exists then"
        why = said if process.reference_outflow else "it names no reference outflow"
        message = f"process '{process.name}' has several outflows ({several}) in {year_ranges(years)}, and {why}; "
        message += "name the one that takes what the others leave"
        problems.append(NetworkProblem(process.name, years[0], message, "reference_outflow"))
    return problems


def _closed_parts(system: SystemDefinition, graph: SpaceTimeGraph) -> list[NetworkProblem]:
    n = len(graph.node_process)
    successors: list[list[int]] = [[] for _ in range(n)]
    predecessors: list[list[int]] = [[] for _ in range(n)]
    fed, drained = [], []
    for source, target in zip(graph.edge_from, graph.edge_to, strict=True):
        if source == BEYOND:
            fed.append(target)
        elif target == BEYOND:
            drained.append(source)
        else:
            successors[source].append(target)
            predecessors[target].append(source)
    problems = []
    for seen, message in (
        (reachable(drained, predecessors), "no path leads from {} to outside in {}; what enters could never leave"),
        (reachable(fed, successors), "no path leads from outside to {} in {}; its flows would come from nowhere"),
    ):
        lost = [k for k in range(n) if k not in seen]
        inner = {k: i for i, k in enumerate(lost)}
        parts: dict[tuple[int, ...], list[int]] = defaultdict(list)
        components = strong_components([[inner[m] for m in successors[k] if m in inner] for k in lost])
        for component in components:
            nodes = [lost[i] for i in component]
            if len(nodes) > 1:
                year = system.years[graph.node_year[nodes[0]]]
                parts[tuple(graph.node_process[k] for k in nodes)].append(year)
        for members, years in parts.items():
            names = [system.processes[p].name for p in members]
            where = f"the cycle of processes {_some(repr(name) for name in names)}"
            problems.append(NetworkProblem(names[0], min(years), message.format(where, year_ranges(years))))
    return problems
