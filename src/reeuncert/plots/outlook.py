"""An outlook: its answers over the years with the starts of projects, and the scenarios side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.errors import ReeUncertError
from reeuncert.outlook.stored import read_outlook
from reeuncert.plots.access import Coords, check_labels, take
from reeuncert.plots.panels import Axis, Board, Fan, Line, Mark, Panel, Points, scale_of
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.rows import Chart, Row, Span, wrapped
from reeuncert.plots.style import hue, interval_name
from reeuncert.words.estimates import interval, number, printed, with_unit

Told = Mapping[str, Any] | str | Path
BANDS = (0.5, 0.9)
_DIMS = ("question", "region")
_COLUMNS = ("eti90_lb", "eti50_lb", "median", "eti50_ub", "eti90_ub")


def outlook_data(found: Told, *, coords: Coords = None) -> pd.DataFrame:
    """Answers of an outlook, one row a question and year.

    Parameters
    ----------
    found
        Folder into which `reeuncert outlook` wrote, or what `reeuncert.outlook.told.told` returns.
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
        for column, value in zip(("question", "says", "region"), (k, asked["says"], _region(asked)), strict=True):
            table[column] = value
        tables.append(table.assign(unit=_unit(asked)))
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
def plot_outlook(found: Told, *, coords: Coords = None, backend: str = "matplotlib", theme: str = "light") -> Any:
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
            marks.append(Points(name, *at, "ink", "square", hover=(project_told(row, told["to"]),), opacity=dark))
        fan = Fan.of(rows, "", hue(0), probs=BANDS, prior=False)
        title = "\n".join(wrapped(str(rows["says"].iloc[0])))
        axis = Axis("%" if unit == "1" else unit, (low, 1.03 * top))
        panels.append(Panel(title, unit, fans=(fan,), marks=tuple(marks), y=axis))
    if not panels:
        raise ReeUncertError("this outlook answers no question: scenarios.toml has no [[answer]]")
    return render(Board(f"Outlook: {told['scenario']}", tuple(panels), min(2, len(panels)), 2.4, 4.2), backend, theme)


def project_told(row: Mapping[Any, Any], to: int) -> str:
    """A row of `outlook_projects_data` in a sentence."""
    return (
        f"{row['project']}, {row['stage']}: {number(row['capacity'])} {row['unit']} a year; announced for "
        f"{row['announced']:.1f}, median start {row['median_start']:.1f}, works by {to}: {printed(row['works'], '.0%')}"
    )


@figure_of(outlook_scenarios_data)
def plot_outlook_scenarios(
    found: Told, *, coords: Coords = None, backend: str = "matplotlib", theme: str = "light"
) -> Any:
    """Draw the answers in the last year under each scenario: median, 50 and 90 % intervals, a panel a question."""
    table = outlook_scenarios_data(found, coords=coords)
    charts = []
    for _, part in table.groupby("question"):
        unit, rows = str(part["unit"].iloc[0]), []
        for row in part.to_dict("records"):
            at = {c: scale_of(unit) * row[c] for c in _COLUMNS}
            first = row["scenario"] == part["scenario"].iloc[0]
            spans = tuple(
                Span(at[f"eti{b}_lb"], at[f"eti{b}_ub"], hue(0 if first else 2), interval_name(int(b) / 100), h, o)
                for b, h, o in (("90", 0.28, 0.45), ("50", 0.5, 0.9))
            )
            told = (
                f"median {with_unit(row['median'], unit)}",
                f"{interval_name(0.9)}: {interval(row['eti90_lb'], row['eti90_ub'], unit)}",
            )
            defined = bool(np.isfinite(row["median"]))
            rows.append(
                Row(row["scenario"], spans if defined else (), point=at["median"] if defined else None, hover=told)
            )
        says, year = part["says"].iloc[0], part["year"].iloc[0]
        limits = (0.0, 102.0) if unit == "1" and (part["eti90_lb"].fillna(0.0) >= 0).all() else None
        charts.append(
            Chart(says, f"{year} ({'%' if unit == '1' else unit})", tuple(rows), point_name="median", limits=limits)
        )
    height = max(chart.height for chart in charts)
    panels = tuple(chart.panel("\n".join(wrapped(chart.title))) for chart in charts)
    return render(Board("Scenarios of the outlook", panels, 1, height, 7.0), backend, theme)


def _asked(told: Mapping[str, Any], coords: Coords) -> dict[int, Mapping[str, Any]]:
    """Number → question, of those that `coords` select."""
    every = dict(enumerate(told["questions"], start=1))
    known: dict[str, list[Any]] = {"question": list(every), "region": list(dict.fromkeys(map(_region, every.values())))}
    wanted = take(coords, _DIMS, "an outlook")
    for dim, labels in wanted.items():
        check_labels(labels, known[dim], dim, "the outlook")
    kept = wanted.get("question", known["question"])
    return {k: q for k, q in every.items() if k in kept and _region(q) in wanted.get("region", known["region"])}


def _region(asked: Mapping[str, Any]) -> str:
    return str(asked["labels"][0]) if asked["labels"] else ""


def _unit(asked: Mapping[str, Any]) -> str:
    unit = str(asked["unit"])
    return "1" if asked["percent"] else "" if unit == "1" else unit
