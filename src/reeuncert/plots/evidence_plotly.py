"""Draws positions of reported figures with Plotly."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from reeuncert.plots.access import rows_of
from reeuncert.plots.draw_plotly import escaped, figures
from reeuncert.plots.evidence import position_table
from reeuncert.plots.evidence_matplotlib import TITLE, share_inside
from reeuncert.plots.style import Theme, hue, interval_name, plotly_axis, plotly_layout, rgba


def draw(table: pd.DataFrame, theme: Theme) -> go.Figure:
    """One line a source, one point a figure; hover tells what it says and what was predicted."""
    rows = position_table(table)
    lines = rows.drop_duplicates("line").sort_values("line")
    counts = rows["line"].value_counts()
    inside = rows["position"].between(0.05, 0.95)
    figure = go.Figure()
    figure.add_vrect(x0=5, x1=95, fillcolor=rgba(theme.prior, 0.15), line_width=0, layer="below")
    for chosen, name, colour, symbol in (
        (inside, f"inside the {interval_name()} of the prediction", hue(0), "circle"),
        (~inside, "outside it", theme.alert, "diamond"),
    ):
        part = rows[chosen]
        figure.add_trace(
            go.Scatter(
                x=100 * part["position"],
                y=part["height"],
                mode="markers",
                marker={"color": colour, "size": 7, "symbol": symbol, "opacity": 0.8},
                name=name,
                text=[_hover(row) for row in rows_of(part)],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    names = [f"{escaped(str(line.lineage))} ({counts[line.line]})" for line in rows_of(lines)]
    figure.update_layout(
        plotly_layout(
            theme,
            title={
                "text": f"<b>{TITLE}</b><br><sup>{share_inside(rows)}</sup>",
                "x": 0.0,
                "xanchor": "left",
                "xref": "container",
                "font": {"size": 15},
            },
            height=max(260, 20 * len(lines) + 170),
            margin={"l": 20, "r": 16, "t": 80, "b": 90},
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
    figure.update_xaxes(
        plotly_axis(theme, range=[-2, 102], title={"text": "Position in the posterior predictive distribution (%)"})
    )
    figure.update_yaxes(
        plotly_axis(
            theme,
            range=[len(lines) - 0.4, -0.6],
            tickvals=list(lines["line"]),
            ticktext=names,
            tickfont={"size": 10},
            zeroline=False,
        )
    )
    return figure


def _hover(row: Any) -> str:
    years = str(row.year_from) if row.year_from == row.year_to else f"{row.year_from}–{row.year_to}"
    basis = f", {escaped(row.basis)}" if row.basis not in ("", "n/a") else ""
    said = (
        figures(row.value, row.unit) if row.qualifier != "range" else escaped(f"{row.low:g} to {row.high:g} {row.unit}")
    )
    return (
        f"<b>{escaped(row.id)}</b> · {escaped(row.source)}<br>{escaped(row.about)}, {years}<br>"
        f"reported ({escaped(row.qualifier)}): <b>{said}</b>{basis}<br>"
        f"predicted: {figures(row.predicted, row.unit)} "
        f"({interval_name()}: {figures(row.predicted_eti90_lb, row.unit)} to "
        f"{figures(row.predicted_eti90_ub, row.unit)})"
    )
