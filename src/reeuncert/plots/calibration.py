"""Calibration: whether truths lie where posteriors say, as empirical distributions within their band."""

from typing import Any

import numpy as np
import pandas as pd

from reeuncert.calibration.result import BAND, COVERAGES, Calibration, band
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.style import hue
from reeuncert.words.estimates import printed

COLUMNS = 4
BUNDLES = 40


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


@figure_of(calibration_data)
def plot_calibration(found: Calibration, *, backend: str = "matplotlib", theme: str = "light") -> Any:
    """Draw every quantity within the 95 % band of its class, and coverage beside what intervals promise.

    A line above the band on the left and below it on the right belongs to intervals that are too narrow; the other way
    round, to intervals that are too wide; above or below all along, to values that are too high or too low. One line in
    twenty leaves its band by chance.
    """
    table = calibration_data(found)
    panels = [_of_kind(str(kind), rows) for kind, rows in table.groupby("kind", sort=False)]
    title = f"Calibration of {found.case_name}: {found.simulations} simulated truths, {printed(BAND, '.0%')} bands"
    return render(Board(title, (*panels, _coverage(found)), COLUMNS, 2.9, 3.4), backend, theme)


def _of_kind(kind: str, table: pd.DataFrame) -> Panel:
    points = table["position"].nunique()  # the rows of one quantity come one after the other
    count = len(table) // points
    position, difference, outside = (
        table[c].to_numpy().reshape(count, points) for c in ("position", "difference", "outside")
    )
    zero, gap = np.zeros((count, 1)), np.full((count, 1), np.nan)
    x, y = np.hstack([zero, position, zero + 1, gap]), np.hstack([zero, difference, zero, gap])
    out = outside[:, 0].astype(bool)
    lower, upper = (table[c].to_numpy()[:points] for c in ("lower", "upper"))
    marks: list[Mark] = [
        Area(np.r_[position[0], position[0][::-1]], np.r_[upper, lower[::-1]], hue(0), 0.14),
        *_bundled(x[~out], y[~out], "ink", 0.9 if (~out).sum() < 10 else 0.35),
        *_bundled(x[out], y[out], "alert", 0.7),
    ]
    reach = 1.15 * float(table[["upper", "difference"]].abs().to_numpy().max())
    across = Axis("position of the truth in its posterior", (0.0, 1.0))
    title = f"{kind}: {count}, {printed(out.mean(), '.0%')} outside"
    return Panel(title, marks=tuple(marks), x=across, y=Axis("distribution − uniform", (-reach, reach)))


def _bundled(x: np.ndarray, y: np.ndarray, colour: str, width: float) -> list[Line]:
    """Lines (line, point) in at most `BUNDLES` marks, which are darker where they overlap."""
    count = min(len(x), BUNDLES)
    opacity = float(np.clip(12 / (count + 1), 0.06, 0.9))
    return [Line(x[k::count].ravel(), y[k::count].ravel(), colour, width, opacity=opacity) for k in range(count)]


def _coverage(found: Calibration) -> Panel:
    table = found.coverage()
    marks: list[Mark] = [Line((0.0, 1.0), (0.0, 1.0), "muted", 1.0, "dash")]
    for k, (row, shift) in enumerate(zip(table.to_dict("records"), np.linspace(-0.02, 0.02, len(table)), strict=True)):
        share, error = (np.array([row[f"{c}{100 * p:.0f}"] for p in COVERAGES]) for c in ("coverage", "error"))
        told = tuple(
            f"{row['kind']}\n{printed(s, '.0%')} of the {printed(p, '.0%')} intervals"
            for s, p in zip(share, COVERAGES, strict=True)
        )
        ends = share - 2 * error, share + 2 * error
        marks.append(Points(str(row["kind"]), np.array(COVERAGES) + shift, share, hue(k), "circle", *ends, hover=told))
    across, up = Axis("probability of the interval", (0.4, 1.02)), Axis("share of truths inside", (0.3, 1.02))
    return Panel("coverage ± 2 Monte Carlo errors", marks=tuple(marks), x=across, y=up)
