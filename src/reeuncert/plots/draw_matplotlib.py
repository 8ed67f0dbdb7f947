"""Draws boards of panels with matplotlib."""

import io
import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator, NullFormatter

from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points, Ribbons, Text
from reeuncert.plots.style import GROUND, INK, MPL_STYLE, MUTED, NODE_WIDTH, paint

MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v"}
LETTERS_OF_TITLE = 9.5  # that fit into an inch of a title
DASHES: dict[str, Any] = {"solid": "-", "dash": (0, (5, 2)), "dot": (0, (1, 2))}


class ShownFigure(Figure):
    """A figure that a notebook shows without pyplot, which is never loaded."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own: none of pyplot's, so that nothing is left open. A notebook shows it all the same."""
    return ShownFigure(figsize=(width, height), layout="constrained")


def draw_board(board: Board) -> Figure:
    """Draw panels in rows, one legend for all below."""
    columns = min(board.columns, len(board.panels))
    rows = -(-len(board.panels) // columns)
    single = len(board.panels) == 1 and not board.panels[0].title
    with rc_context(MPL_STYLE):
        figure = new_figure(max(board.panel_width * columns, 5.4), board.panel_height * rows + 1.1)
        axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for panel, ax in zip(board.panels, axes, strict=False):
            _panel(ax, panel)
        for ax in axes[len(board.panels) :]:
            ax.set_visible(False)
        if board.subtitle and single:
            axes[0].set_title(board.subtitle, fontsize=9, fontweight="normal", color=MUTED)
        _legend(figure, board)
        title = board.title if single or not board.subtitle else f"{board.title}\n{board.subtitle}"
        room = int(LETTERS_OF_TITLE * figure.get_figwidth())
        title = "\n".join(textwrap.fill(line, room) for line in title.split("\n"))
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    for mark in panel.marks:
        if isinstance(mark, Area):
            if len(mark.x):
                ax.fill(mark.x, mark.y, facecolor=to_rgba(paint(mark.colour), mark.opacity), linewidth=0)
        elif isinstance(mark, Line):
            style: dict[str, Any] = {"color": to_rgba(paint(mark.colour), mark.opacity), "linewidth": mark.width}
            style["linestyle"] = DASHES[mark.dash]
            ax.plot(mark.x, mark.y, marker="o" if mark.hover else "", markersize=1.5 * mark.width, **style)
        elif isinstance(mark, Points):
            if mark.low is not None and mark.high is not None:
                ax.vlines(mark.x, mark.low, mark.high, color=paint(mark.colour), linewidth=1.2)
            ax.plot(mark.x, mark.y, clip_on=False, **_symbol(mark))
        elif isinstance(mark, Text):
            _text(ax, mark)
        else:
            _ribbons(ax, mark)
    ax.set_title(panel.title)
    if panel.bare:
        ax.axis("off")
        ax.set_aspect("equal" if not any(isinstance(m, Ribbons) for m in panel.marks) else "auto")
    if panel.x is None:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    _axis(ax, panel.x or Axis(), "x")
    _axis(ax, panel.y, "y")


def _axis(ax: Axes, axis: Axis, which: Literal["x", "y"]) -> None:
    of = ax.xaxis if which == "x" else ax.yaxis
    if axis.log:
        ax.set(**{f"{which}scale": "log"})
        of.set_minor_formatter(NullFormatter())  # its powers of ten are formulas, which are not set here
    if axis.ticks:
        of.set_ticks([t for t, _ in axis.ticks], [text for _, text in axis.ticks])
        ax.minorticks_off()
    if axis.ticks and not axis.log:
        ax.tick_params(axis=which, labelcolor=INK, length=0)
        ax.grid(axis=which, visible=False)
    if axis.title:
        of.set_label_text(axis.title)
    if axis.limits is not None:
        ax.set(**{f"{which}lim": axis.limits})


def _symbol(points: Points) -> dict[str, Any]:
    colour = paint(points.colour)
    return {
        "linestyle": "none",
        "marker": MARKERS[points.symbol],
        "markersize": 4.5,
        "markerfacecolor": "none" if points.hollow else colour,
        "markeredgecolor": colour if points.hollow else GROUND,
        "markeredgewidth": 1.1 if points.hollow else 0.6,
        "alpha": points.opacity,
    }


def _text(ax: Axes, text: Text) -> None:
    box: dict[str, Any] = {"boxstyle": "round,pad=0.3", "facecolor": paint(text.ground), "linewidth": 0}
    box["alpha"] = 0.8 if text.ground == "ground" else 1.0
    ax.text(
        text.x,
        text.y,
        text.text,
        color=paint(text.colour),
        fontsize=text.size,
        fontweight="bold" if text.bold else "normal",
        style="italic" if text.italic else "normal",
        ha=text.align,
        va="center",
        bbox=box if text.ground else None,
    )


def _ribbons(ax: Axes, mark: Ribbons) -> None:
    half = 0.5 * NODE_WIDTH
    for ribbon in mark.ribbons:
        x0, x1 = mark.nodes[ribbon.source].x + half, mark.nodes[ribbon.target].x - half
        colour, middle, height = paint(ribbon.colour), 0.5 * (x0 + x1), ribbon.height
        a, b = ribbon.start, ribbon.end
        points = [(x0, a), (middle, a), (middle, b), (x1, b), (x1, b - height)]
        points += [(middle, b - height), (middle, a - height), (x0, a - height), (x0, a)]
        curve = [Path.CURVE4] * 3
        ax.add_patch(
            PathPatch(
                Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]),
                facecolor=colour,
                edgecolor=colour,
                linewidth=0.5,
                hatch=ribbon.hatch or None,
            )
        )
    for node in mark.nodes:
        corner = (node.x - half, node.top - node.height)
        ax.add_patch(Rectangle(corner, NODE_WIDTH, max(node.height, 0.001), color=paint(node.colour), lw=0))


def _legend(figure: Figure, board: Board) -> None:
    handles: dict[str, Line2D | Patch] = {}
    for mark in (m for panel in board.panels for m in panel.marks):
        name = "" if isinstance(mark, Text | Ribbons) else mark.name
        if name and name not in handles:
            handles[name] = _handle(mark)
    if handles:
        narrow = board.panel_width * min(board.columns, len(board.panels)) < 7
        columns = _legend_columns(list(handles), figure.get_figwidth(), 2 if narrow else 3)
        figure.legend(list(handles.values()), list(handles), loc="outside lower left", ncols=columns)


def _legend_columns(names: Sequence[str], width: float, most: int) -> int:
    """How many columns fit: filled one after the other, at 0.056 inches a letter and 0.6 for the mark."""

    def needed(columns: int) -> float:
        return sum(0.6 + 0.056 * max(map(len, part), default=0) for part in np.array_split(names, columns))

    return next((n for n in range(most, 1, -1) if needed(n) <= width), 1)


def _handle(mark: Mark) -> Line2D | Patch:
    if isinstance(mark, Points):
        return Line2D([], [], **_symbol(mark))
    if isinstance(mark, Line):
        return Line2D([], [], color=paint(mark.colour), linestyle=DASHES[mark.dash], linewidth=mark.width)
    assert isinstance(mark, Area)
    colour = paint(mark.colour)
    face = to_rgba(colour, mark.opacity)
    return Patch(facecolor=face, edgecolor=colour, hatch=mark.hatch or None, linewidth=0.5 if mark.hatch else 0)
