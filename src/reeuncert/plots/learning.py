"""What was learned of every flow: how wide it was before the figures, and how wide it is after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.plots.access import CUMULATED_LABEL, SAMPLE, Coords, check_labels, quantile_table, require_prior, take
from reeuncert.plots.style import check_backend, theme_of
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import FLOW_FIELDS

DIMS = (*FLOW_FIELDS, "year")


def learning_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Width of prior and posterior of every flow, as the factor by which the 90 % interval spans around its middle.

    Parameters
    ----------
    dt
        Result with the prior.
    coords
        ``year`` (a year, years, or ``"cumulated"``, the default: the sum over all years), or attributes of flows:
        ``flow``, ``quantity``, ``product``, ``origin``, ``destination``, ``route``, …

    Returns
    -------
    DataFrame
        The attributes of the flow, ``year``, ``unit``, ``median``, ``eti90_lb``, ``eti90_ub``, ``prior_median``,
        ``prior_eti90_lb``, ``prior_eti90_ub``, ``factor`` = √(upper / lower) of the posterior, ``prior_factor``, and
        ``learned`` = 1 − log factor / log prior factor: 1 if the flow is known exactly, 0 if nothing was learned.

    Raises
    ------
    ReeUncertError
        If the result holds no prior, or a label does not exist.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = learning_data(toy_posterior(draws=20, years=2), coords={"flow": "ore_South"})
    >>> table[["flow", "year"]].values.tolist(), bool(table["learned"].iloc[0] > 0)
    ([['ore_South', 'cumulated']], True)
    """
    wanted = take(coords, DIMS, "the flows")
    require_prior(dt)
    mass, before = mass_flow(dt), mass_flow(dt, "prior")
    keep = np.ones(mass.sizes["flow"], dtype=bool)
    for name, labels in wanted.items():
        if name != "year":
            held = mass[name].values.astype(str)
            check_labels(labels, sorted(set(held)), name, "the flows")
            keep &= np.isin(held, labels)
    years = wanted.get("year", [CUMULATED_LABEL])
    check_labels(years, [*mass["year"].values.tolist(), CUMULATED_LABEL], "year", "the flows")
    tables = []
    for year in years:
        after, prior = (_in_year(data.isel(flow=keep), year) for data in (mass, before))
        there = np.isfinite(after).any(axis=0) & (after > 0).any(axis=0)
        found = quantile_table(after[:, there], (0.9,)) | quantile_table(prior[:, there], (0.9,), "prior_")
        attributes = {name: mass[name].values.astype(str)[keep][there] for name in FLOW_FIELDS}
        tables.append(pd.DataFrame(attributes | {"year": year, "unit": mass.attrs.get("units", "")} | found))
    table = pd.concat(tables, ignore_index=True).drop(columns=["mean", "prior_mean"])
    table["factor"] = np.sqrt(table["eti90_ub"] / table["eti90_lb"])
    table["prior_factor"] = np.sqrt(table["prior_eti90_ub"] / table["prior_eti90_lb"])
    table["learned"] = 1.0 - np.log(table["factor"]) / np.log(table["prior_factor"])
    return table


def plot_learning(
    dt: xr.DataTree,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
) -> Any:
    """Draw for every flow the width of its prior against that of its posterior; on the diagonal nothing was learned.

    Parameters
    ----------
    dt, coords
        See `learning_data`.
    backend
        ``"matplotlib"`` or ``"plotly"``.
    theme
        ``"light"`` or ``"dark"``.

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Raises
    ------
    ReeUncertError
        As `learning_data`.
    """
    check_backend(backend)
    colours = theme_of(theme)
    table = learning_data(dt, coords=coords)
    if backend == "matplotlib":
        from reeuncert.plots.learning_matplotlib import draw
    else:
        from reeuncert.plots.learning_plotly import draw
    return draw(table, colours)


def _in_year(mass: xr.DataArray, year: Any) -> np.ndarray:
    """Draws (sample, flow) of one year, or of the sum over the years in which a flow exists."""
    data = mass.sum("year", min_count=1) if year == CUMULATED_LABEL else mass.sel(year=year)
    values = data.transpose(*SAMPLE, "flow").values
    return np.asarray(values.reshape(-1, values.shape[2]))
