"""Formats years and figures for messages and tables."""

from __future__ import annotations

import string

from reeuncert.case.records import Evidence
from reeuncert.words.cells import shown

PLACEHOLDERS = ("median", "lower", "upper", "unit", "first_year", "last_year")
"""What may stand in braces in the sentence of a headline."""


def sentence_problem(text: str) -> str:
    """What is wrong with the sentence of a headline; empty where it can be filled in.

    >>> sentence_problem("{median} {unit}")
    ''
    >>> sentence_problem("{median:d}")
    "the placeholder '{median:d}' gives a format, but numbers are printed with the digits they have; write {median}"
    """
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError as error:
        return f"the braces do not match ({error}); write a brace itself twice: {{{{"
    for _, name, form, conversion in fields:
        if name is not None and (name not in PLACEHOLDERS or conversion):
            allowed = ", ".join(f"{{{p}}}" for p in PLACEHOLDERS)
            return f"the placeholder {shown('{' + name + '}')} is not known; use: {allowed}"
        if form:
            whole = shown(f"{{{name}:{form}}}")
            return (
                f"the placeholder {whole} gives a format, but numbers are printed with the digits they have; "
                f"write {{{name}}}"
            )
    return ""


def figure_text(row: Evidence) -> str:
    """Statement of a row, as text.

    >>> from math import nan
    >>> from reeuncert.system.definition import Selector
    >>> figure_text(Evidence("a", Selector(), (2000,), "level", None, 5.0, nan, nan, "kt", "REO", "at_least", "s", "l"))
    'at least 5 kt'
    """
    unit = "" if row.unit in ("share", "ratio", "") else f" {row.unit}"
    if row.qualifier == "range":
        return f"{row.low:g} to {row.high:g}{unit}"
    if row.qualifier == "at_least":
        return f"at least {row.value if row.value == row.value else row.low:g}{unit}"
    if row.qualifier == "up_to":
        return f"up to {row.value if row.value == row.value else row.high:g}{unit}"
    if row.qualifier == "zero":
        return f"zero (to {row.resolution:g}{unit})"
    about = "about " if row.qualifier == "about" else ""
    return f"{about}{row.value:g}{unit}"


def place_text(row: Evidence) -> str:
    """Where a row stands.

    >>> from math import nan
    >>> from reeuncert.system.definition import Selector
    >>> place_text(Evidence("a", Selector(), (), "level", None, 5.0, nan, nan, "kt", "REO", "exact", "s", "l"))
    "'a'"
    """
    return f"'{row.id}'" + (f" ({row.file} line {row.line})" if row.file else "")
