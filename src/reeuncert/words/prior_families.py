"""Families of prior densities: one table for the reader, the checks, the densities, the edits and the documentation."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Density = Callable[..., Any]
"""From a module of functions (``pytensor.tensor``), log x and the numbers to log p(x), a density in x, by element."""


def _lognormal(m: Any, log_x: Any, median: Any, sd: Any) -> Any:
    deviation = (log_x - m.log(median)) / sd
    return -0.5 * deviation**2 - m.log(sd) - log_x - 0.5 * math.log(2 * math.pi)


def _truncated_normal(m: Any, log_x: Any, mean: Any, sd: Any) -> Any:
    deviation = (m.exp(log_x) - mean) / sd
    inside = m.log(0.5 * m.erfc(-mean / (sd * math.sqrt(2))))
    return -0.5 * deviation**2 - m.log(sd) - 0.5 * math.log(2 * math.pi) - inside


def _gamma(m: Any, log_x: Any, shape: Any, rate: Any) -> Any:
    return shape * m.log(rate) - m.gammaln(shape) + (shape - 1) * log_x - rate * m.exp(log_x)


def _exponential(m: Any, log_x: Any, mean: Any, _: Any) -> Any:
    return -m.log(mean) - m.exp(log_x) / mean


def _uniform(m: Any, log_x: Any, low: Any, high: Any) -> Any:
    x = m.exp(log_x)
    return m.switch((x >= low) & (x <= high), -m.log(high - low), -math.inf)


def _beta(m: Any, log_x: Any, a: Any, b: Any, log_rest: Any = None) -> Any:
    total = m.gammaln(a + b) - m.gammaln(a) - m.gammaln(b)
    return total + (a - 1) * log_x + (b - 1) * (m.log1p(-m.exp(log_x)) if log_rest is None else log_rest)


def _triangular(m: Any, log_x: Any, low: Any, high: Any, top: Any) -> Any:
    x = m.exp(log_x)
    rising = (x - low) / m.maximum(top - low, 1e-300)
    height = m.switch(x < top, rising, (high - x) / m.maximum(high - top, 1e-300))
    return m.log(2.0 * m.maximum(height, 0.0) / (high - low))


def _flat(m: Any, log_x: Any, _a: Any, _b: Any) -> Any:
    return m.zeros_like(log_x)


@dataclass(frozen=True)
class PriorFamily:
    """A family of densities of a positive mass, or of the shares of one process.

    Its functions take two numbers, or three with ``c``. ``centre`` is not used of a Dirichlet density, which needs the
    numbers of all outflows; ``density`` is None for families of all shares together, and ``widened`` where the spread
    is part of the limits.
    """

    a: str  # what its numbers mean; empty where it takes none
    b: str
    allowed: Callable[..., bool]  # whether the numbers are a member of the family
    rule: str  # what ``allowed`` demands, in words
    centre: Callable[..., tuple[float, float]]  # a typical value and how far others lie: a start of the sampler
    density: Density | None = None  # of a mass, or of one share, as a function of its log
    of: tuple[str, ...] = ("mass",)  # ``mass``, ``share`` or both
    c: str = ""
    support: Callable[..., tuple[float, float]] = lambda *_: (0.0, math.inf)  # least and largest value of its numbers
    widened: Callable[[float, float, float], tuple[float, float]] | None = None  # numbers for a spread times a factor
    on_log_scale: bool = False  # whether b is a standard deviation of the log, or of a log-ratio

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row of this family must fill in."""
        return tuple(name for name in ("a", "b", "c") if getattr(self, name))

    def numbers(self, row: Any) -> tuple[float, ...]:
        """The numbers of a row of the priors table, as the functions of the family take them."""
        return (row.a, row.b, row.c) if self.c else (row.a, row.b)

    def accepts(self, row: Any) -> bool:
        """Whether the numbers of a row are given, finite and a member of the family."""
        given = all(math.isfinite(getattr(row, name)) for name in self.columns)
        return given and self.allowed(*self.numbers(row))


def _wider_second(a: float, b: float, factor: float) -> tuple[float, float]:
    return a, factor * b


DIRICHLET, LOGISTIC_NORMAL, FLAT = "dirichlet", "logistic_normal", "flat"
BETA, TRIANGULAR, UNIFORM = "beta", "triangular", "uniform"

PRIOR_FAMILIES = {
    "lognormal": PriorFamily(
        a="median",
        b="log-sd",
        allowed=lambda a, b: a > 0 and b > 0,
        rule="median > 0 and log-sd > 0",
        centre=lambda a, b: (a, a * b),
        density=_lognormal,
        widened=_wider_second,
        on_log_scale=True,
    ),
    "truncated_normal": PriorFamily(
        a="mean of the parent normal",
        b="its sd",
        # Further below zero the normal has no mass left above it that doubles could tell from none.
        allowed=lambda a, b: b > 0 and a > -30 * b,
        rule="sd > 0 and mean > −30 sd",
        centre=lambda a, b: (a, b),
        density=_truncated_normal,
        widened=_wider_second,
    ),
    "gamma": PriorFamily(
        a="shape",
        b="rate",
        allowed=lambda a, b: a > 0 and b > 0,
        rule="shape > 0 and rate > 0",
        centre=lambda a, b: (a / b, math.sqrt(a) / b),
        density=_gamma,
        widened=lambda a, b, factor: (a / factor**2, b / factor**2),
    ),
    "exponential": PriorFamily(
        a="mean", b="", allowed=lambda a, _: a > 0, rule="mean > 0", centre=lambda a, _: (a, a), density=_exponential
    ),
    UNIFORM: PriorFamily(
        a="low",
        b="high",
        allowed=lambda a, b: 0 <= a < b,
        rule="0 ≤ low < high",
        centre=lambda a, b: ((a + b) / 2, (b - a) / math.sqrt(12)),
        density=_uniform,
        of=("mass", "share"),
        support=lambda a, b: (a, b),
    ),
    FLAT: PriorFamily(
        a="", b="", allowed=lambda _a, _b: True, rule="no numbers", centre=lambda _a, _b: (0.0, math.inf), density=_flat
    ),
    DIRICHLET: PriorFamily(
        a="concentration",
        b="",
        allowed=lambda a, _: a > 0,
        rule="a > 0, the concentration of each outflow",
        centre=lambda a, _: (a, math.nan),
        of=("share",),
        widened=lambda a, b, factor: (a / factor**2, b),
    ),
    LOGISTIC_NORMAL: PriorFamily(
        a="median share",
        b="sd of the log-ratio",
        allowed=lambda a, b: 0 < a < 1 and b > 0,
        rule="a between 0 and 1 (median share) and b > 0 (sd of the log-ratio)",
        centre=lambda a, b: (a, b * a * (1 - a)),
        of=("share",),
        widened=_wider_second,
        on_log_scale=True,
    ),
    BETA: PriorFamily(
        a="α",
        b="β",
        allowed=lambda a, b: a > 0 and b > 0,
        rule="a > 0 and b > 0 (mean a / (a + b))",
        centre=lambda a, b: (a / (a + b), math.sqrt(a * b / (a + b + 1)) / (a + b)),
        density=_beta,
        of=("share",),
        support=lambda _a, _b: (0.0, 1.0),
        widened=lambda a, b, factor: (a / factor**2, b / factor**2),
    ),
    TRIANGULAR: PriorFamily(
        a="low",
        b="high",
        c="most likely",
        allowed=lambda a, b, c: 0 <= a <= c <= b <= 1 and a < b,
        rule="0 ≤ a < b ≤ 1 (low, high), and c between them (most likely)",
        centre=lambda a, b, c: ((a + b + c) / 3, math.sqrt((a * a + b * b + c * c - a * b - a * c - b * c) / 18)),
        density=_triangular,
        of=("share",),
        support=lambda a, b, _: (a, b),
    ),
}
"""Families by the word that ``priors.csv`` uses."""

MASS_DENSITIES = {w: f.density for w, f in PRIOR_FAMILIES.items() if f.density is not None and "mass" in f.of}
INDEPENDENT = tuple(sorted(w for w, f in PRIOR_FAMILIES.items() if f.density is not None and "share" in f.of))
"""Densities of one share; what they leave goes to the reference outflow."""

PRIOR_KINDS = {"coordinates": ("input", "share", "split"), "mass": ("flow",), "shares": ("input", "share")}
"""Prior measures, and the kinds of rows that the priors table of each may hold."""


def families_of(kind: str) -> tuple[str, ...]:
    """Words of the families that a row of this kind may have."""
    what = "share" if kind == "share" else "mass"
    return tuple(word for word, family in PRIOR_FAMILIES.items() if what in family.of)


def limits(row: Any) -> tuple[float, float]:
    """The least and the largest value that a row of the priors table allows."""
    family = PRIOR_FAMILIES[row.family]
    return family.support(*family.numbers(row))
