"""Where the nodes of a Sankey diagram stand: rows keep their place over the years, and all years have one scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reeuncert.plots.sankey_graph import END_USE, LOSS, USE, Graph, Node

PAD = 0.012
"""Space between two nodes of a row, as part of the height."""

ROW_GAP = 0.04
LEAST_ROW = 0.055
MOST_SPACE = 0.6
"""Part of the height that spaces and empty rows may take: with many rows, they are smaller."""

TILT = 0.0004
"""Each column stands a little higher than the one before: ribbons are ordered by the height of their ends, and so those
from later stages enter a use node above those from earlier ones, without crossing."""

USE_SHIFT = 0.02
"""Use nodes stand lower than markets, so that a ribbon to use leaves its market below the one to the next stage."""


@dataclass(frozen=True)
class Layout:
    """Places of nodes in a unit square whose origin is the top left corner.

    Parameters
    ----------
    scale
        Height of one unit of mass.
    x
        Middle of each node.
    top, height
        Upper end and height of each node, by year.
    rows
        Upper and lower end of each row.
    """

    scale: float
    x: Mapping[str, float]
    top: Mapping[object, Mapping[str, float]]
    height: Mapping[object, Mapping[str, float]]
    rows: Mapping[str, tuple[float, float]]


def layout_of(table: pd.DataFrame, graph: Graph) -> Layout:
    """Place the nodes of a diagram for the years of a table of `sankey_data`."""
    edges = edges_by_year(table)
    years = list(edges)
    value = {year: node_values(edges[year]) for year in years}
    stacks = _stacks(graph, value)
    # Plotly fits the fullest of its own columns into the height: it cannot draw a larger scale.
    small = min(1.0, MOST_SPACE / max(_total(stacks, graph.rows, 0.0, 1.0), 1e-9))
    scale = min(_fitting_scale(stacks, graph.rows, small), *(1.0 / fullest(edges[year]) for year in years))
    rows, upper = {}, 0.0
    heights = {row: _row_height(stacks[row], scale, small) for row in graph.rows}
    # What the largest scale leaves over is shared out between the rows.
    free = max(0.0, 1.0 - sum(heights.values()) - small * ROW_GAP * (len(heights) - 1)) / max(1, len(heights))
    for row in graph.rows:
        rows[row] = (upper, upper + heights[row])
        upper += heights[row] + small * ROW_GAP + free
    top = {year: _tops(graph, value[year], rows, scale, small) for year in years}
    height = {year: {name: v * scale for name, v in value[year].items()} for year in years}
    count = max(1, len(graph.columns) - 1)
    x = {node.name: i / count for i, column in enumerate(graph.columns) for node in column}
    return Layout(scale, x, top, height, rows)


Edges = Sequence[tuple[str, str, float]]
"""Source, target and mean of each ribbon of a year."""


def edges_by_year(table: pd.DataFrame) -> dict[object, list[tuple[str, str, float]]]:
    """The ribbons of a table of `sankey_data`, by year."""
    out: dict[object, list[tuple[str, str, float]]] = {}
    for year, *edge in zip(*(table[name].tolist() for name in ("year", "source", "target", "mean")), strict=True):
        out.setdefault(year, []).append((edge[0], edge[1], edge[2]))
    return out


def node_values(edges: Edges) -> dict[str, float]:
    """Mass that goes through each node: the larger of what enters and what leaves (means)."""
    ends: tuple[dict[str, float], dict[str, float]] = {}, {}
    for source, target, mean in edges:
        for sums, name in zip(ends, (source, target), strict=True):
            sums[name] = sums.get(name, 0.0) + mean
    return {name: max(sums.get(name, 0.0) for sums in ends) for name in sorted({**ends[0], **ends[1]})}


def fullest(edges: Edges) -> float:
    """Mass in the fullest column when nodes stand as far left as they can, from which Plotly finds its scale."""
    value = node_values(edges)
    depth = dict.fromkeys(value, 0)
    for _ in value:
        moved = False
        for a, b, _ in edges:
            if depth[b] < depth[a] + 1 <= len(value):
                depth[b], moved = depth[a] + 1, True
        if not moved:
            break
    return max(sum(v for name, v in value.items() if depth[name] == d) for d in set(depth.values()))


def ordered(column: tuple[Node, ...], row: str) -> list[Node]:
    """Nodes of a column in one row: losses last."""
    return sorted((n for n in column if n.row == row), key=lambda n: n.side == LOSS)


def _stacks(graph: Graph, value: Mapping[object, Mapping[str, float]]) -> dict[str, list[tuple[float, int]]]:
    """For each row the (mass, number of nodes) of each column and year."""
    out: dict[str, list[tuple[float, int]]] = {row: [] for row in graph.rows}
    for column in graph.columns:
        for row in graph.rows:
            nodes = ordered(column, row)
            for of_year in value.values():
                present = [of_year[n.name] for n in nodes if n.name in of_year]
                if present:
                    out[row].append((sum(present), len(present)))
    return out


def _row_height(stacks: list[tuple[float, int]], scale: float, small: float) -> float:
    if not stacks:
        return small * LEAST_ROW
    return max(mass * scale + small * PAD * (n - 1) for mass, n in stacks)


def _total(stacks: Mapping[str, list[tuple[float, int]]], rows: tuple[str, ...], scale: float, small: float) -> float:
    """Height that all rows take at a scale, with spaces that are so much smaller."""
    tall = sum(max(small * LEAST_ROW, _row_height(stacks[r], scale, small)) for r in rows)
    return tall + small * ROW_GAP * (len(rows) - 1)


def _fitting_scale(stacks: Mapping[str, list[tuple[float, int]]], rows: tuple[str, ...], small: float) -> float:
    """Largest scale at which all rows fit below one another, by bisection."""
    largest = max((mass for row in rows for mass, _ in stacks[row]), default=0.0)
    if largest <= 0:
        return 1.0
    low, high = 0.0, 1.0 / largest
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _total(stacks, rows, middle, small) <= 1.0 else (low, middle)
    return low


def _tops(
    graph: Graph, value: Mapping[str, float], rows: Mapping[str, tuple[float, float]], scale: float, small: float
) -> dict[str, float]:
    out: dict[str, float] = {}
    for i, column in enumerate(graph.columns):
        for row in graph.rows:
            upper = rows[row][0] + TILT * (len(graph.columns) - i)
            upper += USE_SHIFT if any(n.stage == USE for n in column) else 0.0
            for node in ordered(column, row):
                if node.name in value:
                    out[node.name] = upper
                    upper += value[node.name] * scale + small * PAD
        free = [n for n in column if n.stage == END_USE]
        present = [n for n in free if n.name in value]
        if present:
            present = [n for n in _by_source(graph, free) if n.name in value]
            used = sum(value[n.name] * scale for n in present)
            gap = (1.0 - used) / max(1, len(present) - 1) if len(present) > 1 else 0.0
            gap = min(gap, 0.06)
            upper = 0.5 * (1.0 - used - gap * (len(present) - 1))
            for node in present:
                out[node.name] = upper
                upper += value[node.name] * scale + gap
    return out


def _by_source(graph: Graph, nodes: list[Node]) -> list[Node]:
    """End uses in the order in which the flows of the first region list them."""
    order = {link.target.name: i for i, link in reversed(list(enumerate(graph.links)))}
    return sorted(nodes, key=lambda n: order.get(n.name, 0))
