"""Width of the prior and the posterior of every flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.plots.access import (
    CUMULATED_LABEL,
    SAMPLE,
    Coords,
    check_labels,
    quantile_table,
    require_prior,
    rows_of,
    take,
)
from reeuncert.plots.panels import Axis, Board, Line, Mark, Panel, Points
from reeuncert.plots.render import render
from reeuncert.plots.style import colours_of, interval_name, shown
from reeuncert.result.learning import learning_of_draws
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import FLOW_FIELDS

DIMS = (*FLOW_FIELDS, "year")
TICKS = (1.01, 1.02, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.7, 2, 2.5, 3, 4, 5, 7, 10, 20, 50, 100, 1000)


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
        ``width_ratio``, ``prior_below_median``, ``verdict`` as in every table, see `reeuncert.result.learning`.

    Raises
    ------
    ReeUncertError
        If the result holds no prior, or a label does not exist.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = learning_data(toy_posterior(draws=20, years=2), coords={"flow": "ore_South"})
    >>> table[["flow", "year"]].values.tolist(), bool(table["width_ratio"].iloc[0] < 1)
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
        after, prior = after[:, there], prior[:, there]
        found = quantile_table(after, (0.9,)) | quantile_table(prior, (0.9,), "prior_")
        found |= learning_of_draws(after, prior, mass=True).columns()
        attributes = {name: mass[name].values.astype(str)[keep][there] for name in FLOW_FIELDS}
        tables.append(pd.DataFrame(attributes | {"year": year, "unit": mass.attrs.get("units", "")} | found))
    table = pd.concat(tables, ignore_index=True).drop(columns=["mean", "prior_mean"])
    table["factor"] = np.sqrt(table["eti90_ub"] / table["eti90_lb"])
    table["prior_factor"] = np.sqrt(table["prior_eti90_ub"] / table["prior_eti90_lb"])
    return table


def plot_learning(
    dt: xr.DataTree,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
) -> Any:
    """Draw for every flow the width of its prior against that of its posterior; on the diagonal they are equal.

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
    table = learning_data(dt, coords=coords)
    table = table[np.isfinite(table["factor"]) & np.isfinite(table["prior_factor"])]
    colours = colours_of(list(dict.fromkeys(table["origin"])))
    across = _axis(table["prior_factor"], f"Prior: factor between the middle and either end of the {interval_name()}")
    up = _axis(table["factor"], "Posterior: the same factor")
    ends = [f(v for axis in (across, up) for v in axis.limits or ()) for f in (min, max)]
    marks: list[Mark] = [Line(ends, ends, "muted", 1.0, "dash", "posterior as wide as prior")]
    for (origin, unregistered), part in table.groupby(["origin", table["route"] == "unregistered"], sort=False):
        symbol, name = ("triangle-up", "unregistered or unrecorded") if unregistered else ("circle", "registered")
        x, y = part["prior_factor"].to_numpy(), part["factor"].to_numpy()
        hover = tuple(map(_hover, rows_of(part)))
        marks.append(Points(f"{origin}, {name}", x, y, colours[str(origin)], symbol, hover=hover, opacity=0.75))
    panel = Panel("", marks=tuple(marks), x=across, y=up)
    return render(Board("Width of every flow before and after the evidence", (panel,), 1, 4.9, 7.4), backend, theme)


def _axis(values: pd.Series, title: str) -> Axis:
    """A logarithmic axis that all values fit in, with ticks at least a twentieth of its length apart."""
    log = np.log(values.to_numpy(dtype=float))
    room = 0.06 * (log.max() - log.min()) + 0.02
    low, high = float(np.exp(log.min() - room)), float(np.exp(log.max() + room))
    kept: list[float] = []
    for tick in (t for t in reversed(TICKS) if low <= t <= high):
        if not kept or np.log(kept[-1] / tick) >= 0.05 * np.log(high / low):
            kept.append(tick)
    return Axis(title, (low, high), tuple((t, f"{t:g}") for t in kept[::-1]), log=True)


def _hover(row: Any) -> str:
    low, high, prior_low, prior_high = (
        shown(v, row.unit) for v in (row.eti90_lb, row.eti90_ub, row.prior_eti90_lb, row.prior_eti90_ub)
    )
    return (
        f"{row.flow}, {row.year}\nmedian {shown(row.median, row.unit)}\n"
        f"{interval_name()}: {low} to {high} (×/÷ {row.factor:.3g})\n"
        f"prior: {prior_low} to {prior_high} (×/÷ {row.prior_factor:.3g})"
    )


def _in_year(mass: xr.DataArray, year: Any) -> np.ndarray:
    """Draws (sample, flow) of one year, or of the sum over the years in which a flow exists."""
    data = mass.sum("year", min_count=1) if year == CUMULATED_LABEL else mass.sel(year=year)
    values = data.transpose(*SAMPLE, "flow").values
    return np.asarray(values.reshape(-1, values.shape[2]))
