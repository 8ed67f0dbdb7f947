"""Output of commands in a terminal, the list of cases, ``--option name=value``; loads neither sampler nor pandas."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reeuncert.case.records import Case
from reeuncert.errors import CaseError, Problem
from reeuncert.words.cells import shown


def console() -> Console:
    """Console on standard output; colours and window width only if it is a terminal."""
    return Console()


def show_cases(cases: Iterable[Case]) -> None:
    """Print the name, title, size and switches of cases."""
    table = Table(box=None, pad_edge=False)
    for column in ("case", "what it is", "years", "flows", "figures", "options (default first)"):
        table.add_column(column, overflow="fold")
    for case in cases:
        options = "; ".join(
            f"{name}={'|'.join([chosen, *(c for c in case.option_choices[name] if c != chosen)])}"
            for name, chosen in case.options.items()
        )
        years = f"{case.system.years[0]}-{case.system.years[-1]}"
        row = (case.name, case.title, years, str(len(case.system.flows)), str(len(case.evidence)), options)
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


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
