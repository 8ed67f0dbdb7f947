"""Shares of an indicator's variance by class of input: Sobol' indices, before or after the evidence."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.plots.access import Coords
from reeuncert.plots.labels import COLOURS, plain, table_title
from reeuncert.plots.rows import Chart, Row, Span, render_chart
from reeuncert.questions.sobol import sobol
from reeuncert.questions.targets import ValueName

TITLES = {
    "posterior": "Components of the remaining uncertainty",
    "prior": "What would drive the uncertainty without evidence",
}


def sobol_data(dt: xr.DataTree, name: ValueName, *, coords: Coords = None, under: str = "posterior") -> pd.DataFrame:
    """Sobol' indices of an indicator by class of input: `reeuncert.sobol`.

    Parameters
    ----------
    dt
        Result with indicators and coordinates ``z``.
    name, coords
        Name of an indicator and a label for each of its dims, or the number of a headline.
    under
        ``"posterior"`` or ``"prior"``.
    """
    return sobol(dt, name, under=under, **dict(coords or {}))


def plot_sobol(
    dt: xr.DataTree,
    name: ValueName,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
    under: str = "posterior",
    most: int = 12,
) -> Any:
    """Draw the part of an indicator's variance that comes from each class of priors and each source.

    Parameters
    ----------
    dt, name, coords, under
        See `sobol_data`.
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
        As `reeuncert.sobol`.
    """
    table = sobol_data(dt, name, coords=coords, under=under)
    rest = table[table["kind"] == "rest"]
    table = pd.concat([table[table["kind"] != "rest"].head(most), rest])
    rows = []
    for record in table.to_dict("records"):
        first, half, kind = 100 * record["first"], 100 * record["first_ci"], str(record["kind"])
        told = [f"{first:.1f} % of the variance", f"Monte Carlo error ± {half:.1f} % (90 %)"]
        told += [f"with interactions {100 * record['total']:.1f} %"] if under == "prior" else []
        rows.append(
            Row(
                plain(str(record["component"])),
                (Span(0.0, first, COLOURS[kind], _legend(kind)),),
                whisker=(first - half, first + half),
                point=100 * record["total"] if under == "prior" else None,
                hover=tuple(told),
            )
        )
    chart = Chart(
        TITLES[under],
        "Share of the variance (%)",
        tuple(rows),
        subtitle=table_title(table),
        point_name="with interactions" if under == "prior" else "",
        whisker_name="Monte Carlo error, 90 %",
    )
    return render_chart(chart, backend, theme)


def _legend(kind: str) -> str:
    return "rest: not linear" if kind == "rest" else kind
