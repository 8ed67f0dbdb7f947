"""What the evidence says of a quantity: its posterior against its prior. The one comparison for all output.

Widths are those of the 90 % equal-tailed intervals, each on the scale of its quantity (`SCALES`): an interval from 1 to
4 is as wide as one from 10 to 40. Tables compare widths only. Headlines, and any quantity on request, get a verdict
(`reeuncert.result.verdicts`): a narrow interval is no sign of evidence if another prior would move it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.result.quantiles import Array, Spread, spread

SCALES: dict[str, Callable[[Array], Array]] = {
    "mass": lambda x: x,
    "ratio": lambda x: x,
    "share": lambda x: x / (1 - x),
    "excess": lambda x: 1 + x,
    "beyond": lambda x: 1 / (1 - x),
    "difference": lambda x: np.full_like(x, np.nan),
}
"""Scale of a quantity → the positive number whose logs are compared: a mass or ratio itself, the odds of a share, the
ratio A / B behind A / B − 1 or 1 − B / A. Where it is not positive (a stock change, a difference of ratios), values are
compared as they are.
"""

NARROW, WIDE = 0.5, 0.8
"""Width ratios (posterior / prior) below which an interval is narrow, and from which it is as wide as the prior's."""

PRIOR_ROUNDING = 1e-3
"""Relative range within which a quantity of the prior may be constant: a file holds its flows to 1e-4."""

FIXED, UNDEFINED = "fixed by the system", "not defined"
NARROWER, PARTLY_NARROWER, AS_WIDE, NO_PRIOR = "narrower", "partly narrower", "as wide", "no prior"
COLUMNS = ("width_ratio", "prior_below_median", "against_prior")
"""Columns of tables with posterior and prior; `against_prior` compares the widths and is no verdict."""


@dataclass(frozen=True, eq=False)
class Learning:
    """Posterior against prior for many quantities, arrays (quantity,): ratio of the widths of their intervals, NaN
    without prior, and where either interval is empty or the prior has no width; rank of the posterior median, the share
    of prior draws below it; and the ratio in a word: ``narrower`` (less than half as wide), ``partly narrower``, ``as
    wide`` (0.8 or more), ``fixed by the system``, ``not defined`` or ``no prior``.
    """

    width_ratio: Array
    prior_below_median: Array
    against_prior: NDArray[np.object_]

    def columns(self) -> dict[str, NDArray]:
        """The three arrays as columns of a table, named as in `COLUMNS`."""
        return {name: getattr(self, name) for name in COLUMNS}


def learning(after: Spread, prior: Array | None, before: Spread | None = None, *, scale: str) -> Learning:
    """Compare the posterior of many quantities with their prior, both with 90 % equal-tailed intervals; ``prior`` holds
    the draws of the prior (draw, quantity), ``before`` what they are summarised by, where that is known already;
    ``scale`` is a name in `SCALES`.
    """
    if prior is None:
        empty = np.full(after.median.shape, np.nan)
        return Learning(empty, empty, np.full(after.median.shape, NO_PRIOR, dtype=object))
    before = before or spread(prior)
    ends = on_scale(np.array([after.lower, after.upper, before.lower, before.upper]), SCALES[scale])
    width, known = ends[1] - ends[0], ends[3] - ends[2]
    ratio = np.divide(width, known, out=np.full(width.shape, np.nan), where=known > 0)
    defined = np.isfinite(prior).sum(axis=0)
    below = np.where(np.isfinite(after.lower), (prior < after.median).sum(axis=0), np.nan)
    rank = np.divide(below, defined, out=np.full(width.shape, np.nan), where=defined > 0)
    # Constants of the system (the share of the only partner) rest on neither prior nor data.
    fixed = np.isfinite(after.median) & is_fixed(after) & is_fixed(before, PRIOR_ROUNDING)
    ratio, rank = np.where(fixed, np.nan, ratio), np.where(fixed, np.nan, rank)
    cases = (fixed, ~np.isfinite(ratio), ratio < NARROW, ratio < WIDE)
    words = np.select(cases, (FIXED, UNDEFINED, NARROWER, PARTLY_NARROWER), AS_WIDE)
    return Learning(ratio, rank, words.astype(object))


def is_fixed(of: Spread, rounding: float = 1e-9) -> NDArray[np.bool_]:
    """Whether quantities are constant over all draws, up to rounding: the system alone determines them.

    >>> is_fixed(spread(np.ones((9, 1)))), is_fixed(spread(np.linspace(0.9, 1.0, 9)[:, None]))
    (array([ True]), array([False]))
    """
    size = np.maximum(np.abs(of.smallest), np.abs(of.largest))
    return np.asarray(of.largest - of.smallest <= rounding * size)


def on_scale(ends: Array, scale: Callable[[Array], Array]) -> Array:
    """Ends of intervals (end, quantity) as they are compared."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(scale(ends))
    return np.where(np.isfinite(logs).all(axis=0), logs, ends)
