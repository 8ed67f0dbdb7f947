"""What the numbers that settings are given as may be: one place for functions, studies and samplers."""

import math
import numbers
from dataclasses import dataclass
from typing import Any

MOST_DRAWS = 10_000_000
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Range:
    """Numbers that a setting may be: least and most, whole numbers only, the ends themselves allowed, and whether it is
    a setting of a sampler.
    """

    least: float
    most: float = math.inf
    whole: bool = True
    ends: bool = True
    sampling: bool = True

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return self.least <= value <= self.most if self.ends else self.least < value < self.most

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if not self.ends:
            return f"{kind} above {self.least:g} and below {self.most:g}"
        return f"{kind} of at least {self.least:,g}" if math.isinf(self.most) else (
            f"{kind} from {self.least:,.12g} to {self.most:,.12g}"
        )  # fmt: skip


RANGES = {
    "draws": Range(4, MOST_DRAWS),
    "tune": Range(1, MOST_DRAWS),
    "thin": Range(1, 100_000),
    "chains": Range(1, 10_000),
    "cores": Range(1, 100_000),
    "seed": Range(0, LARGEST_SEED),
    "prior_draws": Range(0, MOST_DRAWS),
    "target_accept": Range(0, 1, whole=False, ends=False),
    "simulations": Range(2, 1_000_000),
    "jobs": Range(1, 100_000),
    "prob": Range(0, 1, whole=False, ends=False, sampling=False),
    "samples": Range(2, MOST_DRAWS, sampling=False),
    "year": Range(0, 9999, sampling=False),
    "error": Range(0, whole=False, sampling=False),
}
"""Name of an argument → what it may be."""


def problem_with(name: str, value: object) -> str:
    """What is wrong with the value of a setting, and what is allowed; empty where it can be used.

    >>> problem_with("target_accept", 95)
    'target_accept is 95; give a number above 0 and below 1 (0.95 for 95 %)'
    >>> problem_with("draws", 5.0)
    'draws is 5.0; give a whole number from 4 to 10,000,000'
    >>> problem_with("draws", 500)
    ''
    """
    allowed = RANGES[name]
    known = isinstance(value, numbers.Integral if allowed.whole else numbers.Real) and not isinstance(value, bool)
    number: Any = value if known else math.nan
    if allowed.holds(number):
        return ""
    if name == "seed" and hasattr(value, "integers"):
        return "seed is a random generator; give a whole number, e.g. int(generator.integers(2**32))"
    advice = f" ({number / 100:g} for {value} %)" if not allowed.ends and allowed.most < number <= 100 else ""
    simple = value is None or isinstance(value, str | int | float)
    said = f"{value!r:.60}" if simple else f"of type {type(value).__name__}"
    return f"{name} is {said}; give {allowed}{advice}"
