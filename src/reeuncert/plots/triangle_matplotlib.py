"""Draws the trade triangle with matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from reeuncert.plots.access import rows_of
from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.style import UNRECORDED, Theme, colours_of, interval_name, mpl_style
from reeuncert.plots.triangle import arrow, corners

MOST_WIDTH = 11.0
SHIFT = {"recorded": 0.1, "unrecorded": 0.235}
PLACE = {"recorded": 0.24, "unrecorded": 0.5}
"""How far along its arrow a label stands, so that those of the two ways and of unrecorded trade do not meet."""


def number(value: float) -> str:
    """A mass for a label: three digits.

    Examples
    --------
    >>> number(12.345), number(0.01234), number(3210.0)
    ('12.3', '0.0123', '3,210')
    """
    return f"{float(f'{value:.3g}'):,.10g}"


def label(row: Any) -> str:
    """Median and interval of an arrow."""
    return f"{number(row.median)} ({number(row.eti90_lb)} to {number(row.eti90_ub)})"


def draw(table: pd.DataFrame, regions: list[str], theme: Theme) -> Figure:
    """One panel a product."""
    products = list(dict.fromkeys(table["product"]))
    year, unit = table["year"].iloc[0], table["unit"].iloc[0]
    columns = min(2, len(products))
    rows = -(-len(products) // columns)
    with rc_context(mpl_style(theme)):
        figure = new_figure(5.6 * columns, 4.0 * rows + 0.9)
        axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for product, ax in zip(products, axes, strict=False):
            _panel(ax, table[table["product"] == product], regions, theme)
            ax.set_title(str(product))
        for ax in axes[len(products) :]:
            ax.set_visible(False)
        handles = [
            Line2D([], [], color=theme.ink, linewidth=3),
            Line2D([], [], color=UNRECORDED, linewidth=3),
        ]
        figure.legend(
            handles, ["recorded by the exporter (colour: origin)", "unrecorded"], loc="outside lower left", ncols=2
        )
        said = f"Trade between the regions, {year}\nMedian ({interval_name()}) in {unit}"
        figure.suptitle(said, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, regions: list[str], theme: Theme) -> None:
    places, colours = corners(regions), colours_of(regions)
    largest = float(rows["median"].max())
    for row in rows_of(rows):
        start, end = arrow(places[row.origin], places[row.destination], SHIFT[row.record])
        unseen = row.record == "unrecorded"
        colour = UNRECORDED if unseen else colours[row.origin]
        width = max(0.6, MOST_WIDTH * row.median / largest)
        head = max(5.0, 1.5 * width)
        ax.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle=f"simple,head_width={head},head_length={head},tail_width={width}",
                color=colour,
                alpha=0.85,
                linewidth=0,
                shrinkA=0,
                shrinkB=0,
            )
        )
        x, y = (a + PLACE[row.record] * (b - a) for a, b in zip(start, end, strict=True))
        ax.text(
            x,
            y,
            label(row),
            fontsize=7.5,
            ha="center",
            va="center",
            bbox={"facecolor": theme.ground, "alpha": 0.8, "linewidth": 0, "pad": 1},
        )
    for region, (x, y) in places.items():
        ax.text(
            x,
            y,
            region,
            ha="center",
            va="center",
            fontsize=9,
            fontweight="bold",
            color=theme.ground,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": colours[region], "linewidth": 0},
        )
    ax.set_xlim(-1.45, 1.45)
    ax.set_ylim(-0.8 if len(regions) == 3 else -1.3, 1.2)
    ax.set_aspect("equal")
    ax.axis("off")
