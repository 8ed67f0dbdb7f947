"""Reported figure and qualifier to a form of likelihood, on the scale of the row (log, logit or plain)."""

import math
from dataclasses import dataclass

from reeuncert.case.figures import bounds, to_scale
from reeuncert.case.records import Evidence
from reeuncert.words.error_laws import DENSITY, INTERVAL
from reeuncert.words.qualifiers import BOUND_QUALIFIERS


@dataclass(frozen=True)
class Reading:
    """One figure as input of the kernels.

    Parameters
    ----------
    form
        `DENSITY` at ``value``, or `INTERVAL` from ``value + lower`` to ``value + upper`` (either may be infinite).
    value
        The figure on the scale of the row; for a range its middle, for a bound the bound.
    shift, weight
        With probability ``weight`` the figure is ``value + shift``.
    """

    form: int
    value: float
    lower: float = 0.0
    upper: float = 0.0
    shift: float = 0.0
    weight: float = 0.0


def _interval(low: float, high: float) -> Reading:
    """The interval from low to high on the scale of the row, around its middle (or its finite end)."""
    if math.isinf(low):
        return Reading(INTERVAL, high, -math.inf, 0.0)
    if math.isinf(high):
        return Reading(INTERVAL, low, 0.0, math.inf)
    half = 0.5 * (high - low)
    return Reading(INTERVAL, low + half, -half, half)


def read(row: Evidence, factor: float, scale: str, sigma: float) -> Reading:
    """Form of one row without a problem; ``factor`` leads from its unit to that of the case, ``scale`` is ``log``,
    ``logit`` or ``plain``. With sigma, the scale of the row's error (the median, where it is learned), a printed figure
    is the interval of ± half its last digit where that exceeds sigma / 2.
    """
    if row.qualifier in BOUND_QUALIFIERS:
        low, high = bounds(row)
        reading = _interval(_end(low, factor, scale), _end(high, factor, scale))
    else:
        value = to_scale(row.value * factor, scale)
        reading = Reading(DENSITY, value)
        if math.isfinite(row.resolution) and row.resolution > 0.0:
            half = 0.5 * row.resolution
            low = to_scale((row.value - half) * factor, scale)
            high = to_scale((row.value + half) * factor, scale)
            if high - low > sigma:
                reading = Reading(INTERVAL, value, low - value, high - value)
    if math.isfinite(row.alternative) and row.alternative_weight > 0.0:
        shift = to_scale(row.alternative * factor, scale) - reading.value
        reading = Reading(reading.form, reading.value, reading.lower, reading.upper, shift, row.alternative_weight)
    return reading


def _end(number: float, factor: float, scale: str) -> float:
    return number if math.isinf(number) else to_scale(number * factor, scale)
