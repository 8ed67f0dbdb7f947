"""Calibration: whether truths lie where posteriors say, as empirical distributions within their band."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from reeuncert.calibration.result import BAND, COVERAGES, Calibration, band
from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.style import HUES, Theme, mpl_style, theme_of

COLUMNS = 4


def calibration_data(found: Calibration) -> pd.DataFrame:
    """Empirical distribution of the positions of each quantity, less the uniform one, beside the ends of its band.

    Parameters
    ----------
    found
        From `reeuncert.calibrate`.

    Returns
    -------
    DataFrame
        kind, group, quantity, year, position (i / simulations), difference, lower, upper, and ``outside``: whether the
        quantity leaves the band anywhere.
    """
    points, lower, upper = band(found.simulations)
    usable = np.flatnonzero(np.isfinite(found.position).all(axis=0))
    ordered = np.sort(found.position[:, usable], axis=0)
    share = np.array([np.searchsorted(v, points, side="right") for v in ordered.T]) / found.simulations
    outside = np.any((share < lower - 1e-12) | (share > upper + 1e-12), axis=1)
    table = found.labels.iloc[np.repeat(usable, points.size)].reset_index(drop=True)
    return table.assign(
        position=np.tile(points, usable.size),
        difference=(share - points).ravel(),
        lower=np.tile(lower - points, usable.size),
        upper=np.tile(upper - points, usable.size),
        outside=np.repeat(outside, points.size),
    )


def plot_calibration(found: Calibration, *, theme: str = "light") -> Figure:
    """Draw every quantity within the 95 % band of its class, and coverage beside what intervals promise.

    A line above the band on the left and below it on the right belongs to intervals that are too narrow; the other way
    round, to intervals that are too wide; above or below all along, to values that are too high or too low. One line in
    twenty leaves its band by chance.

    Parameters
    ----------
    found
        From `reeuncert.calibrate`.
    theme
        ``"light"`` or ``"dark"``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    colours, table = theme_of(theme), calibration_data(found)
    kinds = list(dict.fromkeys(table["kind"]))
    rows = -(-(len(kinds) + 1) // COLUMNS)
    with rc_context(mpl_style(colours)):
        figure = new_figure(3.4 * COLUMNS, 2.9 * rows + 0.6)
        axes = np.atleast_1d(figure.subplots(rows, COLUMNS, squeeze=False)).ravel()
        for kind, ax in zip(kinds, axes, strict=False):
            _lines(ax, kind, table[table["kind"] == kind], colours)
        _coverage(axes[len(kinds)], found, colours)
        for ax in axes[len(kinds) + 1 :]:
            ax.set_visible(False)
        title = f"Calibration of {found.case_name}: {found.simulations} simulated truths, {BAND:.0%} bands"
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure


def _lines(ax: Axes, kind: str, table: pd.DataFrame, theme: Theme) -> None:
    lines: list[list[tuple[float, float]]] = []
    out: list[list[tuple[float, float]]] = []
    count = table["position"].nunique()  # the rows of one quantity come one after the other
    shown = table.iloc[:count]
    for start in range(0, len(table), count):
        part = table.iloc[start : start + count]
        ends = [(0.0, 0.0), *zip(part["position"], part["difference"], strict=True), (1.0, 0.0)]
        (out if bool(part["outside"].iloc[0]) else lines).append(ends)
    thin = 0.9 if len(lines) < 10 else 0.35
    opacity = float(np.clip(12 / (len(lines) + 1), 0.06, 0.9))
    ax.fill_between(shown["position"], shown["lower"], shown["upper"], color=HUES[0], alpha=0.14, linewidth=0)
    ax.add_collection(LineCollection(lines, colors=theme.ink, linewidths=thin, alpha=opacity))
    ax.add_collection(LineCollection(out, colors=theme.alert, linewidths=0.7, alpha=0.7 if len(out) < 60 else 0.3))
    share = len(out) / (len(out) + len(lines))
    ax.set_title(f"{kind}: {len(lines) + len(out)}, {share:.0%} outside")
    reach = 1.15 * float(table[["upper", "difference"]].abs().to_numpy().max())
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-reach, reach)
    ax.set_xlabel("position of the truth in its posterior")
    ax.set_ylabel("distribution − uniform")


def _coverage(ax: Axes, found: Calibration, theme: Theme) -> None:
    table = found.coverage()
    ax.plot([0, 1], [0, 1], color=theme.muted, linewidth=1, linestyle=(0, (4, 2)))
    offsets = np.linspace(-0.02, 0.02, len(table))
    for row, shift, colour in zip(table.to_dict("records"), offsets, HUES, strict=False):
        names = [f"{100 * p:.0f}" for p in COVERAGES]
        ax.errorbar(
            np.array(COVERAGES) + shift,
            [row[f"coverage{n}"] for n in names],
            yerr=[2 * row[f"error{n}"] for n in names],
            fmt="o",
            markersize=3.5,
            linewidth=1,
            color=colour,
            label=str(row["kind"]),
        )
    ax.set_xlim(0.4, 1.02)
    ax.set_ylim(0.3, 1.02)
    ax.set_title("coverage ± 2 Monte Carlo errors")
    ax.set_xlabel("probability of the interval")
    ax.set_ylabel("share of truths inside")
    ax.legend(fontsize=7, loc="lower right")
