"""Which headlines rest on what was assumed? Their posterior intervals held against the intervals of the prior."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from reeuncert.checks.material import Key, Material
from reeuncert.checks.result import CheckResult, information, warned

PARTLY, MOSTLY = 0.5, 0.8
"""Width of the posterior interval over the prior's from which on a value rests partly, or mostly, on the prior."""

INFORMED, PARTLY_PRIOR, ON_PRIOR = "informed by the evidence", "rests partly on the prior", "rests on the prior"
UNDEFINED, FIXED = "not identified", "fixed by the system"


def check(material: Material) -> list[CheckResult]:
    """The ratio of widths of every headline, and the verdict on it."""
    name = "rests on assumption"
    keys = [key for key in material.keys if key.prior.size]
    if not keys:
        return [information(name, "No headline with a simulated prior: nothing to compare.")]
    table = pd.DataFrame([_row(key) for key in keys])
    count = {
        word: int((table["verdict"] == word).sum()) for word in (INFORMED, PARTLY_PRIOR, ON_PRIOR, UNDEFINED, FIXED)
    }
    told = ", ".join(f"{word}: {number}" for word, number in count.items() if number)
    message = f"Of {len(table)} headlines, by the width of the 90 % interval over that of the prior: {told}."
    worst = table["width_ratio"].max()
    good = not count[ON_PRIOR] and not count[UNDEFINED]
    remedy = "Say with each that rests on the prior, or is not identified, that it is an assumption made visible."
    ordered = table.sort_values("width_ratio", ascending=False, na_position="first", ignore_index=True)
    return [warned(name, good, worst, f"< {MOSTLY:g}", message, remedy, ordered)]


def width_ratio(posterior: ArrayLike, prior: ArrayLike, *, log: bool) -> float:
    """Width of the 90 % interval of the posterior over that of the prior.

    Parameters
    ----------
    posterior, prior
        Draws of any shape; those that are not finite are left out.
    log
        Compare the widths of logarithms (of masses: an interval from 1 to 4 is as wide as one from 10 to 40).

    Returns
    -------
    float
        NaN if either has no draws, or the prior no width.

    Examples
    --------
    >>> prior = np.linspace(0.0, 1.0, 101)
    >>> round(width_ratio(0.5 + prior / 10, prior, log=False), 3)
    0.1
    """
    after, before = (_width(_finite(draws), log) for draws in (posterior, prior))
    return after / before if before > 0 else float("nan")


def verdict(ratio: float, rank: float = 0.5) -> str:
    """What a ratio of widths says.

    Parameters
    ----------
    ratio
        Of the posterior interval to the prior's.
    rank
        Share of the prior below the posterior median: evidence that moved the median out of the middle half of the
        prior has said something, even if the interval is no narrower.

    Examples
    --------
    >>> verdict(0.2), verdict(0.6), verdict(0.95)
    ('informed by the evidence', 'rests partly on the prior', 'rests on the prior')
    >>> verdict(0.95, rank=0.9)
    'rests partly on the prior'
    """
    if not np.isfinite(ratio):
        return UNDEFINED
    if ratio < PARTLY:
        return INFORMED
    return PARTLY_PRIOR if ratio < MOSTLY or abs(rank - 0.5) > 0.25 else ON_PRIOR


def is_fixed(draws: NDArray[np.float64]) -> bool:
    """Whether a quantity is the same in all draws, up to rounding: the system alone says what it is.

    Examples
    --------
    >>> is_fixed(np.ones(9)), is_fixed(np.linspace(0.9, 1.0, 9))
    (True, False)
    """
    return bool(draws.size and np.ptp(draws) <= 1e-9 * np.abs(draws).max())


def _row(key: Key) -> dict[str, object]:
    after, before = _finite(key.posterior), _finite(key.prior)
    log = key.mass and bool((after > 0).all() and (before > 0).all())
    ratio = width_ratio(after, before, log=log)
    rank = float((before < np.median(after)).mean()) if after.size and before.size else float("nan")
    # What no flow can change (the share of the only partner) is neither assumed nor learned.
    word = FIXED if is_fixed(before) and is_fixed(after) else verdict(ratio, rank)
    row: dict[str, object] = {"headline": key.label, "verdict": word, "width_ratio": ratio}
    row["prior_below_median"] = rank
    for prefix, draws in (("", after), ("prior_", before)):
        ends = np.quantile(draws, [0.5, 0.05, 0.95]) if draws.size else np.full(3, np.nan)
        row |= {f"{prefix}{n}": float(v) for n, v in zip(("median", "eti90_lb", "eti90_ub"), ends, strict=True)}
    return row


def _finite(draws: ArrayLike) -> NDArray[np.float64]:
    flat = np.asarray(draws, dtype=float).reshape(-1)
    return flat[np.isfinite(flat)]


def _width(draws: NDArray[np.float64], log: bool) -> float:
    if draws.size == 0:
        return float("nan")
    low, high = np.quantile(np.log(draws) if log else draws, [0.05, 0.95])
    return float(high - low)
