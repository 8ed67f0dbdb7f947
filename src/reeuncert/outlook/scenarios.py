"""Scenarios of an outlook and the questions put to it: what ``scenarios.toml`` says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reeuncert.case.records import Case
from reeuncert.errors import Problem
from reeuncert.indicators.flows import ALL, REFINED
from reeuncert.indicators.registry import UnknownIndicatorError, lookup
from reeuncert.reading.tables import read_text
from reeuncert.reading.toml import line_of, parse_toml
from reeuncert.system.definition import FLOW_FIELDS, Selector
from reeuncert.words.cells import unknown

FILE = "scenarios.toml"
DEMAND, CAPACITY, BASE = "demand", "capacity", "base"
LEARNED, ON_TIME = "learned", "none"
FAR = 2100
TABLES = "tables"  # key of the case whose tables are used where a folder has none
Growth = Sequence[tuple[str, str]]  # subject and scenario of each row of growth.csv
Report = Callable[[str, str], None]  # takes a key and what is wrong with it


@dataclass(frozen=True)
class FlowLimit:
    """The selected flows are at most ``factor`` times their mass in the last year of the case, in some years."""

    selector: Selector
    factor: float
    first: int
    last: int


@dataclass(frozen=True)
class OutlookScenario:
    """What is assumed of the future: ``delays`` is ``learned`` or ``none``; ``demand`` and ``capacity`` name rows of
    growth.csv; projects in ``fails`` never open.
    """

    name: str
    why: str = ""
    delays: str = LEARNED
    demand: str = BASE
    capacity: str = BASE
    fails: tuple[str, ...] = ()
    limits: tuple[FlowLimit, ...] = ()


@dataclass(frozen=True)
class Question:
    """One indicator that the outlook is asked for."""

    indicator: str
    region: str = ""
    partner: str = ""
    product: str = ""
    says: str = ""  # what it is, as the subject of a sentence
    lines: tuple[float, ...] = ()  # values of which the probability to lie below is wanted, and ``years`` in which
    years: tuple[int, ...] = ()


def read_scenarios(
    path: Path, case: Case, projects: Sequence[str], growth: Growth, *, whole: bool
) -> tuple[tuple[OutlookScenario, ...], tuple[Question, ...], list[Problem]]:
    """Scenarios, questions, and all problems; ``whole``: whether the tables could be read, so that a name which is not
    in them is missing.
    """
    problems: list[Problem] = []
    text = read_text(path, FILE, {})
    if isinstance(text, Problem):
        return (), (), [text]
    content = parse_toml(text, FILE)
    if isinstance(content, Problem):
        return (), (), [content]

    def at(table: str, k: int) -> Report:
        return lambda key, message: problems.append(Problem(FILE, line_of(text, (table, k, key)), key, message))

    entries = {name: content.get(name, []) for name in ("scenario", "answer")}
    odd = sorted(set(content) - {*entries, TABLES})
    problems += [Problem(FILE, line_of(text, (name,)), name, unknown(name, tuple(entries), "table")) for name in odd]
    names: list[str] = []
    scenarios, questions = [], []
    for k, entry in enumerate(entries["scenario"]):
        scenario = _scenario(entry, case, projects if whole else None, growth if whole else None, at("scenario", k))
        if not scenario.name or scenario.name in names:
            at("scenario", k)("name", "each scenario needs a name of its own, a text")
        names.append(scenario.name)
        scenarios.append(scenario)
    for k, entry in enumerate(entries["answer"]):
        questions.append(_question(entry, case, at("answer", k)))
    return tuple(scenarios), tuple(questions), problems


def _plain(entry: Mapping[str, Any], record: type[OutlookScenario | Question], report: Report) -> dict[str, Any]:
    """The texts of an entry; keys that are not known, and what is no text, are reported."""
    keys = tuple(f.name for f in fields(record))
    for key in sorted(set(entry) - set(keys)):
        report(key, unknown(key, keys, "key"))
    listed = ("fails", "limits", "lines", "years")
    for key in listed:
        if key in keys and not isinstance(entry.get(key, []), list):
            report(key, "the value is no list; write it in brackets")
    texts = {key: value for key, value in entry.items() if key in keys and key not in listed}
    for key, value in texts.items():
        if not isinstance(value, str):
            report(key, "the value is no text; write it in quotes")
    return {key: str(value) for key, value in texts.items()}


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
    fails = tuple(map(str, entry.get("fails", ())))
    for name in fails:
        if projects is not None and name not in projects:
            report("fails", unknown(name, projects, "project"))
    limits = tuple(limit for given in entry.get("limits", ()) if (limit := _limit(given, case, report)))
    return OutlookScenario(**texts, fails=fails, limits=limits)


def _limit(given: Mapping[str, Any], case: Case, report: Report) -> FlowLimit | None:
    select, factor = given.get("select"), given.get("factor", 1.0)
    if not isinstance(select, dict) or set(select) - set(FLOW_FIELDS) or not case.system.select(Selector.of(**select)):
        report("limits", f"'select' chooses no flow; give attributes of flows: {', '.join(FLOW_FIELDS)}")
        return None
    if not isinstance(factor, int | float) or factor < 0:
        report("limits", f"the factor {factor!r} is no share; give zero or more")
        return None
    first, last = given.get("from", case.system.years[-1] + 1), given.get("until", FAR)
    if not isinstance(first, int) or not isinstance(last, int) or first > last:
        report("limits", "'from' and 'until' are no span of years; give e.g. from = 2026, until = 2030")
        return None
    return FlowLimit(Selector.of(**select), float(factor), first, last)


def _question(entry: Mapping[str, Any], case: Case, report: Report) -> Question:
    texts = {"indicator": "", **_plain(entry, Question, report)}
    try:
        dims: Sequence[str] = lookup(texts["indicator"]).dims
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
    lines, years = tuple(entry.get("lines", ())), tuple(entry.get("years", ()))
    if not all(isinstance(line, int | float) for line in lines):
        report("lines", "a line is a number, e.g. 0.5 for 50 %")
    if not all(isinstance(year, int) and year > case.system.years[-1] for year in years):
        report("years", f"a year lies after the case, which ends in {case.system.years[-1]}")
    return Question(**texts, lines=lines, years=years)
