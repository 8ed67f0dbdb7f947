"""Densities of the prior and the posterior of single quantities."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base.array import array_stats

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.registry import INDICATORS, base_name
from reeuncert.plots.access import SAMPLE, Coords, choose, derived, flat, require_prior
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, scale_of
from reeuncert.plots.render import render
from reeuncert.plots.style import hue
from reeuncert.result.tables import mass_flow

MOST_QUANTITIES = 12


def prior_posterior_data(dt: xr.DataTree, name: str, *, coords: Coords = None) -> pd.DataFrame:
    """Draws of the prior and the posterior of an indicator or a flow.

    Parameters
    ----------
    dt
        Result with the prior.
    name
        Name of an indicator (see `reeuncert.indicators`) or of a flow.
    coords
        Dim → label or labels; a quantity for each combination. By default the last year.

    Returns
    -------
    DataFrame
        ``quantity`` (labels and year in one text), ``group`` (``prior`` or ``posterior``), ``value``, ``unit``; one row
        a draw. Undefined draws are left out.

    Raises
    ------
    ReeUncertError
        If the result holds no prior, the indicator has not been computed, or there are more than 12 quantities.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = prior_posterior_data(toy_posterior(draws=20, years=2), "ore_South", coords={"year": 2002})
    >>> table.groupby("group", sort=False)["quantity"].first().to_dict()
    {'prior': 'ore_South · 2002', 'posterior': 'ore_South · 2002'}
    """
    before, after = _variables(dt, name, coords)
    dims = [str(d) for d in after.dims if d not in SAMPLE]
    labels = [" · ".join(str(v) for v in key) for key in _keys(after, dims)]
    unit = str(after.attrs.get("units", ""))
    tables = []
    for group, data in (("prior", before), ("posterior", after)):
        cells = flat(data)
        for j, label in enumerate(labels):
            there = cells[np.isfinite(cells[:, j]), j]
            quantity = label if base_name(name) in INDICATORS else f"{name} · {label}"
            tables.append(pd.DataFrame({"quantity": quantity, "group": group, "value": there, "unit": unit}))
    table = pd.concat(tables, ignore_index=True)
    # A quantity that the system does not have is undefined in every draw.
    both = table.groupby("quantity")["group"].nunique()
    table = table[table["quantity"].isin(both.index[both == 2])].reset_index(drop=True)
    if table.empty:
        raise ReeUncertError(f"'{name}' is not defined in any draw for these labels: {dict(coords or {})}")
    if (count := table["quantity"].nunique()) > MOST_QUANTITIES:
        raise ReeUncertError(
            f"{count} quantities of '{name}' chosen (at most {MOST_QUANTITIES}); choose fewer by coords"
        )
    return table


def plot_prior_posterior(
    dt: xr.DataTree,
    name: str,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
) -> Any:
    """Draw the densities of prior and posterior (kernel estimates of ArviZ), one panel a quantity.

    Parameters
    ----------
    dt, name, coords
        See `prior_posterior_data`.
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
        As `prior_posterior_data`.
    """
    table = prior_posterior_data(dt, name, coords=coords)
    unit = str(table["unit"].iloc[0])
    # A quantity that is the same in every draw (the share of an only supplier) has no density.
    varies = table.groupby(["quantity", "group"])["value"].agg(lambda v: v.max() > v.min()).groupby("quantity").all()
    table = table[table["quantity"].isin(varies.index[varies])]
    if table.empty:
        raise ReeUncertError(f"'{name}' has the same value in every draw for these labels: there is no density to draw")
    panels = []
    for quantity, rows in table.groupby("quantity", sort=False):
        marks: list[Mark] = []
        for group, colour in (("prior", "prior"), ("posterior", hue(0))):
            values = scale_of(unit) * rows.loc[rows["group"] == group, "value"].to_numpy()
            grid, density, _ = array_stats.kde(values, grid_len=200)
            ends = np.r_[grid[0], grid, grid[-1]], np.r_[0.0, density, 0.0]
            marks += [Area(*ends, colour, 0.2, group=group), Line(grid, density, colour, 1.7, name=group)]
        panels.append(Panel(str(quantity), marks=tuple(marks), x=Axis("%" if unit == "1" else unit), y=Axis("density")))
    title = str(derived(dt, name).attrs["long_name"]) if base_name(name) in INDICATORS else name
    return render(Board(f"{title}: prior and posterior", tuple(panels)), backend, theme)


def _variables(dt: xr.DataTree, name: str, coords: Coords) -> tuple[xr.DataArray, xr.DataArray]:
    """The quantity in prior and posterior, with its labels chosen; the last year unless one is asked for."""
    last = {"year": [int(mass_flow(dt)["year"].values[-1])]}
    chosen = last | dict(coords or {})
    if base_name(name) in INDICATORS:
        after = choose(derived(dt, name), chosen, f"indicator '{name}'")
        require_prior(dt, "derived_prior")
        return choose(derived(dt, name, "derived_prior"), chosen, f"indicator '{name}'"), after
    require_prior(dt)
    mass = mass_flow(dt)
    if name not in mass["flow"].values:
        raise ReeUncertError(f"'{name}' is neither an indicator nor a flow of this result")
    pair = [choose(m.sel(flow=name, drop=True), chosen, f"flow '{name}'") for m in (mass_flow(dt, "prior"), mass)]
    return pair[0], pair[1]


def _keys(data: xr.DataArray, dims: list[str]) -> list[tuple[Any, ...]]:
    return list(itertools.product(*(data[d].values.tolist() for d in dims)))
