"""Changes of what priors say of flows (medians, spreads, years), and a system without some of its flows."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from reeuncert.case.figures import median_in_year
from reeuncert.case.records import Case, Prior
from reeuncert.case.restriction import speaks_of, with_flows
from reeuncert.case.selection import selector_problems
from reeuncert.edits.base import Edit, Edited, is_given, listed, one_amount, unknown_names
from reeuncert.errors import ModelError
from reeuncert.priors.coverage import case_network, group_members, prior_groups
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE, Selector, SystemDefinition
from reeuncert.words.prior_families import PRIOR_FAMILIES

EVERY = "*"  # as the name of a prior: all rows


@dataclass(frozen=True, kw_only=True)
class FlowEdit(Edit):
    """A change that concerns flows, chosen by attributes as in a selector."""

    flow: tuple[str, ...] = ()
    from_process: tuple[str, ...] = ()
    to_process: tuple[str, ...] = ()
    quantity: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    destination: tuple[str, ...] = ()
    route: tuple[str, ...] = ()
    end_use: tuple[str, ...] = ()

    @property
    def selector(self) -> Selector:
        return Selector({name: getattr(self, name) for name in FLOW_FIELDS if getattr(self, name)})


@dataclass(frozen=True, kw_only=True)
class PriorEdit(FlowEdit):
    """A change of rows of the priors table, chosen by name, by group, or by the flows they cover.

    A row is chosen when it is named, when its group is named, or when every flow that it covers is selected. With
    several of these given, all must hold.
    """

    prior: tuple[str, ...] = ()  # "*": every row
    group: tuple[str, ...] = ()

    needs_choice: ClassVar[bool] = True

    @property
    def chosen(self) -> str:
        """What is chosen, in words."""
        parts = [] if self.prior in ((), (EVERY,)) else [listed(self.prior)]
        parts += [f"group {listed(self.group)}"] if self.group else []
        parts += [str(self.selector)] if self.selector.fields else []
        return " and ".join(parts) or "every prior"

    def rows(self, case: Case) -> list[Prior]:
        """The rows that are chosen."""
        return [row for row in self._named(case) if not self.selector.fields or self._flows(case, row) == "all"]

    def problems(self, case: Case) -> Sequence[str]:
        found = [
            *unknown_names([n for n in self.prior if n != EVERY], [row.name for row in case.priors], "prior"),
            *unknown_names(self.group, sorted({row.group for row in case.priors}), "group of priors"),
            *selector_problems(self.selector, case.system),
        ]
        if found:
            return found
        if not (self.prior or self.group or self.selector.fields):
            says = f"'{self.kind}' does not say which priors; name a prior, a group, or flows (e.g. quantity)"
            return [f'{says}; prior = "*" means all'] * self.needs_choice
        partly = [row.name for row in self._named(case) if self._flows(case, row) == "some"]
        if self.selector.fields and partly:
            says = f"the selection {self.selector} covers only some of the flows that prior {listed(partly)} covers"
            return [f"{says}; widen the selection, name the prior, or split its row in priors.csv"]
        if not self.rows(case):
            return [f"no row of the priors table is about {self.chosen}"]
        return self.row_problems(self.rows(case))

    def row_problems(self, rows: Sequence[Prior]) -> list[str]:
        """What keeps the chosen rows from being changed so."""
        return []

    @abstractmethod
    def changed(self, row: Prior) -> Prior:
        """A chosen row after the change."""

    def apply(self, edited: Edited) -> Edited:
        rows = {row.name: self.changed(row) for row in self.rows(edited.case)}
        priors = tuple(rows.get(row.name, row) for row in edited.case.priors)
        return replace(edited, case=replace(edited.case, priors=priors))

    def _named(self, case: Case) -> list[Prior]:
        named = [row for row in case.priors if self.prior in ((), (EVERY,)) or row.name in self.prior]
        return [row for row in named if not self.group or row.group in self.group]

    def _flows(self, case: Case, row: Prior) -> str:
        covered, selected = set(case.system.select(row.selector)), set(case.system.select(self.selector))
        return "none" if not covered & selected else "all" if covered <= selected else "some"


SHARES = ("share", "split")


@dataclass(frozen=True, kw_only=True)
class PriorMedian(PriorEdit):
    """Move the median of priors, spreads as they were."""

    # Of the mass for inputs; of the odds, share / (1 − share), for shares, so that a share stays between 0 and 1
    factor: float = float("nan")
    value: float = float("nan")  # the new median of all years of the row, in the unit of the case or as a share

    kind: ClassVar[str] = "prior_median"
    varied: ClassVar[str] = "factor"

    def problems(self, case: Case) -> Sequence[str]:
        return [*one_amount(self.kind, factor=self.factor, value=self.value), *super().problems(case)]

    def row_problems(self, rows: Sequence[Prior]) -> list[str]:
        found = []
        without = [row.name for row in rows if not is_given(row.median)]
        if without:
            found.append(f"prior {listed(without)} states no median; choose others")
        shares = [row.name for row in rows if row.kind in SHARES]
        if is_given(self.value) and self.value >= 1 and shares:
            found.append(f"value is {self.value:g}, but prior {listed(shares)} is a share; it must be below 1")
        return found

    def changed(self, row: Prior) -> Prior:
        if is_given(self.value):
            return replace(row, median=self.value, median_to=math.nan)
        return replace(row, median=self._scaled(row, row.median), median_to=self._scaled(row, row.median_to))

    def _scaled(self, row: Prior, median: float) -> float:
        if row.kind not in SHARES:
            return self.factor * median
        odds = self.factor * median / (1 - median)
        return odds / (1 + odds)

    def __str__(self) -> str:
        if is_given(self.value):
            return f"median of {self.chosen} = {self.value:g}"
        return f"median of {self.chosen} × {self.factor:g}"


@dataclass(frozen=True, kw_only=True)
class PriorSpread(PriorEdit):
    """Multiply the spread of priors, medians as they were.

    That is every standard deviation of a row: of the level, of the years, of the slope, and of a split. A gamma density
    keeps its mean; the concentration of a Dirichlet density is divided by the square of the factor.
    """

    factor: float = float("nan")

    kind: ClassVar[str] = "prior_spread"
    varied: ClassVar[str] = "factor"

    def problems(self, case: Case) -> Sequence[str]:
        return [*one_amount(self.kind, factor=self.factor), *super().problems(case)]

    def row_problems(self, rows: Sequence[Prior]) -> list[str]:
        fixed = {r.name: r.family for r in rows if r.family and PRIOR_FAMILIES[r.family].widened is None}
        if not fixed:
            return []
        families, allowed = dict.fromkeys(fixed.values()), [word for word, f in PRIOR_FAMILIES.items() if f.widened]
        message = f"the spread of prior {listed(list(fixed))} cannot be multiplied: the family {' or '.join(families)} "
        message += "has no number for it alone; choose priors of another (or change the row in priors.csv): "
        return [message + ", ".join(allowed)]

    def changed(self, row: Prior) -> Prior:
        names = ("level_sd", "year_sd", "slope_sd", "split_sd")
        numbers: dict[str, Any] = {name: self.factor * getattr(row, name) for name in names}
        if row.family and (widened := PRIOR_FAMILIES[row.family].widened):
            numbers["a"], numbers["b"] = widened(row.a, row.b, self.factor)
        return replace(row, **numbers)

    def __str__(self) -> str:
        return f"spread of {self.chosen} × {self.factor:g}"


@dataclass(frozen=True, kw_only=True)
class IndependentYears(PriorEdit):
    """Make each year of priors independent of the others, with the same spread in every year.

    The sd of the level moves into that of the years, whose correlation becomes zero. It is the assumption that many
    published models make without saying so, and makes cumulated totals far too sure; slopes on covariates stay.
    """

    kind: ClassVar[str] = "independent_years"
    needs_choice: ClassVar[bool] = False

    def changed(self, row: Prior) -> Prior:
        return replace(row, level_sd=0.0, year_sd=math.hypot(row.level_sd, row.year_sd), correlation=0.0)

    def __str__(self) -> str:
        return f"independent years of {self.chosen}"


@dataclass(frozen=True, kw_only=True)
class WithoutFlows(FlowEdit):
    """Take flows out of the system, and with them what can no longer be.

    A process that nothing enters in a year, or nothing leaves, has no flows in that year. Priors cover what remains
    and keep their medians in each year; figures of which a side speaks only of flows that are gone are left out.
    """

    kind: ClassVar[str] = "without_flows"
    stage: ClassVar[int] = 1

    def problems(self, case: Case) -> Sequence[str]:
        if not self.selector.fields:
            return [f"'{self.kind}' does not say which flows; name at least one of: {', '.join(FLOW_FIELDS)}"]
        found = selector_problems(self.selector, case.system)
        if not found and not remaining_flows(case.system, set(case.system.select(self.selector))):
            found = [f"nothing is left of the case without {self.selector}"]
        return found

    def apply(self, edited: Edited) -> Edited:
        case = edited.case
        kept = remaining_flows(case.system, set(case.system.select(self.selector)))
        flows = [replace(case.system.flows[i], years=tuple(sorted(there))) for i, there in sorted(kept.items())]
        system = with_flows(case.system, flows)
        there = ({y for i in system.select(row.selector) for y in system.flows[i].years} for row in case.priors)
        priors = (_in_years(row, years) for row, years in zip(case.priors, there, strict=True))
        evidence = tuple(row for row in case.evidence if speaks_of(row, system))
        smaller = replace(case, system=system, priors=tuple(row for row in priors if row.years), evidence=evidence)
        return replace(edited, case=replace(smaller, priors=_needed(smaller)))

    def __str__(self) -> str:
        return f"without flows of {self.selector}"


def remaining_flows(system: SystemDefinition, gone: set[int]) -> dict[int, set[int]]:
    """Index of each flow that remains → its years, when some flows are taken out of a system."""
    years = {i: set(flow.years) & set(system.years) for i, flow in enumerate(system.flows) if i not in gone}
    flows = [(system.flows[i], there) for i, there in years.items()]
    changed = True
    while changed:
        leaves = {(flow.from_process, y) for flow, there in flows for y in there}
        # A stock enters its process in the year after.
        enters = {(flow.to_process, y + flow.is_stock) for flow, there in flows for y in there}
        changed = False
        for flow, there in flows:
            fed = {y for y in there if flow.from_process == OUTSIDE or (flow.from_process, y) in enters}
            taken = {y for y in there if flow.to_process == OUTSIDE or flow.is_stock or (flow.to_process, y) in leaves}
            changed = changed or fed & taken != there
            there &= fed & taken
    return {i: there for i, there in years.items() if there}


def _in_years(row: Prior, there: set[int]) -> Prior:
    """The row in those of its years that are there."""
    years = tuple(y for y in row.years if y in there)
    if years == row.years or not years or math.isnan(row.median_to):
        return replace(row, years=years)
    last = median_in_year(row, years[-1]) if len(years) > 1 else math.nan
    return replace(row, years=years, median=median_in_year(row, years[0]), median_to=last)


def _needed(case: Case) -> tuple[Prior, ...]:
    """The rows in the years in which the smaller system still has a coordinate of which they speak.

    Where an outflow was taken away, another may have become the one that takes what is left, which needs no prior.
    """
    if case.prior_measure != "coordinates":
        return case.priors
    try:
        network = case_network(case)
    except ModelError:  # told with the other problems of the scenario
        return case.priors
    of = (network.coordinate_name, network.coordinate_year, network.coordinate_kind)
    needed = set(zip(*(values.tolist() for values in of), strict=True))
    name_of = {group.flows: group.name for group in prior_groups(case)}
    found = []
    for row in case.priors:
        members = group_members(case, row)
        names = {name_of[members]} if members else set()
        names |= {case.system.flows[i].name for i in case.system.select(row.selector)}
        there = {y for y in row.years for name in names if (name, y, row.kind) in needed}
        found.append(_in_years(row, there))
    return tuple(row for row in found if row.years)
