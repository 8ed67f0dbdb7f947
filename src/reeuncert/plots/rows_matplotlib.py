"""Draws charts of rows with matplotlib."""

from __future__ import annotations

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.rows import Chart, Row, wrapped
from reeuncert.plots.style import Theme, mpl_style

FAINT = 0.35


def draw(chart: Chart, theme: Theme) -> Figure:
    """One row below the other, a legend at the foot."""
    with rc_context(mpl_style(theme)):
        figure = new_figure(8.2, chart.height)
        ax = figure.subplots()
        ax.use_sticky_edges = chart.from_zero  # bars from a median have no floor to stand on
        for place, row in enumerate(chart.rows):
            _row(ax, place, row, theme)
        ax.set_yticks(range(len(chart.rows)), ["\n".join(wrapped(row.label)) for row in chart.rows])
        ax.tick_params(axis="y", labelcolor=theme.ink, length=0)
        ax.set_ylim(len(chart.rows) - 0.4, -0.6)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(chart.x_title)
        if chart.from_zero:
            ax.axvline(0.0, color=theme.muted, linewidth=0.8)
        if chart.line is not None:
            ax.axvline(chart.line[0], color=theme.muted, linewidth=1.0, linestyle=(0, (4, 2)))
        if chart.subtitle:
            ax.set_title("\n".join(chart.subtitle.splitlines()), fontsize=9, fontweight="normal", color=theme.muted)
        figure.suptitle(chart.title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        _legend(figure, chart, theme)
    return figure


def _row(ax: Axes, place: int, row: Row, theme: Theme) -> None:
    part = FAINT if row.faint else 1.0
    for span in row.spans:
        low, high = sorted((span.start, span.end))
        ax.barh(
            place, high - low, left=low, height=span.height, color=span.colour, alpha=part * span.opacity, linewidth=0
        )
    if row.whisker is not None:
        ax.hlines(place, *row.whisker, color=theme.ink, linewidth=1.0)
    if row.tick is not None:
        ax.vlines(row.tick, place - 0.38, place + 0.38, color=theme.ink, linewidth=1.4)
    if row.point is not None:
        ax.plot(
            [row.point], [place], marker="o", markersize=5, color=theme.ink, markeredgecolor=theme.ground, clip_on=False
        )


def _legend(figure: Figure, chart: Chart, theme: Theme) -> None:
    named: dict[str, Patch | Line2D] = {}
    for row in chart.rows:
        for span in row.spans:
            if span.name:
                named.setdefault(span.name, Patch(color=span.colour, alpha=span.opacity, linewidth=0))
    if chart.point_name:
        named[chart.point_name] = Line2D(
            [], [], marker="o", linestyle="none", markersize=5, color=theme.ink, markeredgecolor=theme.ground
        )
    if chart.tick_name:
        named[chart.tick_name] = Line2D([], [], marker="|", linestyle="none", markersize=9, color=theme.ink)
    if chart.whisker_name:
        named[chart.whisker_name] = Line2D([], [], color=theme.ink, linewidth=1.0)
    if chart.line is not None and chart.line[1]:
        named[chart.line[1]] = Line2D([], [], color=theme.muted, linestyle=(0, (4, 2)), linewidth=1.0)
    if any(row.faint for row in chart.rows):
        named[f"faint: {chart.faint_name}"] = Patch(color=theme.muted, alpha=FAINT, linewidth=0)
    if named:
        figure.legend(list(named.values()), list(named), loc="outside lower left", ncols=3)
