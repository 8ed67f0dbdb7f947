"""Scenarios: named sets of changes, from a list, a grid, or a file."""

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from reeuncert.edits import EDITS, Edit, Edited, EditError, edit_of
from reeuncert.errors import CaseError, InputError, Problem
from reeuncert.reading.tables import read_text
from reeuncert.reading.toml import parse_toml
from reeuncert.words.cells import LONGEST_NAME, printable, quoted, unknown

BASE = "base"  # name of the scenario in which nothing is changed; every study has it
FILE = "scenarios.toml"  # name under which a case folder may hold scenarios of its own
AVERAGED, SHOWN = "averaged", "shown"
"""What a scenario may be among the rival structures of a case: one that counts in averages, or is shown beside them."""

MOST = 500  # scenarios of one study: a grid grows fast, and each scenario is a fit
_KEYS = ("name", "why", "structure", "changes")
_GRID_KEY = re.compile(r"(?P<kind>\w+)(\[(?P<fixed>[^\[\]]*)\])?(\.(?P<field>\w+))?")


@dataclass(frozen=True)
class Scenario:
    """A name, and what is changed under it.

    Parameters
    ----------
    name
        Short: it labels columns and plots.
    edits
        Changes, made in the order of their stage (switches, flows, numbers); see `reeuncert.edits`.
    why
        The doubt that it answers, in a sentence.
    structure
        ``"averaged"`` or ``"shown"`` where it is a rival structure of its case too (`reeuncert.compare_structures`);
        empty where it is not.

    Examples
    --------
    >>> loose = Scenario.of("loose yields", {"kind": "prior_spread", "group": "recoveries", "factor": 2})
    >>> print(loose)
    loose yields: spread of group 'recoveries' × 2
    """

    name: str
    edits: tuple[Edit, ...] = ()
    why: str = ""
    structure: str = ""

    @classmethod
    def of(cls, name: str, *changes: Mapping[str, object] | Edit, why: str = "") -> Self:
        """From changes as a user writes them: mappings with a ``kind`` and the keys of that kind. Raises `CaseError`
        with everything in them that cannot be used.
        """
        edits, problems = _edits(name, changes, "scenarios")
        if problems:
            raise CaseError(problems)
        return cls(name, edits, why)

    @property
    def what(self) -> str:
        """What is changed, in words."""
        return "; ".join(map(str, self.edits)) or "nothing changed"

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"

    def apply(self, edited: Edited) -> Edited:
        """The case with all changes. Raises `CaseError` with what it does not have of what is to be changed: each
        change is held against the case as it is by then.
        """
        for edit in sorted(self.edits, key=lambda edit: edit.stage):
            if found := edit.problems(edited.case):
                raise CaseError([Problem("scenarios", 0, self.name, text) for text in found])
            edited = edit.apply(edited)
        return edited


def _edits(name: str, changes: Iterable[object], file: str) -> tuple[tuple[Edit, ...], list[Problem]]:
    edits: list[Edit] = []
    wrong: list[str] = []
    for change in changes:
        if isinstance(change, Edit):
            edits.append(change)
        elif isinstance(change, Mapping):
            try:
                edits.append(edit_of(change))
            except EditError as error:
                wrong += error.problems
        else:
            example = '{kind = "prior_spread", group = "…", factor = 2}'
            wrong.append(f"{quoted(change)} is no change; write e.g. {example}")
    return tuple(edits), [Problem(file, 0, printable(name), text) for text in wrong]


def scenarios_from(given: Iterable[Scenario | Mapping[str, object]], file: str = "scenarios") -> tuple[Scenario, ...]:
    """A list of scenarios from records or from mappings with ``name``, ``changes`` and ``why``. All problems of all
    scenarios are reported at once.
    """
    found: list[Scenario] = []
    problems: list[Problem] = []
    for number, entry in enumerate(given, 1):
        scenario = entry if isinstance(entry, Scenario) else _scenario(entry, number, file, problems)
        if scenario is not None:
            found.append(scenario)
    problems += _name_problems([s.name for s in found], file)
    if problems:
        raise CaseError(problems)
    return tuple(found)


def _scenario(entry: object, number: int, file: str, problems: list[Problem]) -> Scenario | None:
    where = f"scenario {number}"
    if not isinstance(entry, Mapping):
        problems.append(Problem(file, 0, where, f"{quoted(entry)} is no scenario; give a name and changes"))
        return None
    found = [unknown(str(key), _KEYS, "the key") for key in entry if key not in _KEYS]
    name, why, changes = entry.get("name"), entry.get("why", ""), entry.get("changes")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        found.append("the scenario has no name; give it one in a few words")
    elif len(name) > LONGEST_NAME:
        found.append(f"the name has {len(name):,} characters; use at most {LONGEST_NAME}")
    if not isinstance(why, str):
        found.append(f"why is {quoted(why)}; write a sentence")
    structure = entry.get("structure", "")
    if structure not in ("", AVERAGED, SHOWN):
        found.append(f"structure is {quoted(structure)}; write '{AVERAGED}' or '{SHOWN}', or leave it out")
    if not isinstance(changes, list | tuple) or not changes:
        found.append("the scenario changes nothing; give changes = [{kind = …}]")
    problems += [Problem(file, 0, printable(name) if isinstance(name, str) and name else where, text) for text in found]
    if found:
        return None
    assert isinstance(name, str)
    assert isinstance(why, str)
    assert isinstance(changes, list | tuple)
    edits, wrong = _edits(name, changes, file)
    problems += wrong
    return None if wrong else Scenario(name.strip(), edits, why.strip(), str(structure))


def _name_problems(names: Sequence[str], file: str) -> list[Problem]:
    found = []
    for name in dict.fromkeys(names):
        said = [f"{names.count(name)} scenarios have this name; name each once"] * (names.count(name) > 1)
        said += [f"'{BASE}' is the case as it is, which every study has; choose another name"] * (name == BASE)
        found += [Problem(file, 0, printable(name), text) for text in said]
    return found


def read_scenarios(path: str | Path) -> tuple[Scenario, ...]:
    """Scenarios from a TOML file: ``[[scenario]]`` with name, why and changes, and a grid under ``[vary]``. Raises
    `CaseError` with every problem of the file.
    """
    file = Path(path)
    text = read_text(file, file.name, {})
    content = text if isinstance(text, Problem) else parse_toml(text, file.name)
    if isinstance(content, Problem):
        raise CaseError([content])
    odd = [key for key in content if key not in ("scenario", "vary")]
    problems = [Problem(file.name, 0, printable(k), unknown(k, ("scenario", "vary"), "the key")) for k in odd]
    found: tuple[Scenario, ...] = ()
    listed = content.get("scenario", [])
    if not isinstance(listed, list):
        problems.append(Problem(file.name, 0, "scenario", "write [[scenario]], in double brackets, for each of them"))
        listed = []
    makers = [partial(scenarios_from, listed)] + ([partial(grid, content["vary"])] if "vary" in content else [])
    for make in makers:
        try:
            found += make(file.name)
        except InputError as error:
            problems += error.problems
    problems += _name_problems([s.name for s in found], file.name) if not problems else []
    if not problems and not found:
        problems.append(Problem(file.name, 0, "", "the file holds no scenario; add a [[scenario]] or a [vary] table"))
    if problems:
        raise CaseError(problems)
    return found


def grid(vary: Mapping[str, Sequence[object]], file: str = "vary") -> tuple[Scenario, ...]:
    """Every combination of values of some keys.

    Parameters
    ----------
    vary
        ``KIND[key=word, …].FIELD`` → values of that field: ``"prior_spread[group=recoveries].factor": [0.5, 2]``. The
        field may be left out where a kind has a usual one (the factor of a spread or width, the choice of an option).

    Raises
    ------
    CaseError
        With every key and value that cannot be used, or when there is nothing to vary.

    Examples
    --------
    >>> for scenario in grid({"prior_spread[group=stocks]": [0.5, 2], "source_width[error_class=customs]": [3]}):
    ...     print(scenario.name)
    prior_spread[group=stocks]=0.5, source_width[error_class=customs]=3
    prior_spread[group=stocks]=2, source_width[error_class=customs]=3
    """
    problems: list[Problem] = []
    axes: list[list[tuple[str, Edit]]] = []
    if not isinstance(vary, Mapping) or not vary:
        raise CaseError([Problem(file, 0, "", "the grid is empty; name what to vary, with a list of values for each")])
    for key, values in vary.items():
        if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
            problems.append(Problem(file, 0, printable(key), f"{quoted(values)} is no list; give the values as a list"))
            continue
        held = list(values)
        if not held:
            problems.append(Problem(file, 0, printable(key), "the list of values is empty; give at least one"))
            continue
        kind, field, fixed, wrong = _grid_key(key)
        problems += [Problem(file, 0, printable(key), text) for text in wrong]
        axis = []
        for value in [] if wrong else held:
            plain = value.item() if isinstance(value, np.generic) else value
            edits, found = _edits(key, [{"kind": kind, **fixed, field: plain}], file)
            problems += found
            axis += [(f"{key}={value}", edit) for edit in edits]
        axes.append(axis)
    if problems:
        raise CaseError(problems)
    count = math.prod(len(axis) for axis in axes)
    if count > MOST:
        message = f"the grid has {count:,} combinations, and a study at most {MOST}; vary fewer things at a time"
        raise CaseError([Problem(file, 0, "", message)])
    chosen = tuple(
        Scenario(", ".join(name for name, _ in point), tuple(edit for _, edit in point))
        for point in itertools.product(*axes)
    )
    repeated = _name_problems([s.name for s in chosen], file)
    if repeated:
        raise CaseError(repeated)
    return chosen


def _grid_key(key: str) -> tuple[str, str, dict[str, str], list[str]]:
    """Kind, varied field, fixed words, problems."""
    match = _GRID_KEY.fullmatch(str(key).strip())
    if match is None:
        return "", "", {}, ["write KIND[key=word].FIELD, e.g. prior_spread[group=recoveries].factor"]
    kind = match["kind"]
    if kind not in EDITS:
        return kind, "", {}, [unknown(kind, list(EDITS), "kind of change")]
    field = match["field"] or EDITS[kind].varied
    first = next(iter(EDITS[kind].__dataclass_fields__))  # type: ignore[attr-defined]  # every kind is a dataclass
    problems = [] if field else [f"say which key of '{kind}' varies, e.g. {kind}.{first}"]
    fixed: dict[str, str] = {}
    for part in filter(None, (match["fixed"] or "").split(",")):
        name, equals, word = (piece.strip() for piece in part.partition("="))
        if not equals or not word:
            problems.append(f"{quoted(part.strip())} is no choice; write key=word")
        elif name in (*fixed, field):
            problems.append(f"{quoted(name)} is given twice; keep one of them")
        fixed[name] = word
    return kind, field, fixed, problems
