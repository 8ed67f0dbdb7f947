"""Changes of evidence: widths of sources, rows that are left out, biases of records."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar

from reeuncert.case.records import Case, Evidence
from reeuncert.case.rules import tail_problems
from reeuncert.edits.base import Edit, Edited, is_given, listed, one_amount, unknown_names


@dataclass(frozen=True, kw_only=True)
class SourceChoice:
    """Rows of evidence chosen by their source; of several keys, all must hold."""

    source: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()  # all that one reporter states
    error_class: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()  # ids of single rows

    @property
    def chosen(self) -> str:
        """What is chosen, in words."""
        named = (("source", self.source), ("lineage", self.lineage), ("class", self.error_class), ("", self.evidence))
        return " and ".join(f"{what} {listed(names)}".strip() for what, names in named if names)

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
        rows, classes = case.evidence, sorted({case.sources[row.source_id].error_class for row in case.evidence})
        found = [
            *unknown_names(self.source, sorted({row.source_id for row in rows}), "source"),
            *unknown_names(self.lineage, sorted({row.lineage for row in rows}), "lineage"),
            *unknown_names(self.error_class, classes, "class of sources"),
            *unknown_names(self.evidence, sorted(row.id for row in rows), "row of evidence"),
        ]
        if found:
            return found
        if not (self.source or self.lineage or self.error_class or self.evidence):
            return [f"'{kind}' does not say which evidence; name a source, lineage, error_class, or rows (evidence)"]
        return [] if self.rows(case) else [f"no row of evidence is of {self.chosen}"]


@dataclass(frozen=True, kw_only=True)
class SourceWidth(SourceChoice, Edit):
    """Change how wrong sources may be: the half-width of the central 68 % of their errors.

    Where only some sources of a class are chosen, they get a class of their own.
    """

    factor: float = float("nan")  # of the width of the class and of its floor, and of widths that rows give themselves
    # New width of the class, whose floor is lowered to it if need be; rows with a width of their own keep it
    value: float = float("nan")

    kind: ClassVar[str] = "source_width"
    varied: ClassVar[str] = "factor"

    def problems(self, case: Case) -> Sequence[str]:
        amount = one_amount(self.kind, factor=self.factor, value=self.value)
        found = [*amount, *self.choice_problems(case, self.kind)]
        if not found and (split := self._split_sources(case)):
            found = [f"source {listed(split)} also has rows that are not chosen; choose by source or by class"]
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
            classes[new] = replace(old, name=new, width=self.value, floor=min(old.floor, self.value))
            if is_given(self.factor):
                classes[new] = replace(old, name=new, width=self.factor * old.width, floor=self.factor * old.floor)
            sources |= {s: replace(sources[s], error_class=new) for s in chosen}
        factor = self.factor if is_given(self.factor) else 1.0  # of no width: NaN stays
        rows = tuple(replace(row, width=factor * row.width) if row.id in ids else row for row in case.evidence)
        return replace(edited, case=replace(case, evidence=rows, sources=sources, classes=classes))

    def _split_sources(self, case: Case) -> list[str]:
        """Sources of which only some rows are chosen: a class belongs to a whole source."""
        ids = {row.id for row in self.rows(case)}
        touched = {row.source_id for row in case.evidence if row.id in ids}
        return sorted({row.source_id for row in case.evidence if row.source_id in touched and row.id not in ids})

    @property
    def _amount(self) -> str:
        return f"× {self.factor:g}" if is_given(self.factor) else f"= {self.value:g}"

    def __str__(self) -> str:
        return f"width of {self.chosen} {self._amount}"


@dataclass(frozen=True, kw_only=True)
class Tails(Edit):
    """Change the tails of all errors: see `reeuncert.case.records.ErrorTails`; what is not given stays."""

    degrees_of_freedom: float = float("nan")
    outlier_share: float = float("nan")
    outlier_sd: float = float("nan")

    kind: ClassVar[str] = "tails"

    @property
    def _given(self) -> dict[str, float]:
        return {f.name: value for f in fields(self) if is_given(value := getattr(self, f.name))}

    def problems(self, case: Case) -> Sequence[str]:
        found = [f"'tails' says nothing; give one of: {', '.join(f.name for f in fields(self))}"] * (not self._given)
        return [*found, *(f"{name}: {text}" for name, text in tail_problems(replace(case.errors, **self._given)))]

    def apply(self, edited: Edited) -> Edited:
        return replace(edited, case=replace(edited.case, errors=replace(edited.case.errors, **self._given)))

    def __str__(self) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in self._given.items()) + " of errors"


@dataclass(frozen=True, kw_only=True)
class LeaveOut(SourceChoice, Edit):
    """Leave out sources, lineages, classes of sources, or single rows of evidence: they count nothing.

    Widths that are learned stay learned in the sources that remain, even where the second source that made that
    possible is the one left out.
    """

    kind: ClassVar[str] = "leave_out"

    def problems(self, case: Case) -> Sequence[str]:
        return self.choice_problems(case, self.kind)

    def apply(self, edited: Edited) -> Edited:
        ids = {row.id for row in self.rows(edited.case)}
        return replace(edited, left_out=edited.left_out | ids)

    def __str__(self) -> str:
        return f"without {self.chosen}"


@dataclass(frozen=True, kw_only=True)
class Bias(Edit):
    """Change the prior mean of log-offsets: bias, conversion factor or shared error of a record."""

    offset: tuple[str, ...] = ()
    mean: float = float("nan")  # on the log scale

    kind: ClassVar[str] = "offset"
    varied: ClassVar[str] = "mean"

    def problems(self, case: Case) -> Sequence[str]:
        found = unknown_names(self.offset, list(case.offsets), "offset")
        if not self.offset:
            found.append(f"'{self.kind}' does not say which offsets; name one of: {', '.join(case.offsets) or 'none'}")
        if not is_given(self.mean):
            found.append(f"'{self.kind}' needs a mean")
        return found

    def apply(self, edited: Edited) -> Edited:
        offsets = dict(edited.case.offsets)
        offsets |= {name: replace(offsets[name], mean=self.mean) for name in self.offset}
        return replace(edited, case=replace(edited.case, offsets=offsets))

    def __str__(self) -> str:
        return f"offset {listed(self.offset)}: mean = {self.mean:g}"
