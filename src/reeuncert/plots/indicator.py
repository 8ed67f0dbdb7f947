"""An indicator over the years, beside published values; consumption by region and end use."""

import itertools
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ArgumentError
from reeuncert.indicators.printing import labels_in_words
from reeuncert.indicators.registry import DIMS, lookup
from reeuncert.indicators.summary import SAMPLE, computed, computed_prior, select_labels
from reeuncert.plots.access import Coords, led_by, tidy
from reeuncert.plots.panels import Board, Fan, Points, fan_panel
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.style import colours_of, hue
from reeuncert.reference import values_of
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow


def indicator_data(dt: xr.DataTree, name: str, *, coords: Coords = None) -> pd.DataFrame:
    """Quantiles of an indicator, one row for each combination of labels and year that exists.

    Parameters
    ----------
    dt
        Result with indicators.
    name
        Name of an indicator, see `reeuncert.indicators`.
    coords
        Dim → label or labels, e.g. ``{"region": "North", "year": [2001, 2002]}``; everything by default.

    Returns
    -------
    DataFrame
        ``indicator``, the dims of the indicator, ``year``, ``unit``, ``mean``, ``median``, ``eti50_lb`` … ``eti90_ub``,
        ``prior_median``, ``prior_eti90_lb``, ``prior_eti90_ub`` (NaN where the prior was not simulated). Of
        an event, 0 or 1 in a draw, the median is its probability, and the intervals are empty.

    Raises
    ------
    ReeUncertError
        If the indicator has not been computed, or a dim or label is not one of its own.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = indicator_data(toy_posterior(draws=20, years=2), "mine_production", coords={"region": "South"})
    >>> table[["indicator", "region", "year", "unit"]].values.tolist()
    [['mine_production', 'South', 2001, 'kt'], ['mine_production', 'South', 2002, 'kt']]
    """
    variable, before = computed(dt, name), computed_prior(dt, name)
    after, prior = select_labels(variable, coords), None if before is None else select_labels(before, coords)
    event = lookup(name, Result.holding(dt).case).event
    if event:
        after = after.mean(SAMPLE, keepdims=True)
        prior = None if prior is None else prior.mean(SAMPLE, keepdims=True)
    table = tidy(after, prior).assign(indicator=name, unit=variable.attrs["units"])
    if event:
        table.loc[:, table.columns.str.contains("eti")] = np.nan
    return led_by(table, "indicator", *(d for d in DIMS if d in variable.dims), "year", "unit")


@figure_of(indicator_data, published="Set the published values of the case beside, see `reeuncert.reference`.")
def plot_indicator(
    dt: xr.DataTree, name: str, *, coords: Coords = None, backend: str = "matplotlib", published: bool = False
) -> Any:
    """Draw an indicator over the years, one panel for each combination of labels."""
    if not isinstance(published, bool):
        raise ArgumentError(f"plot_indicator: published is of type {type(published).__name__}; give True or False")
    table = indicator_data(dt, name, coords=coords)
    variable = computed(dt, name)
    dims = [d for d in DIMS if d in variable.dims]
    unit, title = str(variable.attrs["units"]), str(variable.attrs["long_name"])
    span = [int(y) for y in variable["year"].values if y in set(table["year"])]
    colours = colours_of([str(r) for r in variable["region"].values]) if "region" in dims else {}
    groups: Any = table.groupby(dims, sort=False) if dims else [((), table)]
    panels = []
    for key, rows in groups:
        labels = dict(zip(dims, key, strict=True))
        fan = Fan(rows, "posterior", colours.get(str(labels.get("region")), hue(0)), years=span)
        points = published_points(dt, name, labels) if published else ()
        told = " · ".join(labels_in_words(name, labels))
        panels.append(fan_panel(told or title, unit, (fan,), points))
    return render(Board(title, tuple(panels)), backend)


def published_points(dt: xr.DataTree, name: str, labels: Mapping[str, Any]) -> list[Points]:
    """Published values of one series, by source; a rate stands in every year that it holds for."""
    of_source: dict[str, list[tuple[int, float, str]]] = {}
    for one in values_of(Result.holding(dt), name, labels, int(mass_flow(dt)["year"].values[0])):
        of_source.setdefault(one.source, []).extend((year, one.value, one.told) for year in one.years)
    out = []
    for source, shown in of_source.items():
        years, values, texts = zip(*shown, strict=True)
        out.append(Points(f"published: {source}", np.array(years), np.array(values), hover=texts))
    return out


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
    both = (computed(dt, NAME), computed_prior(dt, NAME))
    after, prior = (None if v is None else select_labels(v, coords).sum("end_use", min_count=1) for v in both)
    total = tidy(cast(xr.DataArray, after), prior).assign(indicator=NAME, end_use=ALL, unit=table["unit"].iloc[0])
    return pd.concat([total[table.columns], table], ignore_index=True)


@figure_of(consumption_data)
def plot_consumption(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw consumption over the years, one panel a region and end use."""
    table = consumption_data(dt, coords=coords)
    regions, uses = (list(dict.fromkeys(table[dim])) for dim in ("region", "end_use"))
    colours = colours_of([str(r) for r in computed(dt, NAME)["region"].values])
    unit, years = str(computed(dt, NAME).attrs["units"]), sorted(set(table["year"]))
    panels = []
    for use, region in itertools.product(uses, regions):
        rows = table[(table["region"] == region) & (table["end_use"] == use)]
        if len(rows):
            fan = Fan(rows, str(region), colours[region], years=years)
            panels.append(fan_panel(f"{'all end uses' if use == ALL else use}, {region}", unit, (fan,)))
    return render(Board("Consumption by end use", tuple(panels), len(regions), 1.8), backend)
