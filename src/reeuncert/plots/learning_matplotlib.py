"""Draws prior against posterior width of flows with matplotlib."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.style import Theme, colours_of, mpl_style

TITLE = "What the figures taught: width of every flow before and after"
X_TITLE = "Prior: factor between the middle and either end of the 90 % equal-tailed interval"
Y_TITLE = "Posterior: the same factor"
TICKS = (1.1, 1.2, 1.5, 2, 3, 5, 10, 30, 100, 1000)
SYMBOLS = {True: ("o", "circle", "registered"), False: ("^", "triangle-up", "unregistered or unrecorded")}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with both widths, with a text for their route."""
    rows = table[np.isfinite(table["factor"]) & np.isfinite(table["prior_factor"])].copy()
    rows["registered"] = rows["route"] != "unregistered"
    return rows


def span(rows: pd.DataFrame) -> tuple[float, float]:
    """Ends of both axes."""
    both = rows[["factor", "prior_factor"]].to_numpy()
    return max(1.005, 1 + 0.8 * (float(both.min()) - 1)), 1.15 * float(both.max())


def draw(table: pd.DataFrame, theme: Theme) -> Figure:
    """One point a flow: colour by region of origin, symbol by route."""
    rows = shown(table)
    colours = colours_of(list(dict.fromkeys(rows["origin"])))
    low, high = span(rows)
    with rc_context(mpl_style(theme)):
        figure = new_figure(7.0, 6.4)
        ax = figure.subplots()
        ax.plot([low, high], [low, high], color=theme.muted, linewidth=1, linestyle=(0, (4, 2)))
        ax.annotate("nothing learned", (high, high), (-8, -20), textcoords="offset points", ha="right", color=theme.muted, fontsize=8)
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
        ticks = [t for t in TICKS if low <= t <= high]
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
        ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
        ax.minorticks_off()
        ax.set_xlim(low, high)
        ax.set_ylim(low, high)
        ax.set_xlabel(X_TITLE)
        ax.set_ylabel(Y_TITLE)
        figure.suptitle(TITLE, x=0.01, ha="left", fontsize=11, fontweight="bold")
        figure.legend(loc="outside lower left", ncols=2)
    return figure
