"""Evidence that is not believed at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Case
from reeuncert.edits.base import Edit, Edited
from reeuncert.edits.sources import SourceChoice


@dataclass(frozen=True, kw_only=True)
class LeaveOut(SourceChoice, Edit):
    """Leave out sources, lineages, classes of sources, or single rows of evidence: they count nothing.

    Widths that are learned stay learned in the sources that remain, even where the witness that made that possible is
    the one left out.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> sorted(LeaveOut(lineage=("association",)).apply(Edited(case)).left_out)
    ['G1']
    """

    kind: ClassVar[str] = "leave_out"

    def problems(self, case: Case) -> Sequence[str]:
        return self.choice_problems(case, self.kind)

    def apply(self, edited: Edited) -> Edited:
        ids = {row.id for row in self.rows(edited.case)}
        return replace(edited, left_out=edited.left_out | ids)

    def __str__(self) -> str:
        return f"without {self.chosen}"
