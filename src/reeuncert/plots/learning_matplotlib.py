"""Draws prior against posterior width of flows with matplotlib."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.style import Theme, colours_of, mpl_style

TITLE = "What the figures taught: width of every flow before and after"
X_TITLE = "Prior: factor between the middle and either end of the 90 % equal-tailed interval"
Y_TITLE = "Posterior: the same factor"
TICKS = (1.01, 1.02, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.7, 2, 2.5, 3, 4, 5, 7, 10, 20, 50, 100, 1000)
SYMBOLS = {True: ("o", "circle", "registered"), False: ("^", "triangle-up", "unregistered or unrecorded")}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with both widths, with a text for their route."""
    rows = table[np.isfinite(table["factor"]) & np.isfinite(table["prior_factor"])].copy()
    rows["registered"] = rows["route"] != "unregistered"
    return rows


def span(rows: pd.DataFrame, name: str) -> tuple[float, float]:
    """Ends of an axis: all points, and some room."""
    log = np.log(rows[name].to_numpy())
    room = 0.06 * (log.max() - log.min()) + 0.02
    return float(np.exp(log.min() - room)), float(np.exp(log.max() + room))


def ticks_in(low: float, high: float) -> list[float]:
    """Ticks between the ends of an axis, none too near the one above it."""
    apart = 0.05 * np.log(high / low)
    kept: list[float] = []
    for tick in (t for t in reversed(TICKS) if low <= t <= high):
        if not kept or np.log(kept[-1] / tick) >= apart:
            kept.append(tick)
    return kept[::-1]


def draw(table: pd.DataFrame, theme: Theme) -> Figure:
    """One point a flow: colour by region of origin, symbol by route."""
    rows = shown(table)
    colours = colours_of(list(dict.fromkeys(rows["origin"])))
    left, right = span(rows, "prior_factor")
    low, high = span(rows, "factor")
    with rc_context(mpl_style(theme)):
        figure = new_figure(7.4, 6.0)
        ax = figure.subplots()
        ends = [min(low, left), max(high, right)]
        ax.plot(ends, ends, color=theme.muted, linewidth=1, linestyle=(0, (4, 2)), label="nothing learned")
        for (origin, registered), part in rows.groupby(["origin", "registered"], sort=False):
            ax.plot(
                part["prior_factor"],
                part["factor"],
                linestyle="none",
                marker=SYMBOLS[bool(registered)][0],
                color=colours[str(origin)],
                alpha=0.75,
                markersize=4.5,
                label=f"{origin}, {SYMBOLS[bool(registered)][2]}",
            )
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks(ticks_in(left, right), [f"{t:g}" for t in ticks_in(left, right)])
        ax.set_yticks(ticks_in(low, high), [f"{t:g}" for t in ticks_in(low, high)])
        ax.minorticks_off()
        ax.set_xlim(left, right)
        ax.set_ylim(low, high)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_minor_formatter(NullFormatter())  # its powers of ten are formulas, which are not set here
        ax.set_xlabel(X_TITLE)
        ax.set_ylabel(Y_TITLE)
        figure.suptitle(TITLE, x=0.01, ha="left", fontsize=11, fontweight="bold")
        figure.legend(loc="outside lower left", ncols=2)
    return figure
