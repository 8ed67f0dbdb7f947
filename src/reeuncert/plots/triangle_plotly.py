"""Draws the trade triangle with Plotly: a slider over the years."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from reeuncert.plots.access import rows_of
from reeuncert.plots.draw_plotly import escaped, figures
from reeuncert.plots.sliders import slider
from reeuncert.plots.style import UNRECORDED, Theme, colours_of, interval_name, plotly_layout
from reeuncert.plots.triangle import arrow, corners
from reeuncert.plots.triangle_matplotlib import PLACE, SHIFT, label

MOST_WIDTH = 16.0
PANEL = 400
NOTE = "pink: unrecorded"


def draw(table: pd.DataFrame, regions: list[str], theme: Theme) -> go.Figure:
    """One panel a product, side by side in one set of axes; one step of the slider a year."""
    products = list(dict.fromkeys(table["product"]))
    years = list(dict.fromkeys(table["year"]))
    figure = go.Figure()
    steps: list[tuple[str, range, list[dict[str, Any]]]] = []
    for year in years:
        first, notes = len(figure.data), []
        for p, product in enumerate(products):
            rows = table[(table["year"] == year) & (table["product"] == product)]
            traces, labels = _panel(rows, regions, 3.1 * p, str(product), theme)
            figure.add_traces(traces)
            notes += labels
        steps.append((str(year), range(first, len(figure.data)), notes))
    start = max((i for i, y in enumerate(years) if isinstance(y, int)), default=0)
    _, shown, notes = steps[start]
    for i, trace in enumerate(figure.data):
        trace.visible = i in shown
    unit = escaped(str(table["unit"].iloc[0]))
    hidden = {"visible": False, "fixedrange": True}
    lowest = -0.75 if len(regions) == 3 else -1.3
    figure.update_layout(
        plotly_layout(
            theme,
            title={
                "text": f"<b>Trade between the regions</b><br><sup>median ({interval_name()}), {unit}; {NOTE}</sup>",
                "x": 0.0,
                "xanchor": "left",
                "xref": "paper",
                "font": {"size": 15},
            },
            xaxis=hidden | {"range": [-1.5, 3.1 * (len(products) - 1) + 1.5]},
            yaxis=hidden | {"range": [lowest, 1.4], "scaleanchor": "x", "scaleratio": 1},
            annotations=notes,
            showlegend=False,
            height=PANEL + 170,
            margin={"l": 10, "r": 10, "t": 70, "b": 90},
            sliders=[slider(theme, len(figure.data), steps, start)],
        )
    )
    return figure


def _panel(
    rows: pd.DataFrame, regions: list[str], left: float, product: str, theme: Theme
) -> tuple[list[go.Scatter], list[dict[str, Any]]]:
    places = {r: (x + left, y) for r, (x, y) in corners(regions).items()}
    colours = colours_of(regions)
    largest = float(rows["median"].max()) if len(rows) else 1.0
    traces, notes = [], []
    for row in rows_of(rows):
        start, end = arrow(places[row.origin], places[row.destination], SHIFT[row.record])
        unseen = row.record == "unrecorded"
        colour = UNRECORDED if unseen else colours[row.origin]
        width = max(1.2, MOST_WIDTH * row.median / largest)
        x, y = (a + PLACE[row.record] * (b - a) for a, b in zip(start, end, strict=True))
        hover = (
            f"<b>{escaped(row.origin)} → {escaped(row.destination)}</b><br>"
            f"{escaped(product)}, {row.record}, {row.year}<br>"
            f"median {figures(row.median, row.unit)}<br>{interval_name()}: "
            f"{figures(row.eti90_lb, row.unit)} to {figures(row.eti90_ub, row.unit)}"
        )
        if hasattr(row, "prior_median"):
            hover += (
                f"<br>prior: {figures(row.prior_median, row.unit)} "
                f"({figures(row.prior_eti90_lb, row.unit)} to {figures(row.prior_eti90_ub, row.unit)})"
            )
        traces.append(
            go.Scatter(
                x=[start[0], x, end[0]],
                y=[start[1], y, end[1]],
                mode="lines+markers",
                line={"color": colour, "width": width, "dash": "dot" if unseen else "solid"},
                marker={
                    "symbol": ["circle", "circle", "arrow"],
                    "size": [0, 0, 10 + 1.3 * width],
                    "angleref": "previous",
                    "color": colour,
                    "opacity": [0, 0, 1],
                    "line": {"width": 0},
                },
                text=[hover] * 3,
                hovertemplate="%{text}<extra></extra>",
                showlegend=False,
            )
        )
        notes.append(
            {
                "x": x,
                "y": y,
                "text": label(row),
                "showarrow": False,
                "font": {"size": 11, "color": theme.ink},
                "bgcolor": theme.ground,
                "opacity": 0.85,
            }
        )
    for region, (x, y) in places.items():
        notes.append(
            {
                "x": x,
                "y": y,
                "text": f"<b>{escaped(region)}</b>",
                "showarrow": False,
                "bgcolor": colours[region],
                "font": {"color": theme.ground, "size": 12},
                "borderpad": 5,
            }
        )
    notes.append(
        {
            "x": left - 1.3,
            "y": 1.25,
            "text": f"<b>{escaped(product)}</b>",
            "showarrow": False,
            "xanchor": "left",
            "font": {"size": 12, "color": theme.ink},
        }
    )
    return traces, notes
