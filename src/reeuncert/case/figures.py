"""What a row states, as numbers and as text: scales, ends of figures, medians of priors in a year."""

import math
import string

import numpy as np

from reeuncert.case.records import Evidence, Prior
from reeuncert.words.cells import quoted

LOG, LOGIT, PLAIN = "log", "logit", "plain"  # scales: levels and ratios, shares, and rows with additive errors


def scale_of(relation: str, plain: bool) -> str:
    """Scale on which a relation has its error."""
    if plain:
        return PLAIN
    return LOGIT if relation == "share" else LOG


def to_scale(number: float, scale: str) -> float:
    """A number in the case's unit (a share between 0 and 1) on the scale of the row.

    >>> to_scale(0.5, "logit")
    0.0
    """
    if scale == PLAIN:
        return number
    if number <= 0.0:
        return -math.inf
    if scale == LOG:
        return math.log(number)
    return math.inf if number >= 1.0 else math.log(number) - math.log1p(-number)


def bounds(row: Evidence) -> tuple[float, float]:
    """Lower and upper end of what a bound, range or zero says, in the unit of the row; infinite where open.

    >>> from reeuncert.system.definition import Selector
    >>> row = Evidence("a", Selector(), (2000,), "level", None, 5.0, math.nan, math.nan, "kt", "", "at_least", "s", "l")
    >>> bounds(row)
    (5.0, inf)
    """
    if row.qualifier == "at_least":
        return row.value, math.inf
    if row.qualifier in ("up_to", "zero"):
        return -math.inf, row.value if row.qualifier == "up_to" else 0.5 * row.resolution
    return row.low, row.high


def median_in_year(prior: Prior, year: int) -> float:
    """Median that a row states for a year (a straight line on the log or logit scale where it changes).

    >>> from reeuncert.system.definition import Selector
    >>> row = Prior("feed", "g", "share", Selector.of(), (2000, 2001, 2002), median=0.2, median_to=0.5)
    >>> round(median_in_year(row, 2001), 4)
    0.3333
    """
    if math.isnan(prior.median_to) or len(prior.years) < 2:
        return prior.median
    part = min((year - prior.years[0]) / ((prior.median_until or prior.years[-1]) - prior.years[0]), 1.0)
    if prior.kind == "input":
        return float(np.exp((1 - part) * np.log(prior.median) + part * np.log(prior.median_to)))
    return _expit((1 - part) * _logit(prior.median) + part * _logit(prior.median_to))


# As scipy.special rounds them, bit for bit; to load that takes half a second of every command.
def _logit(share: float) -> float:
    if 0.3 <= share <= 0.65:
        return math.log1p(2 * (share - 0.5)) - math.log1p(-2 * (share - 0.5))
    return math.log(share / (1 - share))


def _expit(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


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
            return f"the placeholder {quoted('{' + name + '}')} is not known; use: {allowed}"
        if form:
            says = "gives a format, but numbers are printed with the digits they have"
            return f"the placeholder {quoted(f'{{{name}:{form}}}')} {says}; write {{{name}}}"
    return ""


def class_variable(group: str) -> str:
    """Name of a class of priors as a variable of a file.

    >>> class_variable("end uses")
    'end_uses'
    """
    return (group or "other").replace("/", "_").replace(" ", "_")


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
    if row.qualifier == "zero":
        return f"zero (to {row.resolution:g}{unit})"
    words = {"at_least": "at least ", "up_to": "up to ", "about": "about "}
    return f"{words.get(row.qualifier, '')}{row.value:g}{unit}"


def place_text(row: Evidence) -> str:
    """Where a row stands."""
    return f"'{row.id}'" + (f" ({row.file} line {row.line})" if row.file else "")
