"""Reading of ``case.toml``: what a case is, checked by pydantic, with the line of every problem."""

import re
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from reeuncert.case.figures import sentence_problem
from reeuncert.case.records import ErrorTails, Expression, Headline
from reeuncert.case.rules import tail_problems
from reeuncert.errors import Problem
from reeuncert.reading.tables import read_text
from reeuncert.reading.toml import line_of, parse_toml
from reeuncert.system.definition import FLOW_FIELDS, Selector
from reeuncert.words.cells import (
    FIRST_YEAR,
    LAST_YEAR,
    CellError,
    did_you_mean,
    listed,
    name_cell,
    printable,
    quoted,
    text_cell,
    unknown,
)
from reeuncert.words.units import TONNES

FILE = "case.toml"
MOST_BYTES = 200_000
MOST_YEARS = 1_000
MOST_PATH = 250  # bytes: file systems have no longer name of a folder

PLACES = ("{region}", "{partner}", "{product}", "{end_use}")
"""What may stand in a selector of an indicator for each label in turn."""

_PLAIN_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)


def is_plain_word(text: str) -> bool:
    """Whether text may be the name of a case and of its files: letters, digits, ``_`` and ``-``.

    >>> is_plain_word("my_case"), is_plain_word("a:b"), is_plain_word("nul")  # no file of Windows is named so
    (True, False, False)
    """
    return bool(_PLAIN_WORD.fullmatch(text)) and not _DEVICE.fullmatch(text)


def _plain_word(text: str) -> str:
    if not is_plain_word(text):
        what = "letters, digits, '_' and '-', and no device of Windows (nul)"
        raise ValueError(f"{quoted(text)} is no plain word; use {what}")
    return text


def _name(text: str) -> str:
    if not text:
        raise ValueError("the name is empty; fill it in")
    return name_cell(text)


def _unit(text: str) -> str:
    if not text.isprintable() or not text.split() or text.split()[0] not in TONNES:
        units = f'{", ".join(TONNES)}, and what is counted after it, e.g. "kt REO"'
        raise ValueError(f"the unit {quoted(text)} does not begin with a unit of mass; use one of: {units}")
    return " ".join(text.split())


def _folder(text: str) -> str:
    if not text or not text.isprintable() or len(text.encode()) > MOST_PATH:
        raise ValueError(f'{quoted(text)} is no folder; write it relative to the case folder, e.g. "../../data"')
    if text.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", text):
        what = "is absolute, which no other machine has; write it relative to the case folder"
        raise ValueError(f"the folder {quoted(text)} {what}")
    return text


def _sentence(text: str) -> str:
    problem = sentence_problem(text)
    if problem:
        raise ValueError(problem)
    return text


Text = Annotated[str, AfterValidator(text_cell)]
Name = Annotated[str, AfterValidator(_name)]
OptionalName = Annotated[str, AfterValidator(name_cell)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OptionEntry(_Strict):
    """A switch of the case: ``[options.NAME]``."""

    default: Name
    choices: list[Name] = Field(min_length=1)
    compare: bool = False
    help: Text = ""

    @model_validator(mode="after")
    def _default_is_a_choice(self) -> Self:
        if self.default not in self.choices:
            known = f"{listed(self.choices)}{did_you_mean(self.default, self.choices)}"
            raise ValueError(f"the default {quoted(self.default)} is not among the choices: {known}")
        return self


class HeadlineEntry(_Strict):
    """An indicator that the case puts first: ``[[headline]]``."""

    indicator: Name
    region: OptionalName = ""
    partner: OptionalName = ""
    product: OptionalName = ""
    year: int = 0
    sentence: Annotated[Text, AfterValidator(_sentence)] = ""

    def record(self) -> Headline:
        return Headline(**self.model_dump())


def _selector(given: dict[str, str]) -> dict[str, str]:
    if not given:
        raise ValueError('it selects nothing; write e.g. {quantity = "trade", destination = "{region}"}')
    for name, text in given.items():
        if name not in FLOW_FIELDS:
            raise ValueError(unknown(name, FLOW_FIELDS, "attribute of flows"))
        values = [value.strip() for value in text.split("+")]
        if not all(values):
            raise ValueError(f"{name} is {quoted(text)}; write a name, or several joined by '+'")
        for value in values:
            if ("{" in value or "}" in value) and value not in PLACES:
                raise ValueError(unknown(value, PLACES, "placeholder"))
    return given


Chosen = Annotated[dict[str, Text], AfterValidator(_selector)]


class IndicatorEntry(_Strict):
    """An indicator of the case's own: ``[[indicator]]``."""

    name: Annotated[str, AfterValidator(_plain_word)]
    title: Text = ""
    unit: Literal["mass", "%", "1"] | None = None  # by default % for a ratio
    numerator: Chosen
    denominator: Chosen | None = None
    cumulated: bool = False

    @model_validator(mode="after")
    def _unit_is_that_of_a_ratio_or_a_mass(self) -> Self:
        if self.unit is not None and (self.unit == "mass") is not (self.denominator is None):
            remedy = "give a denominator, or leave unit out" if self.denominator is None else "give unit = '%' or '1'"
            raise ValueError(f"a mass has no denominator, and a ratio (unit '%' or '1') has one; {remedy}")
        return self

    def record(self) -> Expression:
        below = None if self.denominator is None else Selector.of(**self.denominator)
        unit = self.unit or ("mass" if below is None else "%")
        return Expression(self.name, self.title, unit, Selector.of(**self.numerator), below, self.cumulated)


class ErrorsEntry(_Strict):
    """Tails of the laws of errors: ``[errors]``."""

    degrees_of_freedom: float = ErrorTails.degrees_of_freedom
    outlier_share: float = ErrorTails.outlier_share
    outlier_sd: float = ErrorTails.outlier_sd

    def record(self) -> ErrorTails:
        return ErrorTails(**self.model_dump())


class CaseFile(_Strict):
    """What ``case.toml`` says.

    ``years`` holds the first and the last year; ``data`` is the folder of the evidence, relative to the case folder.
    """

    name: Annotated[str, AfterValidator(_plain_word)]
    title: Text = ""
    description: Text = ""
    unit: Annotated[str, AfterValidator(_unit)]
    years: list[int] = Field(min_length=2, max_length=2)
    prior_measure: Literal["coordinates", "mass", "shares"] = "coordinates"  # those of PRIOR_KINDS
    regions: list[Name] = []
    products: list[Name] = []
    data: Annotated[str, AfterValidator(_folder)] = "."
    errors: ErrorsEntry = ErrorsEntry()
    options: dict[str, OptionEntry] = {}
    indicator: list[IndicatorEntry] = []
    headline: list[HeadlineEntry] = []
    glossary: dict[str, Text] = {}


@dataclass(frozen=True)
class CaseText:
    """``case.toml`` as far as it could be read: a key that cannot be read (in ``unclear``) has a stand-in, so that the
    tables can be read all the same.
    """

    settings: CaseFile
    problems: tuple[Problem, ...] = ()
    unclear: frozenset[str] = frozenset()
    text: str = ""

    def line_of(self, *where: str | int) -> int:
        """Line of a key, or on which an entry of a list begins; the first has index 0."""
        return line_of(self.text, where)


_STAND_IN: Mapping[str, Any] = {"name": "unnamed", "unit": "kt", "years": [FIRST_YEAR, LAST_YEAR]}


def read_case_file(path: Path, hashes: MutableMapping[str, str]) -> CaseText:
    """Read and check ``case.toml``; problems are returned, with their lines, not raised."""
    text = read_text(path, FILE, hashes, MOST_BYTES)
    content = text if isinstance(text, Problem) else parse_toml(text, FILE)
    if not isinstance(text, Problem) and not text.strip():
        content = Problem(FILE, 0, "", "the file is empty; it must give at least: name, unit, years")
    if isinstance(text, Problem) or isinstance(content, Problem):
        found = (content,) if isinstance(content, Problem) else ()
        return CaseText(CaseFile(**_STAND_IN), found, frozenset(CaseFile.model_fields))
    problems: list[Problem] = []
    unclear: set[str] = set()
    try:
        settings = CaseFile.model_validate(content)
    except ValidationError as error:
        for e in error.errors(include_url=False):
            where = ".".join(map(_plain, e["loc"]))
            problems.append(Problem(FILE, line_of(text, e["loc"]), where, _message(e)))
            unclear |= _keys_meant(str(e["loc"][0]), content)
        sound = {key: value for key, value in content.items() if key in CaseFile.model_fields and key not in unclear}
        settings = CaseFile.model_validate({**_STAND_IN, **sound})
    later = _later_checks(settings, text, path.parent, unclear)
    unclear |= {problem.column for problem in later} & {"years", "data"}
    if "years" in unclear:
        settings = settings.model_copy(update={"years": _STAND_IN["years"]})
    return CaseText(settings, (*problems, *later), frozenset(unclear), text)


def _keys_meant(key: str, content: Mapping[str, Any]) -> set[str]:
    """The keys that a key with a problem may stand for."""
    if key in CaseFile.model_fields:
        return {key}
    return {known for known in CaseFile.model_fields if known not in content and did_you_mean(key, [known])}


def _plain(key: str | int) -> str:
    return printable(key) if isinstance(key, str) else str(key + 1)


def _message(error: Mapping[str, Any]) -> str:
    """What a pydantic error means to a person."""
    kind, loc = error["type"], error["loc"]
    given = _TOML_TYPES.get(type(error["input"]), "date or time")
    if kind == "missing":
        return f"the key '{loc[-1]}' is missing; add it"
    if kind == "extra_forbidden":
        known = list((_ENTRIES[str(loc[0])] if len(loc) > 1 else CaseFile).model_fields)
        hint = did_you_mean(str(loc[-1]), known)
        return f"the key {quoted(loc[-1])} is not known; allowed are: {listed(known, 20)}{hint}"
    if kind == "literal_error":
        allowed = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
        return f"{quoted(error['input'])} is not allowed; use one of: {allowed}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind in ("too_short", "too_long"):
        if loc[0] == "years":
            return "the list has no two years; write the first and the last year: years = [2000, 2022]"
        return "the list is empty; give at least one text"
    if loc == ("years",):
        return f"the value is a {given}; write the first and the last year: years = [2000, 2022]"
    wanted = {
        "string_type": "a text in quotes",
        "int_type": "a whole number without quotes",
        "float_type": "a number without quotes",
        "list_type": 'a list in brackets, e.g. ["a", "b"]',
        "dict_type": "tables, e.g. [options.gap_structure]",
        **dict.fromkeys(("model_type", "model_attributes_type"), "a table of keys"),
    }.get(kind, str(error["msg"]))
    return f"the value is a {given}; write {wanted}"


_TOML_TYPES = {bool: "true/false", int: "whole number", float: "number", str: "text", list: "list", dict: "table"}
_ENTRIES: Mapping[str, type[BaseModel]] = {
    "options": OptionEntry,
    "errors": ErrorsEntry,
    "indicator": IndicatorEntry,
    "headline": HeadlineEntry,
}


def _later_checks(case_file: CaseFile, text: str, folder: Path, unclear: Collection[str]) -> list[Problem]:
    """Checks that need more than one key."""
    problems: list[Problem] = []

    def report(where: Sequence[str | int], message: str) -> None:
        problems.append(Problem(FILE, line_of(text, where), ".".join(map(_plain, where)), message))

    first, last = case_file.years
    if "years" not in unclear and not (FIRST_YEAR <= first <= last <= LAST_YEAR and last - first < MOST_YEARS):
        message = f"the years {printable(first)} to {printable(last)} are no span; give the first and the last year, "
        report(("years",), f"{message}at most {MOST_YEARS:,} years")
    for name, message in tail_problems(case_file.errors.record()):
        report(("errors", name), message)
    for key, values in (("regions", case_file.regions), ("products", case_file.products)):
        double = sorted({v for v in values if values.count(v) > 1})
        if double:
            report((key,), f"{quoted(double[0])} is listed twice; keep one")
    for name in case_file.options:
        try:
            name_cell(name)
            usable = name.isidentifier()
        except CellError:
            usable = False
        if not usable:
            report(("options", name), f"{quoted(name)} is no name of an option; use letters, digits and '_'")
    for name in [name for name, entry in case_file.options.items() if entry.compare][1:]:
        report(("options", name, "compare"), "structures are the choices of one switch; leave compare = true at one")
    place = folder / case_file.data
    if "data" not in unclear and not place.is_dir():
        message = f"the folder {quoted(case_file.data)} does not exist; it was looked for at {quoted(place, 300)}"
        report(("data",), f"{message}: correct the path, which is relative to the case folder")
    for i, headline in enumerate(() if problems or "years" in unclear else case_file.headline):
        if headline.year and not first <= headline.year <= last:
            message = f"the year {headline.year} is outside the case, which covers {first}-{last}; correct it, or "
            report(("headline", i, "year"), f"{message}widen `years` in case.toml; 0 means all years")
    return problems
