"""``--option name=value`` as the options of a case."""

from __future__ import annotations

from collections.abc import Iterable

from reeuncert.errors import CaseError, Problem
from reeuncert.words.cells import shown


def parse_options(given: Iterable[str]) -> dict[str, str]:
    """Split ``name=value`` pairs.

    Examples
    --------
    >>> parse_options(["gap_structure=flat"])
    {'gap_structure': 'flat'}
    """
    chosen: dict[str, str] = {}
    problems = []
    for pair in given:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or not value:
            problems.append(Problem("--option", 0, "", f"{shown(pair)} is not a choice; write --option name=value"))
        elif name in chosen:
            problems.append(Problem("--option", 0, "", f"option {shown(name)} is given twice; keep one of them"))
        chosen[name] = value
    if problems:
        raise CaseError(problems)
    return chosen
