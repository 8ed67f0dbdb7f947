"""Power-scaling: which classes of priors and which sources an indicator is sensitive to."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.checks.sensitivity import SENSITIVE
from reeuncert.plots.access import Coords
from reeuncert.plots.labels import COLOURS, plain, table_title
from reeuncert.plots.rows import Chart, Row, Span, render_chart
from reeuncert.plots.style import shown
from reeuncert.questions.powerscale import power_scaling
from reeuncert.questions.targets import ValueName


def power_scaling_data(dt: xr.DataTree, name: ValueName, *, coords: Coords = None) -> pd.DataFrame:
    """Power-scaling sensitivity of one value: `reeuncert.power_scaling`.

    Parameters
    ----------
    dt
        Result with indicators, ``log_prior`` and ``log_likelihood``.
    name, coords
        Name of an indicator and a label for each of its dims, or the number of a headline.
    """
    wanted: ValueName = {"indicator": name, **dict(coords or {})} if isinstance(name, str) else name
    return power_scaling(dt, [wanted])


def plot_power_scaling(
    dt: xr.DataTree,
    name: ValueName,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
    most: int = 12,
) -> Any:
    """Draw the sensitivity of one value to each class of priors and each source, with the noise of the computation.

    Parameters
    ----------
    dt, name, coords
        See `power_scaling_data`.
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
        As `reeuncert.power_scaling`.
    """
    table = power_scaling_data(dt, name, coords=coords)
    # Components within the noise are paler, below the others.
    table = table.sort_values(["sensitive", "psense"], ascending=False, kind="stable").head(most)
    rows = []
    for record in table.to_dict("records"):
        kind, unit = str(record["kind"]), str(record["unit"])
        told = (
            f"sensitivity {record['psense']:.3f}, noise {record['noise']:.3f}",
            f"counted twice, it would move the value by {shown(record['moves_by'], unit)}, to first order",
        )
        sign = "rises" if record["moves"] > 0 else "falls"
        label = plain(str(record["component"])) + (f" ({sign})" if record["sensitive"] else "")
        rows.append(
            Row(
                label,
                (Span(0.0, record["psense"], COLOURS[kind], kind),),
                tick=record["noise"],
                hover=told,
                faint=not record["sensitive"],
            )
        )
    chart = Chart(
        "What the value is sensitive to",
        "Power-scaling sensitivity (distance per doubling of the component's weight)",
        tuple(rows),
        subtitle=f"{table_title(table)}\nrises / falls: when the component counts more",
        line=(SENSITIVE, f"sensitive from {SENSITIVE:g}"),
        tick_name="noise of the computation",
        faint_name="within the noise",
    )
    return render_chart(chart, backend, theme)
