"""Ranks of truths among posterior draws: uniformity, and coverage of intervals.

If model, simulator and sampler agree, the rank of a truth among L independent draws of its posterior is uniform on 0 …
L (Talts, Betancourt, Simpson, Vehtari & Gelman 2018, arXiv:1804.06788). Uniformity is tested by the empirical
distribution function against a simultaneous 95 % band (Säilynoja, Bürkner & Vehtari 2022, *Statistics and Computing*
32, 32, doi 10.1007/s11222-022-10090-6).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]

COVERAGES = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the central intervals."""

BAND = 0.95
"""Simultaneous probability of the band."""

_REPLICATES = 4000
_ROUNDING = 1e-9


def positions(truth: ArrayLike, draws: ArrayLike, rng: np.random.Generator) -> Array:
    """Position of each truth in its posterior, between 0 and 1; uniform under calibration.

    Parameters
    ----------
    truth
        Shape (quantity,).
    draws
        Nearly independent draws, shape (draw, quantity).
    rng
        Breaks ties at random, and spreads each rank uniformly over 1 / (draws + 1), so that it is exact for few draws.

    Returns
    -------
    ndarray (quantity,)
        NaN where the truth or a draw is not finite, or where all are equal up to rounding.

    Examples
    --------
    >>> draws = np.arange(99.0)[:, None]
    >>> positions([49.5], draws, np.random.default_rng(1)).round(1).tolist()
    [0.5]
    """
    truth, draws = np.asarray(truth, dtype=np.float64), np.asarray(draws, dtype=np.float64)
    below = (draws < truth).sum(axis=0)
    ties = (draws == truth).sum(axis=0)
    rank = below + rng.integers(0, ties + 1)
    found = (rank + rng.random(truth.shape)) / (draws.shape[0] + 1)
    with np.errstate(invalid="ignore"):  # draws may be infinite
        uncertain = np.abs(draws - truth).max(axis=0) > _ROUNDING * np.abs(truth)
    usable = np.isfinite(truth) & np.isfinite(draws).all(axis=0) & uncertain
    return np.asarray(np.where(usable, found, np.nan))


def inside(position: ArrayLike, probability: float) -> NDArray[np.bool_]:
    """Whether the central interval of a probability covers the truth.

    >>> inside([0.04, 0.06, 0.5], 0.9).tolist()
    [False, True, True]
    """
    return np.asarray(np.abs(np.asarray(position) - 0.5) <= 0.5 * probability)


def uniformity(position: ArrayLike) -> Array:
    """p-value of uniformity of positions.

    The statistic is the smallest tail probability, over the points i / n, of the number of positions at or below a
    point; its distribution under uniformity is simulated.

    Parameters
    ----------
    position
        Between 0 and 1, shape (simulation, quantity); two simulations at least.

    Returns
    -------
    ndarray (quantity,)

    Examples
    --------
    >>> even = (np.arange(50) + 0.5) / 50
    >>> found = uniformity(np.stack([even, np.full(50, 0.5)], axis=1))
    >>> bool(found[0] > 0.9), bool(found[1] < 0.001)
    (True, True)
    """
    values = np.asarray(position, dtype=np.float64)
    reference = np.sort(_null_statistics(values.shape[0]))
    below = np.searchsorted(reference, _statistic(values.T), side="right")
    return np.asarray((1 + below) / (1 + reference.size))


def band(count: int) -> tuple[Array, Array, Array]:
    """Points, and lower and upper end of the simultaneous band for the distribution of `count` positions."""
    # Slightly less, so that counts of exactly this probability are inside despite rounding.
    tail = 0.5 * float(np.quantile(_null_statistics(count), 1.0 - BAND)) * (1.0 - 1e-9)
    points = np.arange(1, count) / count
    lower = stats.binom.ppf(tail, count, points) / count
    upper = stats.binom.ppf(1.0 - tail, count, points) / count
    return points, lower, upper


def _statistic(values: Array) -> Array:
    """Twice the smallest tail probability of each row, shape (rows,)."""
    count = values.shape[1]
    points = np.arange(1, count) / count
    below = np.array([np.searchsorted(row, points, side="right") for row in np.sort(values, axis=1)])
    at_most = stats.binom.cdf(np.arange(-1, count + 1)[:, None], count, points)  # from "fewer than none" on
    which = np.arange(count - 1)
    tails = np.minimum(at_most[below + 1, which], 1.0 - at_most[below, which])
    return np.asarray(2.0 * tails.min(axis=1))


@lru_cache(maxsize=16)
def _null_statistics(count: int) -> Array:
    rng = np.random.default_rng(count)
    return np.concatenate([_statistic(rng.random((500, count))) for _ in range(_REPLICATES // 500)])
