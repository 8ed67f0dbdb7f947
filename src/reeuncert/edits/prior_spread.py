"""Priors made wider or narrower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Case, Prior
from reeuncert.edits.base import Edited, above_zero, one_amount, quoted
from reeuncert.edits.priors import PriorEdit, with_rows
from reeuncert.words.prior_families import PRIOR_FAMILIES


@dataclass(frozen=True, kw_only=True)
class PriorSpread(PriorEdit):
    """Multiply the spread of priors, medians as they were.

    Parameters
    ----------
    factor
        Of every standard deviation of the row: of the level, of the years, of the slope, and of a split. A gamma
        density keeps its mean; the concentration of a Dirichlet density is divided by the square.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> wide = PriorSpread(group=("stocks",), factor=2.0).apply(Edited(case)).case
    >>> [(p.level_sd, q.level_sd) for p, q in zip(case.priors, wide.priors) if p != q][0]
    (0.6, 1.2)
    """

    factor: float = float("nan")

    kind: ClassVar[str] = "prior_spread"
    varied: ClassVar[str] = "factor"

    def problems(self, case: Case) -> Sequence[str]:
        amounts = one_amount(self.kind, factor=self.factor) or above_zero(factor=self.factor)
        return [*amounts, *super().problems(case)]

    def row_problems(self, rows: Sequence[Prior]) -> list[str]:
        fixed = [r.name for r in rows if r.family and PRIOR_FAMILIES[r.family].widened is None]
        return [f"prior {quoted(fixed)} has no spread apart from its limits; choose others"] if fixed else []

    def apply(self, edited: Edited) -> Edited:
        rows = {row.name: self._widened(row) for row in self.rows(edited.case)}
        return replace(edited, case=replace(edited.case, priors=with_rows(edited.case.priors, rows)))

    def _widened(self, row: Prior) -> Prior:
        f = self.factor
        row = replace(
            row,
            level_sd=f * row.level_sd,
            year_sd=f * row.year_sd,
            slope_sd=f * row.slope_sd,
            split_sd=f * row.split_sd,
        )
        widened = PRIOR_FAMILIES[row.family].widened if row.family else None
        if widened is None:
            return row
        a, b = widened(row.a, row.b, f)
        return replace(row, a=a, b=b)

    def __str__(self) -> str:
        return f"spread of {self.chosen} × {self.factor:g}"
