"""Draws prior against posterior width of flows with Plotly."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from reeuncert.plots.access import rows_of
from reeuncert.plots.draw_plotly import escaped, figures
from reeuncert.plots.learning_matplotlib import SYMBOLS, TITLE, Y_TITLE, shown, span, ticks_in
from reeuncert.plots.style import Theme, colours_of, interval_name, plotly_axis, plotly_layout


def draw(table: pd.DataFrame, theme: Theme) -> go.Figure:
    """One point a flow: colour by region of origin, symbol by route; hover tells both intervals."""
    rows = shown(table)
    colours = colours_of(list(dict.fromkeys(rows["origin"])))
    left, right = span(rows, "prior_factor")
    low, high = span(rows, "factor")
    ends = [min(low, left), max(high, right)]
    figure = go.Figure()
    diagonal = {"color": theme.muted, "width": 1, "dash": "dash"}
    figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line=diagonal, name="nothing learned", hoverinfo="skip"))
    for (origin, registered), part in rows.groupby(["origin", "registered"], sort=False):
        _, symbol, route = SYMBOLS[bool(registered)]
        figure.add_trace(
            go.Scatter(
                x=part["prior_factor"],
                y=part["factor"],
                mode="markers",
                marker={"color": colours[str(origin)], "symbol": symbol, "size": 7, "opacity": 0.8},
                name=f"{escaped(str(origin))}, {route}",
                text=[_hover(row) for row in rows_of(part)],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    x_title = "Prior: factor between middle and either end of the 90 % interval"
    figure.update_xaxes(_axis(theme, left, right, x_title))
    figure.update_yaxes(_axis(theme, low, high, Y_TITLE))
    figure.update_layout(
        plotly_layout(
            theme,
            title={"text": f"<b>{TITLE}</b>", "x": 0.0, "xanchor": "left", "xref": "paper", "font": {"size": 15}},
            height=560,
            margin={"l": 60, "r": 16, "t": 60, "b": 120},
            legend={
                "orientation": "h",
                "yref": "container",
                "y": 0.0,
                "yanchor": "bottom",
                "x": 0.0,
                "font": {"size": 11},
            },
        )
    )
    return figure


def _axis(theme: Theme, low: float, high: float, title: str) -> dict[str, Any]:
    ticks = ticks_in(low, high)
    return plotly_axis(
        theme,
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[f"{t:g}" for t in ticks],
        title={"text": title, "font": {"size": 12}},
    )


def _hover(row: Any) -> str:
    after = f"{figures(row.eti90_lb, row.unit)} to {figures(row.eti90_ub, row.unit)} (×/÷ {row.factor:.3g})"
    before = f"{figures(row.prior_eti90_lb, row.unit)} to {figures(row.prior_eti90_ub, row.unit)}"
    return (
        f"<b>{escaped(row.flow)}</b>, {row.year}<br>median {figures(row.median, row.unit)}<br>"
        f"{interval_name()}: {after}<br>prior: {before} (×/÷ {row.prior_factor:.3g})"
    )
