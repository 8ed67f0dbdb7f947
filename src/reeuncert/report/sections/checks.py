"""Verdict: all checks, worst status first, each with its figures."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reeuncert.checks.registry import check_table
from reeuncert.checks.result import CheckResult, short_number
from reeuncert.result.result import Result

COLOURS = {"failed": "red", "not run": "red", "warning": "amber", "passed": "green", "information": "info"}
"""Status of a check → its colour in the page; the word stands beside the colour, never the colour alone."""

ORDER = tuple(COLOURS)
SIDES = {"<=": "at most", ">=": "at least", "<": "below", ">": "above"}
MOST_ROWS = 40


@dataclass(frozen=True)
class CheckLine:
    """One check, formatted for the page: what was checked, its status as a word, what was found, the tested number and
    its threshold (empty if none), and a table of the worst offenders.
    """

    title: str
    word: str
    message: str
    value: str = ""
    threshold: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()

    @property
    def colour(self) -> str:
        return COLOURS.get(self.word, "info")


@dataclass(frozen=True)
class CheckList:
    """All checks: failed, then not run, then warnings, then the others in their order; ``call`` is the verdict in a
    sentence, as the terminal and `reeuncert.check` give it.
    """

    checks: tuple[CheckLine, ...]
    call: str

    @property
    def pressing(self) -> tuple[CheckLine, ...]:
        """Failed checks and warnings, shown at the top of the page."""
        return tuple(c for c in self.checks if c.word in ("failed", "not run", "warning"))

    @property
    def worst(self) -> str:
        colours = {check.colour for check in self.checks}
        return "red" if "red" in colours else "amber" if "amber" in colours or "green" not in colours else "green"


def check_list(result: Result) -> CheckList:
    """The checks of a result, and the parts of it that could not be made."""
    table = check_table(result)
    lines = sorted(map(_line, table), key=lambda line: ORDER.index(line.word))
    return CheckList(tuple(lines), f"{table.verdict[:1].upper()}{table.verdict[1:]}.")


def content(result: Result) -> dict[str, Any]:
    """All checks, worst status first."""
    return {"verdict": check_list(result)}


def _line(result: CheckResult) -> CheckLine:
    table = pd.DataFrame() if result.table is None or result.table.empty else result.table.astype(object)
    rows, columns = tuple(table.head(MOST_ROWS).itertuples(index=False, name=None)), tuple(map(str, table))
    side, _, limit = result.threshold.partition(" ")
    threshold = f"{SIDES[side]} {limit}" if side else ""
    word = result.status if result.status in ORDER else "information"
    return CheckLine(result.name, word, result.message, short_number(result.value), threshold, columns, rows)
