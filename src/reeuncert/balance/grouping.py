"""Groups of flows whose total has one coordinate: hidden nodes between a process and its flows."""

from collections.abc import Sequence
from dataclasses import dataclass

from reeuncert.errors import ModelError
from reeuncert.system.definition import OUTSIDE, SystemDefinition
from reeuncert.system.graph import space_time_graph

HIDDEN = -1
"""Process number of a hidden node, and flow number of the edge that leads to it."""


@dataclass(frozen=True)
class Group:
    """Flows that leave one process (or that all come from outside), and whose total has one coordinate. In each year
    the last existing one of its flows takes the remainder of the total.

    Examples
    --------
    >>> Group("exports", ("export_to_us", "export_to_row"))
    Group(name='exports', flows=('export_to_us', 'export_to_row'))
    """

    name: str
    flows: tuple[str, ...]


@dataclass(frozen=True)
class Edges:
    """Edges over all years, those to hidden nodes after the visible ones.

    Parameters
    ----------
    name, flow, year
        Flow or group of each edge; index of the flow (`HIDDEN` for a group); index of the year.
    source, target
        Its nodes (`BEYOND` for outside).
    stands_for
        Flows of an edge: itself, or the existing members of its group.
    rank
        Positions in the table of flows by which edges are ordered.
    node_process, node_year
        Process (`HIDDEN` for a group) and year of each node, as indices.
    """

    name: tuple[str, ...]
    flow: tuple[int, ...]
    year: tuple[int, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]
    stands_for: tuple[tuple[int, ...], ...]
    rank: tuple[tuple[int, ...], ...]
    node_process: tuple[int, ...]
    node_year: tuple[int, ...]


def edges_with_groups(system: SystemDefinition, groups: Sequence[Group]) -> Edges:
    """Expand a system over its years and add a hidden node before the flows of each group."""
    _check_groups(system, groups)
    graph = space_time_graph(system)
    names = [system.flows[i].name for i in graph.edge_flow]
    flows, years = list(graph.edge_flow), list(graph.edge_year)
    sources, targets = list(graph.edge_from), list(graph.edge_to)
    node_process, node_year = list(graph.node_process), list(graph.node_year)
    stands_for: list[tuple[int, ...]] = [(i,) for i in flows]
    edge_of = {pair: k for k, pair in enumerate(zip(flows, years, strict=True))}
    for group in groups:
        members = [system.flow_index[name] for name in group.flows]
        for t in range(len(system.years)):
            alive = [i for i in members if (i, t) in edge_of]
            if len(alive) < 2:
                continue
            hidden = len(node_process)
            node_process.append(HIDDEN)
            node_year.append(t)
            names.append(group.name)
            flows.append(HIDDEN)
            years.append(t)
            sources.append(sources[edge_of[alive[0], t]])
            targets.append(hidden)
            stands_for.append(tuple(alive))
            for i in alive:
                sources[edge_of[i, t]] = hidden
    return Edges(
        tuple(names),
        tuple(flows),
        tuple(years),
        tuple(sources),
        tuple(targets),
        tuple(stands_for),
        tuple(_ranks(system, groups, names, flows)),
        tuple(node_process),
        tuple(node_year),
    )


def _ranks(
    system: SystemDefinition, groups: Sequence[Group], names: Sequence[str], flows: Sequence[int]
) -> list[tuple[int, ...]]:
    # A group is ordered by its first flow in the table, in any year.
    members = {group.name: tuple(sorted(system.flow_index[name] for name in group.flows)) for group in groups}
    return [members[name] if flow == HIDDEN else (flow,) for name, flow in zip(names, flows, strict=True)]


def _check_groups(system: SystemDefinition, groups: Sequence[Group]) -> None:
    lines = []
    owner: dict[str, str] = {}
    seen: set[str] = set()
    for group in groups:
        if group.name in seen or group.name in system.flow_index:
            lines.append(f"group '{group.name}' has the name of another group or of a flow; rename it")
        seen.add(group.name)
        if len(set(group.flows)) != len(group.flows) or not group.flows:
            lines.append(f"group '{group.name}' is empty or names a flow twice")
        origins = set()
        for name in group.flows:
            if name not in system.flow_index:
                lines.append(f"group '{group.name}' names flow '{name}', which the system does not have")
                continue
            origins.add(system.flows[system.flow_index[name]].from_process)
            if owner.setdefault(name, group.name) != group.name:
                lines.append(f"flow '{name}' is in two groups, '{owner[name]}' and '{group.name}'; keep it in one")
        if len(origins) > 1:
            places = ", ".join("outside" if name == OUTSIDE else f"'{name}'" for name in sorted(origins))
            lines.append(f"the flows of group '{group.name}' leave several processes ({places}); a group leaves one")
    if lines:
        raise ModelError("\n".join(lines))
