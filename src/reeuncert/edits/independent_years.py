"""Ignorance that is not shared over the years."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Prior
from reeuncert.edits.base import Edited
from reeuncert.edits.priors import PriorEdit, with_rows


@dataclass(frozen=True, kw_only=True)
class IndependentYears(PriorEdit):
    """Make each year of priors independent of the others, with the same spread in every year.

    The sd of the level moves into that of the years, whose correlation becomes zero. It is the assumption that many
    published models make without saying so, and makes cumulated totals far too sure; slopes on covariates stay.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> free = IndependentYears().apply(Edited(case)).case
    >>> row = free.priors[0]
    >>> row.level_sd, round(row.year_sd, 3), row.correlation
    (0.0, 0.539, 0.0)
    """

    kind: ClassVar[str] = "independent_years"
    needs_choice: ClassVar[bool] = False

    def apply(self, edited: Edited) -> Edited:
        rows = {row.name: _independent(row) for row in self.rows(edited.case)}
        return replace(edited, case=replace(edited.case, priors=with_rows(edited.case.priors, rows)))

    def __str__(self) -> str:
        return f"independent years of {self.chosen}"


def _independent(row: Prior) -> Prior:
    return replace(row, level_sd=0.0, year_sd=math.hypot(row.level_sd, row.year_sd), correlation=0.0)
