"""Verdict: all checks, worst status first, each with its figures."""

from typing import Any

import pandas as pd

from reeuncert.checks import check_table
from reeuncert.checks.result import CheckResult, short_number
from reeuncert.result.result import Result

COLOURS = {"failed": "red", "not run": "red", "warning": "amber", "passed": "green", "information": "info"}
"""Status of a check → its colour in the page; the word stands beside the colour, never the colour alone."""

ORDER = tuple(COLOURS)
SIDES = {"<=": "at most", ">=": "at least", "<": "below", ">": "above"}
MOST_ROWS = 40


def check_list(result: Result) -> dict[str, Any]:
    """All checks and the parts that could not be made, worst first; those that press; the colour of the worst; and the
    verdict in a sentence, as the terminal and `reeuncert.check` give it.
    """
    table = check_table(result)
    checks = sorted(map(_line, table), key=lambda line: ORDER.index(line["word"]))
    colours = {check["colour"] for check in checks}
    return {
        "checks": checks,
        "pressing": [check for check in checks if check["colour"] in ("red", "amber")],
        "worst": "red" if "red" in colours else "amber" if "amber" in colours or "green" not in colours else "green",
        "call": f"{table.verdict[:1].upper()}{table.verdict[1:]}.",
    }


def content(result: Result) -> dict[str, Any]:
    """All checks, worst status first."""
    return {"verdict": check_list(result)}


def _line(found: CheckResult) -> dict[str, Any]:
    """One check: what was checked, its status as a word, what was found, the tested number and its threshold (empty if
    none), and a table of the worst offenders.
    """
    table = pd.DataFrame() if found.table is None or found.table.empty else found.table.astype(object)
    side, _, limit = found.threshold.partition(" ")
    word = found.status if found.status in ORDER else "information"
    return {
        "title": found.name,
        "word": word,
        "colour": COLOURS[word],
        "message": found.message,
        "value": short_number(found.value),
        "threshold": f"{SIDES[side]} {limit}" if side else "",
        "columns": list(map(str, table)),
        "rows": list(table.head(MOST_ROWS).itertuples(index=False, name=None)),
    }
