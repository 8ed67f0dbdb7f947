"""Median and interval of many quantities, from draws that may be undefined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from reeuncert.errors import ArgumentError

Array = NDArray[np.float64]

DEFINED = 0.9
"""Largest share of undefined draws for an interval; undefined draws are left out."""

PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Bounds of the 90, 80 and 50 % equal-tailed intervals, and the median: what fan charts show."""

_BLOCK_ELEMENTS = 4_000_000


def filled(draws: Array) -> Array:
    """Draws of one quantity with the undefined ones set to the median of the others; all NaN where none is defined.

    >>> filled(np.array([1.0, np.nan, 3.0]))
    array([1., 2., 3.])
    """
    finite = np.isfinite(draws)
    if finite.all():
        return draws
    return np.where(finite, draws, np.median(draws[finite]) if finite.any() else np.nan)


@dataclass(frozen=True)
class Spread:
    """Mean, median and interval of quantities, arrays (quantity,), NaN where too few draws are defined; the smallest
    and largest draw; and the quantiles `PROBABILITIES`, (probability, quantity).
    """

    mean: Array
    median: Array
    lower: Array
    upper: Array
    smallest: Array
    largest: Array
    quantiles: Array

    @property
    def of_events(self) -> Self:
        """Of draws that are 0 or 1: the mean, a probability, in place of the median, and no interval."""
        none = np.full_like(self.mean, np.nan)
        middle = np.array(PROBABILITIES)[:, None] == 0.5
        return replace(self, median=self.mean, lower=none, upper=none, quantiles=np.where(middle, self.mean, np.nan))

    @classmethod
    def empty(cls, size: int) -> Spread:
        """Of quantities that are not known: NaN."""
        mean, median, lower, upper, smallest, largest = np.full((6, size), np.nan)
        return cls(mean, median, lower, upper, smallest, largest, np.full((len(PROBABILITIES), size), np.nan))


def spread(draws: Array, *, prob: float = 0.9) -> Spread:
    """Summarise draws (draw, quantity) of many quantities by an equal-tailed interval; NaN: undefined in that draw (a
    ratio whose denominator is not positive).

    >>> found = spread(np.linspace(0.0, 1.0, 101)[:, None])
    >>> [float(x.round(6)[0]) for x in (found.median, found.lower, found.upper)]
    [0.5, 0.05, 0.95]
    """
    if not 0.0 < prob < 1.0:
        raise ArgumentError(f"prob is {prob}; it must lie between 0 and 1")
    out = Spread.empty(draws.shape[1])
    for cells, ordered, count, usable in _blocks(draws):
        kept = np.where(np.arange(len(draws)) < count[:, None], ordered, 0.0)
        out.mean[cells] = np.where(usable, kept.sum(axis=1) / np.maximum(count, 1), np.nan)
        out.median[cells] = np.where(usable, sorted_quantile(ordered, 0.5, count), np.nan)
        lower, upper = (sorted_quantile(ordered, p, count) for p in (0.5 - prob / 2, 0.5 + prob / 2))
        for p, of_all in zip(PROBABILITIES, out.quantiles, strict=True):
            of_all[cells] = np.where(usable, sorted_quantile(ordered, p, count), np.nan)
        out.lower[cells], out.upper[cells] = np.where(usable, lower, np.nan), np.where(usable, upper, np.nan)
        if len(draws):
            out.smallest[cells], out.largest[cells] = (sorted_quantile(ordered, p, count) for p in (0.0, 1.0))
    return out


def interval_columns(prob: float = 0.9) -> tuple[str, str]:
    """Column names of the interval bounds.

    >>> interval_columns(0.9), interval_columns(0.955)
    (('eti90_lb', 'eti90_ub'), ('eti95.5_lb', 'eti95.5_ub'))
    """
    stem = f"eti{100 * prob:.6g}"
    return f"{stem}_lb", f"{stem}_ub"


def quantiles(draws: Array, probabilities: Sequence[float]) -> Array:
    """Quantiles of draws (draw, quantity) → (probability, quantity); NaN where too few draws are defined.

    >>> quantiles(np.array([[0.0], [1.0], [2.0]]), [0.25, 0.5])
    array([[0.5],
           [1. ]])
    """
    out = np.full((len(probabilities), draws.shape[1]), np.nan)
    for cells, ordered, count, usable in _blocks(draws):
        for i, probability in enumerate(probabilities):
            out[i, cells] = np.where(usable, sorted_quantile(ordered, probability, count), np.nan)
    return out


def sorted_quantile(ordered: Array, probability: float, count: np.ndarray | None = None) -> Array:
    """Quantile of quantities whose draws are sorted (quantity, draw) → (quantity,).

    Linear interpolation between order statistics (Hyndman & Fan type 7), as ``numpy.quantile``. ``count``: how many
    draws of each quantity are defined; those after them do not count.
    """
    last = np.maximum((np.full(len(ordered), ordered.shape[1]) if count is None else count) - 1, 0)
    position = probability * last
    below = np.floor(position).astype(np.int64)
    row = np.arange(len(ordered))
    low, high = ordered[row, below], ordered[row, np.minimum(below + 1, last)]
    weight, step = position - below, high - low
    near_high = high - step * (1 - weight)
    # The median of an even number, rounded as everyone rounds it.
    return np.where(weight == 0.5, (low + high) / 2, np.where(weight > 0.5, near_high, low + step * weight))


def _blocks(draws: Array) -> Iterator[tuple[slice, Array, np.ndarray, np.ndarray]]:
    """Blocks of quantities: their sorted draws (quantity, draw), how many are defined, and whether these suffice."""
    # Sorting along contiguous draws is several times faster.
    n_draws, n = draws.shape
    step = max(1, _BLOCK_ELEMENTS // max(1, n_draws))
    for start in range(0, n, step):
        cells = slice(start, start + step)
        ordered = np.array(draws[:, cells].T, dtype=float, order="C")
        ordered.sort(axis=1)  # NaN sorts last
        count = np.isfinite(ordered).sum(axis=1)
        yield cells, ordered, count, (count > 0) & (count >= DEFINED * n_draws)
