"""The median that a row of the priors table states for one year."""

from __future__ import annotations

import math

import numpy as np

from reeuncert.case.records import Prior


def median_in_year(prior: Prior, year: int) -> float:
    """Median that a row states for a year (a straight line on the log or logit scale where it changes).

    Examples
    --------
    >>> from reeuncert.system.definition import Selector
    >>> row = Prior("feed", "g", "share", Selector.of(), (2000, 2001, 2002), median=0.2, median_to=0.5)
    >>> round(median_in_year(row, 2001), 4)
    0.3333
    """
    if math.isnan(prior.median_to) or len(prior.years) < 2:
        return prior.median
    part = (year - prior.years[0]) / (prior.years[-1] - prior.years[0])
    if prior.kind == "input":
        return float(np.exp((1 - part) * np.log(prior.median) + part * np.log(prior.median_to)))
    return _expit((1 - part) * _logit(prior.median) + part * _logit(prior.median_to))


# As scipy.special rounds them, bit for bit; to load that takes half a second of every command.
def _logit(share: float) -> float:
    if 0.3 <= share <= 0.65:
        return math.log1p(2 * (share - 0.5)) - math.log1p(-2 * (share - 0.5))
    return math.log(share / (1 - share))


def _expit(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))
