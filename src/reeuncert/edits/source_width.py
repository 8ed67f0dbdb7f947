"""Sources trusted more or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Case, Evidence
from reeuncert.edits.base import Edit, Edited, above_zero, one_amount, quoted, said
from reeuncert.edits.sources import SourceChoice


@dataclass(frozen=True, kw_only=True)
class SourceWidth(SourceChoice, Edit):
    """Change how wrong sources may be: the half-width of the central 68 % of their errors.

    Where only some sources of a class are chosen, they get a class of their own.

    Parameters
    ----------
    factor
        Of the width of the class and of its floor, and of widths that rows give themselves.
    value
        The new width of the class (its floor is lowered to it if need be); rows with a width of their own keep it.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> loose = SourceWidth(error_class=("customs",), factor=2.0).apply(Edited(case)).case
    >>> loose.classes["customs"].width, loose.classes["customs"].floor
    (0.4, 0.1)
    """

    factor: float = float("nan")
    value: float = float("nan")

    kind: ClassVar[str] = "source_width"
    varied: ClassVar[str] = "factor"

    def problems(self, case: Case) -> Sequence[str]:
        amounts = {"factor": self.factor, "value": self.value}
        found = [*(one_amount(self.kind, **amounts) or above_zero(**amounts)), *self.choice_problems(case, self.kind)]
        if not found and self._split_sources(case):
            found = [
                f"source {quoted(self._split_sources(case))} also has rows that are not chosen; "
                "choose by source or by class"
            ]
        return found

    def apply(self, edited: Edited) -> Edited:
        case = edited.case
        ids = {row.id for row in self.rows(case)}
        sources, classes = dict(case.sources), dict(case.classes)
        for name in sorted({case.sources[row.source_id].error_class for row in self.rows(case)}):
            members = {row.source_id for row in case.evidence if case.sources[row.source_id].error_class == name}
            chosen = {row.source_id for row in case.evidence if row.id in ids} & members
            new = name if chosen == members else f"{name}, {self._amount}"
            old = case.classes[name]
            width, floor = self._changed(old.width, old.floor)
            classes[new] = replace(old, name=new, width=width, floor=floor)
            sources |= {s: replace(sources[s], error_class=new) for s in chosen}
        rows = tuple(self._row(row) if row.id in ids else row for row in case.evidence)
        return replace(edited, case=replace(case, evidence=rows, sources=sources, classes=classes))

    def _changed(self, width: float, floor: float) -> tuple[float, float]:
        if said(self.factor):
            return self.factor * width, self.factor * floor
        return self.value, min(floor, self.value)

    def _row(self, row: Evidence) -> Evidence:
        own = said(row.width) and said(self.factor)
        return replace(row, width=self.factor * row.width) if own else row

    def _split_sources(self, case: Case) -> list[str]:
        """Sources of which only some rows are chosen: a class belongs to a whole source."""
        ids = {row.id for row in self.rows(case)}
        touched = {row.source_id for row in case.evidence if row.id in ids}
        return sorted({row.source_id for row in case.evidence if row.source_id in touched and row.id not in ids})

    @property
    def _amount(self) -> str:
        return f"× {self.factor:g}" if said(self.factor) else f"= {self.value:g}"

    def __str__(self) -> str:
        return f"width of {self.chosen} {self._amount}"
