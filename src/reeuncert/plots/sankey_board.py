"""A Sankey diagram as boards, one a year: places of nodes (all years have one scale), ribbons, colours and texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.plots.access import ALL_YEARS, estimate_of, rows_of
from reeuncert.plots.panels import Area, Axis, Board, Mark, Panel, Ribbon, Ribbons, Text
from reeuncert.plots.panels import Node as Box
from reeuncert.plots.sankey_graph import END_USE, LOSS, STOCK, UNRECORDED, UNREGISTERED, USE, WHOLE, Graph, Node, depths
from reeuncert.plots.style import GROUND, INK, MUTED, NODE_WIDTH, PRIOR, colours_of, interval_name, mixed
from reeuncert.plots.style import UNRECORDED as PINK
from reeuncert.words.estimates import interval, with_unit

PAD = 0.012  # space between two nodes of a row, as part of the height
ROW_GAP = 0.04
LEAST_ROW = 0.055
MOST_SPACE = 0.6  # part of the height that spaces and empty rows may take: with many rows, they are smaller
TILT = 0.0004
"""Each column stands a little higher than the one before: ribbons are ordered by the height of their ends, and so those
from later stages enter a use node above those from earlier ones, without crossing."""

USE_SHIFT = 0.02
"""Use nodes stand lower than markets, so that a ribbon to use leaves its market below the one to the next stage."""


@dataclass(frozen=True, eq=False)
class Layout:
    """What years share, in a unit square whose origin is the top left corner: the height of one unit of mass, and the
    upper end of each row.
    """

    scale: float
    rows: Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """The diagram of a year, or of all years: mass and upper end of each node, and its ribbons: rows of `sankey_data`
    with the places at which they ``leaves`` and ``enters`` nodes.
    """

    year: Any
    layout: Layout
    value: Mapping[str, float]
    top: Mapping[str, float]
    ribbons: list[Any]


def steps_of(table: pd.DataFrame, graph: Graph) -> Iterator[Step]:
    """Steps of a table of `sankey_data`; all years have one layout, and their sum has its own."""
    for part in (table[table["year"] != ALL_YEARS], table[table["year"] == ALL_YEARS]):
        if len(part):
            yield from _steps(dict(iter(part.groupby("year", sort=False))), graph)


def _steps(tables: Mapping[Any, pd.DataFrame], graph: Graph) -> Iterator[Step]:
    """Steps of one layout, from the ribbons of each year."""
    value = {year: node_values(table) for year, table in tables.items()}
    stacks = _stacks(graph, value)
    # Plotly fits the fullest of its own columns into the height: it cannot draw a larger scale.
    small = min(1.0, MOST_SPACE / max(_total(stacks, 0.0, 1.0), 1e-9))
    scale = min(_fitting_scale(stacks, small), *(1.0 / fullest(table, value[year]) for year, table in tables.items()))
    rows, upper = {}, 0.0
    heights = {row: _row_height(of_row, scale, small) for row, of_row in stacks.items()}
    # What the largest scale leaves over is shared out between the rows.
    free = max(0.0, 1.0 - sum(heights.values()) - small * ROW_GAP * (len(heights) - 1)) / max(1, len(heights))
    for row, height in heights.items():
        rows[row] = upper
        upper += height + small * ROW_GAP + free
    layout = Layout(scale, rows)
    for year, table in tables.items():
        top = _tops(graph, value[year], layout, small)
        ends = {name: _ends(table, top, scale, *way) for name, way in ENDS.items()}
        yield Step(year, layout, value[year], top, list(rows_of(table.assign(**ends))))


def node_values(table: pd.DataFrame) -> dict[str, float]:
    """Mass that goes through each node: the larger of what enters and what leaves (means)."""
    leaves, enters = (table.groupby(end)["mean"].sum() for end in ("source", "target"))
    return {str(name): mass for name, mass in leaves.combine(enters, max, fill_value=0.0).items()}


def fullest(table: pd.DataFrame, value: Mapping[str, float]) -> float:
    """Mass in the fullest column when nodes stand as far left as they can, from which Plotly finds its scale."""
    depth = depths(list(zip(table["source"], table["target"], strict=True)), value)
    return max(sum(v for name, v in value.items() if depth[name] == d) for d in set(depth.values()))


def ordered(column: tuple[Node, ...], row: str) -> list[Node]:
    """Nodes of a column in one row: losses last."""
    return sorted((n for n in column if n.row == row), key=lambda n: n.side == LOSS)


Stacks = dict[str, list[tuple[float, int]]]  # for each row the (mass, number of nodes) of each column and year


def _stacks(graph: Graph, value: Mapping[Any, Mapping[str, float]]) -> Stacks:
    out: Stacks = {row: [] for row in graph.rows}
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


def _total(stacks: Stacks, scale: float, small: float) -> float:
    """Height that all rows take at a scale, with spaces that are so much smaller."""
    tall = sum(max(small * LEAST_ROW, _row_height(of_row, scale, small)) for of_row in stacks.values())
    return tall + small * ROW_GAP * (len(stacks) - 1)


def _fitting_scale(stacks: Stacks, small: float) -> float:
    """Largest scale at which all rows fit below one another, by bisection."""
    largest = max((mass for of_row in stacks.values() for mass, _ in of_row), default=0.0)
    if largest <= 0:
        return 1.0
    low, high = 0.0, 1.0 / largest
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _total(stacks, middle, small) <= 1.0 else (low, middle)
    return low


def _tops(graph: Graph, value: Mapping[str, float], layout: Layout, small: float) -> dict[str, float]:
    out: dict[str, float] = {}
    scale = layout.scale
    for i, column in enumerate(graph.columns):
        for row in graph.rows:
            upper = layout.rows[row] + TILT * (len(graph.columns) - i)
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


ENDS = {"leaves": ("source", "target"), "enters": ("target", "source")}


def _ends(table: pd.DataFrame, top: Mapping[str, float], scale: float, at: str, other: str) -> pd.Series:
    """Where each ribbon begins: ribbons leave in the order of the nodes they go to."""
    rows = table.sort_values(other, key=lambda names: names.map(top), kind="stable")
    above = rows.groupby(at)["mean"].cumsum() - rows["mean"]
    return rows[at].map(top) + scale * above


CLASSES = ((1.25, 0.85), (2.0, 0.62), (5.0, 0.42), (np.inf, 0.26))
"""Classes of relative uncertainty: factor between the median and either end of the interval, and opacity."""

HATCHES = {UNREGISTERED: "////", UNRECORDED: "xxxx"}
MOST_IDS = 6
MOST_ABREAST = 12  # of more columns, every second heading stands higher


def sankey_boards(table: pd.DataFrame, graph: Graph, regions: Sequence[str]) -> dict[str, Board]:
    """Year → its board, from rows of `sankey_data`; all years have one scale, and their sum has its own."""
    classes = [Area((), (), "ink", opacity, name) for name, opacity in certainties()]
    darker = mixed(MUTED, INK, 0.45)
    colours = {UNREGISTERED: darker, UNRECORDED: PINK, "loss or change of stock": PRIOR}
    routes = [Area((), (), colour, 0.8, name, hatch=HATCHES.get(name, "")) for name, colour in colours.items()]
    top = 1.11 if len(graph.headings) > MOST_ABREAST else 1.08
    out = {}
    for step in steps_of(table, graph):
        marks = *_marks(step, graph, regions), *classes, *routes
        panel = Panel("", marks, x=Axis(limits=(-0.01, 1.13)), y=Axis(limits=(-0.01, top)), bare=True)
        said = f"width: mean in {step.ribbons[0].unit}; paler: wider {interval_name()}"
        title = f"Flows from the mine to the end use, {step.year}"
        out[str(step.year)] = Board(title, (panel,), 1, 6.3, 12.0, said)
    return out


def ribbon_colour(row: Any, regions: Sequence[str]) -> str:
    """Colour of a ribbon: its region's; darker if unregistered, pink if unrecorded."""
    if row.route == UNRECORDED:
        return PINK
    if row.route in (LOSS, STOCK):
        return PRIOR
    colour = colours_of(list(regions)).get(row.region, MUTED)
    return mixed(colour, INK, 0.45) if row.route == UNREGISTERED else colour


def node_colour(node: Node, regions: Sequence[str]) -> str:
    """Colour of a node: that of its row; losses and end uses are grey."""
    if node.side == LOSS or node.stage == STOCK:
        return PRIOR
    if node.stage == END_USE:
        return MUTED
    region = node.row.removesuffix(f", {UNREGISTERED}")
    colour = colours_of(list(regions)).get(region, MUTED)
    return mixed(colour, INK, 0.45) if node.row != region else mixed(colour, INK, 0.15)


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


def _marks(step: Step, graph: Graph, regions: Sequence[str]) -> tuple[Mark, ...]:
    """Ribbons and texts of a year; heights are counted from the lower edge."""
    scale, top, value = step.layout.scale, step.top, step.value
    nodes = {n.name: n for column in graph.columns for n in column if n.name in top}
    place = graph.x_of
    index = {name: i for i, name in enumerate(nodes)}
    ribbons = tuple(
        Ribbon(
            index[row.source],
            index[row.target],
            row.mean,
            1.0 - row.leaves,
            1.0 - row.enters,
            row.mean * scale,
            mixed(ribbon_colour(row, regions), GROUND, 1.0 - opacity_of(row.factor)),
            HATCHES.get(row.route, ""),
            _hover(row, nodes),
        )
        for row in step.ribbons
    )
    boxes = tuple(
        Box(place[n], 1.0 - top[n], value[n] * scale, node_colour(node, regions), node_text(node))
        for n, node in nodes.items()
    )
    part = min(1.0, scale * fullest(pd.DataFrame(step.ribbons), value))
    diagram = Ribbons(boxes, ribbons, step.ribbons[0].unit, part)
    texts = []
    for i, (x, heading) in enumerate(zip(graph.x, graph.headings, strict=True)):
        side, traded = "left" if i == 0 else "center", heading == "after trade"
        colour = "muted" if traded else "ink"
        up = 1.09 if i % 2 and len(graph.headings) > MOST_ABREAST else 1.055
        texts.append(Text(x, up, heading, colour, bold=not traded, italic=traded, align=side))
    for name, upper in step.layout.rows.items():
        texts.append(Text(0.0, 1.0 - upper + 0.018, name, bold=True, align="left"))
    for n, node in nodes.items():
        if node.stage == END_USE:
            middle = 1.0 - top[n] - 0.5 * value[n] * scale
            texts.append(Text(place[n] + NODE_WIDTH, middle, node_text(node), align="left"))
    return (diagram, *texts)


def _hover(row: Any, nodes: dict[str, Node]) -> str:
    text = f"{node_text(nodes[row.source])} → {node_text(nodes[row.target])}, {row.year}\n"
    text += f"{row.route}{', ' + row.label if row.label else ''}\n"
    text += f"mean {with_unit(row.mean, row.unit)}, median {with_unit(row.median, row.unit)}\n"
    text += f"{interval_name()}: {interval(row.eti90_lb, row.eti90_ub, row.unit)}"
    if np.isfinite(row.prior_median):
        text += f"\nprior: {estimate_of(row, 'prior_')}"
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
