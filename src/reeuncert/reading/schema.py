"""Rules for the values of a table, checked by pandera all at once, with a message for every cell that breaks one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pandera.pandas as pa

from reeuncert.reading.tables import Row, Table
from reeuncert.words.cells import did_you_mean, listed, shown

Rules = Mapping[str, Sequence[pa.Check]]
"""Checks by column; a check's ``error`` is the message, with ``{value}`` for the cell."""


WIDEST = 10.0
"""Largest spread on the log scale that is taken for meant: a factor of ten million either way."""
WIDEST_TEXT = "a spread is on the log scale, where 20 % is written 0.2"


def one_of(*choices: str, what: str = "") -> pa.Check:
    """The cell is empty or one of some words."""
    message = f"{what + ' ' if what else ''}{{value}} is not known; use one of: {', '.join(choices)}{{hint}}"
    check: pa.Check = pa.Check.isin(["", *choices], error=message)
    return check


def at_least(low: float, what: str) -> pa.Check:
    """The number is empty or no smaller than a limit."""
    check: pa.Check = pa.Check.ge(low, error=f"{{value}} is below {low:g}; {what}")
    return check


def above(low: float, what: str) -> pa.Check:
    """The number is empty or larger than a limit."""
    check: pa.Check = pa.Check.gt(low, error=f"{{value}} is not above {low:g}; {what}")
    return check


def between(low: float, high: float, what: str, *, ends: bool = True) -> pa.Check:
    """The number is empty or between two limits."""
    limits = f"between {low:g} and {high:g}" if ends else f"inside {low:g} to {high:g}"
    check: pa.Check = pa.Check.in_range(
        low, high, include_min=ends, include_max=ends, error=f"{{value}} is not {limits}; {what}"
    )
    return check


def check_rules(table: Table, rules: Rules) -> None:
    """Check every row of a table; what breaks a rule is added to the table's problems.

    Cells that could not be parsed are not judged again.
    """
    if not table.rows:
        return
    frame = pd.DataFrame(
        {name: pd.Series([row[name] for row in table.rows], dtype=object) for name in rules},
    )
    numeric = [name for name in rules if all(isinstance(row[name], float) for row in table.rows)]
    frame = frame.astype(dict.fromkeys(numeric, float))
    frame.index = pd.Index([row.line for row in table.rows])
    schema = pa.DataFrameSchema({n: pa.Column(None, list(checks), nullable=True) for n, checks in rules.items()})
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        for case in errors.failure_cases.to_dict("records"):
            line, column = int(case["index"]), str(case["column"])
            if (line, column) not in table.bad:
                table.report(line, column, _fill(str(case["check"]), case["failure_case"]))


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
