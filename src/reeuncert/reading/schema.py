"""Rules for the values of a table, checked all at once, with a message for every cell that breaks one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reeuncert.reading.tables import Row, Table
from reeuncert.words.cells import did_you_mean, listed, shown


@dataclass(frozen=True)
class Check:
    """A rule for a cell, and the message where it is broken, with ``{value}`` for the cell; NaN breaks no rule."""

    holds: Callable[[Any], bool]
    message: str


Rules = Mapping[str, Sequence[Check]]
"""Checks by column."""


WIDEST = 10.0
"""Largest spread on the log scale that is accepted: a factor of ten million either way."""
WIDEST_TEXT = "a spread is on the log scale, where 20 % is written 0.2"


def one_of(*choices: str, what: str = "") -> Check:
    """The cell is empty or one of some words."""
    message = f"{what + ' ' if what else ''}{{value}} is not known; use one of: {', '.join(choices)}{{hint}}"
    return Check(lambda cell: cell in ("", *choices), message)


def at_least(low: float, what: str) -> Check:
    """The number is empty or no smaller than a limit."""
    return Check(lambda cell: not cell < low, f"{{value}} is below {low:g}; {what}")


def above(low: float, what: str) -> Check:
    """The number is empty or larger than a limit."""
    return Check(lambda cell: not cell <= low, f"{{value}} is not above {low:g}; {what}")


def between(low: float, high: float, what: str, *, ends: bool = True) -> Check:
    """The number is empty or between two limits."""
    limits = f"between {low:g} and {high:g}" if ends else f"inside {low:g} to {high:g}"

    def holds(cell: float) -> bool:
        return not (cell < low or cell > high) if ends else not (cell <= low or cell >= high)

    return Check(holds, f"{{value}} is not {limits}; {what}")


def check_rules(table: Table, rules: Rules) -> None:
    """Check every row of a table; what breaks a rule is added to the table's problems.

    Cells that could not be parsed are not judged again.
    """
    for row in table.rows:
        for column, checks in rules.items():
            broken = [check for check in checks if not check.holds(row[column])]
            if (row.line, column) not in table.bad:
                for check in broken:
                    table.report(row.line, column, _fill(check.message, row[column]))


def _fill(template: str, value: Any) -> str:
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    hint = ""
    if "{hint}" in template:
        hint = did_you_mean(text, template.partition("use one of: ")[2].removesuffix("{hint}").split(", "))
    return template.replace("{hint}", hint).replace("{value}", shown(text) if not _is_number(value) else text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def report_duplicates(table: Table, rows: Iterable[Row], key: Sequence[str], what: str) -> None:
    """Report every row whose key an earlier row has already."""
    first: dict[tuple[object, ...], int] = {}
    for row in rows:
        values = tuple(row[k] for k in key)
        if not any(values) or any((row.line, k) in table.bad for k in key):
            continue
        if values in first:
            name = listed(shown(v) for v in values)
            table.report(
                row.line,
                key[0],
                f"{what} {name} is given on line {first[values]} already; delete one of the rows, or rename it",
            )
        else:
            first[values] = row.line


def is_given(number: float) -> bool:
    """Whether a number cell was filled in."""
    return not math.isnan(number)
