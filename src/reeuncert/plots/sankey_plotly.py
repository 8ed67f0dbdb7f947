"""Draws the Sankey diagram with Plotly: a slider over the years and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from reeuncert.plots.access import CUMULATED_LABEL, rows_of
from reeuncert.plots.draw_plotly import escaped, figures
from reeuncert.plots.sankey import CLASSES, class_names, opacity_of
from reeuncert.plots.sankey_colours import node_colour, ribbon_colour
from reeuncert.plots.sankey_graph import END_USE, LOSS, Graph
from reeuncert.plots.sankey_layout import Layout, layout_of, node_values
from reeuncert.plots.sliders import slider
from reeuncert.plots.style import Theme, interval_name, plotly_layout, rgba

NOTE = "unregistered; pink: unrecorded by the exporter; stocks and losses are not drawn"
HEIGHT = 660
THICKNESS = 9
LEAST = 1e-6
"""Plotly takes a place of exactly 0 for no place at all."""


def draw(table: pd.DataFrame, graph: Graph, regions: Sequence[str], theme: Theme) -> go.Figure:
    """One trace a year, of which the slider shows one."""
    years = list(dict.fromkeys(table["year"]))
    yearly = table[table["year"] != CUMULATED_LABEL]
    layouts: dict[Any, Layout] = {}
    for part in (yearly, table[table["year"] == CUMULATED_LABEL]):
        if len(part):
            layout = layout_of(part, graph, most_scale=_most_scale(part))
            layouts |= dict.fromkeys(dict.fromkeys(part["year"]), layout)
    start = max((i for i, y in enumerate(years) if y != CUMULATED_LABEL), default=0)
    figure = go.Figure()
    steps = []
    for i, year in enumerate(years):
        rows = table[table["year"] == year]
        figure.add_trace(_trace(rows, year, graph, layouts[year], regions, theme, visible=i == start))
        steps.append((str(year), range(i, i + 1), _annotations(graph, layouts[year], year, theme)))
    unit = escaped(str(table["unit"].iloc[0]))
    squares = (
        f"<span style='color:{rgba(theme.ink, o)}'>■</span> {n}"
        for n, (_, o) in zip(class_names(), CLASSES, strict=True)
    )
    said = f"width: median, {unit}; the fainter, the less certain ({interval_name()}): {', '.join(squares)}"
    said += f"<br>{'lighter' if theme.name == 'dark' else 'darker'}: {NOTE}" if LOSS not in set(table["route"]) else ""
    figure.update_layout(
        plotly_layout(
            theme,
            title={
                "text": f"<b>Flows from the mine to the end use</b><br><sup>{said}</sup>",
                "x": 0.0,
                "xanchor": "left",
                "xref": "container",
                "font": {"size": 15},
                "pad": {"l": 8, "t": 8},
                "yref": "container",
                "y": 0.985,
                "yanchor": "top",
            },
            height=HEIGHT + 234,
            margin={"l": 14, "r": 128, "t": 124, "b": 110},
            annotations=steps[start][2],
            sliders=[slider(theme, len(years), steps, start)],
        )
    )
    return figure


def _most_scale(table: pd.DataFrame) -> float:
    """Plotly fits the fullest of its own columns into the height: no larger scale can be had."""
    return min(1.0 / _fullest(table[table["year"] == year]) for year in dict.fromkeys(table["year"]))


def _fullest(rows: pd.DataFrame) -> float:
    """Mass in the fullest column when nodes stand as far left as they can, which is how Plotly finds its scale."""
    value = node_values(rows)
    depth = dict.fromkeys(value, 0)
    edges = list(zip(rows["source"], rows["target"], strict=True))
    for _ in value:
        moved = False
        for a, b in edges:
            if depth[b] < depth[a] + 1 <= len(value):
                depth[b], moved = depth[a] + 1, True
        if not moved:
            break
    return max(sum(v for name, v in value.items() if depth[name] == d) for d in set(depth.values()))


def _trace(
    rows: pd.DataFrame, year: Any, graph: Graph, layout: Layout, regions: Sequence[str], theme: Theme, *, visible: bool
) -> go.Sankey:
    nodes = {n.name: n for column in graph.columns for n in column if n.name in layout.top[year]}
    index = {name: i for i, name in enumerate(nodes)}
    # The domain is so high that Plotly's own scale is the layout's.
    part = min(1.0, layout.scale * _fullest(rows))
    middle = [(layout.top[year][n] + 0.5 * layout.height[year][n]) / part for n in nodes]
    unit = rows["unit"].iloc[0]
    return go.Sankey(
        arrangement="fixed",
        visible=visible,
        domain={"x": [0.0, 1.0], "y": [1.0 - part, 1.0]},
        node={
            "x": [min(max(layout.x[n], LEAST), 1.0) for n in nodes],
            "y": [max(m, LEAST) for m in middle],
            "customdata": [escaped(_node_text(n)) for n in nodes.values()],
            "color": [node_colour(n, regions, theme) for n in nodes.values()],
            "line": {"width": 0},
            "pad": 0,
            "thickness": THICKNESS,
            "align": "left",
            "hovertemplate": "%{customdata}<br>%{value:.3g} " + escaped(str(unit)) + "<extra></extra>",
        },
        link={
            "source": [index[s] for s in rows["source"]],
            "target": [index[t] for t in rows["target"]],
            "value": rows["median"].to_numpy(),
            "color": [rgba(ribbon_colour(r, regions, theme), opacity_of(r.factor)) for r in rows_of(rows)],
            "line": {"width": 0},
            "customdata": [_hover(row, nodes) for row in rows_of(rows)],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    )


def _hover(row: Any, nodes: dict[str, Any]) -> str:
    source, target = nodes[row.source], nodes[row.target]
    text = f"<b>{escaped(_node_text(source))} → {escaped(_node_text(target))}</b>, {row.year}<br>"
    text += f"{escaped(row.route)}{', ' + escaped(row.label) if row.label else ''}<br>"
    text += f"median <b>{figures(row.median, row.unit)}</b><br>{interval_name()}: "
    text += f"{figures(row.eti90_lb, row.unit)} to {figures(row.eti90_ub, row.unit)}"
    if np.isfinite(row.prior_median):
        text += f"<br>prior: {figures(row.prior_median, row.unit)} "
        text += f"({figures(row.prior_eti90_lb, row.unit)} to {figures(row.prior_eti90_ub, row.unit)})"
    ids = row.evidence.split()
    more = f" and {len(ids) - 6} more" if len(ids) > 6 else ""
    text += (
        f"<br>figures that speak of it: {escaped(', '.join(ids[:6]))}{more}"
        if ids
        else "<br>no figure speaks of it alone"
    )
    return text


def _node_text(node: Any) -> str:
    if node.stage == END_USE:
        return str(node.name.split("|")[1])
    if node.side == LOSS:
        return f"losses, {node.row}"
    side = {"supply": "", "disposal": " after trade"}.get(node.side, "")
    return f"{node.stage}{side}, {node.row}"


def _annotations(graph: Graph, layout: Layout, year: Any, theme: Theme) -> list[dict[str, Any]]:
    plain = {"xref": "paper", "yref": "paper", "showarrow": False}
    notes = []
    for i, heading in enumerate(graph.headings):
        muted = heading == "after trade"
        text = f"<i>{heading}</i>" if muted else f"<b>{escaped(heading)}</b>"
        x = i / max(1, len(graph.headings) - 1)
        anchor = "left" if i == 0 else "center"
        notes.append(
            plain
            | {
                "x": x,
                "y": 1.0,
                "yshift": 30,
                "xanchor": anchor,
                "text": text,
                "font": {"size": 11, "color": theme.muted if muted else theme.ink},
            }
        )
    for row, (upper, _) in layout.rows.items():
        notes.append(
            plain
            | {
                "x": 0.0,
                "y": 1.0 - upper,
                "yshift": 8,
                "xanchor": "left",
                "yanchor": "middle",
                "text": f"<b>{escaped(row)}</b>",
                "font": {"size": 11, "color": theme.ink},
            }
        )
    for node in (n for column in graph.columns for n in column if n.stage == END_USE and n.name in layout.top[year]):
        middle = layout.top[year][node.name] + 0.5 * layout.height[year][node.name]
        notes.append(
            plain
            | {
                "x": 1.0,
                "y": 1.0 - middle,
                "xshift": 8,
                "xanchor": "left",
                "yanchor": "middle",
                "text": escaped(_node_text(node)),
                "font": {"size": 11, "color": theme.ink},
            }
        )
    return notes
