"""Reads the tables of an outlook; all problems at once, with file, line and column."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from reeuncert.case.records import Case, Source
from reeuncert.counterfactuals.network import MADE
from reeuncert.errors import CaseError, Problem
from reeuncert.outlook.plans import (
    OUTCOMES,
    STATUSES,
    DelayPair,
    GrowthFigure,
    Lifetime,
    Plans,
    PolicyEvent,
    Project,
    RampPoint,
)
from reeuncert.outlook.recycling import recyclers_of
from reeuncert.outlook.scenarios import CAPACITY, DEMAND, TABLES, OutlookScenario, Question, read_scenarios
from reeuncert.outlook.scenarios import FILE as SCENARIOS
from reeuncert.reading.bundled import find_case, folders_of
from reeuncert.reading.tables import Column, Row, read_table, read_text, report_duplicates
from reeuncert.reading.toml import line_of, parse_toml
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.cells import name_cell, number_cell, text_cell, unknown, year_cell
from reeuncert.words.units import TONNES, unit_cell, unknown_unit

FOLDER = "outlook"
MOST_GROWTH = 0.5  # log growth a year beyond which a rate is taken for one in per cent
EARLIEST, LATEST = 1950.0, 2100.0
PROJECTS, SOURCES = "projects.csv", "sources.csv"
_TEXTS = {"project": name_cell, "plant": name_cell, "region": text_cell, "unit": unit_cell}
_FILLED: Mapping[type, Mapping[str, str]] = {Source: {"lineage": "", "error_class": ""}}
"""Fields of records that a model needs and an outlook does not."""
_FREE = ("edition", "locator", "note", "overdue", "region", "name", "milestone", "basis")


def read_plans(folder: str | Path, case: Case) -> Plans:
    """Read the tables of an outlook.

    Parameters
    ----------
    folder
        Folder with ``projects.csv`` and, as far as they are there, ``delays.csv``, ``ramp.csv``, ``growth.csv``,
        ``events.csv``, ``lifetimes.csv``, ``sources.csv`` and ``scenarios.toml``. A table that is not there is that of
        the case which ``scenarios.toml`` names with ``tables``. Plans of an earlier year, in a folder in it, share its
        sources.
    case
        Case whose regions, stages, end uses and sources the tables name.

    Raises
    ------
    CaseError
        All problems of all tables.
    """
    place = Path(folder)
    lent, problems = _lender(place)
    rows: dict[str, list[Any]] = {}
    known = list(case.sources)
    for file, (record, check, key) in _TABLES.items():
        path, own = place / file, True
        if file == SOURCES and place.parent.name == FOLDER:
            path = place.parent / file
        if lent is not None and not path.exists():
            path, own = lent / file, False
        if file != PROJECTS and not path.exists():
            rows[file] = []
            continue
        table = read_table(path, file, _columns(record), {})
        if record is Source:
            known += [row["source_id"] for row in table.rows]
        for row in table.rows if own else ():  # a lent table is checked in its own case
            for column, message in check(row, case):
                if not table.is_bad(row.line, column):
                    table.report(row.line, column, message)
            if known and not table.is_bad(row.line, "source_id") and row["source_id"] not in known:
                table.report(row.line, "source_id", unknown(row["source_id"], known, "source"))
        if key:
            report_duplicates(table, table.rows, key, "the row")
        problems += table.problems
        rows[file] = [] if table.problems else [record(**row.cells, **_FILLED.get(record, {})) for row in table.rows]
    found = tuple(rows[file] for file in (*list(_TABLES)[1:], SOURCES))
    names = tuple(p.project for p in rows[PROJECTS])
    scenarios: tuple[OutlookScenario, ...] = ()
    questions: tuple[Question, ...] = ()
    if (place / SCENARIOS).exists():
        growth = [(g.subject, g.scenario) for g in rows["growth.csv"]]
        scenarios, questions, wrong = read_scenarios(place / SCENARIOS, case, names, growth, whole=not problems)
        problems += wrong
    if problems:
        raise CaseError(problems)
    plans = replace(Plans(*(tuple(part) for part in found)), questions=questions)
    return replace(plans, scenarios=scenarios) if scenarios else plans


def _lender(place: Path) -> tuple[Path | None, list[Problem]]:
    """Folder of the case whose tables are used where a folder has none of its own."""
    text = read_text(place / SCENARIOS, SCENARIOS, {}) if (place / SCENARIOS).exists() else ""
    content = text if isinstance(text, Problem) else parse_toml(text, SCENARIOS)
    name = None if isinstance(content, Problem) else content.get(TABLES)
    if name is None:
        return None, []  # what is wrong with the file is said where all of it is read
    try:
        if isinstance(name, str) and (lent := find_case(name) / FOLDER).is_dir():
            return lent, []
        message = f"case {name!r} has no folder '{FOLDER}'; name a case that has one, in quotes"
    except CaseError as error:
        message = error.problems[0].message
    return None, [Problem(SCENARIOS, line_of(str(text), (TABLES,)), TABLES, message)]


def folder_of(case: Case) -> Path:
    """The folder ``outlook`` in that of a case, where the case was read, or of the bundled case. Raises `CaseError` if
    there are no plans.
    """
    for place in folders_of(case.name, case.path):
        if (place / FOLDER / PROJECTS).is_file():
            return place / FOLDER
    message = f"case '{case.name}' has no plans; make a folder '{FOLDER}' with {PROJECTS} in the folder of the case"
    raise CaseError([Problem(f"{FOLDER}/{PROJECTS}", 0, "", f"{message}, or give a folder of plans")])


def plans_of(case: Case) -> Plans:
    """The plans in the folder of a case (`folder_of`)."""
    return read_plans(folder_of(case), case)


def stages_of(case: Case, region: str = "") -> tuple[str, ...]:
    """Stages at which a case has mines and plants: processes with outflows in fixed proportion.

    >>> import reeuncert as ree
    >>> stages_of(ree.read_case("small_metal"))
    ('mining', 'separation')
    """
    makers = {f.from_process for f in case.system.flows if f.quantity in MADE}
    found = [p for p in case.system.processes if p.name in makers and region in ("", p.region)]
    return tuple(dict.fromkeys(p.stage for p in found if p.stage))


def _columns(record: type) -> list[Column]:
    parsers: Mapping[Any, Callable[[str], Any]] = {"float": number_cell, "int": year_cell}
    return [
        Column(f.name, parsers.get(f.type, _TEXTS.get(f.name, text_cell)), required=f.name not in _FREE)
        for f in fields(record)
        if f.name not in _FILLED.get(record, {})
    ]


def _project(row: Row, case: Case) -> list[tuple[str, str]]:
    stages = (*(stages_of(case, row["region"]) or stages_of(case)), *(p.stage for p in recyclers_of(case)))
    found = _known(row, "region", case.regions) + _known(row, "stage", tuple(dict.fromkeys(stages)))
    if row["unit"] not in TONNES:
        found.append(("unit", unknown_unit(row["unit"], tuple(TONNES), "a capacity")))
    found += _above_zero(row, "capacity", "content")
    found += _known(row, "status", STATUSES)
    found += _dates(row, "announced_on", "announced_start")
    end = case.system.years[-1] + 1
    if row["overdue"] not in ("", "yes"):
        found.append(("overdue", unknown(row["overdue"], ("yes",), "mark")))
    if row["announced_start"] < end and row["status"] != "ramp_up" and not row["overdue"]:
        says = f"{row['announced_start']:g} lies before the end of the case ({end}); write overdue = yes if the plant "
        says += "is not open, or give status ramp_up and the capacity that it still adds if it is"
        found.append(("announced_start", says))
    return found


def _delay(row: Row, case: Case) -> list[tuple[str, str]]:
    found = _dates(row, "announced_on", "announced_start") + _known(row, "outcome", OUTCOMES)
    if row["outcome_date"] < row["announced_on"]:
        found.append(("outcome_date", "the outcome lies before the announcement; correct one of the dates"))
    return found + _known(row, "stage", stages_of(case)) + _known(row, "status", STATUSES)


def _ramp(row: Row, case: Case) -> list[tuple[str, str]]:
    found = _known(row, "stage", stages_of(case))
    if not row["years_since_start"] >= 0:
        found.append(("years_since_start", f"{row['years_since_start']:g} is below zero; give years after the start"))
    if not 0 <= row["utilisation"] <= 2:
        found.append(("utilisation", f"{row['utilisation']:g} is no share of nameplate; give 0 to 2, e.g. 0.7"))
    return found


def _growth(row: Row, case: Case) -> list[tuple[str, str]]:
    found = _known(row, "subject", (DEMAND, CAPACITY))
    names = end_uses(case) if row["subject"] == DEMAND else stages_of(case)
    found += _known(row, "name", names) + _known(row, "region", case.regions)
    if abs(row["rate"]) > MOST_GROWTH:
        found.append(("rate", f"{row['rate']:g} a year is out of range; 5 % a year is 0.05"))
    found += _spreads(row, "sd", "walk")
    if row["first_year"] >= row["last_year"]:
        found.append(("last_year", f"{row['last_year']} does not lie after {row['first_year']}"))
    return found


def _lifetime(row: Row, case: Case) -> list[tuple[str, str]]:
    found = _above_zero(row, "mean", "shape") + _spreads(row, "mean_sd", "shape_sd", "collected_sd")
    if not 0 < row["collected"] < 1:
        found.append(("collected", f"{row['collected']:g} is no part; give a number between 0 and 1, e.g. 0.3"))
    if row["since"] > case.system.years[0]:
        found.append(("since", f"{row['since']} lies after the case begins; give the year of the first goods"))
    return found + _known(row, "product", case.products)


_TABLES: Mapping[str, tuple[type, Callable[[Row, Case], list[tuple[str, str]]], tuple[str, ...]]] = {
    SOURCES: (Source, lambda row, case: [], ("source_id",)),
    PROJECTS: (Project, _project, ("project", "region", "stage")),
    "delays.csv": (DelayPair, _delay, ()),
    "ramp.csv": (RampPoint, _ramp, ()),
    "growth.csv": (GrowthFigure, _growth, ("subject", "scenario", "region", "name")),
    "events.csv": (PolicyEvent, lambda row, case: _inside(row, "date"), ()),
    "lifetimes.csv": (Lifetime, _lifetime, ()),
}
"""File → its record, what is wrong with a row, and the columns in which no two rows are the same."""


def end_uses(case: Case) -> tuple[str, ...]:
    """Labels of final demand: the end use of a flow, or its product where it names none."""
    final = (f for f in case.system.flows if f.to_process == OUTSIDE and f.quantity != "loss")
    return tuple(dict.fromkeys(f.end_use or f.product for f in final))


def _known(row: Row, column: str, known: Sequence[str]) -> list[tuple[str, str]]:
    return [(column, unknown(row[column], known, column))] if row[column] and row[column] not in known else []


def _above_zero(row: Row, *columns: str) -> list[tuple[str, str]]:
    return [(c, f"{row[c]:g} is no {c}; give a number above zero") for c in columns if not row[c] > 0]


def _spreads(row: Row, *columns: str) -> list[tuple[str, str]]:
    return [(c, f"{row[c]:g} is no spread; give zero or more") for c in columns if not row[c] >= 0]


def _inside(row: Row, column: str) -> list[tuple[str, str]]:
    if EARLIEST <= row[column] <= LATEST:
        return []
    return [(column, f"{row[column]:g} is no date; give a decimal year, e.g. 2027.5 for the middle of 2027")]


def _dates(row: Row, announced: str, start: str) -> list[tuple[str, str]]:
    found = _inside(row, announced) + _inside(row, start)
    if not found and row[start] < math.floor(row[announced]):
        found.append((start, f"the start {row[start]:g} lies before its announcement ({row[announced]:g})"))
    return found
