"""Draws what carries the uncertainty of headlines with matplotlib."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from reeuncert.plots.access import rows_of
from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.drivers import KINDS, headline_title
from reeuncert.plots.style import Theme, hue, mpl_style

TITLE = "What carries the remaining uncertainty of each headline"
X_TITLE = "Squared rank correlation with the headline (%)"
COLOURS = {kind: hue(i) for i, kind in enumerate(KINDS)}


def draw(table: pd.DataFrame, theme: Theme) -> Figure:
    """One panel a headline, one bar a quantity."""
    groups = list(table.groupby("headline", sort=False))
    columns = min(2, len(groups))
    rows = -(-len(groups) // columns)
    with rc_context(mpl_style(theme)):
        figure = new_figure(7.2 * columns, 1.75 * rows + 1.0)
        axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False, sharex=True)).ravel()
        for (_, part), ax in zip(groups, axes, strict=False):
            place = np.arange(len(part))
            ax.barh(place, 100 * part["share"], color=[COLOURS[k] for k in part["kind"]], height=0.7)
            ax.set_yticks(
                place,
                [f"{n} ({'+' if c > 0 else '−'})" for n, c in zip(part["name"], part["correlation"], strict=True)],
            )
            ax.invert_yaxis()
            ax.grid(axis="y", visible=False)
            ax.set_xlim(0, 100)
            ax.set_title(textwrap.fill(headline_title(next(rows_of(part))), 58), fontsize=9)
        for ax in axes[len(groups) :]:
            ax.set_visible(False)
        figure.supxlabel(X_TITLE, fontsize=9)
        kinds = [k for k in KINDS if k in set(table["kind"])]
        handles = [axes[0].barh([0], [0], color=COLOURS[k]) for k in kinds]
        figure.legend(handles, kinds, loc="outside lower left", ncols=3)
        figure.suptitle(TITLE, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure
