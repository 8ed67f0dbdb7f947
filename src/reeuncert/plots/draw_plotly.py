"""Draws boards of panels with Plotly."""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from reeuncert.plots.panels import Board, Fan, Panel, Points, limits_of, scale_of
from reeuncert.plots.style import Theme, band_opacity, interval_name, plotly_axis, plotly_layout, rgba


def escaped(text: str) -> str:
    """Text of a user's file as Plotly may show it: Plotly reads some HTML tags in its texts."""
    return html.escape(text, quote=False)


def figures(value: float, unit: str) -> str:
    """A number and its unit for a hover text: three digits, in per cent for ratios; the unit escaped.

    Examples
    --------
    >>> figures(0.7164, "1"), figures(1234.5, "kt"), figures(float("nan"), "kt")
    ('71.6 %', '1,230 kt', 'not defined')
    """
    if not np.isfinite(value):
        return "not defined"
    shown = 100.0 * value if unit == "1" else value
    rounded = float(f"{shown:.3g}") + 0.0
    return f"{rounded:,.10g} {'%' if unit == '1' else escaped(unit)}".strip()


def draw_board(board: Board, theme: Theme) -> go.Figure:
    """Draw panels in rows, one legend for all below."""
    columns = min(board.columns, len(board.panels))
    rows = -(-len(board.panels) // columns)
    height = 100.0 * board.panel_height * rows + 150
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[f"<b>{escaped(p.title)}</b>" for p in board.panels],
        vertical_spacing=min(0.3 / rows, 62 / height) if rows > 1 else 0.0,
        horizontal_spacing=0.07 if columns > 1 else 0.0,
    )
    named: set[str] = set()
    for i, panel in enumerate(board.panels):
        row, column = divmod(i, columns)
        for trace in _traces(panel, theme, named):
            figure.add_trace(trace, row=row + 1, col=column + 1)
        scale = scale_of(panel.unit)
        low, top = limits_of(panel)
        figure.update_yaxes(
            plotly_axis(
                theme, range=[scale * low, scale * top], title={"text": escaped(panel.y_title), "font": {"size": 11}}
            ),
            row=row + 1,
            col=column + 1,
        )
        figure.update_xaxes(plotly_axis(theme, tickformat="d", nticks=7), row=row + 1, col=column + 1)
    figure.update_annotations(font={"size": 12, "color": theme.ink})
    for annotation in figure.layout.annotations:
        # Titles of panels begin at the left end of their axes.
        axis = next(a for a in figure.select_xaxes() if abs(sum(a.domain) / 2 - annotation.x) < 1e-9)
        annotation.update(x=axis.domain[0], xanchor="left")
    figure.update_layout(
        plotly_layout(
            theme,
            title={
                "text": f"<b>{escaped(board.title)}</b>",
                "x": 0.0,
                "xanchor": "left",
                "xref": "paper",
                "font": {"size": 15},
            },
            height=height,
            margin={"l": 60, "r": 16, "t": 76, "b": 40},
            hovermode="x",
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


def _traces(panel: Panel, theme: Theme, named: set[str]) -> list[go.Scatter]:
    out: list[go.Scatter] = []
    scale = scale_of(panel.unit)
    for fan in panel.fans:
        if fan.prior is not None:
            middle, lower, upper = (scale * v for v in fan.prior)
            out += _band(fan.x, lower, upper, rgba(theme.prior, 0.17), "prior")
            dotted = {"color": theme.prior, "width": 1, "dash": "dot"}
            out.append(_line(fan.x, middle, dotted, "prior"))
            out += _key(f"prior, {interval_name()} (dotted: median)", rgba(theme.prior, 0.3), "prior", named)
    for fan in panel.fans:
        for i, (lower, upper) in reversed(list(enumerate(fan.bands))):
            colour = rgba(fan.colour, band_opacity(i, len(fan.bands)))
            out += _band(fan.x, scale * lower, scale * upper, colour, fan.label)
        out.append(_median(fan, panel, scale, named))
        for i, prob in enumerate(fan.probs):
            out += _key(interval_name(prob), rgba(theme.ink, (0.55, 0.32, 0.16)[min(i, 2)]), f"interval {prob}", named)
    out += [_points(points, panel, scale, theme, named) for points in panel.points]
    return out


def _key(name: str, colour: str, group: str, named: set[str]) -> list[go.Scatter]:
    """An entry of the legend that stands for the bands of all fans, once a figure."""
    if name in named:
        return []
    named.add(name)
    square = {"symbol": "square", "size": 11, "color": colour, "line": {"width": 0}}
    return [
        go.Scatter(x=[None], y=[None], mode="markers", marker=square, name=name, legendgroup=group, hoverinfo="skip")
    ]


def _band(x: np.ndarray, lower: np.ndarray, upper: np.ndarray, colour: str, group: str) -> list[go.Scatter]:
    """One closed shape for each run of years without a gap; a year alone becomes a narrow box."""
    out = []
    for start, stop in _runs(np.isfinite(lower) & np.isfinite(upper)):
        years = x[start:stop].astype(float)
        low, high = lower[start:stop], upper[start:stop]
        if stop - start == 1:
            years, low, high = years + np.array([-0.2, 0.2]), np.repeat(low, 2), np.repeat(high, 2)
        out.append(
            go.Scatter(
                x=np.r_[years, years[::-1]],
                y=np.r_[high, low[::-1]],
                fill="toself",
                fillcolor=colour,
                line={"width": 0, "color": colour},
                mode="lines",
                legendgroup=group,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    return out


def _runs(there: np.ndarray) -> list[tuple[int, int]]:
    """Beginnings and ends of the runs of True.

    Examples
    --------
    >>> _runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.r_[0, there.astype(int), 0]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _line(x: np.ndarray, y: np.ndarray, line: dict[str, object], group: str) -> go.Scatter:
    return go.Scatter(x=x, y=y, mode="lines", line=line, legendgroup=group, showlegend=False, hoverinfo="skip")


def _median(fan: Fan, panel: Panel, scale: float, named: set[str]) -> go.Scatter:
    lower, upper = fan.bands[-1]
    texts = []
    for i in range(len(fan.x)):
        text = f"{escaped(fan.label) or 'median'}: <b>{figures(fan.median[i], panel.unit)}</b><br>"
        text += f"{interval_name(fan.probs[-1])}: {figures(lower[i], panel.unit)} to {figures(upper[i], panel.unit)}"
        if fan.prior is not None:
            median, low, high = (v[i] for v in fan.prior)
            text += f"<br>prior: {figures(median, panel.unit)}"
            text += f" ({figures(low, panel.unit)} to {figures(high, panel.unit)})"
        texts.append(text)
    name = f"{escaped(fan.label)}, median" if fan.label else "median"
    first = name not in named
    named.add(name)
    return go.Scatter(
        x=fan.x,
        y=scale * fan.median,
        mode="lines+markers",
        line={"color": fan.colour, "width": 2, "dash": "dash" if fan.dashed else "solid"},
        marker={"size": 3, "color": fan.colour},
        name=name,
        legendgroup=fan.label,
        showlegend=first,
        text=texts,
        hovertemplate="%{text}<extra></extra>",
    )


def _points(points: Points, panel: Panel, scale: float, theme: Theme, named: set[str]) -> go.Scatter:
    colour = points.colour or theme.point
    first = points.label not in named
    named.add(points.label)
    texts = [escaped(t) for t in points.hover] if points.hover else [escaped(points.label)] * len(points.x)
    shown = [f"{t}<br><b>{figures(y, panel.unit)}</b>" for t, y in zip(texts, points.y, strict=True)]
    bars = None
    if points.low is not None and points.high is not None:
        up, down = scale * (points.high - points.y), scale * (points.y - points.low)
        bars = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.2, "width": 0}
        bars["color"] = colour
    return go.Scatter(
        x=points.x,
        y=scale * points.y,
        error_y=bars,
        mode="markers",
        marker={
            "symbol": f"{points.symbol}-open" if points.hollow else points.symbol,
            "size": 7,
            "color": colour,
            "line": {"width": 1.2 if points.hollow else 0.8, "color": colour if points.hollow else theme.ground},
        },
        name=escaped(points.label),
        legendgroup=points.label,
        showlegend=first,
        text=shown,
        hovertemplate="%{text}<extra></extra>",
    )
