"""Log densities of a positive mass, written for its logarithm: what a flow or an input may be distributed as."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

Density = Callable[[TensorVariable, TensorVariable, TensorVariable], TensorVariable]
"""From log x, a and b to log p(x), a density in x (per unit of mass), element by element."""


def _lognormal(log_x: TensorVariable, median: TensorVariable, sd: TensorVariable) -> TensorVariable:
    deviation = (log_x - pt.log(median)) / sd
    return -0.5 * deviation**2 - pt.log(sd) - log_x - 0.5 * math.log(2 * math.pi)


def _truncated_normal(log_x: TensorVariable, mean: TensorVariable, sd: TensorVariable) -> TensorVariable:
    deviation = (pt.exp(log_x) - mean) / sd
    inside = pt.log(0.5 * pt.erfc(-mean / (sd * math.sqrt(2))))
    return -0.5 * deviation**2 - pt.log(sd) - 0.5 * math.log(2 * math.pi) - inside


def _gamma(log_x: TensorVariable, shape: TensorVariable, rate: TensorVariable) -> TensorVariable:
    return shape * pt.log(rate) - pt.gammaln(shape) + (shape - 1) * log_x - rate * pt.exp(log_x)


def _exponential(log_x: TensorVariable, mean: TensorVariable, _: TensorVariable) -> TensorVariable:
    return -pt.log(mean) - pt.exp(log_x) / mean


def _uniform(log_x: TensorVariable, low: TensorVariable, high: TensorVariable) -> TensorVariable:
    x = pt.exp(log_x)
    return pt.switch((x >= low) & (x <= high), -pt.log(high - low), -math.inf)


def _flat(log_x: TensorVariable, _a: TensorVariable, _b: TensorVariable) -> TensorVariable:
    return pt.zeros_like(log_x)


@dataclass(frozen=True)
class Family:
    """A family of densities of a positive mass.

    Parameters
    ----------
    density
        Log density in mass units, as a function of the log of the mass.
    a, b
        What its numbers mean; empty where it takes none.
    allowed
        Whether two numbers are a member of the family.
    rule
        What ``allowed`` demands, in words.
    centre
        A typical value and how far from it others lie, from the two numbers: where to start, not a moment.
    """

    density: Density
    a: str
    b: str
    allowed: Callable[[float, float], bool]
    rule: str
    centre: Callable[[float, float], tuple[float, float]]


FAMILIES = {
    "lognormal": Family(
        _lognormal,
        a="median",
        b="log-sd",
        allowed=lambda a, b: a > 0 and b > 0,
        rule="median > 0 and log-sd > 0",
        centre=lambda a, b: (a, a * b),
    ),
    "truncated_normal": Family(
        _truncated_normal,
        a="mean",
        b="sd",
        # Further below zero the normal has no mass left above it that doubles could tell from none.
        allowed=lambda a, b: b > 0 and a > -30 * b,
        rule="sd > 0 and mean > −30 sd",
        centre=lambda a, b: (a, b),
    ),
    "gamma": Family(
        _gamma,
        a="shape",
        b="rate",
        allowed=lambda a, b: a > 0 and b > 0,
        rule="shape > 0 and rate > 0",
        centre=lambda a, b: (a / b, math.sqrt(a) / b),
    ),
    "exponential": Family(
        _exponential,
        a="mean",
        b="",
        allowed=lambda a, _: a > 0,
        rule="mean > 0",
        centre=lambda a, _: (a, a),
    ),
    "uniform": Family(
        _uniform,
        a="low",
        b="high",
        allowed=lambda a, b: 0 <= a < b,
        rule="0 ≤ low < high",
        centre=lambda a, b: ((a + b) / 2, (b - a) / math.sqrt(12)),
    ),
    "flat": Family(
        _flat,
        a="",
        b="",
        allowed=lambda _a, _b: True,
        rule="no numbers",
        centre=lambda _a, _b: (0.0, math.inf),
    ),
}
"""Densities of one flow or input, by the word that the priors table uses."""
