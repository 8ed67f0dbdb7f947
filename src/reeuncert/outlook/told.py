"""What an outlook has found, as plain values: for its file, the terminal and the report."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.outlook.answers import COLUMNS, Answer, drivers, element_table, project_table
from reeuncert.outlook.plans import Plans
from reeuncert.result.io import made
from reeuncert.words.cells import condensed

MOST_DRIVERS = 5


def told(
    world: xr.DataTree, plans: Plans, found: Sequence[Answer], scenarios: pd.DataFrame | None = None, warning: str = ""
) -> dict[str, Any]:
    """Everything that is shown of an outlook.

    ``result`` (when it was made), ``from``, ``to``, ``scenario``, ``why``, ``warning``; ``questions`` (``says``,
    ``unit``, ``percent``, ``years``, ``bands``: the quantiles `COLUMNS` by year; ``sentences``, ``lines``,
    ``drivers``); ``projects``, ``elements``, ``events`` and ``scenarios`` as records.
    """
    for answer in found:
        if answer.narrower():
            when = condensed(answer.narrower())
            narrower = f"An interval is narrower than that of the present year, in {when}: {answer.question.says}."
            warning = f"{warning} {narrower}".strip()
    scenario = plans.scenario(str(world.attrs["outlook_scenario"]))
    events = sorted(plans.events, key=lambda event: event.date)
    questions = []
    for answer in found:
        q = answer.question
        bands = [[_plain(float(v)) for v in answer.quantiles(year)] for year in answer.years]
        questions.append(
            {
                "says": q.says,
                "labels": [label for label in (q.region, q.partner, q.product) if label],
                "unit": answer.unit,
                "percent": answer.percent,
                "years": list(answer.years),
                "bands": dict(zip(COLUMNS, map(list, zip(*bands, strict=True)), strict=True)),
                "lines": list(q.lines),
                "sentences": answer.sentences(),
                "drivers": drivers(world, plans, answer).head(MOST_DRIVERS).to_dict("records"),
            }
        )
    return {
        "result": made(world),
        "from": int(world.attrs["outlook_from"]),
        "to": int(np.asarray(world["posterior"]["year"])[-1]),
        "scenario": scenario.name,
        "why": scenario.why,
        "warning": warning,
        "questions": questions,
        "projects": _records(project_table(world, plans)),
        "elements": _records(element_table(world)),
        "shortage": _shortage(world),
        "events": [{n: getattr(e, n) for n in ("date", "actor", "content", "note")} for e in events],
        "scenarios": [] if scenarios is None else _records(scenarios),
    }


def _shortage(world: xr.DataTree) -> list[dict[str, Any]]:
    """Part of final demand that is not served, by year: median and 90 % interval over all uses."""
    held = world["outlook"].to_dataset()
    part = (held["shortage"].sum("use") / held["demand"].sum("use")).quantile([0.05, 0.5, 0.95], ("chain", "draw"))
    return [
        {"year": int(y), "eti90_lb": float(v[0]), "median": float(v[1]), "eti90_ub": float(v[2])}
        for y, v in zip(held["year"].values, part.transpose("year", "quantile").values, strict=True)
    ]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(v) for k, v in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def warning_of(folder: Path, dt: xr.DataTree) -> str:
    """What the checks of a result say against an outlook of it; empty where all passed."""
    if dt.attrs.get("approximate") == "yes":
        return "The result is a quick look that has not converged: quote nothing of this outlook."
    file = folder / "checks.csv"
    if not file.is_file():
        return "The checks of the result are not known: there is no checks.csv beside it."
    checks = pd.read_csv(file, usecols=["check", "status"])
    failed = checks.loc[checks["status"].isin(["failed", "not run"]), "check"].tolist()
    if not failed:
        return ""
    names = ", ".join(failed)
    return f"The result did not pass its checks ({names}), so that this outlook starts from doubtful numbers."
