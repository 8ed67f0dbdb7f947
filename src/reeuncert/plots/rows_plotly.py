"""Draws charts of rows with Plotly."""

from __future__ import annotations

import plotly.graph_objects as go

from reeuncert.plots.draw_plotly import escaped
from reeuncert.plots.rows import Chart, Row, Span, wrapped
from reeuncert.plots.style import Theme, plotly_axis, plotly_layout

FAINT = 0.35


def draw(chart: Chart, theme: Theme) -> go.Figure:
    """One row below the other, a legend at the foot."""
    figure = go.Figure()
    named: set[str] = set()
    for place, row in enumerate(chart.rows):
        for span in row.spans:
            figure.add_trace(_bar(place, row, span, named))
    _marks(figure, chart, theme)
    if any(row.faint for row in chart.rows):
        key = {"size": 11, "symbol": "square", "color": theme.muted, "opacity": FAINT}
        figure.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", marker=key, name=f"faint: {escaped(chart.faint_name)}")
        )
    if chart.from_zero:
        figure.add_vline(x=0.0, line={"color": theme.muted, "width": 1})
    if chart.line is not None:
        dashed = {"color": theme.muted, "width": 1.2, "dash": "dash"}
        figure.add_vline(x=chart.line[0], line=dashed)
        if chart.line[1]:
            figure.add_trace(go.Scatter(x=[None], y=[None], mode="lines", line=dashed, name=escaped(chart.line[1])))
    title = f"<b>{escaped(chart.title)}</b>"
    if chart.subtitle:
        title += "".join(f"<br><span style='font-size:11px'>{escaped(s)}</span>" for s in chart.subtitle.splitlines())
    ticks = ["<br>".join(escaped(line) for line in wrapped(row.label)) for row in chart.rows]
    figure.update_yaxes(
        plotly_axis(theme, tickvals=list(range(len(ticks))), ticktext=ticks, range=[len(ticks) - 0.4, -0.6]),
        tickfont={"size": 11, "color": theme.ink},
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(plotly_axis(theme), title={"text": escaped(chart.x_title)}, zeroline=False)
    figure.update_layout(
        plotly_layout(
            theme,
            title={"text": title, "x": 0.0, "xanchor": "left", "xref": "paper", "font": {"size": 15}},
            height=100.0 * chart.height + 40,
            barmode="overlay",
            margin={"l": 20, "r": 16, "t": 70 + 14 * chart.subtitle.count("\n"), "b": 90},
            legend={"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom", "x": 0.0},
        )
    )
    return figure


def _bar(place: int, row: Row, span: Span, named: set[str]) -> go.Bar:
    first = bool(span.name) and span.name not in named
    named.add(span.name)
    low, high = sorted((span.start, span.end))
    text = "<br>".join([f"<b>{escaped(row.label)}</b>", *(escaped(line) for line in row.hover)])
    return go.Bar(
        x=[high - low],
        y=[place],
        base=[low],
        width=[span.height],
        orientation="h",
        marker={"color": span.colour, "opacity": span.opacity * (FAINT if row.faint else 1.0), "line": {"width": 0}},
        name=escaped(span.name),
        legendgroup=span.name,
        showlegend=first,
        customdata=[text],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _marks(figure: go.Figure, chart: Chart, theme: Theme) -> None:
    """Whiskers, ticks and points of all rows, each as one trace."""
    lines: tuple[list[float | None], list[float | None]] = ([], [])
    ticks: tuple[list[float | None], list[float | None]] = ([], [])
    points: tuple[list[float], list[int], list[str]] = ([], [], [])
    for place, row in enumerate(chart.rows):
        if row.whisker is not None:
            lines[0].extend([*row.whisker, None])
            lines[1].extend([place, place, None])
        if row.tick is not None:
            ticks[0].extend([row.tick, row.tick, None])
            ticks[1].extend([place - 0.38, place + 0.38, None])
        if row.point is not None:
            points[0].append(row.point)
            points[1].append(place)
            points[2].append("<br>".join([f"<b>{escaped(row.label)}</b>", *(escaped(line) for line in row.hover)]))
    for (x, y), width, name in ((lines, 1.0, chart.whisker_name), (ticks, 2.0, chart.tick_name)):
        if x:
            line = {"color": theme.ink, "width": width}
            figure.add_trace(
                go.Scatter(
                    x=x, y=y, mode="lines", line=line, name=escaped(name), showlegend=bool(name), hoverinfo="skip"
                )
            )
    if points[0]:
        marker = {"size": 8, "color": theme.ink, "line": {"width": 1, "color": theme.ground}}
        figure.add_trace(
            go.Scatter(
                x=points[0],
                y=points[1],
                mode="markers",
                marker=marker,
                name=escaped(chart.point_name),
                showlegend=bool(chart.point_name),
                customdata=points[2],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
