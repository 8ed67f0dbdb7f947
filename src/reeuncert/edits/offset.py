"""Biases of records moved or made wider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Case
from reeuncert.edits.base import Edit, Edited, above_zero, quoted, said, unknown_names


@dataclass(frozen=True, kw_only=True)
class Bias(Edit):
    """Change the prior of log-offsets: bias, conversion factor or shared error of a record.

    Parameters
    ----------
    offset
        Names of offsets.
    mean, sd
        New mean and standard deviation (log scale).
    factor
        Of the standard deviation.
    """

    offset: tuple[str, ...] = ()
    mean: float = float("nan")
    sd: float = float("nan")
    factor: float = float("nan")

    kind: ClassVar[str] = "offset"
    varied: ClassVar[str] = "mean"

    def problems(self, case: Case) -> Sequence[str]:
        found = unknown_names(self.offset, list(case.offsets), "offset")
        if not self.offset:
            found.append(f"'{self.kind}' does not say which offsets; name one of: {', '.join(case.offsets) or 'none'}")
        if not any(map(said, (self.mean, self.sd, self.factor))):
            found.append(f"'{self.kind}' needs one of: mean, sd, factor (none is given)")
        if said(self.sd) and said(self.factor):
            found.append(f"'{self.kind}' takes either sd or factor, not both")
        return [*found, *above_zero(sd=self.sd, factor=self.factor)]

    def apply(self, edited: Edited) -> Edited:
        offsets = dict(edited.case.offsets)
        for name in self.offset:
            old = offsets[name]
            mean = self.mean if said(self.mean) else old.mean
            sd = self.sd if said(self.sd) else old.sd * (self.factor if said(self.factor) else 1.0)
            offsets[name] = replace(old, mean=mean, sd=sd)
        return replace(edited, case=replace(edited.case, offsets=offsets))

    def __str__(self) -> str:
        parts = [f"{name} = {value:g}" for name, value in (("mean", self.mean), ("sd", self.sd)) if said(value)]
        parts += [f"sd × {self.factor:g}"] if said(self.factor) else []
        return f"offset {quoted(self.offset)}: {', '.join(parts)}"
