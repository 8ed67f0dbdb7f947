"""Consumption by region and end use: how it builds up over the years, and how sure each end use is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.plots.access import Coords, choose, derived, draws_of, tidy
from reeuncert.plots.indicator import indicator_data
from reeuncert.plots.panels import Board, Fan, Panel
from reeuncert.plots.render import render
from reeuncert.plots.style import colours_of

NAME = "end_use_consumption"
ALL = "all"


def consumption_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Consumption by region, end use and year.

    Returns
    -------
    DataFrame
        Columns as in `indicator_data` of ``end_use_consumption``; where more than one end use is chosen, the rows of a
        region begin with their sum, ``end_use`` ``"all"``, whose quantiles are those of the sum.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = consumption_data(toy_posterior(draws=20, years=2), coords={"region": "South", "year": 2002})
    >>> table["end_use"].tolist()
    ['all', 'catalysts', 'glass', 'polishing', 'magnets']
    """
    table = indicator_data(dt, NAME, coords=coords)
    if table["end_use"].nunique() < 2:
        return table
    variable = derived(dt, NAME)
    before = draws_of(dt, NAME, "derived_prior")
    prior = None if before is None else _total(before, coords)
    total = tidy(_total(variable, coords), prior)
    total.insert(0, "indicator", NAME)
    total.insert(2, "end_use", ALL)
    total.insert(4, "unit", variable.attrs["units"])
    return pd.concat([total[table.columns], table], ignore_index=True)


def plot_consumption(
    dt: xr.DataTree,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
) -> Any:
    """Draw consumption over the years, one panel a region and end use.

    Parameters
    ----------
    dt
        Result with indicators.
    coords
        ``region``, ``end_use``, ``year``; everything by default.
    backend, theme
        See `plot_indicator`.

    Raises
    ------
    ReeUncertError
        If the indicators have not been computed.
    """
    table = consumption_data(dt, coords=coords)
    regions = list(dict.fromkeys(table["region"]))
    uses = list(dict.fromkeys(table["end_use"]))
    colours = colours_of([str(r) for r in derived(dt, NAME)["region"].values])
    unit = str(table["unit"].iloc[0])
    years = sorted(set(table["year"]))
    panels = []
    for use in uses:
        for region in regions:
            rows = table[(table["region"] == region) & (table["end_use"] == use)]
            if len(rows):
                fan = Fan.of(rows, str(region), colours[region], years=years)
                panels.append(Panel(f"{'all end uses' if use == ALL else use}, {region}", unit, unit, (fan,)))
    return render(Board("Consumption by end use", tuple(panels), len(regions), 1.8), backend, theme)


def _total(variable: xr.DataArray, coords: Coords) -> xr.DataArray:
    return choose(variable, coords, f"indicator '{NAME}'").sum("end_use", min_count=1)
