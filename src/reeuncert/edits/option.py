"""Switches of a case: another structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.records import Case
from reeuncert.edits.base import Edit, Edited, unknown_names


@dataclass(frozen=True, kw_only=True)
class Option(Edit):
    """Choose otherwise in a switch that the case declares in case.toml.

    Parameters
    ----------
    option
        Name of the switch.
    choice
        One of its choices.
    """

    option: str = ""
    choice: str = ""

    kind: ClassVar[str] = "option"
    varied: ClassVar[str] = "choice"
    stage: ClassVar[int] = 0

    def problems(self, case: Case) -> Sequence[str]:
        if self.option not in case.option_choices:
            return unknown_names([self.option], list(case.option_choices), "option")
        return unknown_names([self.choice], case.option_choices[self.option], f"for option '{self.option}' the choice")

    def apply(self, edited: Edited) -> Edited:
        if edited.case.options[self.option] == self.choice:
            return edited
        return replace(edited, case=edited.reread(edited.case, {self.option: self.choice}))

    def __str__(self) -> str:
        return f"{self.option} = {self.choice}"
