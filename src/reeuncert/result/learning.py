"""What was learned of a quantity: its posterior held against its prior. The one rule of tables, checks and figures.

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
"""Width of the posterior interval over the prior's from which on a value rests partly, or mostly, on the prior."""

MOVED = 0.25
"""Evidence that moved the median out of the middle half of the prior has been informative, even if the interval is no
narrower: how far its rank in the prior then is from 1/2."""

INFORMED, PARTLY_PRIOR, ON_PRIOR = "informed by the evidence", "rests partly on the prior", "rests on the prior"
UNDEFINED, FIXED, NO_PRIOR = "not identified", "fixed by the system", "no prior to compare with"
VERDICTS = (INFORMED, PARTLY_PRIOR, ON_PRIOR, UNDEFINED, FIXED, NO_PRIOR)

COLUMNS = ("width_ratio", "prior_below_median", "verdict")
"""Columns of every table that has a posterior beside its prior."""


@dataclass(frozen=True, eq=False)
class Learning:
    """What was learned of many quantities, arrays (quantity,).

    Parameters
    ----------
    width_ratio
        Width of the posterior interval over the prior's: near 0, the evidence decided; near 1, it was not informative.
        NaN without prior, and where either interval is empty or the prior has no width.
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
    """Compare the posterior of many quantities with their prior.

    Parameters
    ----------
    after, before
        Posterior and prior with 90 % equal-tailed intervals; no `before` if the prior was not simulated.
    prior
        Draws of the prior (draw, quantity).
    mass
        Whether the quantities are masses (else ratios).
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
    # What no flow can change (the share of the only partner) is neither assumed nor learned.
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
    """Whether quantities are the same in all draws, up to rounding: the system alone says what they are.

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
