"""Headlines side by side: of two results, and of the scenarios of a study."""

from typing import Any

import numpy as np
import pandas as pd

from reeuncert.edits.scenario import BASE
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.printing import value_title
from reeuncert.indicators.registry import lookup
from reeuncert.plots.access import Coords
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points, scale_of
from reeuncert.plots.render import Chart, Row, figure_of, interval_row, render, render_chart, wrapped
from reeuncert.plots.style import axis_label, hue, interval_name
from reeuncert.questions.comparison import Comparison
from reeuncert.studies.study import Study
from reeuncert.words.estimates import estimate, with_unit

_SIDES = (("a", -0.16, 0), ("b", 0.16, 1))


def comparison_data(found: Comparison) -> pd.DataFrame:
    """The headlines of a comparison that both have: see `reeuncert.questions.comparison.Comparison`.

    Parameters
    ----------
    found
        From `reeuncert.compare`.

    Returns
    -------
    DataFrame
        The rows of ``found.table`` with a median on both sides.

    Raises
    ------
    ReeUncertError
        If there is none.
    """
    table = found.table[np.isfinite(found.table["difference"].astype(float))].reset_index(drop=True)
    if table.empty:
        raise ReeUncertError("the two results have no headline in common")
    return table


@figure_of(comparison_data)
def plot_comparison(found: Comparison, *, backend: str = "matplotlib") -> Any:
    """Draw the headlines of two results as dumbbells: medians joined, 90 % intervals faint, three Monte Carlo errors
    of each median dark. Ratios and masses have a panel each, masses on a log scale.
    """
    table = comparison_data(found)
    percent = table["indicator"].map(lambda name: lookup(str(name)).percent)
    kinds = [(table[percent], "%"), *((rows, str(unit)) for unit, rows in table[~percent].groupby("unit"))]
    panels = [_panel(found, rows, unit) for rows, unit in kinds if len(rows)]
    longest = max(sum(len(wrapped(text)) for text in rows["headline"]) for rows, _ in kinds if len(rows))
    title = f"{found.names[0]} and {found.names[1]}"
    return render(Board(title, tuple(panels), 1, max(1.6, 0.3 * longest + 0.9), 8.2), backend)


def _panel(found: Comparison, rows: pd.DataFrame, unit: str) -> Panel:
    scale, plain = (100.0, "1") if unit == "%" else (1.0, unit)
    marks: list[Mark] = []
    columns = [[f"{side}_{c}" for c in ("median", "eti90_lb", "eti90_ub", "mcse_median")] for side in "ab"]
    values = scale * np.array([rows[of_side].to_numpy(dtype=float).T for of_side in columns])
    for (side, shift, colour), (middle, low, high, error) in zip(_SIDES, values, strict=True):
        y = np.arange(len(rows)) + shift
        told = tuple(
            f"{text}\n{found.names[side == 'b']}: {estimate(m / scale, lo / scale, hi / scale, unit=plain)}, "
            f"Monte Carlo error {with_unit(e / scale, plain)}"
            for text, m, lo, hi, e in zip(rows["headline"], middle, low, high, error, strict=True)
        )
        for k in np.flatnonzero(np.isfinite(low)):
            ends = float(low[k]), float(high[k]), float(y[k]) - 0.1, float(y[k]) + 0.1
            marks.append(Area.box(*ends, hue(colour), opacity=0.3, name=interval_name(), hover=told[k]))
            near = 3 * float(error[k])
            if near > 0:
                at = float(middle[k]) - near, float(middle[k]) + near
                marks.append(Area.box(*at, *ends[2:], hue(colour), opacity=0.8, name="3 Monte Carlo errors"))
        marks.append(Points(found.names[side == "b"], middle, y, hue(colour), "circle", hover=told))
    for row, (one, two) in enumerate(values[:, 0].T):
        marks.append(Line((one, two), (row + _SIDES[0][1], row + _SIDES[1][1]), "muted", 1.2))
    ticks = tuple((float(k), "\n".join(wrapped(text))) for k, text in enumerate(rows["headline"]))
    least, most = float(np.nanmin(values[:, :3])), float(np.nanmax(values[:, :3]))
    log = unit != "%" and least > 0 and most > 30 * least
    room = 0.0 if log else 0.05 * (most - least) or 0.5
    across = least - room, most + room
    across = (across[0] / 1.15, across[1] * 1.15) if log else across
    y_axis = Axis(limits=(len(rows) - 0.4, -0.6), ticks=ticks)
    return Panel("", marks, x=Axis(axis_label("Headlines", plain), across, log=log), y=y_axis)


def scenarios_data(study: Study, name: str, *, coords: Coords = None) -> pd.DataFrame:
    """Median and intervals of an indicator, one row a scenario and combination of labels.

    Parameters
    ----------
    study
        From `reeuncert.sensitivity` or `reeuncert.read_study`.
    name
        Name of an indicator.
    coords
        Dim → label or labels, ``scenario`` among them; everything by default.

    Returns
    -------
    DataFrame
        ``scenario``, ``indicator``, its labels, ``year``, ``unit``, ``median``, ``eti50_lb``, ``eti50_ub``,
        ``eti90_lb``, ``eti90_ub``.

    Raises
    ------
    ReeUncertError
        For an indicator, dim or label that is not there.
    """
    return study.table(name, **dict(coords or {}))


@figure_of(scenarios_data)
def plot_scenarios(study: Study, name: str, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the median and the 50 and 90 % intervals of one value under each scenario, in their order.

    `coords` must leave one value a scenario.
    """
    table = scenarios_data(study, name, coords=coords)
    if table.empty:
        raise ReeUncertError(f"no scenario has a value of '{name}' there")
    labels = [c for c in ("region", "partner", "product", "end_use", "year") if c in table]
    several = [c for c in labels if table[c].nunique() > 1]
    if several:
        raise ReeUncertError(f"'{name}' has more than one value a scenario: choose {' and '.join(several)} by coords")
    unit = str(table["unit"].iloc[0])
    rows, base = [], None
    for record in table.to_dict("records"):
        name, own = str(record["scenario"]), record["scenario"] == BASE
        base = scale_of(unit) * float(record["median"]) if own else base
        row = interval_row(name, record, unit, hue(0) if own else hue(2))
        rows.append(row if np.isfinite(record["median"]) else Row(f"{name} (not defined)"))
    chart = Chart(
        "The value under each scenario",
        axis_label(value_title(table.iloc[0]), unit),
        tuple(rows),
        line=None if base is None else (base, "median of the base"),
        point_name="median",
        from_zero=False,
    )
    return render_chart(chart, backend)
