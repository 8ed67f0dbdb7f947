"""Which rows of evidence a change is about."""

from __future__ import annotations

from dataclasses import dataclass

from reeuncert.case.records import Case, Evidence
from reeuncert.edits.base import quoted, unknown_names


@dataclass(frozen=True, kw_only=True)
class SourceChoice:
    """Rows of evidence by who said them; of several keys, all must hold.

    Parameters
    ----------
    source, lineage, error_class
        Ids of sources, names of lineages (all that one witness said), names of classes of sources.
    evidence
        Ids of single rows.
    """

    source: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()
    error_class: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def chosen(self) -> str:
        """What is chosen, in words."""
        named = (("source", self.source), ("lineage", self.lineage), ("class", self.error_class), ("", self.evidence))
        return " and ".join(f"{what} {quoted(names)}".strip() for what, names in named if names)

    def rows(self, case: Case) -> list[Evidence]:
        """The rows that are chosen."""
        return [
            row
            for row in case.evidence
            if (not self.source or row.source_id in self.source)
            and (not self.lineage or row.lineage in self.lineage)
            and (not self.error_class or case.sources[row.source_id].error_class in self.error_class)
            and (not self.evidence or row.id in self.evidence)
        ]

    def choice_problems(self, case: Case, kind: str) -> list[str]:
        """Names that no row of evidence has."""
        rows = case.evidence
        found = [
            *unknown_names(self.source, sorted({row.source_id for row in rows}), "source"),
            *unknown_names(self.lineage, sorted({row.lineage for row in rows}), "lineage"),
            *unknown_names(
                self.error_class, sorted({case.sources[row.source_id].error_class for row in rows}), "class of sources"
            ),
            *unknown_names(self.evidence, sorted(row.id for row in rows), "row of evidence"),
        ]
        if found:
            return found
        if not (self.source or self.lineage or self.error_class or self.evidence):
            return [f"'{kind}' does not say which evidence; name a source, lineage, error_class, or rows (evidence)"]
        return [] if self.rows(case) else [f"no row of evidence is of {self.chosen}"]
