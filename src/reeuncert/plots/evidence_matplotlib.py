"""Draws positions of reported figures with matplotlib."""

from __future__ import annotations

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.evidence import position_table
from reeuncert.plots.style import Theme, hue, interval_name, mpl_style

TITLE = "Where the reported figures lie among those that the model predicts"


def draw(table: pd.DataFrame, theme: Theme) -> Figure:
    """One line a source, one point a figure; outside the shaded band a figure surprises."""
    rows = position_table(table)
    lines = rows.drop_duplicates("line").sort_values("line")
    inside = rows["position"].between(0.05, 0.95)
    with rc_context(mpl_style(theme)):
        figure = new_figure(8.2, max(2.4, 0.2 * len(lines) + 1.5))
        ax = figure.subplots()
        ax.axvspan(5, 95, color=theme.prior, alpha=0.13, linewidth=0, label=interval_name() + " of the prediction")
        ax.plot(
            100 * rows["position"][inside],
            rows["height"][inside],
            "o",
            color=hue(0),
            markersize=3.4,
            alpha=0.75,
            label="inside it",
        )
        ax.plot(
            100 * rows["position"][~inside],
            rows["height"][~inside],
            "D",
            color=theme.alert,
            markersize=4,
            label="outside it",
        )
        ax.set_yticks(lines["line"], [f"{name} ({n})" for name, n in _counts(rows).items()])
        ax.set_ylim(len(lines) - 0.4, -0.6)
        ax.set_xlim(-2, 102)
        ax.set_xlabel("Position in the posterior predictive distribution (%; 50: as predicted, 0 and 100: surprising)")
        figure.suptitle(f"{TITLE}\n{share_inside(rows)}", x=0.01, ha="left", fontsize=11, fontweight="bold")
        figure.legend(loc="outside lower left", ncols=3)
    return figure


def share_inside(rows: pd.DataFrame) -> str:
    """How many figures lie in their interval, in words."""
    inside = int(rows["position"].between(0.05, 0.95).sum())
    return f"{inside} of {len(rows)} figures lie in their {interval_name()}"


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    counts = rows.groupby("line").agg(name=("lineage", "first"), n=("id", "size"))
    return {str(name): int(n) for name, n in zip(counts["name"], counts["n"], strict=True)}
