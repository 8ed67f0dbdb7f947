"""Priors moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Case, Prior
from reeuncert.edits.base import Edited, above_zero, one_amount, quoted, said
from reeuncert.edits.priors import PriorEdit, with_rows

SHARES = ("share", "split")


@dataclass(frozen=True, kw_only=True)
class PriorMedian(PriorEdit):
    """Move the median of priors, spreads as they were.

    Parameters
    ----------
    factor
        Of the mass for inputs; of the odds, share / (1 − share), for shares, so that a share stays between 0 and 1.
    value
        The new median of all years of the row, in the unit of the case or as a share.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> less = PriorMedian(prior=("ore of South",), factor=0.5).apply(Edited(case)).case
    >>> [(p.median, p.median_to) for p in less.priors if p.name == "ore of South"]
    [(10.0, 20.0)]
    """

    factor: float = float("nan")
    value: float = float("nan")

    kind: ClassVar[str] = "prior_median"
    varied: ClassVar[str] = "factor"

    def problems(self, case: Case) -> Sequence[str]:
        amounts = {"factor": self.factor, "value": self.value}
        return [*(one_amount(self.kind, **amounts) or above_zero(**amounts)), *super().problems(case)]

    def row_problems(self, rows: Sequence[Prior]) -> list[str]:
        found = []
        without = [row.name for row in rows if not said(row.median)]
        if without:
            found.append(f"prior {quoted(without)} states no median; choose others")
        shares = [row.name for row in rows if row.kind in SHARES]
        if said(self.value) and self.value >= 1 and shares:
            found.append(f"value is {self.value:g}, but prior {quoted(shares)} is a share; it must be below 1")
        return found

    def apply(self, edited: Edited) -> Edited:
        rows = {row.name: self._moved(row) for row in self.rows(edited.case)}
        return replace(edited, case=replace(edited.case, priors=with_rows(edited.case.priors, rows)))

    def _moved(self, row: Prior) -> Prior:
        if said(self.value):
            return replace(row, median=self.value, median_to=math.nan)
        return replace(row, median=self._scaled(row, row.median), median_to=self._scaled(row, row.median_to))

    def _scaled(self, row: Prior, median: float) -> float:
        if row.kind not in SHARES:
            return self.factor * median
        odds = self.factor * median / (1 - median)
        return odds / (1 + odds)

    def __str__(self) -> str:
        if said(self.value):
            return f"median of {self.chosen} = {self.value:g}"
        return f"median of {self.chosen} × {self.factor:g}"
