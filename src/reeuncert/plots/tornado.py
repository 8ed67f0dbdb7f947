"""Tornado: change of a median when one prior class or source has less or more weight, or under each scenario."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.plots.access import Coords
from reeuncert.plots.labels import SCENARIO, plain, table_title
from reeuncert.plots.panels import scale_of
from reeuncert.plots.rows import Chart, Row, Span, render_chart
from reeuncert.plots.style import axis_label, hue, shown
from reeuncert.questions.targets import ValueName
from reeuncert.questions.tornado import FACTOR, tornado
from reeuncert.studies.study import Study

LESS, MORE = hue(3), hue(1)


def tornado_data(
    dt: xr.DataTree | Study, name: ValueName, *, coords: Coords = None, factor: float = FACTOR
) -> pd.DataFrame:
    """Medians of an indicator with one thing changed at a time: `reeuncert.tornado`.

    Parameters
    ----------
    dt
        Result with ``log_prior`` and ``log_likelihood``, or a study.
    name, coords
        Name of an indicator and a label for each of its dims, or the number of a headline.
    factor
        By how much each component counts less and more.
    """
    at = dict(coords or {})
    return dt.tornado(name, **at) if isinstance(dt, Study) else tornado(dt, name, factor=factor, **at)


def plot_tornado(
    dt: xr.DataTree | Study,
    name: ValueName,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
    factor: float = FACTOR,
    most: int = 12,
) -> Any:
    """Draw bars from the median with less to that with more weight on each component, the longest on top.

    Parameters
    ----------
    dt, name, coords, factor
        See `tornado_data`.
    backend
        ``"matplotlib"`` or ``"plotly"``.
    theme
        ``"light"`` or ``"dark"``.
    most
        Number of bars.

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Raises
    ------
    ReeUncertError
        As `reeuncert.tornado`.
    """
    table = tornado_data(dt, name, coords=coords, factor=factor)
    if table.empty:
        raise ReeUncertError("the study has no scenario beside the base: there is nothing to draw; give it one or more")
    first = table.iloc[0]
    unit, scale = str(first["unit"]), scale_of(str(first["unit"]))
    study = str(first["kind"]) == SCENARIO
    # Components that are not reliable are below the others.
    table = table.sort_values(["reliable", "swing"], ascending=False, kind="stable").head(most)
    rows = []
    for record in table.to_dict("records"):
        base = scale * record["base"]
        more = Span(base, scale * record["more"], MORE, "median under the scenario" if study else _more(factor))
        spans = (more,) if study else (Span(base, scale * record["less"], LESS, _less(factor)), more)
        told = [f"median {shown(record['base'], unit)}"]
        told += [f"{'under it' if study else _more(factor)}: {shown(record['more'], unit)}"]
        told += [] if study else [f"{_less(factor)}: {shown(record['less'], unit)}"]
        told += [] if study else [f"Pareto k {record['pareto_k']:.2f}"]
        label = plain(str(record["component"])) + ("" if study else f" ({record['kind']})")
        rows.append(Row(label, spans, hover=tuple(told), faint=not record["reliable"]))
    chart = Chart(
        "Components that move the median" if not study else "The median under each scenario",
        axis_label("Median", unit),
        tuple(rows),
        subtitle=table_title(table),
        line=(scale * float(first["base"]), "median of the base" if study else "median as it is"),
        from_zero=False,
    )
    return render_chart(chart, backend, theme)


def _less(factor: float) -> str:
    return f"counts 1/{factor:g} as much"


def _more(factor: float) -> str:
    return f"counts {factor:g} times as much"
