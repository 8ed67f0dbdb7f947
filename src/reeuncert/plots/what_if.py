"""Worlds that differ: consumption lost in a counterfactual; answers of an outlook, and its scenarios side by side."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.counterfactuals.lost import ALL, counterfactual_of, lost_consumption
from reeuncert.errors import ReeUncertError
from reeuncert.outlook.stored import read_outlook
from reeuncert.plots.access import Coords, led_by, take
from reeuncert.plots.panels import Axis, Board, Fan, Line, Mark, Points, fan_panel, scale_of, shown_unit
from reeuncert.plots.render import Chart, Row, Span, figure_of, interval_row, render, render_chart, wrapped
from reeuncert.plots.style import PROBABILITIES, band_opacity, colours_of, hue, interval_name
from reeuncert.result.quantiles import interval_columns
from reeuncert.words.estimates import estimate, number, printed, with_unit

PRODUCT, END_USE = "product", "end_use"
LOST_DIMS = ("region", PRODUCT, END_USE)


def lost_consumption_data(world: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Lost consumption by region and product, and by region and end use.

    Parameters
    ----------
    world
        From `reeuncert.run_counterfactual`.
    coords
        ``region``, ``product``, ``end_use``: which rows are wanted; everything by default. Sums are over all of the
        region in any case.

    Returns
    -------
    DataFrame
        ``region``, ``product``, ``end_use`` (``"all"``: their sum), ``year``, ``unit``, ``consumption``, ``mean``,
        ``median``, ``eti50_lb`` … ``eti90_ub``, ``share_median``, ``share_eti50_lb`` … ``share_eti90_ub``.

    Raises
    ------
    ReeUncertError
        If this is no counterfactual, or a label does not exist.

    Examples
    --------
    >>> from reeuncert.counterfactuals import NoTrade, run_counterfactual
    >>> from reeuncert.testing import toy_posterior
    >>> world = run_counterfactual(toy_posterior(draws=20, years=2), NoTrade())
    >>> table = lost_consumption_data(world, coords={"region": "South"})
    >>> table[["product", "end_use"]].values.tolist()[:3]
    [['all', 'all'], ['compound', 'all'], ['powder', 'all']]
    """
    numbers = counterfactual_of(world)
    wanted = take(coords, {dim: numbers[dim].values.tolist() for dim in LOST_DIMS}, "lost consumption")
    of_products = _bands(world, PRODUCT).assign(**{END_USE: ALL})
    of_uses = _bands(world, END_USE).assign(**{PRODUCT: ALL})
    joined = led_by(pd.concat([of_products, of_uses[of_uses[END_USE] != ALL]]), *LOST_DIMS)
    regions = numbers["region"].values.tolist()
    joined = joined.sort_values("region", key=lambda column: column.map(regions.index), kind="stable")
    keep = joined["region"].isin(wanted["region"])
    if asked := {PRODUCT, END_USE} & set(coords or {}):
        keep &= np.logical_or.reduce([joined[dim].isin(wanted[dim]) for dim in asked])
    return joined[keep].reset_index(drop=True)


@figure_of(lost_consumption_data)
def plot_lost_consumption(world: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the consumption lost in a counterfactual, in per cent of each region's consumption."""
    table = lost_consumption_data(world, coords=coords)
    colours = colours_of([str(r) for r in counterfactual_of(world)["region"].values])
    rows = tuple(_lost_row(record, colours[str(record["region"])]) for record in table.to_dict("records"))
    year, unit = int(world.attrs["counterfactual_year"]), counterfactual_of(world)["lost_consumption"].attrs["units"]
    chart = Chart(
        f"Consumption lost in {year}: {world.attrs['counterfactual']}",
        "Part of consumption that is lost (%)",
        rows,
        subtitle=f"{world.attrs['counterfactual_rule']}; beside the names: median masses in {unit}",
        point_name=f"median; bands: {interval_name(*PROBABILITIES)}",
    )
    return render_chart(chart, backend)


def _bands(world: xr.DataTree, by: str) -> pd.DataFrame:
    """Intervals of all bands in one table."""
    keys = ["region", by, "year", "unit", "consumption", "mean", "median", "share_median"]
    first, *others = (lost_consumption(world, by=("region", by), prob=p) for p in PROBABILITIES)
    return pd.concat([first, *(table.drop(columns=keys) for table in others)], axis=1)


def _lost_row(record: dict[Any, Any], colour: str) -> Row:
    unit = str(record["unit"])
    what = ", ".join(str(record[k]) for k in (PRODUCT, END_USE) if record[k] != ALL) or "all"
    spans = []
    for i, p in reversed(list(enumerate(PROBABILITIES))):
        low, high = (100 * record[f"share_{name}"] for name in interval_columns(p))
        spans.append(Span(low, high, colour, height=0.38 + 0.12 * i, opacity=band_opacity(i)))
    label = f"{record['region']}, {what}: {with_unit(record['median'], '')} of {with_unit(record['consumption'], '')}"
    lost, share = ([record[f"{part}{c}"] for c in ("median", "eti90_lb", "eti90_ub")] for part in ("", "share_"))
    hover = (
        f"lost: {estimate(*lost, unit=unit)}",
        f"part of consumption: {estimate(*share, unit='1')}",
        interval_name(),
    )
    return Row(label, tuple(spans), point=100 * record["share_median"], hover=hover)


Told = Mapping[str, Any] | str | Path
BANDS = (0.5, 0.9)
_COLUMNS = ("eti90_lb", "eti50_lb", "median", "eti50_ub", "eti90_ub")


def outlook_data(found: Told, *, coords: Coords = None) -> pd.DataFrame:
    """Answers of an outlook, one row a question and year.

    Parameters
    ----------
    found
        Folder into which `reeuncert outlook` wrote, or what `reeuncert.outlook.answers.told` returns.
    coords
        ``question`` (numbers, from 1, as the command prints them), ``region``; everything by default.

    Returns
    -------
    DataFrame
        ``question``, ``says``, ``region``, ``year``, ``unit`` (``"1"``: a part, drawn in per cent), ``median``,
        ``eti50_lb``, ``eti50_ub``, ``eti90_lb``, ``eti90_ub`` (NaN in years in which it is not defined).

    Raises
    ------
    ReeUncertError
        For a question or region that was not asked for, or a folder without an outlook.
    """
    tables = []
    for k, asked in _asked(read_outlook(found), coords).items():
        table = pd.DataFrame({"year": asked["years"], **asked["bands"]}).astype(dict.fromkeys(_COLUMNS, float))
        tables.append(table.assign(question=k, says=asked["says"], region=_region(asked), unit=_unit(asked)))
    columns = ["question", "says", "region", "year", "unit", *_COLUMNS]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def outlook_projects_data(found: Told, *, coords: Coords = None) -> pd.DataFrame:
    """Projects that each question of an outlook is shown with: those of its region that start in its years.

    Parameters
    ----------
    found, coords
        See `outlook_data`.

    Returns
    -------
    DataFrame
        ``question``, ``project``, ``region``, ``stage``, ``status``, ``capacity`` and its ``unit``, ``announced``,
        ``median_start`` (if it opens), ``works`` (probability to work in the last year).
    """
    told = read_outlook(found)
    columns = ["project", "region", "stage", "status", "capacity", "unit", "announced", "median_start"]
    rows = []
    for k, asked in _asked(told, coords).items():
        for project in told["projects"]:
            here = _region(asked) in ("", project["region"])
            if here and asked["years"][0] <= (project["median_start"] or 0) <= asked["years"][-1]:
                works = {"question": k, "works": project[f"works_by_{told['to']}"]}
                rows.append(works | {c: project[c] for c in columns})
    return pd.DataFrame(rows, columns=["question", *columns, "works"])


def outlook_scenarios_data(found: Told, *, coords: Coords = None) -> pd.DataFrame:
    """Answers in the last year under each scenario, one row a question and scenario.

    Parameters
    ----------
    found, coords
        See `outlook_data`.

    Returns
    -------
    DataFrame
        ``question``, ``says``, ``scenario``, ``year``, ``unit``, and medians and bands as `outlook_data`.

    Raises
    ------
    ReeUncertError
        As `outlook_data`, or if the scenarios were not compared.
    """
    told = read_outlook(found)
    if not told["scenarios"]:
        raise ReeUncertError("this outlook compares no scenarios: scenarios.toml has one, or --no-compare was given")
    rows = [
        {"question": k, "unit": _unit(asked), **{c: row[c] for c in ("says", "scenario", "year", *_COLUMNS)}}
        for k, asked in _asked(told, coords).items()
        for row in told["scenarios"]
        if row["says"] == asked["says"]
    ]
    columns = ["question", "says", "scenario", "year", "unit", *_COLUMNS]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(_COLUMNS, float))


@figure_of(outlook_data)
def plot_outlook(found: Told, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the answers of an outlook over the years, a panel each: median, 50 and 90 % bands, the lines asked for, and
    a square at the median start of each project of the region, the darker the surer it is to work in the last year.
    """
    told, table = read_outlook(found), outlook_data(found, coords=coords)
    projects = outlook_projects_data(told, coords=coords)
    panels = []
    for k in table["question"].unique().tolist():
        rows = table[table["question"] == k]
        unit, years = str(rows["unit"].iloc[0]), rows["year"].to_numpy()
        scale = scale_of(unit)
        top = max(scale * float(np.nan_to_num(rows["eti90_ub"].max())), 100.0 if unit == "1" else 0.0) or 1.0
        low = min(scale * float(np.nan_to_num(rows["eti90_lb"].min())), 0.0) - 0.12 * top
        marks: list[Mark] = [
            Line((years[0], years[-1]), (scale * v, scale * v), "muted", 1.0, "dash", "asked for")
            for v in told["questions"][k - 1]["lines"]
        ]
        marks.append(Line((told["from"] + 0.5,) * 2, (low, top), "muted", 1.0, "dot", "last year of the case"))
        for row in projects[projects["question"] == k].to_dict("records"):
            at = np.array([row["median_start"]]), np.array([low + 0.05 * top])
            name, dark = "start of a project (stronger: surer to work)", 0.15 + 0.85 * row["works"]
            marks.append(Points(name, *at, "ink", "square", hover=(_project(row, told["to"]),), opacity=dark))
        fan = Fan(rows, "", hue(0), probs=BANDS, with_prior=False)
        title = "\n".join(wrapped(str(rows["says"].iloc[0])))
        axis = Axis(shown_unit(unit), (low, 1.03 * top))
        panels.append(fan_panel(title, unit, (fan,), marks=marks, y=axis))
    if not panels:
        raise ReeUncertError("this outlook answers no question: scenarios.toml has no [[answer]]")
    return render(Board(f"Outlook: {told['scenario']}", tuple(panels), min(2, len(panels)), 2.4, 4.2), backend)


def _project(row: Mapping[Any, Any], to: int) -> str:
    """A row of `outlook_projects_data` in a sentence."""
    return (
        f"{row['project']}, {row['stage']}: {number(row['capacity'])} {row['unit']} a year; announced for "
        f"{row['announced']:.1f}, median start {row['median_start']:.1f}, works by {to}: {printed(row['works'], '.0%')}"
    )


@figure_of(outlook_scenarios_data)
def plot_outlook_scenarios(found: Told, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the answers in the last year under each scenario: median, 50 and 90 % intervals, a panel a question."""
    table = outlook_scenarios_data(found, coords=coords)
    charts = []
    for _, part in table.groupby("question"):
        unit, rows = str(part["unit"].iloc[0]), []
        for row in part.to_dict("records"):
            first = row["scenario"] == part["scenario"].iloc[0]
            drawn = interval_row(row["scenario"], row, unit, hue(0 if first else 2))
            rows.append(drawn if np.isfinite(row["median"]) else replace(drawn, spans=(), point=None))
        says, year = part["says"].iloc[0], part["year"].iloc[0]
        limits = (0.0, 102.0) if unit == "1" and (part["eti90_lb"].fillna(0.0) >= 0).all() else None
        x_title = f"{year} ({shown_unit(unit)})"
        charts.append(Chart(says, x_title, tuple(rows), point_name="median", limits=limits))
    height = max(chart.height for chart in charts)
    panels = tuple(chart.panel("\n".join(wrapped(chart.title))) for chart in charts)
    return render(Board("Scenarios of the outlook", panels, 1, height, 7.0), backend)


def _asked(told: Mapping[str, Any], coords: Coords) -> dict[int, Mapping[str, Any]]:
    """Number → question, of those that `coords` select."""
    every = dict(enumerate(told["questions"], start=1))
    wanted = take(coords, {"question": every, "region": dict.fromkeys(map(_region, every.values()))}, "the outlook")
    found = {k: q for k, q in every.items() if k in wanted["question"] and _region(q) in wanted["region"]}
    if every and not found:
        raise ReeUncertError(f"no question of the outlook is number {wanted['question']} and about {wanted['region']}")
    return found


def _region(asked: Mapping[str, Any]) -> str:
    return str(asked["labels"][0]) if asked["labels"] else ""


def _unit(asked: Mapping[str, Any]) -> str:
    unit = str(asked["unit"])
    return "1" if asked["percent"] else "" if unit == "1" else unit
