"""Log probabilities of intervals, also far in the tails."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from reeuncert.likelihood import laws

getcontext().prec = 120

quick = settings(deadline=None, max_examples=60)
"""The first call compiles a kernel, which is no reason to fail."""

points = st.floats(-1e6, 1e6, allow_nan=False)
widths = st.floats(1e-4, 1e4)


def exact_t4(u: float) -> Decimal:
    """The CDF of t4 to 120 digits."""
    x = Decimal(u)
    s = x / (4 + x * x).sqrt()
    return Decimal("0.5") + (3 * s - s**3) / 4


@quick
@given(points, widths)
def test_t4_interval_agrees_with_exact_arithmetic(a: float, w: float) -> None:
    b = a + w
    expected = float((exact_t4(b) - exact_t4(a)).ln())
    assert laws.t4_log_interval(a, b, b - a) == pytest.approx(expected, rel=1e-9, abs=1e-11)


@quick
@given(st.sampled_from([1.0, 2.0, 3.5, 5.0, 30.0, 100.0]), st.floats(-50, 50), st.floats(1e-3, 60))
def test_any_t_agrees_with_scipy(nu: float, a: float, w: float) -> None:
    assert laws.t_log_pdf(a, nu) == pytest.approx(stats.t.logpdf(a, nu), rel=1e-10, abs=1e-12)
    # Near zero scipy is off by 1e-9: with one degree of freedom log(1/2 − atan(a) / π) gives ours to all digits.
    assert laws.t_log_sf(a, nu) == pytest.approx(float(stats.t.logsf(a, nu)), rel=3e-9, abs=1e-12)
    x = np.linspace(a, a + w, 100_001)
    near, far = sorted((abs(a), abs(a + w)))
    if a < 0.0 < a + w or stats.t.sf(far, nu) < 0.4 * stats.t.sf(near, nu):
        expected = (
            np.log1p(-stats.t.sf(-a, nu) - stats.t.sf(a + w, nu))
            if a < 0.0 < a + w
            else (stats.t.logsf(near, nu) + np.log1p(-stats.t.sf(far, nu) / stats.t.sf(near, nu)))
        )
        tolerance = 1e-8 / w
    else:
        expected, tolerance = np.log(np.trapezoid(stats.t.pdf(x, nu), x)), 1e-7
    assert laws.t_log_interval(a, a + w, w, nu) == pytest.approx(float(expected), rel=1e-8, abs=tolerance)


@quick
@given(points)
def test_t4_tail_agrees_with_exact_arithmetic(a: float) -> None:
    assert laws.t4_tail(a)[0] == pytest.approx(float((1 - exact_t4(a)).ln()), rel=1e-12, abs=1e-14)


def exact_normal(a: float, b: float) -> float:
    """Log of P(a < Z < b) from the logs of the two tail probabilities, on the side where they are small."""
    if a + b > 0:
        a, b = -b, -a
    high, low = special.log_ndtr(b), special.log_ndtr(a)
    return float(high + np.log1p(-np.exp(low - high)))


@quick
@given(st.floats(-300, 300), st.floats(0.05, 100))
def test_normal_interval_agrees_with_scipy(a: float, w: float) -> None:
    b = a + w
    assert laws.normal_log_interval(a, b, b - a) == pytest.approx(exact_normal(a, b), rel=1e-9, abs=1e-12)


@quick
@given(st.floats(-30, 30), st.floats(1e-9, 1e-4))
def test_narrow_normal_interval_is_density_times_width(a: float, w: float) -> None:
    expected = stats.norm.logpdf(a + w / 2) + math.log(w)
    assert laws.normal_log_interval(a, a + w, w) == pytest.approx(expected, abs=1e-6)


def test_the_two_ways_to_a_normal_interval_meet() -> None:
    for middle in (0.0, 0.7, 3.0, 20.0):
        w = 1e-2 / (1.0 + middle)
        below = laws.normal_log_interval(middle - 0.4999 * w, middle + 0.4999 * w, 0.9998 * w)
        above = laws.normal_log_interval(middle - 0.5001 * w, middle + 0.5001 * w, 1.0002 * w)
        assert above - below == pytest.approx(math.log(1.0002 / 0.9998), abs=1e-8)


@quick
@given(st.floats(-1e4, 1e4))
def test_normal_tail_agrees_with_scipy(a: float) -> None:
    assert laws.normal_tail(a)[0] == pytest.approx(special.log_ndtr(-a), rel=1e-12, abs=1e-15)


@quick
@given(st.floats(0, 1e3))
def test_scaled_complementary_error_function_agrees_with_scipy(x: float) -> None:
    assert laws.erfcx(x) == pytest.approx(special.erfcx(x), rel=1e-12)


@quick
@given(st.floats(-1e3, 1e3))
def test_densities_agree_with_scipy(u: float) -> None:
    assert laws.t4_log_pdf(u) == pytest.approx(stats.t.logpdf(u, 4), rel=1e-12, abs=1e-12)
    assert laws.normal_log_pdf(u) == pytest.approx(stats.norm.logpdf(u), rel=1e-12, abs=1e-12)
