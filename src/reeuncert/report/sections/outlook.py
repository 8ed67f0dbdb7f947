"""The outlook: bands of the answers to come, with the starts of projects, and the scenarios side by side."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from reeuncert.outlook.stored import outlook_of
from reeuncert.plots.what_if import outlook_data, outlook_projects_data, project_told
from reeuncert.report.figures import interval_picture, tag
from reeuncert.result.result import Result
from reeuncert.words.estimates import number

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640.0, 270.0, 52.0, 22.0, 10.0, 56.0


def content(result: Result) -> dict[str, Any] | None:
    """What `reeuncert outlook` wrote beside the result, with a picture of each answer; None where it wrote nothing."""
    found = result.once(outlook_of)
    if found is None:
        return None
    table, projects = outlook_data(found), outlook_projects_data(found)
    questions = []
    for k, q in enumerate(found["questions"], start=1):
        picture = fan_picture(q, found, *(rows[rows["question"] == k] for rows in (table, projects)))
        same = [row | {"picture": _bar(row, q)} for row in found["scenarios"] if row["says"] == q["says"]]
        questions.append(q | {"picture": picture, "scenarios": same})
    return dict(found) | {"questions": questions}


def _bar(row: Mapping[str, Any], question: Mapping[str, Any]) -> Markup:
    low, middle, high = (math.nan if row[k] is None else float(row[k]) for k in ("eti90_lb", "median", "eti90_ub"))
    label, unit = f"{row['scenario']}: {question['says']}", question["unit"] if question["percent"] else ""
    return interval_picture((low, middle, high), (math.nan,) * 3, unit=unit, log=False, label=label)


def fan_picture(
    question: Mapping[str, Any], found: Mapping[str, Any], rows: pd.DataFrame, projects: pd.DataFrame
) -> Markup:
    """Median, 50 and 90 % bands over the years as an ``svg`` element; a dashed line for each line asked for, and a mark
    for each project of the region at its median start, the fuller the surer it is that it works in the last year.
    """
    years, there = rows["year"].tolist(), np.flatnonzero(rows["median"].notna()).tolist()
    if not there:
        return Markup("")
    bands = {name: rows[name].tolist() for name in rows.columns}
    low, high = float(rows["eti90_lb"].min()), float(rows["eti90_ub"].max())
    low, high = (0.0, max(high, 1.0)) if question["percent"] and low >= 0 else (min(low, 0.0), high)
    high = high if high > low else low + 1.0

    def x(year: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (year - years[0]) / max(years[-1] - years[0], 1), 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    def path(name: str, order: Sequence[int]) -> str:
        return " ".join(f"{x(years[k])},{y(bands[name][k])}" for k in order)

    label = f"{question['says']}: median and bands from {years[0]} to {years[-1]}"
    parts = []
    for step in range(5):
        value = low + (high - low) * step / 4
        text = f"{number(100 * value)} %" if question["percent"] else number(value)
        parts.append(_line("grid", LEFT, WIDTH - RIGHT, y(value), y(value)))
        parts.append(_text(LEFT - 6, y(value) + 4, text, "end"))
    for band in ("90", "50"):
        points = f"{path(f'eti{band}_ub', there)} {path(f'eti{band}_lb', there[::-1])}"
        parts.append(tag("polygon", class_=f"b{band}", points=points))
    parts.append(tag("polyline", class_="median", points=path("median", there)))
    parts += [_line("ask", LEFT, WIDTH - RIGHT, y(v), y(v)) for v in question["lines"] if low <= v <= high]
    now = found["from"]
    parts.append(_line("now", x(now), x(now), TOP, HEIGHT - BOTTOM))
    for year in range(years[0], years[-1] + 1, 5):
        parts.append(_text(x(year), HEIGHT - BOTTOM + 16, str(year), "middle"))
    for project in projects.to_dict("records"):
        size, dark = 6.0 + min(8.0, 2.0 * math.sqrt(project["capacity"])), 0.15 + 0.85 * project["works"]
        place = {"x": x(project["median_start"]) - size / 2, "y": HEIGHT - 26 - size / 2, "width": size, "height": size}
        told = tag("title", project_told(project, found["to"]))
        parts.append(tag("rect", told, class_="plan", **place, fill_opacity=dark))
    parts.append(_text(LEFT, HEIGHT - 4, "Squares: starts of projects, if they open; stronger: surer to work", "start"))
    box = f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", Markup("").join(parts), class_="fan", viewBox=box, role="img", aria_label=label)


def _line(name: str, x1: float, x2: float, y1: float, y2: float) -> Markup:
    return tag("line", class_=name, x1=x1, x2=x2, y1=y1, y2=y2)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return tag("text", text, x=x, y=y, text_anchor=anchor)
