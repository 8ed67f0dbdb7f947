"""The cores of the laws of errors: densities and log probabilities of intervals, exact far into the tails, and draws.

The cores are Student's t and the normal. With four degrees of freedom, as usual, both have closed forms whose
difference of two CDF values loses every digit when the two lie in one tail; the functions here avoid that difference.

For t4 with ``s = u / sqrt(4 + u²)`` the CDF is ``1/2 + (3 s - s³) / 4`` (Johnson, Kotz & Balakrishnan 1995, *Continuous
Univariate Distributions* vol. 2, chapter 28), a polynomial, so that intervals factorise.

All compiled functions take and return dimensionless numbers; ``w`` is the width ``b - a``, passed on its own because
the caller knows it without rounding. Densities and tails take four numbers at a time, too (`reeuncert.lanes.numbers`).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reeuncert.case.records import ErrorTails
from reeuncert.compiling import compiled
from reeuncert.lanes.functions import exp, log, log1p, one_by_one, sqrt
from reeuncert.lanes.numbers import where
from reeuncert.words.error_laws import NORMAL, OUTLIERS

LOG_12 = math.log(12.0)
LOG_4 = math.log(4.0)
LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
SQRT_HALF = math.sqrt(0.5)
SQRT_HALF_OVER_PI = math.sqrt(0.5 / math.pi)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


@compiled
def t_log_pdf(u: Any, nu: float) -> Any:
    """Log density of the standard t with ``nu`` degrees of freedom."""
    if nu == 4.0:
        return t4_log_pdf(u)
    normal = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu * math.pi)
    return normal - 0.5 * (nu + 1.0) * log1p(u * u / nu)


@compiled
def t_log_interval(a: float, b: float, w: float, nu: float) -> float:
    """Log of P(a < T < b) for the standard t with ``nu`` degrees of freedom; closed forms for four."""
    if nu == 4.0:
        return t4_log_interval(a, b, w)
    if a < 0.0 < b and w > 1.0:
        return math.log1p(-math.exp(t_log_sf(b, nu)) - math.exp(t_log_sf(-a, nu)))
    if a >= 0.0 or b <= 0.0:
        near, far = min(abs(a), abs(b)), max(abs(a), abs(b))
        log_near, log_far = t_log_sf(near, nu), t_log_sf(far, nu)
        if log_near - log_far > 0.7:
            return log_near + math.log1p(-math.exp(log_far - log_near))
    # Here a difference would cancel, but the density changes little: Gauss-Legendre quadrature.
    top = t_log_pdf(0.5 * (a + b), nu)
    total = 0.0
    for k in range(_NODES.size):
        total += _WEIGHTS[k] * math.exp(t_log_pdf(0.5 * (a + b) + 0.5 * w * _NODES[k], nu) - top)
    return top + math.log(0.5 * w * total)


@compiled
def t_log_sf(u: float, nu: float) -> float:
    """Log of P(T > u): half the regularised incomplete beta function of nu / (nu + u²)."""
    if u == 0.0:
        return math.log(0.5)
    x, y = nu / (nu + u * u), u * u / (nu + u * u)  # y = 1 - x, without cancellation
    log_power = 0.5 * nu * math.log(x) + 0.5 * math.log(y)
    log_power += math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(math.pi)
    if x < (0.5 * nu + 1.0) / (0.5 * nu + 2.5):
        log_tail = log_power + math.log(_beta_fraction(0.5 * nu, 0.5, x) / nu)
        return log_tail if u > 0.0 else math.log1p(-math.exp(log_tail))
    inside = math.exp(log_power) * _beta_fraction(0.5, 0.5 * nu, y) * 2.0  # of 2 P(0 < T < |u|)
    return math.log(0.5 - 0.5 * inside) if u > 0.0 else math.log(0.5 + 0.5 * inside)


@compiled
def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function (Lentz's method; Press et al., Numerical Recipes, 6.4)."""
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d, c = 1.0 / (1.0 + even * d), 1.0 + even / c
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d, c = 1.0 / (1.0 + odd * d), 1.0 + odd / c
        value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return value


@compiled
def t4_log_pdf(u: Any) -> Any:
    """Log density of the standard t with four degrees of freedom."""
    return LOG_12 - 2.5 * log(4.0 + u * u)


@compiled
def t4_tail(u: Any) -> tuple[Any, Any]:
    """`one_sided` for the standard t with four degrees of freedom."""
    square = 4.0 + u * u
    root = sqrt(square)
    tail = 4.0 / (root * (root + abs(u)))  # 1 - |s|, without cancellation
    beyond = 0.25 * tail * tail * (3.0 - tail)  # P(T > |u|)
    above, density = u > 0.0, 12.0 / (square * square * root)
    return _log_sf(above, beyond, 0.0, beyond), density / where(above, beyond, 1.0 - beyond)


@compiled
def _log_sf(above: Any, beyond: Any, less: Any, probability: Any) -> Any:
    """Log of P(X > u) from P(X > |u|): log ``beyond`` - ``less`` where u > 0, which may be tiny, else log1p(-P)."""
    rest = 1.0 - probability
    lost = (-probability - (rest - 1.0)) / rest  # what 1 - P has lost by rounding
    return log(where(above, beyond, rest)) + where(above, -less, lost)


@compiled
def t4_log_interval(a: float, b: float, w: float) -> float:
    """Log of P(a < T < b) for the standard t with four degrees of freedom."""
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


_MIDDLE = 3.75


def _of_erfcx(t: Any) -> Any:
    x = _MIDDLE * (1.0 + t) / (1.0 - t)
    return (1.0 + 2.0 * x) * special.erfcx(x)


_ERFCX = np.polynomial.chebyshev.cheb2poly(np.polynomial.chebyshev.chebinterpolate(_of_erfcx, 20))


@compiled
def erfcx(x: Any) -> Any:
    """Scaled complementary error function exp(x²) erfc(x) for x >= 0.

    (1 + 2x) erfcx(x) lies between 1 and 1.2 and is smooth in t = (x - k) / (x + k): one polynomial, interpolated at
    Chebyshev points (Shepherd & Laframboise 1981, doi 10.1090/S0025-5718-1981-0595058-X). Its coefficients are of the
    size of one, so that powers of t lose nothing; even and odd ones are summed side by side.
    """
    t = (x - _MIDDLE) / (x + _MIDDLE)
    square, even, odd = t * t, t * 0.0, t * 0.0
    for k in range(_ERFCX.size - 1, 0, -2):
        even = even * square + _ERFCX[k]
        odd = odd * square + _ERFCX[k - 1]
    return ((even * square + _ERFCX[0]) + t * odd) / (1.0 + 2.0 * x)


@compiled
def normal_log_pdf(u: Any) -> Any:
    """Log density of the standard normal."""
    return -0.5 * u * u - LOG_SQRT_2PI


@compiled
def normal_tail(u: Any) -> tuple[Any, Any]:
    """`one_sided` for the standard normal."""
    half_square = 0.5 * u * u
    above, scaled, bell = u > 0.0, 0.5 * erfcx(abs(u) * SQRT_HALF), exp(-half_square)
    beyond = scaled * bell  # P(Z > |u|)
    hazard = where(above, 1.0, bell) / where(above, scaled, 1.0 - beyond)
    return _log_sf(above, scaled, half_square, beyond), SQRT_HALF_OVER_PI * hazard


@compiled
def normal_log_interval(a: float, b: float, w: float) -> float:
    """Log of P(a < Z < b) for the standard normal."""
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


@compiled
def log_density(core: int, u: Any, nu: float) -> tuple[Any, Any]:
    """Log density of a core at u, and its derivative with respect to -u."""
    if core == NORMAL:
        return normal_log_pdf(u), u
    return t_log_pdf(u, nu), (nu + 1.0) * u / (nu + u * u)


@compiled
def one_sided(core: int, u: Any, nu: float) -> tuple[Any, Any]:
    """Log of P(X > u) of a core, and its derivative with respect to -u: density over probability."""
    if core == NORMAL:
        return normal_tail(u)
    if nu == 4.0:
        return t4_tail(u)
    logp = _any_t_log_sf(u, nu, 0.0, 0.0)
    return logp, exp(t_log_pdf(u, nu) - logp)


@compiled
def _interval(a: float, b: float, w: float, nu: float) -> float:
    return t_log_interval(a, b, w, nu) if nu > 0.0 else normal_log_interval(a, b, w)


@compiled
def _t_sf(u: float, nu: float, _: float, __: float) -> float:
    return t_log_sf(u, nu)


_two_sided = one_by_one(_interval)
_any_t_log_sf = one_by_one(_t_sf)


@compiled
def two_sided(core: int, a: Any, b: Any, w: Any, nu: float) -> Any:
    """Log of P(a < X < b) of a core, from a, b and b - a, all finite."""
    return _two_sided(a, b, w, 0.0 if core == NORMAL else nu)


def error_of(
    normal: Any,
    student: Any,
    uniform: Any,
    sigma: Any,
    family: NDArray[np.int64],
    tails: ErrorTails,
    where: Callable[..., Any] = np.where,
) -> Any:
    """Errors (..., row) made of standard draws (..., row): numbers, or PyTensor variables with ``pytensor.where``.

    The scale ``sigma`` (..., row) is that of the core; the family (row) is a code of `reeuncert.words.error_laws`.
    """
    errors = sigma * where((family & ~OUTLIERS) == NORMAL, normal, student)
    wrong = ((family & OUTLIERS) > 0) & (uniform < tails.outlier_share)
    return where(wrong, tails.outlier_sd * normal, errors)
