"""How errors are drawn, and the scale of their laws; the densities are in `reeuncert.likelihood.kernels.family_logp`.

Imports nothing heavy: `reeuncert check` reads scales.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import ErrorTails
from reeuncert.words.error_laws import CUSTOMS, ERROR_LAWS, NORMAL


@lru_cache
def half_width(degrees_of_freedom: float) -> float:
    """Half-width of a standard t that holds what one standard deviation of a normal holds, to two decimals.

    Examples
    --------
    >>> half_width(4.0), half_width(2.0), half_width(1.0)
    (1.14, 1.32, 1.84)
    """
    # By quadrature and bisection: SciPy loads slowly, and `reeuncert check` needs no more of it.
    nu, wanted = degrees_of_freedom, math.erf(math.sqrt(0.5))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    normal = math.exp(math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu)) / math.sqrt(nu * math.pi)
    low, high = 1.0, 2.0
    while high - low > 1e-9:
        x = 0.5 * (low + high)
        inside = x * normal * float(weights @ (1.0 + (x * nodes) ** 2 / nu) ** (-0.5 * (nu + 1.0)))
        low, high = (x, high) if inside < wanted else (low, x)
    return round(low, 2)


def core_scale(family: str, tails: ErrorTails) -> float:
    """Scale of a family's core for a width (half-width of its central 68 %) of one.

    >>> round(core_scale("student_t", ErrorTails()), 3), core_scale("normal", ErrorTails())
    (0.877, 1.0)
    """
    return 1.0 if ERROR_LAWS[family].code == NORMAL else 1.0 / half_width(tails.degrees_of_freedom)


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

    The scale ``sigma`` (..., row) is that of the core for customs records; the family (row) is a code.
    """
    errors = sigma * where(family == NORMAL, normal, student)
    wrong = (family == CUSTOMS) & (uniform < tails.outlier_share)
    return where(wrong, tails.outlier_sd * normal, errors)


def draw_errors(
    sigma: NDArray[np.float64], family: NDArray[np.int64], tails: ErrorTails, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw one error for each scale, see `error_of`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> draw_errors(np.full((4, 2), 0.1), np.array([0, 2]), ErrorTails(), rng).shape
    (4, 2)
    """
    normal = rng.standard_normal(sigma.shape)
    nu = tails.degrees_of_freedom
    student = normal / np.sqrt(rng.chisquare(nu, sigma.shape) / nu)
    errors: NDArray[np.float64] = error_of(normal, student, rng.random(sigma.shape), sigma, family, tails)
    return errors
