"""Draws boards of panels with matplotlib."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from reeuncert.plots.panels import Board, Fan, Panel, Points, limits_of, scale_of
from reeuncert.plots.style import Theme, band_opacity, bands_name, interval_name, mpl_style

MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v"}


class ShownFigure(Figure):
    """A figure that a notebook shows although pyplot, which else sees to that, was never loaded."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own: none of pyplot's, so that nothing is left open. A notebook shows it all the same."""
    return ShownFigure(figsize=(width, height), layout="constrained")


def draw_board(board: Board, theme: Theme) -> Figure:
    """Draw panels in rows, one legend for all below."""
    columns = min(board.columns, len(board.panels))
    rows = -(-len(board.panels) // columns)
    with rc_context(mpl_style(theme)):
        figure = new_figure(max(board.panel_width * columns, 5.4), board.panel_height * rows + 1.1)
        axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for panel, ax in zip(board.panels, axes, strict=False):
            _panel(ax, panel, theme)
        for ax in axes[len(board.panels) :]:
            ax.set_visible(False)
        _legend(figure, board, theme)
        figure.suptitle(board.title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure


def _panel(ax: Axes, panel: Panel, theme: Theme) -> None:
    scale = scale_of(panel.unit)
    for fan in panel.fans:
        _prior(ax, fan, scale, theme)
    for fan in panel.fans:
        _fan(ax, fan, scale)
    for points in panel.points:
        _points(ax, points, scale, theme)
    ax.set_title(panel.title)
    if panel.y_title:
        ax.set_ylabel(panel.y_title)
    ax.set_ylim(*(scale * end for end in limits_of(panel)))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def _prior(ax: Axes, fan: Fan, scale: float, theme: Theme) -> None:
    if fan.prior is None:
        return
    median, lower, upper = (scale * values for values in fan.prior)
    ax.fill_between(fan.x, lower, upper, color=theme.prior, alpha=0.16, linewidth=0)
    ax.plot(fan.x, median, color=theme.prior, linestyle=(0, (1, 2)), linewidth=1.0)


def _fan(ax: Axes, fan: Fan, scale: float) -> None:
    for i, (lower, upper) in reversed(list(enumerate(fan.bands))):
        alpha = band_opacity(i, len(fan.bands))
        ax.fill_between(fan.x, scale * lower, scale * upper, color=fan.colour, alpha=alpha, linewidth=0)
        _lone_years(ax, fan, scale * lower, scale * upper, alpha)
    style = (0, (5, 2)) if fan.dashed else "-"
    lone = _alone(fan.median)
    ax.plot(fan.x, scale * fan.median, color=fan.colour, linestyle=style, linewidth=1.7)
    ax.plot(fan.x[lone], scale * fan.median[lone], color=fan.colour, marker="_", markersize=6, linestyle="none")


def _lone_years(ax: Axes, fan: Fan, lower: np.ndarray, upper: np.ndarray, alpha: float) -> None:
    """A band needs two years beside each other; a year alone gets a bar."""
    lone = _alone(fan.median)
    if lone.any():
        ax.vlines(fan.x[lone], lower[lone], upper[lone], color=fan.colour, alpha=alpha, linewidth=5)


def _alone(values: np.ndarray) -> np.ndarray:
    there = np.isfinite(values)
    before, after = np.r_[False, there[:-1]], np.r_[there[1:], False]
    return np.asarray(there & ~before & ~after)


def _points(ax: Axes, points: Points, scale: float, theme: Theme) -> None:
    colour = points.colour or theme.point
    if points.low is not None and points.high is not None:
        ax.vlines(points.x, scale * points.low, scale * points.high, color=colour, linewidth=1.2)
    ax.plot(
        points.x,
        scale * points.y,
        linestyle="none",
        marker=MARKERS[points.symbol],
        markersize=4.5,
        markerfacecolor="none" if points.hollow else colour,
        markeredgecolor=colour if points.hollow else theme.ground,
        markeredgewidth=1.1 if points.hollow else 0.6,
    )


def _legend(figure: Figure, board: Board, theme: Theme) -> None:
    handles: list[Line2D | Patch] = []
    labels: list[str] = []

    def add(handle: Line2D | Patch, label: str) -> None:
        if label and label not in labels:
            handles.append(handle)
            labels.append(label)

    fans = [fan for panel in board.panels for fan in panel.fans]
    for fan in fans:
        style: Any = (0, (5, 2)) if fan.dashed else "-"
        add(Line2D([], [], color=fan.colour, linestyle=style, linewidth=1.7), f"{fan.label}, median")
    if fans:
        add(Patch(color=fans[0].colour, alpha=0.4, linewidth=0), bands_name(fans[0].probs))
    if any(fan.prior is not None for fan in fans):
        add(Patch(color=theme.prior, alpha=0.25, linewidth=0), f"prior, {interval_name()} (dotted: median)")
    for points in (p for panel in board.panels for p in panel.points):
        colour = points.colour or theme.point
        face = "none" if points.hollow else colour
        marker = Line2D(
            [],
            [],
            linestyle="none",
            marker=MARKERS[points.symbol],
            markerfacecolor=face,
            markeredgecolor=colour,
            markersize=5,
        )
        add(marker, points.label)
    if handles:
        figure.legend(handles, labels, loc="outside lower left", ncols=3 if board.columns > 1 else 2)
