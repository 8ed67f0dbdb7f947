"""Priors made wider or narrower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Case, Prior
from reeuncert.edits.base import Edited, above_zero, one_amount, quoted
from reeuncert.edits.priors import PriorEdit, with_rows

_FAMILIES = ("", "lognormal", "truncated_normal", "gamma", "dirichlet", "logistic_normal")
"""Families of densities that have a spread apart from their centre."""


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
        fixed = [row.name for row in rows if row.family not in _FAMILIES]
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
        if row.family in ("lognormal", "truncated_normal", "logistic_normal"):
            return replace(row, b=f * row.b)
        if row.family == "gamma":
            return replace(row, a=row.a / f**2, b=row.b / f**2)
        return replace(row, a=row.a / f**2) if row.family == "dirichlet" else row

    def __str__(self) -> str:
        return f"spread of {self.chosen} × {self.factor:g}"
