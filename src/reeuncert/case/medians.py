"""The median that a row of the priors table states for one year."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

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
    if np.isnan(prior.median_to) or len(prior.years) < 2:
        return prior.median
    part = (year - prior.years[0]) / (prior.years[-1] - prior.years[0])
    if prior.kind == "input":
        return float(np.exp((1 - part) * np.log(prior.median) + part * np.log(prior.median_to)))
    return float(expit((1 - part) * logit(prior.median) + part * logit(prior.median_to)))
