"""A Sankey diagram as boards, one a year: places of nodes (all years have one scale), ribbons, colours and texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.plots.access import ALL_YEARS, rows_of
from reeuncert.plots.panels import Area, Axis, Board, Mark, Panel, Ribbon, Ribbons, Text
from reeuncert.plots.panels import Node as Box
from reeuncert.plots.sankey_graph import END_USE, LOSS, STOCK, UNRECORDED, UNREGISTERED, USE, WHOLE, Graph, Node
from reeuncert.plots.style import NODE_WIDTH, Theme, colours_of, interval_name, mixed
from reeuncert.plots.style import UNRECORDED as PINK
from reeuncert.words.estimates import estimate, interval, with_unit

PAD = 0.012  # space between two nodes of a row, as part of the height
ROW_GAP = 0.04
LEAST_ROW = 0.055
MOST_SPACE = 0.6  # part of the height that spaces and empty rows may take: with many rows, they are smaller
TILT = 0.0004
"""Each column stands a little higher than the one before: ribbons are ordered by the height of their ends, and so those
from later stages enter a use node above those from earlier ones, without crossing."""

USE_SHIFT = 0.02
"""Use nodes stand lower than markets, so that a ribbon to use leaves its market below the one to the next stage."""


@dataclass(frozen=True)
class Layout:
    """Places in a unit square whose origin is the top left corner: the height of one unit of mass, the middle of each
    node, its upper end and height by year, and both ends of each row.
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


Edges = Sequence[tuple[str, str, float]]  # source, target and mean of each ribbon of a year


def edges_by_year(table: pd.DataFrame) -> dict[object, list[tuple[str, str, float]]]:
    """The ribbons of a table of `sankey_data`, by year."""
    by_year = table.groupby("year", sort=False)[["source", "target", "mean"]]
    return {year: list(rows.itertuples(index=False, name=None)) for year, rows in by_year}


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
    # End uses stand in the order in which the flows of the first region list them.
    uses = [n for n in dict.fromkeys(link.target for link in graph.links) if n.stage == END_USE and n.name in value]
    used = sum(value[n.name] * scale for n in uses)
    gap = min((1.0 - used) / max(1, len(uses) - 1) if len(uses) > 1 else 0.0, 0.06)
    upper = 0.5 * (1.0 - used - gap * (len(uses) - 1))
    for node in uses:
        out[node.name] = upper
        upper += value[node.name] * scale + gap
    return out


@dataclass(frozen=True)
class Step:
    """The ribbons of a year, or of all years: their rows, and the place at which each leaves and enters its node."""

    year: Any
    layout: Layout
    rows: list[Any]
    leaves: list[float]
    enters: list[float]


def steps_of(table: pd.DataFrame, graph: Graph) -> Iterator[Step]:
    """Steps of a table of `sankey_data`; all years have one layout, and their sum has its own."""
    for part in (table[table["year"] != ALL_YEARS], table[table["year"] == ALL_YEARS]):
        if len(part):
            layout = layout_of(part, graph)
            for year, of_year in part.groupby("year", sort=False):
                rows = list(rows_of(of_year))
                ends = (_ends(rows, layout, year, *way) for way in (("source", "target"), ("target", "source")))
                yield Step(year, layout, rows, *ends)


def _ends(rows: list[Any], layout: Layout, year: Any, at: str, other: str) -> list[float]:
    """Where each ribbon begins: ribbons leave in the order of the nodes they go to."""
    top = layout.top[year]
    out: dict[Any, float] = {}
    below: dict[str, float] = {}
    for row in sorted(rows, key=lambda row: top[getattr(row, other)]):
        here = getattr(row, at)
        out[row.Index] = top[here] + below.get(here, 0.0) * layout.scale
        below[here] = below.get(here, 0.0) + row.mean
    return [out[row.Index] for row in rows]


CLASSES = ((1.25, 0.85), (2.0, 0.62), (5.0, 0.42), (np.inf, 0.26))
"""Classes of relative uncertainty: factor between the median and either end of the interval, and opacity."""

HATCHES = {UNREGISTERED: "////", UNRECORDED: "xxxx"}
MOST_IDS = 6
MOST_ABREAST = 12  # of more columns, every second heading stands higher


def sankey_boards(table: pd.DataFrame, graph: Graph, regions: Sequence[str], theme: Theme) -> dict[str, Board]:
    """Year → its board, from rows of `sankey_data`; all years have one scale, and their sum has its own."""
    lost = "" if LOSS in set(table["route"]) else "; losses are not drawn"
    classes = [Area((), (), "ink", opacity, name) for name, opacity in certainties()]
    darker = mixed(theme.muted, theme.ink, 0.45)
    routes = [Area((), (), c, 0.8, r, hatch=HATCHES[r]) for r, c in ((UNREGISTERED, darker), (UNRECORDED, PINK))]
    top = 1.11 if len(graph.headings) > MOST_ABREAST else 1.08
    out = {}
    for step in steps_of(table, graph):
        marks = _marks(step, graph, regions, theme)
        panel = Panel("", marks, x=Axis(limits=(-0.01, 1.13)), y=Axis(limits=(-0.01, top)), bare=True)
        said = f"width: mean in {step.rows[0].unit}; paler: wider {interval_name()}{lost}"
        title = f"Flows from the mine to the end use, {step.year}"
        out[str(step.year)] = Board(title, (panel,), 1, 6.3, 12.0, said, (*classes, *routes))
    return out


def ribbon_colour(row: Any, regions: Sequence[str], theme: Theme) -> str:
    """Colour of a ribbon: its region's; darker (on dark ground: lighter) if unregistered, pink if unrecorded."""
    if row.route == UNRECORDED:
        return mixed(PINK, theme.ink, 0.4) if theme.name == "dark" else PINK
    if row.route in (LOSS, STOCK):
        return theme.prior
    colour = colours_of(list(regions)).get(row.region, theme.muted)
    return mixed(colour, theme.ink, 0.45) if row.route == UNREGISTERED else colour


def node_colour(node: Node, regions: Sequence[str], theme: Theme) -> str:
    """Colour of a node: that of its row; losses and end uses are grey."""
    if node.side == LOSS or node.stage == STOCK:
        return theme.prior
    if node.stage == END_USE:
        return theme.muted
    region = node.row.removesuffix(f", {UNREGISTERED}")
    colour = colours_of(list(regions)).get(region, theme.muted)
    return mixed(colour, theme.ink, 0.45) if node.row != region else mixed(colour, theme.ink, 0.15)


def opacity_of(factor: float) -> float:
    """Opacity of a ribbon whose interval spans this factor around its median.

    >>> opacity_of(1.1), opacity_of(3.0), opacity_of(float("inf"))
    (0.85, 0.42, 0.26)
    """
    return next((opacity for limit, opacity in CLASSES if factor <= limit), CLASSES[-1][1])


def certainties() -> list[tuple[str, float]]:
    """Texts of the legend, and the opacities that they stand for.

    >>> certainties()
    [('within ×/÷ 1.25', 0.85), ('within ×/÷ 2', 0.62), ('within ×/÷ 5', 0.42), ('wider', 0.26)]
    """
    return [(f"within ×/÷ {limit:g}" if np.isfinite(limit) else "wider", opacity) for limit, opacity in CLASSES]


def _marks(step: Step, graph: Graph, regions: Sequence[str], theme: Theme) -> tuple[Mark, ...]:
    """Ribbons and texts of a year; heights are counted from the lower edge."""
    layout, top, height = step.layout, step.layout.top[step.year], step.layout.height[step.year]
    nodes = {n.name: n for column in graph.columns for n in column if n.name in top}
    index = {name: i for i, name in enumerate(nodes)}
    ribbons = tuple(
        Ribbon(
            index[row.source],
            index[row.target],
            row.mean,
            1.0 - leaves,
            1.0 - enters,
            row.mean * layout.scale,
            mixed(ribbon_colour(row, regions, theme), theme.ground, 1.0 - opacity_of(row.factor)),
            1.0,
            HATCHES.get(row.route, ""),
            _hover(row, nodes),
        )
        for row, leaves, enters in zip(step.rows, step.leaves, step.enters, strict=True)
    )
    boxes = tuple(
        Box(layout.x[n], 1.0 - top[n], height[n], node_colour(node, regions, theme), node_text(node))
        for n, node in nodes.items()
    )
    part = min(1.0, layout.scale * fullest([(row.source, row.target, row.mean) for row in step.rows]))
    diagram = Ribbons(boxes, ribbons, step.rows[0].unit, part)
    texts = []
    for i, heading in enumerate(graph.headings):
        x, side = i / max(1, len(graph.headings) - 1), "left" if i == 0 else "center"
        traded = heading == "after trade"
        colour = "muted" if traded else "ink"
        up = 1.09 if i % 2 and len(graph.headings) > MOST_ABREAST else 1.055
        texts.append(Text(x, up, heading, colour, bold=not traded, italic=traded, align=side))
    for name, (upper, _) in layout.rows.items():
        texts.append(Text(0.0, 1.0 - upper + 0.018, name, bold=True, align="left"))
    for n, node in nodes.items():
        if node.stage == END_USE:
            middle = 1.0 - top[n] - 0.5 * height[n]
            texts.append(Text(layout.x[n] + NODE_WIDTH, middle, node_text(node), align="left"))
    return (diagram, *texts)


def _hover(row: Any, nodes: dict[str, Node]) -> str:
    text = f"{node_text(nodes[row.source])} → {node_text(nodes[row.target])}, {row.year}\n"
    text += f"{row.route}{', ' + row.label if row.label else ''}\n"
    text += f"mean {with_unit(row.mean, row.unit)}, median {with_unit(row.median, row.unit)}\n"
    text += f"{interval_name()}: {interval(row.eti90_lb, row.eti90_ub, row.unit)}"
    if np.isfinite(row.prior_median):
        text += f"\nprior: {estimate(row.prior_median, row.prior_eti90_lb, row.prior_eti90_ub, unit=row.unit)}"
    ids = row.evidence.split()
    more = f" and {len(ids) - MOST_IDS} more" if len(ids) > MOST_IDS else ""
    said = f"evidence: {', '.join(ids[:MOST_IDS])}{more}" if ids else "no data measure this flow alone"
    return f"{text}\n{said}"


def node_text(node: Node) -> str:
    """What a node is called in the diagram."""
    if node.stage == END_USE:
        return str(node.name.split("|")[1])
    side = {"supply": "", "disposal": " after trade"}.get(node.side, "")
    what = f"{node.stage}{side}"
    if node.stage == STOCK:
        what = "stock change" if node.side == LOSS else "from stock"
    elif node.stage == LOSS:
        what = "losses"
    return what if node.row == WHOLE else f"{what}, {node.row}"
