"""Which rows of the priors table a change is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from reeuncert.case.records import Case, Prior
from reeuncert.edits.base import Edit, quoted, unknown_names
from reeuncert.system.definition import FLOW_FIELDS, Selector

EVERY = "*"
"""As the name of a prior: all rows."""


@dataclass(frozen=True, kw_only=True)
class PriorEdit(Edit):
    """A change of rows of the priors table, chosen by name, by group, or by the flows they speak of.

    A row is chosen when it is named, when its group is named, or when every flow that it speaks of is selected. With
    several of these given, all must hold.

    Parameters
    ----------
    prior, group
        Names of rows, or of groups of rows; ``prior = "*"`` means every row.
    flow, from_process, to_process, quantity, product, origin, destination, route, end_use
        Attributes of flows, as in a selector.
    """

    prior: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    flow: tuple[str, ...] = ()
    from_process: tuple[str, ...] = ()
    to_process: tuple[str, ...] = ()
    quantity: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    destination: tuple[str, ...] = ()
    route: tuple[str, ...] = ()
    end_use: tuple[str, ...] = ()

    needs_choice: ClassVar[bool] = True

    @property
    def selector(self) -> Selector:
        return Selector({name: getattr(self, name) for name in FLOW_FIELDS if getattr(self, name)})

    @property
    def chosen(self) -> str:
        """What is chosen, in words."""
        parts = [] if self.prior in ((), (EVERY,)) else [quoted(self.prior)]
        parts += [f"group {quoted(self.group)}"] if self.group else []
        parts += [str(self.selector)] if self.selector.fields else []
        return " and ".join(parts) or "every prior"

    def rows(self, case: Case) -> list[Prior]:
        """The rows that are chosen."""
        return [row for row in self._named(case) if not self.selector.fields or self._flows(case, row) == "all"]

    def problems(self, case: Case) -> Sequence[str]:
        found = [
            *unknown_names([n for n in self.prior if n != EVERY], [row.name for row in case.priors], "prior"),
            *unknown_names(self.group, sorted({row.group for row in case.priors}), "group of priors"),
            *selector_problems(self.selector, case),
        ]
        if found:
            return found
        if not (self.prior or self.group or self.selector.fields):
            return [
                f"'{self.kind}' does not say which priors; name a prior, a group, or flows (e.g. quantity); "
                'prior = "*" means all'
            ] * self.needs_choice
        partly = [row.name for row in self._named(case) if self._flows(case, row) == "some"]
        if self.selector.fields and partly:
            return [
                f"the selection {self.selector} covers only some of the flows that prior {quoted(partly)} speaks of; "
                "widen the selection, name the prior, or split its row in priors.csv"
            ]
        if not self.rows(case):
            return [f"no row of the priors table is about {self.chosen}"]
        return self.row_problems(self.rows(case))

    def row_problems(self, rows: Sequence[Prior]) -> list[str]:
        """What keeps the chosen rows from being changed so."""
        return []

    def _named(self, case: Case) -> list[Prior]:
        return [
            row
            for row in case.priors
            if (not self.prior or row.name in self.prior or self.prior == (EVERY,))
            and (not self.group or row.group in self.group)
        ]

    def _flows(self, case: Case, row: Prior) -> str:
        spoken, selected = set(case.system.select(row.selector)), set(case.system.select(self.selector))
        return "none" if not spoken & selected else "all" if spoken <= selected else "some"


def selector_problems(selector: Selector, case: Case) -> list[str]:
    """Words of a selector that no flow of the case has; or that no flow has them all together."""
    found: list[str] = []
    for name, words in selector.fields.items():
        known = sorted({flow.attribute(name) for flow in case.system.flows} - {""})
        found += unknown_names(words, known, name)
    if not found and not case.system.select(selector):
        found = [f"no flow of the case has {selector}"]
    return found


def with_rows(case_priors: Sequence[Prior], new: dict[str, Prior]) -> tuple[Prior, ...]:
    """The rows with those of the same name replaced."""
    return tuple(new.get(row.name, row) for row in case_priors)
