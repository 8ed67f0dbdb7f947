"""Draws boards of panels with Plotly."""

import html
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points, Ribbons, Text
from reeuncert.plots.style import FONT, GRID, GROUND, INK, MUTED, NODE_WIDTH, paint, rgba

PIXELS = 1.35  # pixels of a point of type
SLIDER = 90  # height of a slider, in pixels
LEAST = 1e-6  # Plotly takes a position of exactly 0 in a Sankey diagram for no position at all


def escaped(text: str) -> str:
    """Text of a user's file as Plotly may show it: Plotly reads some HTML tags in its texts."""
    return html.escape(text, quote=False)


def draw_steps(boards: Mapping[str, Board], start: str) -> go.Figure:
    """Draw one board, or several with a slider that shows one of them."""
    if len(boards) == 1:
        return draw_board(boards[start])
    figures = {label: draw_board(board) for label, board in boards.items()}
    owner = np.repeat(np.arange(len(figures)), [len(one.data) for one in figures.values()])
    active = list(figures).index(start)
    layout = figures[start].layout
    figure = go.Figure([trace for one in figures.values() for trace in one.data], layout)
    for trace, step in zip(figure.data, owner, strict=True):
        trace.visible = bool(step == active)
    steps = []
    for i, (label, one) in enumerate(figures.items()):
        notes = {"annotations": [note.to_plotly_json() for note in one.layout.annotations]}
        shown = {"visible": (owner == i).tolist()}
        steps.append({"label": label, "method": "update", "args": [shown, notes]})
    slider = {"active": active, "steps": steps, "pad": {"t": 10, "b": 0}, "len": 1.0, "x": 0.0}
    slider |= dict.fromkeys(("bordercolor", "activebgcolor", "tickcolor"), MUTED)
    slider |= {"bgcolor": GRID, "font": {"size": 10, "color": MUTED}}
    slider["currentvalue"] = {"prefix": "", "font": {"size": 15, "color": INK}, "xanchor": "left"}
    bottom = layout.margin.b + SLIDER
    return figure.update_layout(sliders=[slider], height=layout.height + SLIDER, margin={"b": bottom})


def draw_board(board: Board) -> go.Figure:
    """Draw panels in rows, one legend for all below."""
    # Long labels of rows need the margin on the left.
    columns = 1 if any(p.y.ticks for p in board.panels) else min(board.columns, len(board.panels))
    rows = -(-len(board.panels) // columns)
    titled = any(p.x and p.x.title for p in board.panels)
    height = 100.0 * board.panel_height * rows + 150
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[f"<b>{escaped(p.title)}</b>".replace("\n", " ") if p.title else "" for p in board.panels],
        vertical_spacing=min(0.3 / rows, (62 + 30 * titled) / height) if rows > 1 else 0.0,
        horizontal_spacing=0.07 if columns > 1 else 0.0,
    )
    # Titles of panels begin at the left end of their axes.
    for i, note in enumerate(a for a in figure.layout.annotations):
        domain = next(a.domain for a in figure.select_xaxes() if abs(sum(a.domain) / 2 - note.x) < 1e-9)
        note.update(x=domain[0], xanchor="left", font={"size": 12, "color": INK}, name=f"title {i}")
    named: set[str] = set()
    traces: list[Any] = []
    notes = list(figure.layout.annotations)  # set all at once below: each addition would check all of them again
    for i, panel in enumerate(board.panels):
        ends = {"xaxis": f"x{i + 1}" if i else "x", "yaxis": f"y{i + 1}" if i else "y"}
        for mark in panel.marks:
            if isinstance(mark, Text):
                notes.append(_text(mark, ends))
            else:
                traces.append(_trace(mark, panel, named).update({} if isinstance(mark, Ribbons) else ends))
        _axes(figure, panel, i)
    figure.add_traces(traces)
    subtitle = "".join(f"<br><span style='font-size:11px'>{escaped(s)}</span>" for s in board.subtitle.splitlines())
    title = {"text": f"<b>{escaped(board.title)}</b>{subtitle}", "x": 0.0, "xanchor": "left", "xref": "paper"}
    below = 46 * titled + 18 * (len(named) // 4)
    bare = all(p.bare for p in board.panels)
    font = {"family": FONT, "size": 12, "color": INK}
    legend = {"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom", "x": 0.0, "font": {"size": 11}}
    return figure.update_layout(
        paper_bgcolor=GROUND,
        plot_bgcolor=GROUND,
        font=font,
        hoverlabel={"bgcolor": GROUND, "bordercolor": MUTED, "font": font, "align": "left"},
        annotations=notes,
        title=title | {"font": {"size": 15}},
        height=height + 18 * (len(named) // 4),
        margin={"l": 20, "r": 16, "t": 76 + 14 * board.subtitle.count("\n"), "b": 40 + below},
        hovermode="x" if all(p.x is None for p in board.panels) else "closest",
        showlegend=bool(named),
        legend=legend | {"itemsizing": "constant" if bare else "trace"},
    )


def _axes(figure: go.Figure, panel: Panel, i: int) -> None:
    across = panel.x or Axis()
    more: dict[str, Any] = {"tickformat": "d", "nticks": 7} if panel.x is None else {}
    settings = {"xaxis": _axis(across) | more, "yaxis": _axis(panel.y)}
    if panel.bare:
        for one in settings.values():
            one |= {"visible": False, "fixedrange": True}
        if not any(isinstance(mark, Ribbons) for mark in panel.marks):
            settings["yaxis"] |= {"scaleanchor": f"x{i + 1}" if i else "x", "scaleratio": 1}
    for name, one in settings.items():
        figure.layout[f"{name}{i + 1}" if i else name].update(one)


def _axis(axis: Axis) -> dict[str, Any]:
    out: dict[str, Any] = {"gridcolor": GRID, "linecolor": MUTED, "zerolinecolor": GRID}
    out |= {"tickfont": {"color": MUTED, "size": 11}, "automargin": True}
    out["title"] = {"text": escaped(axis.title), "font": {"size": 11, "color": INK}}
    if axis.log:
        out["type"] = "log"
    if axis.limits is not None:
        out["range"] = [math.log10(end) if axis.log else end for end in axis.limits]
    if axis.ticks:
        out |= {"tickvals": [t for t, _ in axis.ticks], "zeroline": False}
        out["ticktext"] = ["<br>".join(escaped(line) for line in text.split("\n")) for _, text in axis.ticks]
        if not axis.log:
            out |= {"showgrid": False, "tickfont": {"size": 11, "color": INK}}
    return out


def _hover(text: str) -> str:
    first, *rest = (escaped(line) for line in text.split("\n"))
    return "<br>".join([f"<b>{first}</b>", *rest])


def _trace(mark: Mark, panel: Panel, named: set[str]) -> Any:
    if isinstance(mark, Ribbons):
        return _sankey(mark, panel)
    assert not isinstance(mark, Text)
    name, colour = mark.name, paint(mark.colour)
    group = name if isinstance(mark, Points) else mark.group or name
    out: dict[str, Any] = {"name": escaped(name), "legendgroup": group, "showlegend": bool(name) and name not in named}
    named |= {name} if name else set()
    if isinstance(mark, Area):
        if not len(mark.x):
            square = {"symbol": "square", "size": 11, "color": rgba(colour, mark.opacity), "line": {"width": 0}}
            return go.Scatter(x=[None], y=[None], mode="markers", marker=square, hoverinfo="skip", **out)
        shape = {"fill": "toself", "fillcolor": rgba(colour, mark.opacity), "mode": "lines"}
        over = {"text": _hover(mark.hover), "hoveron": "fills", "hoverinfo": "text"} if mark.hover else {}
        return go.Scatter(x=mark.x, y=mark.y, line={"width": 0}, **shape, **({"hoverinfo": "skip"} | over), **out)
    told: dict[str, Any] = {"hoverinfo": "skip"}
    if mark.hover or isinstance(mark, Points):
        told = {"text": [_hover(t) for t in mark.hover], "hovertemplate": "%{text}<extra></extra>"}
    if isinstance(mark, Line):
        line = {"color": rgba(colour, mark.opacity), "width": 1.2 * mark.width, "dash": mark.dash}
        mode = "lines+markers" if mark.hover else "lines"
        return go.Scatter(x=mark.x, y=mark.y, mode=mode, line=line, marker={"size": 3, "color": colour}, **told, **out)
    bars = None
    if mark.low is not None and mark.high is not None:
        bars = {"type": "data", "symmetric": False, "array": mark.high - mark.y, "arrayminus": mark.y - mark.low}
        bars |= {"thickness": 1.2, "width": 0, "color": colour}
    symbol = f"{mark.symbol}-open" if mark.hollow else mark.symbol
    marker: dict[str, Any] = {"symbol": symbol, "size": 7, "color": colour, "opacity": mark.opacity}
    marker["line"] = {"width": 1.2 if mark.hollow else 0.8, "color": colour if mark.hollow else GROUND}
    return go.Scatter(x=mark.x, y=mark.y, error_y=bars, mode="markers", marker=marker, **told, **out)


def _text(text: Text, ends: dict[str, str]) -> dict[str, Any]:
    shown = escaped(text.text)
    shown = f"<b>{shown}</b>" if text.bold else f"<i>{shown}</i>" if text.italic else shown
    note = {"x": text.x, "y": text.y, "xref": ends["xaxis"], "yref": ends["yaxis"], "text": shown, "showarrow": False}
    note |= {"xanchor": text.align, "yanchor": "middle"}
    if text.ground:
        note |= {"bgcolor": paint(text.ground), "opacity": 0.9, "borderpad": 3}
    return note | {"font": {"size": round(PIXELS * text.size), "color": paint(text.colour)}}


def _sankey(mark: Ribbons, panel: Panel) -> go.Sankey:
    ends = [axis.limits for axis in (panel.x, panel.y) if axis and axis.limits]
    x, y = ([(v - low) / (high - low) for v in (0.0, 1.0 - mark.part, 1.0)] for low, high in ends)
    # The domain is so high that Plotly's own scale is that of the ribbons.
    middle = [(1.0 - n.top + 0.5 * n.height) / mark.part for n in mark.nodes]
    return go.Sankey(
        arrangement="fixed",
        domain={"x": [x[0], x[2]], "y": y[1:]},
        node={
            "x": [min(max(n.x, LEAST), 1.0) for n in mark.nodes],
            "y": [max(m, LEAST) for m in middle],
            "customdata": [escaped(n.hover) for n in mark.nodes],
            "color": [paint(n.colour) for n in mark.nodes],
            "line": {"width": 0},
            "pad": 0,
            "thickness": 1000 * NODE_WIDTH,
            "align": "left",
            "hovertemplate": "%{customdata}<br>%{value:,.3r} " + escaped(mark.unit) + "<extra></extra>",
        },
        link={
            "source": [r.source for r in mark.ribbons],
            "target": [r.target for r in mark.ribbons],
            "value": [r.value for r in mark.ribbons],
            "color": [rgba(paint(r.colour), 1.0) for r in mark.ribbons],
            "line": {"width": 0},
            "customdata": [_hover(r.hover) for r in mark.ribbons],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    )
