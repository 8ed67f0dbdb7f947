"""Intervals of an indicator under every scenario of a study."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.edits.scenario import BASE
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.summary import select_labels
from reeuncert.plots.access import Coords, tidy
from reeuncert.plots.panels import scale_of
from reeuncert.plots.questions import table_title
from reeuncert.plots.render import figure_of
from reeuncert.plots.rows import Chart, Row, Span, render_chart
from reeuncert.plots.style import axis_label, hue, interval_name
from reeuncert.studies.study import Study
from reeuncert.words.estimates import interval, with_unit

SCENARIO = "scenario"


def scenarios_data(study: Study | xr.Dataset | xr.DataTree, name: str, *, coords: Coords = None) -> pd.DataFrame:
    """Median and intervals of an indicator, one row a scenario and combination of labels.

    Parameters
    ----------
    study
        A study; or draws of indicators with a dim ``scenario`` beside ``chain`` and ``draw`` (a Dataset, or a result
        whose group ``derived`` has it).
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
    if isinstance(study, Study):
        return study.table(name, **dict(coords or {}))
    data = study["derived"].to_dataset() if isinstance(study, xr.DataTree) and "derived" in study.children else study
    held = data.to_dataset() if isinstance(data, xr.DataTree) else data
    if name not in held.data_vars:
        there = ", ".join(map(str, held.data_vars))
        raise ReeUncertError(f"'{name}' is no indicator of this study; there are: {there}")
    variable = held[name]
    if SCENARIO not in variable.dims:
        raise ReeUncertError(f"'{name}' has no dim 'scenario' here: give a study, or results stacked along 'scenario'")
    table = tidy(select_labels(variable, coords), None, (0.5, 0.9))
    table.insert(0, "indicator", name)
    table["unit"] = variable.attrs.get("units", "")
    return table.drop(columns=[c for c in table if str(c).startswith("prior_")])


@figure_of(scenarios_data)
def plot_scenarios(
    study: Study | xr.Dataset | xr.DataTree,
    name: str,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
) -> Any:
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
    scale = scale_of(unit)
    rows, base = [], None
    for record in table.to_dict("records"):
        here = {k: scale * float(record[k]) for k in ("median", "eti50_lb", "eti50_ub", "eti90_lb", "eti90_ub")}
        own = str(record[SCENARIO]) == BASE
        base = here["median"] if own else base
        colour = hue(0) if own else hue(2)
        if not np.isfinite(here["median"]):
            rows.append(Row(f"{record[SCENARIO]} (not defined)"))
            continue
        spans = (
            Span(here["eti90_lb"], here["eti90_ub"], colour, interval_name(0.9), 0.28, 0.45),
            Span(here["eti50_lb"], here["eti50_ub"], colour, interval_name(0.5), 0.5, 0.9),
        )
        told = (
            f"median {with_unit(float(record['median']), unit)}",
            f"{interval_name(0.9)}: {interval(float(record['eti90_lb']), float(record['eti90_ub']), unit)}",
        )
        rows.append(Row(str(record[SCENARIO]), spans, point=here["median"], hover=told))
    chart = Chart(
        "The value under each scenario",
        axis_label(table_title(table), unit),
        tuple(rows),
        line=None if base is None else (base, "median of the base"),
        point_name="median",
        from_zero=False,
    )
    return render_chart(chart, backend, theme)
