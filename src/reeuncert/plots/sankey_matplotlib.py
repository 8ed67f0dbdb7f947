"""Draws the Sankey diagram of one year with matplotlib: hatched where unregistered or unrecorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path

from reeuncert.plots.access import rows_of
from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.sankey import CLASSES, class_names, opacity_of
from reeuncert.plots.sankey_colours import node_colour, ribbon_colour
from reeuncert.plots.sankey_graph import END_USE, LOSS, UNRECORDED, UNREGISTERED, Graph
from reeuncert.plots.sankey_layout import Layout, layout_of
from reeuncert.plots.style import UNRECORDED as PINK
from reeuncert.plots.style import Theme, interval_name, mpl_style

HALF = 0.004
HATCHES = {UNREGISTERED: "////", UNRECORDED: "xxxx"}


def draw(table: pd.DataFrame, graph: Graph, regions: Sequence[str], theme: Theme) -> Figure:
    """One figure, 12 by 7 inches."""
    year, unit = table["year"].iloc[0], table["unit"].iloc[0]
    layout = layout_of(table, graph)
    with rc_context(mpl_style(theme)):
        figure = new_figure(12.0, 7.4)
        ax = figure.subplots()
        _ribbons(ax, table, layout, regions, theme)
        _nodes(ax, graph, layout, year, regions, theme)
        ax.set_xlim(-0.02, 1.11)
        ax.set_ylim(1.0, -0.075)
        ax.axis("off")
        handles = [Patch(facecolor=theme.ink, alpha=opacity, linewidth=0) for _, opacity in CLASSES]
        labels = class_names()
        for route, colour in ((UNREGISTERED, theme.muted), (UNRECORDED, PINK)):
            handles.append(Patch(facecolor=to_rgba(colour, 0.5), edgecolor=colour, hatch=HATCHES[route], linewidth=0.5))
            labels.append(route)
        said = f"opacity: {interval_name()} around the median"
        figure.legend(
            handles, labels, loc="outside lower left", ncols=6, title=said, alignment="left", title_fontsize=8
        )
        drawn = "" if LOSS in set(table["route"]) else "; stocks and losses are not drawn"
        title = f"Flows from the mine to the end use, {year}\nwidth: median in {unit}{drawn}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _ribbons(ax: Axes, table: pd.DataFrame, layout: Layout, regions: Sequence[str], theme: Theme) -> None:
    year = table["year"].iloc[0]
    top = layout.top[year]
    leaves = _ends(table, "source", "target", top)
    enters = _ends(table, "target", "source", top)
    for i, row in zip(table.index, rows_of(table), strict=True):
        height = float(row.median) * layout.scale
        start, end = top[row.source] + leaves[i] * layout.scale, top[row.target] + enters[i] * layout.scale
        x0, x1 = layout.x[row.source] + HALF, layout.x[row.target] - HALF
        colour, opacity = ribbon_colour(row, regions, theme), opacity_of(row.factor)
        ax.add_patch(
            PathPatch(
                _band(x0, start, x1, end, height),
                facecolor=to_rgba(colour, opacity),
                edgecolor=to_rgba(colour, min(1.0, opacity + 0.15)),
                linewidth=0.5,
                hatch=HATCHES.get(row.route),
            )
        )


def _ends(table: pd.DataFrame, at: str, other: str, top: Any) -> dict[Any, float]:
    """How far down its node each ribbon begins, in mass: ribbons leave in the order of the nodes they go to."""
    out: dict[Any, float] = {}
    medians = table["median"].to_dict()
    for _, part in table.groupby(at, sort=False):
        below = 0.0
        order = sorted(part.index, key=lambda i: top[table.at[i, other]])
        for i in order:
            out[i] = below
            below += float(medians[i])
    return out


def _band(x0: float, y0: float, x1: float, y1: float, height: float) -> Path:
    middle = 0.5 * (x0 + x1)
    points = [
        *((x0, y0), (middle, y0), (middle, y1), (x1, y1)),
        *((x1, y1 + height), (middle, y1 + height), (middle, y0 + height), (x0, y0 + height), (x0, y0)),
    ]
    curve = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _nodes(ax: Axes, graph: Graph, layout: Layout, year: Any, regions: Sequence[str], theme: Theme) -> None:
    for node in (n for column in graph.columns for n in column if n.name in layout.top[year]):
        x, y, height = layout.x[node.name], layout.top[year][node.name], layout.height[year][node.name]
        ax.add_patch(
            Rectangle((x - HALF, y), 2 * HALF, max(height, 0.001), color=node_colour(node, regions, theme), linewidth=0)
        )
        if node.stage == END_USE:
            ax.text(x + 2 * HALF, y + height / 2, node.name.split("|")[1], va="center", fontsize=8)
    count = max(1, len(graph.headings) - 1)
    for i, heading in enumerate(graph.headings):
        muted = heading == "after trade"
        style: dict[str, Any] = {"color": theme.muted, "style": "italic"} if muted else {"fontweight": "bold"}
        ax.text(i / count, -0.052, heading, fontsize=8, ha="left" if i == 0 else "center", **style)
    for row, (upper, _) in layout.rows.items():
        ax.text(-HALF, upper - 0.012, row, fontsize=8, fontweight="bold", va="bottom")
