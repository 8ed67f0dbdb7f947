"""Reads the tables of an outlook; all problems at once, with file, line and column."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from reeuncert.case.records import Case, Source
from reeuncert.counterfactuals.network import MADE
from reeuncert.errors import CaseError, Problem
from reeuncert.indicators.flows import ALL, REFINED
from reeuncert.indicators.registry import UnknownIndicatorError, lookup
from reeuncert.outlook.delays import EARLY
from reeuncert.outlook.plans import (
    BASE,
    CAPACITY,
    DEMAND,
    LEARNED,
    ON_TIME,
    OUTCOMES,
    SCENARIOS,
    STATUSES,
    DelayPair,
    FlowLimit,
    GrowthFigure,
    Lifetime,
    OutlookScenario,
    Plans,
    PolicyEvent,
    Project,
    Question,
    RampPoint,
)
from reeuncert.outlook.recycling import recyclers_of
from reeuncert.reading.bundled import find_case, folders_of
from reeuncert.reading.tables import Column, Row, read_table, read_text, report_duplicates
from reeuncert.reading.toml import line_of, parse_toml
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE, Selector
from reeuncert.words.cells import name_cell, number_cell, quoted, text_cell, unknown, year_cell
from reeuncert.words.units import TONNES, unit_cell, unknown_unit

FOLDER = "outlook"
MOST_GROWTH = 0.5  # log growth a year beyond which a rate is taken for one in per cent
EARLIEST, LATEST = 1950.0, 2100.0
PROJECTS, SOURCES = "projects.csv", "sources.csv"
_TEXTS = {"project": name_cell, "plant": name_cell, "region": text_cell, "unit": unit_cell}
_FILLED: Mapping[type, Mapping[str, str]] = {Source: {"lineage": "", "error_class": ""}}
"""Fields of records that a model needs and an outlook does not."""
FAR = 2100
TABLES = "tables"  # key of the case whose tables are used where a folder has none
Growth = Sequence[tuple[str, str]]  # subject and scenario of each row of growth.csv
Report = Callable[[str, str], None]  # takes a key and what is wrong with it
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
    text, content = _scenarios_file(place)
    lent, problems = _lender(text, content)
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
    # A name is missing only if the tables that hold such names could be read.
    projects = None if problems else [p.project for p in rows[PROJECTS]]
    growth = None if problems else [(g.subject, g.scenario) for g in rows["growth.csv"]]
    if isinstance(content, Problem):
        raise CaseError([*problems, content])
    scenarios, questions, wrong = _scenarios(text, content, case, projects, growth)
    if problems or wrong:
        raise CaseError([*problems, *wrong])
    found = (tuple(rows[file]) for file in (*list(_TABLES)[1:], SOURCES))
    return replace(Plans(*found), scenarios=scenarios or Plans.scenarios, questions=questions)


def _scenarios_file(place: Path) -> tuple[str, dict[str, Any] | Problem]:
    """Text and content of ``scenarios.toml``, both empty if there is none."""
    if not (place / SCENARIOS).exists():
        return "", {}
    text = read_text(place / SCENARIOS, SCENARIOS, {})
    return ("", text) if isinstance(text, Problem) else (text, parse_toml(text, SCENARIOS))


def _lender(text: str, content: dict[str, Any] | Problem) -> tuple[Path | None, list[Problem]]:
    """Folder of the case whose tables are used where a folder has none of its own."""
    name = None if isinstance(content, Problem) else content.get(TABLES)
    if name is None:
        return None, []
    try:
        if isinstance(name, str) and (lent := find_case(name) / FOLDER).is_dir():
            return lent, []
        message = f"case {name!r} has no folder '{FOLDER}'; name a case that has one, in quotes"
    except CaseError as error:
        message = error.problems[0].message
    return None, [Problem(SCENARIOS, line_of(text, (TABLES,)), TABLES, message)]


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
    found += _dates(row)
    end = case.system.years[-1] + 1
    if row["overdue"] not in ("", "yes"):
        found.append(("overdue", unknown(row["overdue"], ("yes",), "mark")))
    if row["announced_start"] < end and row["status"] != "ramp_up" and not row["overdue"]:
        says = f"{row['announced_start']:g} lies before the end of the case ({end}); write overdue = yes if the plant "
        says += "is not open, or give status ramp_up and the capacity that it still adds if it is"
        found.append(("announced_start", says))
    return found


def _delay(row: Row, case: Case) -> list[tuple[str, str]]:
    found = _dates(row) + _known(row, "outcome", OUTCOMES)
    if row["outcome_date"] < row["announced_on"]:
        found.append(("outcome_date", "the outcome lies before the announcement; correct one of the dates"))
    elif row["outcome"] == "opened" and row["outcome_date"] <= row["announced_start"] - EARLY:
        says = f"an opening {EARLY:g} year or more before the announced start is taken for a slip; correct the dates"
        found.append(("outcome_date", says))
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


def _inside(row: Row, *columns: str) -> list[tuple[str, str]]:
    says = "is no date; give a decimal year, e.g. 2027.5 for the middle of 2027"
    return [(c, f"{row[c]:g} {says}") for c in columns if not EARLIEST <= row[c] <= LATEST]


def _dates(row: Row) -> list[tuple[str, str]]:
    found = _inside(row, "announced_on", "announced_start")
    start, announced = row["announced_start"], row["announced_on"]
    if not found and start < math.floor(announced):
        found.append(("announced_start", f"the start {start:g} lies before its announcement ({announced:g})"))
    return found


def _scenarios(
    text: str, content: dict[str, Any], case: Case, projects: Sequence[str] | None, growth: Growth | None
) -> tuple[tuple[OutlookScenario, ...], tuple[Question, ...], list[Problem]]:
    """Scenarios, questions, and all problems of ``scenarios.toml``; None: a table that could not be read."""
    names = ("scenario", "answer")
    problems: list[Problem] = []

    def at(*place: str | int) -> Report:
        return lambda key, message: problems.append(Problem(SCENARIOS, line_of(text, (*place, key)), key, message))

    for key in sorted(set(content) - {*names, TABLES}):
        at()(key, unknown(key, names, "table"))
    entries = {name: _listed(content, name, dict, f"give tables, each under [[{name}]]", at()) for name in names}
    scenarios: list[OutlookScenario] = []
    for k, entry in enumerate(entries["scenario"]):
        scenario = _scenario(entry, case, projects, growth, at("scenario", k))
        if not scenario.name or scenario.name in [other.name for other in scenarios]:
            at("scenario", k)("name", "each scenario needs a name of its own, a text")
        scenarios.append(scenario)
    questions = tuple(_question(entry, case, at("answer", k)) for k, entry in enumerate(entries["answer"]))
    return tuple(scenarios), questions, problems


def _plain(entry: Mapping[str, Any], record: type[OutlookScenario | Question], report: Report) -> dict[str, Any]:
    """The texts of an entry; keys that are not known, and what is no text, are reported."""
    keys = tuple(f.name for f in fields(record))
    for key in sorted(set(entry) - set(keys)):
        report(key, unknown(key, keys, "key"))
    lists = ("fails", "limits", "lines", "years")
    texts = {key: value for key, value in entry.items() if key in keys and key not in lists}
    for key, value in texts.items():
        if not isinstance(value, str):
            report(key, "the value is no text; write it in quotes")
    return {key: str(value) for key, value in texts.items()}


def _listed(entry: Mapping[str, Any], key: str, kind: Any, says: str, report: Report) -> list[Any]:
    """The values of a key, which are a list of one kind; else that is reported, and there are none."""
    found = entry.get(key, [])
    if isinstance(found, list) and all(isinstance(value, kind) for value in found):
        return found
    report(key, says)
    return []


def _scenario(
    entry: Mapping[str, Any], case: Case, projects: Sequence[str] | None, growth: Growth | None, report: Report
) -> OutlookScenario:
    texts = {"name": "", **_plain(entry, OutlookScenario, report)}
    if texts.get("delays", LEARNED) not in (LEARNED, ON_TIME):
        report("delays", unknown(texts["delays"], (LEARNED, ON_TIME), "choice"))
    for subject in (DEMAND, CAPACITY) if growth is not None else ():
        known = tuple(dict.fromkeys([BASE, *(s for t, s in growth or () if t == subject)]))
        if texts.get(subject, BASE) not in known:
            report(subject, unknown(texts[subject], known, f"scenario of {subject} in growth.csv"))
    fails = tuple(_listed(entry, "fails", str, "write names of projects in quotes, in brackets", report))
    for name in fails:
        if projects is not None and name not in projects:
            report("fails", unknown(name, projects, "project"))
    tables = _listed(entry, "limits", dict, "write tables {select = {…}, …} in brackets", report)
    limits = tuple(limit for given in tables if (limit := _limit(given, case, report)))
    return OutlookScenario(**texts, fails=fails, limits=limits)


def _limit(given: Mapping[str, Any], case: Case, report: Report) -> FlowLimit | None:
    keys = ("select", "factor", "from", "until")
    for key in sorted(set(given) - set(keys)):
        report("limits", unknown(key, keys, "key"))
    select, factor = given.get("select"), given.get("factor", 1.0)
    if (
        not (isinstance(select, dict) and all(isinstance(value, str) for value in select.values()))
        or set(select) - set(FLOW_FIELDS)
        or not case.system.select(Selector.of(**select))
    ):
        report("limits", f"'select' chooses no flow; give attributes of flows: {', '.join(FLOW_FIELDS)}")
        return None
    selector = Selector.of(**select)
    for name, words in selector.fields.items():
        for word in words:
            if not case.system.select(Selector({name: (word,)})):
                report("limits", f"no flow has the {name} {quoted(word)}; correct it, or leave it out")
    if not isinstance(factor, int | float) or not 0 <= factor < math.inf:
        report("limits", f"the factor {factor!r} is no share; give zero or more")
        return None
    first, last = given.get("from", case.system.years[-1] + 1), given.get("until", FAR)
    if not isinstance(first, int) or not isinstance(last, int) or first > last:
        report("limits", "'from' and 'until' are no span of years; give e.g. from = 2026, until = 2030")
        return None
    return FlowLimit(selector, float(factor), first, last)


def _question(entry: Mapping[str, Any], case: Case, report: Report) -> Question:
    texts = {"indicator": "", **_plain(entry, Question, report)}
    try:
        dims: Sequence[str] = lookup(texts["indicator"], case).dims
    except UnknownIndicatorError as error:
        report("indicator", str(error))
        dims = ()
    for key in ("region", "partner"):
        if key in dims and texts.get(key, "") not in case.regions:
            report(key, unknown(texts.get(key, ""), case.regions, "region"))
    products = tuple(dict.fromkeys((*case.products, REFINED, ALL, *(c.element for c in case.contents.values()))))
    if "product" in dims and texts.get("product", "") not in products:
        report("product", unknown(texts.get("product", ""), products, "product"))
    if "end_use" in dims:
        report("indicator", f"'{texts['indicator']}' is one of end uses, for which an answer has no key; take another")
    lines = _listed(entry, "lines", int | float, "write numbers in brackets, e.g. [0.5] for 50 %", report)
    if not all(map(math.isfinite, lines)):
        report("lines", "a line is a finite number, e.g. 0.5 for 50 %")
    years = _listed(entry, "years", int, "write years in brackets", report)
    if any(year <= case.system.years[-1] for year in years):
        report("years", f"a year lies after the case, which ends in {case.system.years[-1]}")
    return Question(**texts, lines=tuple(lines), years=tuple(years))
