"""What a reported figure says: its scale, and the ends of a bound."""

from __future__ import annotations

import math

from reeuncert.case.records import Evidence

LOG, LOGIT, PLAIN = "log", "logit", "plain"
"""Scales: levels and ratios, shares, and rows with additive errors."""


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

    Examples
    --------
    >>> from reeuncert.system.definition import Selector
    >>> row = Evidence("a", Selector(), (2000,), "level", None, 5.0, math.nan, math.nan, "kt", "", "at_least", "s", "l")
    >>> bounds(row)
    (5.0, inf)
    """
    if row.qualifier == "at_least":
        return (row.value if math.isfinite(row.value) else row.low), math.inf
    if row.qualifier == "up_to":
        return -math.inf, (row.value if math.isfinite(row.value) else row.high)
    if row.qualifier == "zero":
        return -math.inf, 0.5 * row.resolution
    return row.low, row.high
