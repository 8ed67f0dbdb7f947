"""Laws of the errors of reported figures, and the forms in which a figure enters the likelihood: one table for all.

A law is a core, on the log or logit scale with or without outliers, or in the unit of the row. Any such combination is
one row of `ERROR_LAWS`. A new core is one more code and its scale here, and its density, tails and draws in
`reeuncert.likelihood.laws`.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

STUDENT_T, NORMAL = 0, 2
"""Codes of the cores in compiled code: even."""
OUTLIERS = 1
"""Added to the code of a core that has outliers."""
DENSITY, INTERVAL = 0, 1
"""Codes of the forms: density at a value, probability of an interval (either end may be infinite)."""


@dataclass(frozen=True)
class ErrorLaw:
    """How the error of a reported figure, or a shared offset, is distributed."""

    meaning: str  # for documentation
    core: int = STUDENT_T
    outliers: bool = False  # a share of the errors is normal with a large standard deviation instead
    plain: bool = False  # on the scale of the figure itself (in its unit) instead of the log or logit scale

    def __post_init__(self) -> None:
        if self.core not in (STUDENT_T, NORMAL):
            raise ValueError(f"the core {self.core} of a law of errors is not known; write its code here and its law")
        if self.plain and self.outliers:
            raise ValueError("the sd of outliers is a number on the log scale; a law in the unit of the row has none")

    @property
    def code(self) -> int:
        """Number of the law in compiled code."""
        return self.core | (OUTLIERS if self.outliers else 0)

    def core_scale(self, degrees_of_freedom: float) -> float:
        """Scale of the core for a width (half-width of its central 68 %) of one.

        >>> round(ERROR_LAWS["student_t"].core_scale(4.0), 3), ERROR_LAWS["normal"].core_scale(4.0)
        (0.877, 1.0)
        """
        return 1.0 if self.core == NORMAL else 1.0 / _half_width(degrees_of_freedom)


ERROR_LAWS = {
    "student_t": ErrorLaw("Student's t (4 degrees of freedom unless the case says otherwise)"),
    "customs": ErrorLaw(
        "Student's t, and a share of outliers (10 %, normal with log-sd 2, unless the case says otherwise)",
        outliers=True,
    ),
    "normal": ErrorLaw("normal on the log or logit scale", NORMAL),
    "additive": ErrorLaw("normal in the unit of the row", NORMAL, plain=True),
}
"""Laws by the word that ``classes.csv`` uses."""

OFFSET_LAWS = tuple(word for word, law in ERROR_LAWS.items() if not law.plain)
"""Laws of offsets, which are always on the log scale."""


@lru_cache
def _half_width(degrees_of_freedom: float) -> float:
    """Half-width of a standard t that holds what one standard deviation of a normal holds, to two decimals.

    By quadrature and bisection: SciPy loads slowly, and `reeuncert check` needs no more of it.
    """
    nu, wanted = degrees_of_freedom, math.erf(math.sqrt(0.5))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    normal = math.exp(math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu)) / math.sqrt(nu * math.pi)
    low, high = 1.0, 2.0
    while high - low > 1e-9:
        x = 0.5 * (low + high)
        inside = x * normal * float(weights @ (1.0 + (x * nodes) ** 2 / nu) ** (-0.5 * (nu + 1.0)))
        low, high = (x, high) if inside < wanted else (low, x)
    return round(low, 2)
