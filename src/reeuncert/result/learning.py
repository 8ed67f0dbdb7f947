"""Comparison of posterior and prior of a quantity: the one rule for tables, checks and figures.

Widths are those of the 90 % equal-tailed intervals, on the scale of the quantity: of logarithms for a mass that is
positive in every draw (an interval from 1 to 4 is as wide as one from 10 to 40), of the values themselves for a ratio
and for a mass that may be negative (a stock change).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.result.quantiles import Array, Spread, spread

PARTLY, MOSTLY = 0.5, 0.8
"""Width ratios (posterior / prior) from which a value rests partly, or mostly, on the prior."""

MOVED = 0.25
"""Largest distance from 1/2 of the posterior median's rank in the prior for "rests on the prior": evidence that moves
the median out of the middle half of the prior is informative, even if the interval is not narrower."""

INFORMED, PARTLY_PRIOR, ON_PRIOR = "informed by the evidence", "rests partly on the prior", "rests on the prior"
UNDEFINED, FIXED, NO_PRIOR = "not identified", "fixed by the system", "no prior to compare with"
VERDICTS = (INFORMED, PARTLY_PRIOR, ON_PRIOR, UNDEFINED, FIXED, NO_PRIOR)

COLUMNS = ("width_ratio", "prior_below_median", "verdict")
"""Columns of tables with posterior and prior."""


@dataclass(frozen=True, eq=False)
class Learning:
    """Width ratio, rank and verdict of many quantities, arrays (quantity,).

    Parameters
    ----------
    width_ratio
        Width of the posterior interval over that of the prior; near 0 the evidence determines the value, near 1 it is
        not informative. NaN without prior, and where either interval is empty or the prior has no width.
    prior_below_median
        Rank of the posterior median: share of the prior draws below it.
    verdict
        One of `VERDICTS`.
    """

    width_ratio: Array
    prior_below_median: Array
    verdict: NDArray[np.object_]

    def columns(self) -> dict[str, NDArray]:
        """The three arrays as columns of a table, named as in `COLUMNS`."""
        return {name: getattr(self, name) for name in COLUMNS}


def learning(after: Spread, before: Spread | None, prior: Array | None, *, mass: bool) -> Learning:
    """Compare the posterior of many quantities with their prior, both with 90 % equal-tailed intervals; ``prior`` holds
    the draws of the prior (draw, quantity), ``mass`` says whether the quantities are masses (else ratios).
    """
    if before is None or prior is None:
        empty = np.full(after.median.shape, np.nan)
        return Learning(empty, empty, np.full(after.median.shape, NO_PRIOR, dtype=object))
    log = mass & (after.smallest > 0) & (before.smallest > 0)
    width, known = (_width(s, log) for s in (after, before))
    ratio = np.divide(width, known, out=np.full(width.shape, np.nan), where=known > 0)
    defined = np.isfinite(prior).sum(axis=0)
    below = np.where(np.isfinite(after.median), (prior < after.median).sum(axis=0), np.nan)
    rank = np.divide(below, defined, out=np.full(width.shape, np.nan), where=defined > 0)
    # Constants of the system (the share of the only partner) rest on neither prior nor data.
    fixed = is_fixed(after) & is_fixed(before)
    choices = (fixed, ~np.isfinite(ratio), ratio < PARTLY, (ratio < MOSTLY) | (np.abs(rank - 0.5) > MOVED))
    words = np.select(choices, (FIXED, UNDEFINED, INFORMED, PARTLY_PRIOR), ON_PRIOR)
    return Learning(ratio, rank, words.astype(object))


def learning_of_draws(posterior: Array, prior: Array, *, mass: bool) -> Learning:
    """`learning` from draws of posterior and prior (draw, quantity).

    Examples
    --------
    >>> prior = np.linspace(0.0, 1.0, 101)[:, None]
    >>> for posterior in (0.5 + prior / 10, 0.2 + 0.6 * prior, prior, 0.4 + prior, np.full((9, 1), np.nan)):
    ...     found = learning_of_draws(posterior, prior, mass=False)
    ...     print(found.width_ratio.round(2)[0], found.verdict[0])
    0.1 informed by the evidence
    0.6 rests partly on the prior
    1.0 rests on the prior
    1.0 rests partly on the prior
    nan not identified
    """
    return learning(spread(posterior), spread(prior), prior, mass=mass)


def is_fixed(of: Spread) -> NDArray[np.bool_]:
    """Whether quantities are constant over all draws, up to rounding: the system alone determines them.

    Examples
    --------
    >>> is_fixed(spread(np.ones((9, 1)))), is_fixed(spread(np.linspace(0.9, 1.0, 9)[:, None]))
    (array([ True]), array([False]))
    """
    size = np.maximum(np.abs(of.smallest), np.abs(of.largest))
    return np.asarray(of.largest - of.smallest <= 1e-9 * size)


def _width(of: Spread, log: NDArray[np.bool_]) -> Array:
    low, high = (np.log(ends, out=ends.copy(), where=log) for ends in (of.lower, of.upper))
    return np.asarray(high - low)
