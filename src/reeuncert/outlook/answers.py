"""Answers of an outlook: bands, probabilities, what moves them, shortages of elements, scenarios side by side; and all
of it as plain values for its file, the terminal and the report.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.indicators.registry import lookup
from reeuncert.outlook.plans import DEMAND, Plans, Question
from reeuncert.outlook.run import GROUP, worlds
from reeuncert.result.io import made
from reeuncert.result.result import Result
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.cells import condensed
from reeuncert.words.estimates import number, numbers

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
COLUMNS = ("eti90_lb", "eti50_lb", "median", "eti50_ub", "eti90_ub")
COMPARED = 250  # draws of each scenario where scenarios are compared
MOST_DRIVERS = 5
FEWEST = 0.05  # part of the draws that each side of a comparison needs


@dataclass(frozen=True, eq=False)
class Answer:
    """One question with its draws, array (sample, year), NaN where it is not defined."""

    question: Question
    unit: str
    percent: bool
    years: tuple[int, ...]
    now: int
    draws: Array

    def of(self, year: int) -> Array:
        """Defined draws of a year."""
        values = self.draws[:, self.years.index(year)]
        return values[np.isfinite(values)]

    def quantiles(self, year: int) -> Array:
        """Quantiles `PROBABILITIES` of a year; NaN where it is not defined."""
        values = self.of(year)
        return np.quantile(values, PROBABILITIES) if values.size else np.full(len(PROBABILITIES), np.nan)

    def below(self, line: float, year: int) -> float:
        """Probability to lie below a line in a year."""
        return float(np.mean(self.of(year) < line)) if self.of(year).size else float("nan")

    def narrower(self) -> list[int]:
        """Future years in which its 90 % band is narrower than that of the last past year: there should be none."""
        width = {year: float(np.ptp(self.quantiles(year)[[0, 4]])) for year in self.years if year >= self.now}
        return [year for year in width if width[year] < width[self.now]]

    def stated(self, year: int) -> str:
        """Median and 90 % interval of a year as text."""
        low, middle, high = self.quantiles(year)[[0, 2, 4]]
        told = numbers(middle, low, high, percent=self.percent)
        unit = " %" if self.percent else "" if self.unit == "1" else f" {self.unit}"
        return f"{told[0]}{unit} ({told[1]} to {told[2]}{unit})"

    def sentences(self) -> list[str]:
        """What the outlook says of it, in sentences."""
        says, last = self.question.says or lookup(self.question.indicator).title, self.years[-1]
        out = [f"{says} was {self.stated(self.now)} in {self.now}, and the outlook for {last} is {self.stated(last)}."]
        asked = [year for year in self.question.years if year in self.years] or [last]
        for line in self.question.lines:
            shown = f"{number(line, percent=self.percent)}{' %' if self.percent else ''}"
            chances = " and ".join(f"{chance(self.below(line, year))} in {year}" for year in asked)
            likely = [y for y in self.years if y > self.now and self.below(line, y) > 0.5]
            already = self.below(line, self.now) > 0.5
            if likely:
                when = f"that is more likely than not in {condensed(likely)}"
                when += f", as in {self.now} already" if already else ""
            elif already:
                when = f"that is more likely than not in {self.now}, but in no later year up to {last}"
            else:
                when = f"in no year up to {last} is that more likely than not"
            out.append(f"The probability that it lies below {shown} is {chances}; {when}.")
        return out


def chance(probability: float) -> str:
    """A probability as text; never 0 or 100 %, which draws cannot tell.

    >>> chance(0.314), chance(0.0), chance(0.9999)
    ('31 %', 'below 1 %', 'above 99 %')
    """
    if not np.isfinite(probability):
        return "not defined"
    if probability < 0.01 or probability > 0.99:
        return "below 1 %" if probability < 0.5 else "above 99 %"
    return f"{round(100 * probability)} %"


def answers(world: xr.DataTree, plans: Plans) -> list[Answer]:
    """Answers to the questions of the plans, from the result of `outlook`."""
    names = list(dict.fromkeys(q.indicator for q in plans.questions))
    derived = add_indicators(world, names)["derived"].to_dataset() if names else xr.Dataset()
    years = tuple(int(y) for y in np.asarray(world["posterior"]["year"]))
    out = []
    for question in plans.questions:
        values = derived[question.indicator]
        for dim in ("region", "partner", "product"):
            if dim in values.dims:
                values = values.sel({dim: getattr(question, dim)})
        draws = values.transpose("chain", "draw", "year").values.reshape(-1, len(years))
        unit, percent = str(values.attrs.get("units", "")), lookup(question.indicator).percent
        out.append(Answer(question, unit, percent, years, int(world.attrs["outlook_from"]), draws))
    return out


def answer_table(found: Sequence[Answer]) -> pd.DataFrame:
    """A row for each question and year: what it ``says``, its labels, ``unit``, median, ends of the 50 and 90 % bands,
    and ``below_X`` for every line X that some question asks for.
    """
    labels, rows = ("says", "indicator", "region", "partner", "product"), []
    for answer in found:
        q = answer.question
        for year in answer.years:
            row: dict[str, object] = {n: getattr(q, n) for n in labels}
            row |= {"year": year, "unit": answer.unit, **dict(zip(COLUMNS, answer.quantiles(year), strict=True))}
            rows.append(row | {f"below_{line:g}": answer.below(line, year) for line in q.lines})
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*labels, "year", "unit", *COLUMNS])


def project_table(world: xr.DataTree, plans: Plans) -> pd.DataFrame:
    """When each project starts: announced, median if it opens, and the probability to work by the end of some years."""
    start = _by("project", world[GROUP].to_dataset()["start"])
    years = np.asarray(world[GROUP]["year"])
    shown = dict.fromkeys((int(years[len(years) // 2 - 1]), int(years[-1])))
    unit = Result(world).unit
    rows = []
    for project, draws in zip(plans.projects, start, strict=True):
        opens = draws[np.isfinite(draws)]
        row: dict[str, object] = {n: getattr(project, n) for n in ("project", "region", "stage", "status")}
        row |= {"capacity": project.mass(unit), "unit": unit, "announced": project.announced_start}
        row |= {"median_start": float(np.median(opens)) if opens.size else float("nan")}
        rows.append(row | {f"works_by_{year}": float(np.mean(draws < year + 1)) for year in shown})
    return pd.DataFrame(rows)


def drivers(world: xr.DataTree, plans: Plans, answer: Answer) -> pd.DataFrame:
    """What moves an answer in the last year: for each cause the difference of its mean between the draws on either side
    of it (project open or not; above or below the median), and the part of its variance that this explains.

    Columns ``cause``, ``difference``, ``explained``; the largest first.
    """
    y = answer.draws[:, -1]
    causes = _causes(world, plans, answer)
    rows = []
    for cause, high in causes.items():
        high, value = high[np.isfinite(y)], y[np.isfinite(y)]
        part = float(np.mean(high)) if high.size else 0.0
        if FEWEST < part < 1 - FEWEST and value.var() > 0:
            difference = float(value[high].mean() - value[~high].mean())
            explained = part * (1 - part) * difference**2 / float(value.var())
            rows.append({"cause": cause, "difference": difference, "explained": explained})
    table = pd.DataFrame(rows, columns=["cause", "difference", "explained"])
    return table.sort_values("explained", ascending=False, ignore_index=True)


def _causes(world: xr.DataTree, plans: Plans, answer: Answer) -> dict[str, Mask]:
    """Cause → on which draws it is present or high, boolean array (sample,)."""
    numbers_of, flows = world[GROUP].to_dataset(), Result(world).case.system
    last = answer.years[-1]
    start = _by("project", numbers_of["start"])
    out = {f"{p.project} works": s < last + 1 for p, s in zip(plans.projects, start, strict=True)}
    present = answer.draws[:, answer.years.index(answer.now)]
    out[f"high already in {answer.now}"] = present > np.nanmedian(present)
    for name, uses in (("demand", "use"), ("mine_capacity", "mine")):
        values = _by(uses, numbers_of[name].sel(year=last))
        places = [flows.flows[flows.flow_index[str(f)]] for f in numbers_of[uses].values]
        if uses == "mine":
            names = [f"large mines in {f.origin}" for f in places]
        elif any(row.subject == DEMAND and row.region for row in plans.growth):
            names = [f"large demand in {f.destination}" for f in places]
        else:  # one projection moves all regions together, more than their own growth does
            names = ["large demand"] * len(places)
        for cause in dict.fromkeys(names):
            total = values[[other == cause for other in names]].sum(axis=0)
            out[cause] = total > np.median(total)
    return out


def _by(dim: str, values: xr.DataArray) -> Array:
    """Draws as an array (dim, sample)."""
    samples = values.sizes["chain"] * values.sizes["draw"]
    return np.asarray(values.transpose(dim, "chain", "draw").values.reshape(values.sizes[dim], samples))


def element_table(world: xr.DataTree) -> pd.DataFrame:
    """Shortage of elements: growth of what goods need against growth of what mines and recycling could give.

    For each element and future year: ``probability`` that need has outgrown supply since the last past year by over a
    twentieth; median and 90 % interval of the ``missing`` part of need. The last past year counts as balanced, so that
    what is not known of the contents cancels. Empty where the case has no contents.
    """
    case, held = Result(world).case, world[GROUP].to_dataset()
    table = FlowTable.from_dataset(world["posterior"].to_dataset(), case)
    now = table.years.index(int(world.attrs["outlook_from"]))
    mined = held["mine_capacity"].transpose("mine", "chain", "draw", "year")
    mines = dict(zip(map(str, mined["mine"].values), mined.values, strict=True))
    rows: list[dict[str, object]] = []
    goods = [
        str(use)
        for use in held["use"].values
        if (f := case.system.flows[case.system.flow_index[str(use)]]).product in table.goods and f.to_process == OUTSIDE
    ]
    if not goods:
        return pd.DataFrame(columns=["element", "year", "probability", *COLUMNS])
    first = np.sum([table.of(case.system.flow_index[use])[..., now] for use in goods], axis=0)
    need = held["demand"].sel(use=goods).sum("use").transpose("chain", "draw", "year").values / first[..., None]
    for element, contents in table.contents.items():
        supply = _element_supply(table, contents, mines, now)
        missing = np.maximum(1.0 - supply / need, 0.0).reshape(-1, need.shape[-1])
        for year, values in zip(table.years[now + 1 :], missing.T, strict=True):
            row = {"element": element, "year": year, "probability": float(np.mean(values > 0.05))}
            rows.append(row | dict(zip(COLUMNS, np.quantile(values, PROBABILITIES), strict=True)))
    return pd.DataFrame(rows)


def _element_supply(table: FlowTable, contents: Mapping[int, Array], mines: Mapping[str, Array], now: int) -> Array:
    """What mines could give of an element and recycling gives, over that of the last past year (chain, draw, year)."""
    names, recycled = table.attributes["flow"], table.attributes["quantity"] == "recycling"
    ahead, before = np.zeros(()), np.zeros(())
    for i, share in contents.items():
        name = str(names[i])
        if name in mines or recycled[i]:
            share = np.broadcast_to(share, (*share.shape[:2], len(table.years)))
            mass = mines[name] if name in mines else table.of(i)[..., now + 1 :]
            ahead = ahead + mass * share[..., now + 1 :]
            before = before + table.of(i)[..., now] * share[..., now]
    return np.asarray(ahead / before[..., None])


def compare_scenarios(dt: xr.DataTree, plans: Plans, *, to: int, seed: int, most: int = COMPARED) -> pd.DataFrame:
    """Every scenario on some of the draws: a row for each scenario and question, columns as `answer_table` in the last
    year, and the same random numbers in all.
    """
    draws = dt["posterior"].sizes["draw"]
    step = max(1, draws * dt["posterior"].sizes["chain"] // most)
    few = xr.DataTree.from_dict({"posterior": dt["posterior"].to_dataset().isel(draw=slice(0, draws, step))})
    few.attrs = dt.attrs
    names = [scenario.name for scenario in plans.scenarios]
    parts = []
    for name, world in zip(names, worlds(few, plans, names, to=to, seed=seed), strict=True):
        table = answer_table(answers(world, plans))
        table.insert(0, "scenario", name)
        parts.append(table[table["year"] == to])
    return pd.concat(parts, ignore_index=True)


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
