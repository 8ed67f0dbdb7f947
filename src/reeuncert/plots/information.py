"""Value of information: which measurement would narrow the interval of an indicator most."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.plots.access import Coords
from reeuncert.plots.labels import table_title
from reeuncert.plots.rows import Chart, Row, Span, render_chart
from reeuncert.plots.style import colours_of, interval_name
from reeuncert.questions.information import value_of_information
from reeuncert.questions.targets import ValueName

X_TITLE = "Expected narrowing of the interval (%)"


def value_of_information_data(
    dt: xr.DataTree, name: ValueName, *, coords: Coords = None, of: str = "flows", error: float = 0.1
) -> pd.DataFrame:
    """Expected narrowing for everything that could be measured: `reeuncert.value_of_information`.

    Parameters
    ----------
    dt
        Result with indicators.
    name, coords
        Name of an indicator and a label for each of its dims, or the number of a headline.
    of
        ``"flows"``, ``"series"`` or ``"sources"``.
    error
        Relative error of the measurement.
    """
    return value_of_information(dt, name, of=of, error=error, **dict(coords or {}))


def plot_value_of_information(
    dt: xr.DataTree,
    name: ValueName,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
    of: str = "flows",
    error: float = 0.1,
    most: int = 15,
) -> Any:
    """Draw by how much an interval is expected to shrink for each of the best candidates.

    Parameters
    ----------
    dt, name, coords, of, error
        See `value_of_information_data`.
    backend
        ``"matplotlib"`` or ``"plotly"``.
    theme
        ``"light"`` or ``"dark"``.
    most
        Number of candidates.

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Raises
    ------
    ReeUncertError
        As `reeuncert.value_of_information`.
    """
    table = value_of_information_data(dt, name, coords=coords, of=of, error=error)
    return render_chart(chart_of(table.head(most), error), backend, theme)


def chart_of(table: pd.DataFrame, error: float) -> Chart:
    """A ranking as a chart; a candidate's colour is the quantity of its flow."""
    kinds = table["flow_quantity"] if "flow" in table else pd.Series("source", index=table.index)
    colours = colours_of(list(dict.fromkeys(kinds.astype(str))))
    rows = []
    for record, kind in zip(table.to_dict("records"), kinds.astype(str), strict=True):
        label, told = _words(record)
        noise = record.get("noise")
        rows.append(
            Row(
                label,
                (Span(0.0, 100.0 * record["narrowing"], colours[kind], kind.replace("_", " ")),),
                tick=None if noise is None else 100.0 * float(noise),
                hover=(f"the interval is expected to be {100 * record['narrowing']:.1f} % narrower", *told),
            )
        )
    return Chart(
        f"What to measure next, with an error of {100 * error:g} %",
        f"{X_TITLE}; {interval_name()}",
        tuple(rows),
        subtitle=table_title(table),
        tick_name="noise of the computation" if "noise" in table else "",
    )


def _words(record: dict[Any, Any]) -> tuple[str, list[str]]:
    if "flow" not in record:
        return str(record["source"]), [f"{record['figures']} figures, each once more with the error given"]
    known = f"known to {100 * record['known_to']:.0f} % today"
    if "measured_year" in record:
        return f"{record['flow']} {record['measured_year']}", [known]
    return f"{record['flow']}, {record['figures']} years", [f"sum over years {known}"]
