"""Draws what carries the uncertainty of headlines with Plotly."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from reeuncert.plots.access import rows_of
from reeuncert.plots.draw_plotly import escaped
from reeuncert.plots.drivers import headline_title
from reeuncert.plots.drivers_matplotlib import COLOURS, TITLE, X_TITLE
from reeuncert.plots.style import Theme, plotly_axis, plotly_layout


def draw(table: pd.DataFrame, theme: Theme) -> go.Figure:
    """One panel a headline below the other, one bar a quantity."""
    groups = list(table.groupby("headline", sort=False))
    height = 150 * len(groups) + 130
    figure = make_subplots(
        rows=len(groups),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=min(0.3 / len(groups), 34 / height),
        subplot_titles=[f"<b>{escaped(headline_title(next(rows_of(part))))}</b>" for _, part in groups],
    )
    named: set[str] = set()
    for i, (_, part) in enumerate(groups):
        for kind, bars in part.groupby("kind", sort=False):
            signs = ["rises" if c > 0 else "falls" for c in bars["correlation"]]
            figure.add_trace(
                go.Bar(
                    x=100 * bars["share"],
                    y=[escaped(str(n)) for n in bars["name"]],
                    orientation="h",
                    marker={"color": COLOURS[str(kind)]},
                    name=str(kind),
                    legendgroup=str(kind),
                    showlegend=str(kind) not in named,
                    customdata=signs,
                    hovertemplate="<b>%{y}</b><br>%{x:.0f} %; the headline %{customdata} with it<extra></extra>",
                ),
                row=i + 1,
                col=1,
            )
            named.add(str(kind))
        order = [escaped(str(n)) for n in part["name"]]
        figure.update_yaxes(
            plotly_axis(
                theme, categoryorder="array", categoryarray=order[::-1], tickfont={"size": 10, "color": theme.ink}
            ),
            row=i + 1,
            col=1,
        )
    figure.update_xaxes(plotly_axis(theme, range=[0, 100]))
    figure.update_xaxes(title={"text": X_TITLE}, row=len(groups), col=1)
    figure.update_annotations(font={"size": 11, "color": theme.ink}, x=0.0, xanchor="left")
    figure.update_layout(
        plotly_layout(
            theme,
            title={"text": f"<b>{TITLE}</b>", "x": 0.0, "xanchor": "left", "xref": "paper", "font": {"size": 15}},
            height=height,
            barmode="overlay",
            margin={"l": 20, "r": 16, "t": 80, "b": 80},
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
