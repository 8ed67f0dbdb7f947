"""A system without some of its flows: no stocks, no unrecorded trade."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reeuncert.case.figures import median_in_year
from reeuncert.case.records import Case, Prior
from reeuncert.case.restriction import speaks_of, with_flows
from reeuncert.case.selection import selector_problems
from reeuncert.edits.base import Edited
from reeuncert.edits.priors import FlowEdit
from reeuncert.errors import ModelError
from reeuncert.priors.coverage import case_network, group_members, prior_groups
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE, SystemDefinition


@dataclass(frozen=True, kw_only=True)
class WithoutFlows(FlowEdit):
    """Take flows out of the system, and with them what can no longer be.

    A process that nothing enters in a year, or nothing leaves, has no flows in that year. Priors cover what remains
    and keep their medians in each year; figures of which a side speaks only of flows that are gone are left out.

    Parameters
    ----------
    flow, from_process, to_process, quantity, product, origin, destination, route, end_use
        Attributes of the flows, as in a selector.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> bare = WithoutFlows(quantity=("stock", "opening_stock")).apply(Edited(case)).case
    >>> sorted({f.name for f in case.system.flows} - {f.name for f in bare.system.flows})
    ['north_opening_stock', 'north_stock']
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
        system = _without(case.system, set(case.system.select(self.selector)))
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


def _without(system: SystemDefinition, gone: set[int]) -> SystemDefinition:
    years = sorted(remaining_flows(system, gone).items())
    return with_flows(system, [replace(system.flows[i], years=tuple(sorted(there))) for i, there in years])


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
