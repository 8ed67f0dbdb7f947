"""Consumption by region and end use: how it builds up over the years, and how sure each end use is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.plots.access import Coords
from reeuncert.plots.indicator import indicator_data
from reeuncert.plots.panels import Board, Fan, Panel, render
from reeuncert.plots.style import colours_of

NAME = "end_use_consumption"


def consumption_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Consumption by region, end use and year; columns as in `indicator_data` of ``end_use_consumption``."""
    return indicator_data(dt, NAME, coords=coords)


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
    colours = colours_of([str(r) for r in dt["derived"]["region"].values])
    unit = str(table["unit"].iloc[0])
    years = sorted(set(table["year"]))
    panels = []
    for use in uses:
        for region in regions:
            rows = table[(table["region"] == region) & (table["end_use"] == use)]
            if len(rows):
                fan = Fan.of(rows, str(region), colours[region], years=years)
                panels.append(Panel(f"{use}, {region}", unit, unit, (fan,)))
    return render(Board("Consumption by end use", tuple(panels), len(regions), 1.8), backend, theme)
