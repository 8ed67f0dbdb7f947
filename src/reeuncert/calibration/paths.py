"""Deviations from stated medians by year: level, yearly deviations and slopes are drawn separately.

The model instead sums them to one covariance and factors it. An error in this sum would affect its prior and its
posterior alike and cancel in a calibration; so they are drawn separately here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import Prior

Draws = NDArray[np.float64]
"""One number for each simulated truth, shape (draw,)."""


@dataclass
class Deviations:
    """Draws deviations from stated medians, on the log or log-ratio scale; rows with a shared level get the same one.

    Parameters
    ----------
    rng, size
        Source of randomness, and number of truths that are simulated side by side.
    covariates
        Name → year → value.
    """

    rng: np.random.Generator
    size: int
    covariates: Mapping[str, Mapping[int, float]]
    _drawn: dict[tuple[str, ...], Draws] = field(default_factory=dict)

    def along(self, path: str, rows: Mapping[int, Prior]) -> dict[int, Draws]:
        """Deviation of one path in each year.

        Parameters
        ----------
        path
            Name of the path: one flow or one total, and the kind of its prior.
        rows
            Row of the priors table for each year.
        """
        found: dict[int, Draws] = {}
        wander, last = np.zeros(self.size), 0
        for year in sorted(rows):
            row = rows[year]
            who = row.shared or path
            deviation = row.level_sd * self._once("level", who)
            if row.slope_on:
                slope = row.slope + row.slope_sd * self._once("slope", who, row.slope_on)
                deviation = deviation + slope * self.covariates[row.slope_on][year]
            if not found:
                wander = self._fresh()
            else:  # AR(1) of variance one over the years between
                kept = row.correlation ** (year - last)
                wander = kept * wander + math.sqrt(1.0 - kept**2) * self._fresh()
            last = year
            found[year] = deviation + row.year_sd * wander
        return found

    def constant(self, path: str, sd: float) -> Draws:
        """One deviation for all years."""
        return sd * self._once("level", path)

    def _once(self, *key: str) -> Draws:
        if key not in self._drawn:
            self._drawn[key] = self._fresh()
        return self._drawn[key]

    def _fresh(self) -> Draws:
        return self.rng.standard_normal(self.size)


def stated_median(row: Prior, year: int) -> float:
    """Median of a row in a year: linear on the log scale (masses) or logit scale (shares) if it changes.

    Examples
    --------
    >>> from reeuncert.system.definition import Selector
    >>> row = Prior("ore", "mining", "input", Selector(), (2000, 2001, 2002), median=1.0, median_to=4.0)
    >>> [round(stated_median(row, year), 6) for year in row.years]
    [1.0, 2.0, 4.0]
    """
    first, last = row.years[0], row.years[-1]
    if math.isnan(row.median_to) or first == last:
        return row.median
    passed = (year - first) / (last - first)
    if row.kind == "input":
        return row.median ** (1.0 - passed) * row.median_to**passed
    odds = (row.median / (1.0 - row.median)) ** (1.0 - passed) * (row.median_to / (1.0 - row.median_to)) ** passed
    return odds / (1.0 + odds)
