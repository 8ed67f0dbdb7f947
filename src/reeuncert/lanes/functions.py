"""Functions of one number or of four in compiled code (`reeuncert.lanes.numbers`); those of four without branches."""

import math
from collections.abc import Callable
from typing import Any

from reeuncert.lanes import numbers
from reeuncert.lanes.instructions import FOUR, LANES, exponent, mantissa, put, root, two_to
from reeuncert.lanes.numbers import lane, of_compiled_code, where

LANE_FILES = (*numbers.LANE_FILES, __file__)
"""For the version of kernels that call these."""


_LOG2_HIGH, _LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""log 2 in two parts; a small integer times the first is exact."""
_ROUNDER = 1.5 * 2.0**52
"""A small number plus this has its rounded integer in the last bits."""
_ROOT = math.sqrt(2.0)


@of_compiled_code
def sqrt(x):  # type: ignore[no-untyped-def]  # numba compares names
    """Square root."""
    if x is FOUR:
        return lambda x: root(x)
    return lambda x: math.sqrt(x)


@of_compiled_code
def exp(x):  # type: ignore[no-untyped-def]  # numba compares names
    """Exponential function; of four numbers only between ± 708, where it ends."""
    if x is not FOUR:
        return lambda x: math.exp(x)

    def four(x):  # type: ignore[no-untyped-def]  # numba infers
        x = where(x > 708.0, 708.0, where(x < -708.0, -708.0, x))
        shifted = x * 1.4426950408889634 + _ROUNDER
        whole = shifted - _ROUNDER
        r = (x - whole * _LOG2_HIGH) - whole * _LOG2_LOW
        p = r * (1 / 479001600.0) + 1 / 39916800.0
        p = p * r + 1 / 3628800.0
        p = p * r + 1 / 362880.0
        p = p * r + 1 / 40320.0
        p = p * r + 1 / 5040.0
        p = p * r + 1 / 720.0
        p = p * r + 1 / 120.0
        p = p * r + 1 / 24.0
        p = p * r + 1 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        return (p * r + 1.0) * two_to(shifted)

    return four


@of_compiled_code
def log(x):  # type: ignore[no-untyped-def]  # numba compares names
    """Natural logarithm; NaN for what is not positive and finite, of four numbers."""
    if x is not FOUR:
        return lambda x: math.log(x)

    def four(x):  # type: ignore[no-untyped-def]  # numba infers
        # x = 2ᵏ m with m between √½ and √2; log m = 2 artanh s by its series, s = (m − 1) / (m + 1).
        k, m = exponent(x), mantissa(x)
        above = m > _ROOT
        k, m = where(above, k + 1.0, k), where(above, 0.5 * m, m)
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        p = z * (2 / 23.0) + 2 / 21.0
        p = p * z + 2 / 19.0
        p = p * z + 2 / 17.0
        p = p * z + 2 / 15.0
        p = p * z + 2 / 13.0
        p = p * z + 2 / 11.0
        p = p * z + 2 / 9.0
        p = p * z + 2 / 7.0
        p = p * z + 2 / 5.0
        p = p * z + 2 / 3.0
        result = k * _LOG2_HIGH + (2.0 * s + (p * z * s + k * _LOG2_LOW))
        return where(x > 0.0, where(x < math.inf, result, math.nan), math.nan)

    return four


@of_compiled_code
def log1p(x):  # type: ignore[no-untyped-def]  # numba compares names
    """log(1 + x)."""
    if x is not FOUR:
        return lambda x: math.log1p(x)

    def four(x):  # type: ignore[no-untyped-def]  # numba infers
        w = 1.0 + x
        return log(w) + (x - (w - 1.0)) / w  # what 1 + x has lost by rounding

    return four


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled function of four numbers, the first of which may be `LANES` each; it is called for one after the
    other. For what has too many branches to be written for all at once.
    """

    @of_compiled_code
    def either(a, b, c, d):  # type: ignore[no-untyped-def]  # numba compares names
        if a is not FOUR:
            return lambda a, b, c, d: function(a, b, c, d)

        def four(a, b, c, d):  # type: ignore[no-untyped-def]  # numba infers
            result = a
            for i in range(LANES):
                result = put(result, i, function(lane(a, i), lane(b, i), lane(c, i), lane(d, i)))
            return result

        return four

    return either
