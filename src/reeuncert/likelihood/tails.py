"""Log densities and log probabilities of intervals, exact far into the tails, for numba.

The error families of reported figures are Student's t with four degrees of freedom and the normal. Both have closed
forms whose difference of two CDF values loses every digit when the two lie in one tail; the functions here avoid that
difference.

For t4 with ``s = u / sqrt(4 + u²)`` the CDF is ``1/2 + (3 s - s³) / 4`` (Johnson, Kotz & Balakrishnan 1995, *Continuous
Univariate Distributions* vol. 2, chapter 28), a polynomial, so that intervals factorise.

All functions take and return dimensionless floats; ``w`` is the width ``b - a``, passed on its own because the caller
knows it without rounding.
"""

from __future__ import annotations

import math

from reeuncert.compiling import compiled

LOG_12 = math.log(12.0)
LOG_4 = math.log(4.0)
LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
SQRT_HALF = math.sqrt(0.5)
INV_SQRT_PI = 1.0 / math.sqrt(math.pi)


@compiled
def t4_log_pdf(u: float) -> float:
    """Log density of the standard t with four degrees of freedom."""
    return LOG_12 - 2.5 * math.log(4.0 + u * u)


@compiled
def t4_log_sf(u: float) -> float:
    """Log of P(T > u) for the standard t with four degrees of freedom."""
    root = math.sqrt(4.0 + u * u)
    tail = 4.0 / (root * (root + abs(u)))  # 1 - |s|, without cancellation
    if u > 0.0:
        return 2.0 * math.log(tail) + math.log(3.0 - tail) - LOG_4
    return math.log1p(-0.25 * tail * tail * (3.0 - tail))


@compiled
def t4_log_interval(a: float, b: float, w: float) -> float:
    """Log of P(a < T < b) for the standard t with four degrees of freedom."""
    if b == math.inf:
        return 0.0 if a == -math.inf else t4_log_sf(a)
    if a == -math.inf:
        return t4_log_sf(-b)
    root_a = math.sqrt(4.0 + a * a)
    root_b = math.sqrt(4.0 + b * b)
    if a < 0.0 < b:
        s_a = a / root_a
        s_b = b / root_b
        return math.log((s_b - s_a) * (3.0 - (s_a * s_a + s_a * s_b + s_b * s_b))) - LOG_4
    a, b = abs(a), abs(b)
    difference = 4.0 * w * (a + b) / (root_a * root_b * (b * root_a + a * root_b))  # s_b - s_a
    u_a = 4.0 / (root_a * (root_a + a))
    u_b = 4.0 / (root_b * (root_b + b))
    return math.log(difference) + math.log(3.0 * (u_a + u_b) - (u_a * u_a + u_a * u_b + u_b * u_b)) - LOG_4


@compiled
def erfcx(x: float) -> float:
    """Scaled complementary error function exp(x²) erfc(x) for x >= 0."""
    if x < 10.0:
        return math.exp(x * x) * math.erfc(x)
    inverse = 0.5 / (x * x)
    term = 1.0
    total = 1.0
    for k in range(1, 12):
        term *= -(2.0 * k - 1.0) * inverse
        total += term
    return INV_SQRT_PI * total / x


@compiled
def normal_log_pdf(u: float) -> float:
    """Log density of the standard normal."""
    return -0.5 * u * u - LOG_SQRT_2PI


@compiled
def normal_log_sf(u: float) -> float:
    """Log of P(Z > u) for the standard normal."""
    if u > 0.0:
        return math.log(0.5 * erfcx(u * SQRT_HALF)) - 0.5 * u * u
    return math.log1p(-0.5 * math.erfc(-u * SQRT_HALF))


@compiled
def normal_log_interval(a: float, b: float, w: float) -> float:
    """Log of P(a < Z < b) for the standard normal."""
    if b == math.inf:
        return 0.0 if a == -math.inf else normal_log_sf(a)
    if a == -math.inf:
        return normal_log_sf(-b)
    middle = 0.5 * (a + b)
    if w * (1.0 + abs(middle)) < 1e-2:  # series about the middle: the difference below would cancel
        m2 = middle * middle
        w2 = w * w
        series = (m2 - 1.0) * w2 / 24.0 + (m2 * m2 - 6.0 * m2 + 3.0) * w2 * w2 / 1920.0
        return normal_log_pdf(middle) + math.log(w) + math.log1p(series)
    if a < 0.0 < b:
        return math.log(0.5 * (math.erf(b * SQRT_HALF) - math.erf(a * SQRT_HALF)))
    near, far = (a, b) if a >= 0.0 else (-b, -a)
    e_near = erfcx(near * SQRT_HALF)
    e_far = erfcx(far * SQRT_HALF)
    ratio = e_far / e_near * math.exp(-w * abs(middle))  # (far² - near²) / 2 = w |middle|
    return math.log(0.5 * e_near) - 0.5 * near * near + math.log1p(-ratio)
