"""The network of balanced flows: free coordinates of a system, and arrays for the kernels.

An input may be parametrised by the mass of an outflow of its process. If the output of a mine is known and its losses
are not, the posterior in the coordinates (log input, log-ratio of the loss) lies along a curved ridge; with the
delivered mass as the coordinate it does not. The input is then log b = log x_delivered − log φ_delivered; this change
of coordinates has determinant one, so densities need no further term.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.edges import HIDDEN, Edges, Group, Packed, edges_with_groups, pack
from reeuncert.errors import ModelError
from reeuncert.system.checks import network_problems
from reeuncert.system.definition import SystemDefinition
from reeuncert.system.graph import BEYOND, strong_components

__all__ = ["Group", "Network"]

INPUT, SHARE, SPLIT = "input", "share", "split"


@dataclass(frozen=True, eq=False)
class Network:
    """A system parametrised by free coordinates, for which all flows balance.

    Build it with `Network.from_system`. A coordinate is the log of a mass that enters from outside (``input``), or the
    log-ratio of an outflow to the reference outflow of its process (``share``) or of its group (``split``).

    Examples
    --------
    >>> from reeuncert.system.definition import Flow, Process, SystemDefinition
    >>> system = SystemDefinition(
    ...     (Process("market", reference_outflow=("use",)),),
    ...     (
    ...         Flow("supply", "outside", "market", "production", years=(2000, 2001)),
    ...         Flow("use", "market", "outside", "end_use", years=(2000, 2001)),
    ...         Flow("stock", "market", "market", "stock", years=(2000, 2001)),
    ...     ),
    ...     (2000, 2001),
    ... )
    >>> network = Network.from_system(system)
    >>> for row in zip(network.coordinate_name, network.coordinate_year, network.coordinate_kind):
    ...     print(*row)
    supply 2000 input
    supply 2001 input
    stock 2000 share
    stock 2001 share
    """

    system: SystemDefinition  # The underlying system
    groups: tuple[Group, ...]  # Flows whose total has one coordinate
    # Flow or group of each coordinate, shape (n_coordinates,); ordered as in the table of flows (a group before its
    # first member), then by year
    coordinate_name: NDArray[np.str_]
    coordinate_year: NDArray[np.int64]  # Its calendar year
    coordinate_kind: NDArray[np.str_]  # ``"input"``, ``"share"`` or ``"split"``
    reference_of: NDArray[np.str_]  # Reference flow or group of the log-ratio of each coordinate; empty for an input
    # Indices into ``system.flows`` and ``system.years`` of each edge, shape (n_edges,); by flow, then year
    edge_flow: NDArray[np.int64]
    edge_year: NDArray[np.int64]
    packed: Packed = field(repr=False)  # The same for the kernels
    visible: NDArray[np.int64] = field(repr=False)  # Position of each edge in it, shape (n_edges,)
    # Edges and their nodes, hidden ones included; strongly connected components of nodes, in topological order
    edges: Edges = field(repr=False)
    components: list[list[int]] = field(repr=False)
    # Coordinate of each edge, hidden ones included; -1 where it is a reference outflow
    edge_coordinate: NDArray[np.int64] = field(repr=False)
    # Edges of inputs whose coordinate is the mass of an outflow, each with that outflow
    anchors: tuple[tuple[int, int], ...] = field(repr=False)

    @classmethod
    def from_system(
        cls, system: SystemDefinition, groups: Sequence[Group] = (), delivered: Mapping[str, str] | None = None
    ) -> Network:
        """Find the coordinates of a system and pack its graph for the kernels.

        Groups are flows that leave one process (or outside) and whose total gets a coordinate; in a year with only one
        of them, that flow represents the group. ``delivered``: name of a flow from outside → name of the outflow of the
        process that it alone feeds, whose mass is the coordinate in its place, under the name of the outflow. If the
        flows cannot balance, a `ModelError` lists every reason.
        """
        problems = network_problems(system)
        if problems:
            lines = "\n".join(f"  {problem.message}" for problem in problems)
            raise ModelError(f"the flows of this system cannot balance:\n{lines}")
        edges = edges_with_groups(system, tuple(groups))
        reference, stated = _reference_edges(system, edges), dict(delivered or {})
        free = [k for k, source in enumerate(edges.source) if source == BEYOND or reference[source] != k]
        # A group is ordered by its first flow, and before it.
        free.sort(key=lambda k: (edges.rank[k], edges.flow[k] != HIDDEN, edges.year[k]))
        coordinate = np.full(len(edges.source), -1, dtype=np.int64)
        coordinate[free] = np.arange(len(free))
        names, kinds, references = [], [], []
        for k in free:
            source, name = edges.source[k], edges.name[k]
            if source == BEYOND:
                names.append(stated.get(name, name))
                kinds.append(INPUT)
                references.append("")
            else:
                names.append(name)
                kinds.append(SPLIT if edges.node_process[source] == HIDDEN else SHARE)
                references.append(edges.name[reference[source]])
        ends = ([edges.target[k] for k in edges.leaving[node]] for node in range(len(edges.node_process)))
        components = strong_components([[end for end in entered if end != BEYOND] for entered in ends])
        anchors = _anchors(system, edges, stated)
        packed, visible = pack(edges, coordinate, components, anchors)
        return cls(
            system,
            tuple(groups),
            np.array(names, dtype=np.str_),
            np.array([system.years[edges.year[k]] for k in free], dtype=np.int64),
            np.array(kinds, dtype=np.str_),
            np.array(references, dtype=np.str_),
            np.array(edges.flow[: visible.size], dtype=np.int64),
            np.array(edges.year[: visible.size], dtype=np.int64),
            packed,
            visible,
            edges,
            components,
            coordinate,
            anchors,
        )

    @property
    def n_coordinates(self) -> int:
        """Number of free coordinates."""
        return len(self.coordinate_name)

    @property
    def n_edges(self) -> int:
        """Number of (flow, year) pairs that exist."""
        return len(self.edge_flow)

    @cached_property
    def coordinate_keys(self) -> list[tuple[str, int, str]]:
        """Name, year and kind of each coordinate."""
        columns = self.coordinate_name, self.coordinate_year, self.coordinate_kind
        return list(zip(*(column.tolist() for column in columns), strict=True))

    @cached_property
    def coordinate_labels(self) -> tuple[str, ...]:
        """One unique label a coordinate, e.g. ``"export 2007"`` (``"split: …"`` within a group)."""
        return tuple(f"{'split: ' if kind == SPLIT else ''}{name} {year}" for name, year, kind in self.coordinate_keys)

    @cached_property
    def edge_index(self) -> NDArray[np.int64]:
        """Number of the edge of each flow and year, shape (flow, year); -1 where the flow does not exist."""
        table = np.full((len(self.system.flows), len(self.system.years)), -1, dtype=np.int64)
        table[self.edge_flow, self.edge_year] = np.arange(self.n_edges)
        return table

    def to_table(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values by edge, shape (..., n_edges), as a table (..., flow, year); NaN where a flow is absent."""
        values = np.asarray(values)
        table = np.full((*values.shape[:-1], len(self.system.flows), len(self.system.years)), np.nan)
        table[..., self.edge_flow, self.edge_year] = values
        return table


def _reference_edges(system: SystemDefinition, edges: Edges) -> dict[int, int]:
    """Reference outflow of each node."""
    members = dict(zip(edges.target, edges.stands_for, strict=True))
    reference: dict[int, int] = {}
    for node, outflows in edges.leaving.items():
        if node == BEYOND:
            continue
        process = edges.node_process[node]
        # A group that holds the reference outflow is itself the reference of the process.
        holder = {flow: k for k in outflows for flow in edges.stands_for[k]}
        if process == HIDDEN:
            reference[node] = holder[members[node][-1]]
        elif len(outflows) == 1:
            reference[node] = outflows[0]
        else:
            preferred = (system.flow_index[name] for name in system.processes[process].reference_outflow)
            reference[node] = next(holder[flow] for flow in preferred if flow in holder)
    return reference


def _anchors(system: SystemDefinition, edges: Edges, delivered: Mapping[str, str]) -> tuple[tuple[int, int], ...]:
    """The inputs parametrised by an outflow, each with that outflow. ``delivered``: name of a flow from outside → name
    of the outflow. Its process must have no other inflow, and the outflow must exist in every year of the input.
    """
    found = []
    for k, name in enumerate(edges.name):
        if edges.source[k] != BEYOND or name not in delivered:
            continue
        match = [e for e in edges.leaving.get(edges.target[k], ()) if edges.name[e] == delivered[name]]
        if not match or len(edges.entering[edges.target[k]]) != 1:
            raise ModelError(
                f"the input '{name}' is stated by the mass of '{delivered[name]}', which needs a process that takes in "
                f"'{name}' alone and delivers '{delivered[name]}'; in {system.years[edges.year[k]]} it does not"
            )
        found.append((k, match[0]))
    return tuple(found)
