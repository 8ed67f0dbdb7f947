"""Inputs and shares from the priors table: a loop over years and processes.

An outflow with a stated share s has the weight s · exp(deviation), the reference outflow one minus the stated shares;
shares are the normalised weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reeuncert.calibration.paths import Deviations, Draws, stated_median
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError
from reeuncert.system.definition import OUTSIDE, Flow


@dataclass(frozen=True)
class Branch:
    """One outflow of a process in a year: a flow, or several flows with a stated total."""

    name: str
    flows: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """Drawn quantities of each truth, before the mass balance.

    Parameters
    ----------
    entering
        Mass of each flow from outside by (flow, year).
    share
        Share of the throughput of its process, for each other flow, by (flow, year).
    delivering
        Mass of an outflow by (flow, year), where the table states the delivered mass instead of the input.
    """

    entering: dict[tuple[str, int], Draws]
    share: dict[tuple[str, int], Draws]
    delivering: dict[tuple[str, int], Draws]


def draw_shares(case: Case, size: int, rng: np.random.Generator) -> Drawn:
    """Draw inputs and shares of `size` truths from the priors table.

    Raises
    ------
    ModelError
        When something that must be drawn has no row or several.
    """
    table = _Table(case)
    deviation = table.deviations(Deviations(rng, size, case.covariates))
    drawn = Drawn({}, {}, {})
    for year in case.system.years:
        alive = [flow for flow in case.system.flows if year in flow.years]
        for branch in table.branches([flow for flow in alive if flow.from_process == OUTSIDE], year):
            mass = table.entering(branch, year, deviation)
            if mass is not None:
                drawn.entering.update(_within(table, branch, year, mass, deviation))
        for process in case.system.processes:
            out = [flow for flow in alive if flow.from_process == process.name]
            for branch, share in table.leaving(process.reference_outflow, out, year, deviation, size):
                drawn.share.update(_within(table, branch, year, share, deviation))
        for flow in alive:
            if flow.from_process != OUTSIDE and ("input", flow.name, year) in deviation:
                median = stated_median(table.row("input", flow.name, year), year)
                drawn.delivering[flow.name, year] = median * np.exp(deviation["input", flow.name, year])
    return drawn


Deviation = dict[tuple[str, str, int], Draws]
"""Deviation by kind of prior, name of flow or total, and year."""


class _Table:
    """Rows of the priors table by quantity and year."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.totals: dict[tuple[str, ...], str] = {}
        for row in case.priors:
            members = self._members(row)
            if len(members) > 1:
                self.totals.setdefault(members, row.name)
        self.rows: dict[tuple[str, str, int], Prior] = {}
        self.path: dict[tuple[str, str, int], str] = {}
        for row in case.priors:
            self._enter(row)

    def _members(self, row: Prior) -> tuple[str, ...]:
        if row.mode != "total" or row.kind not in ("input", "share"):
            return ()
        return tuple(flow.name for flow in self.case.system.flows if row.selector.matches(flow))

    def _enter(self, row: Prior) -> None:
        members = self._members(row)
        chosen = [flow for flow in self.case.system.flows if row.selector.matches(flow)]
        for year in row.years:
            alive = [flow.name for flow in chosen if year in flow.years]
            if len(members) > 1 and alive:  # a total with one existing flow is that flow
                name = self.totals[members]
                self._put(row, row.kind, name if len(alive) > 1 else alive[0], year, name)
            else:
                for name in alive:
                    self._put(row, row.kind, name, year, name)

    def _put(self, row: Prior, kind: str, name: str, year: int, path: str) -> None:
        key = (kind, name, year)
        if key in self.rows:
            raise ModelError(f"priors '{self.rows[key].name}' and '{row.name}' both state {name} in {year} ({kind})")
        self.rows[key], self.path[key] = row, f"{kind} {path}"

    def row(self, kind: str, name: str, year: int) -> Prior:
        if (kind, name, year) not in self.rows:
            raise ModelError(f"no row of the priors table states {name} in {year} ({kind})")
        return self.rows[kind, name, year]

    def deviations(self, source: Deviations) -> Deviation:
        """Draw every deviation: path by path, each from its first year to its last."""
        names: dict[str, dict[int, tuple[str, str, int]]] = {}
        for key, path in self.path.items():
            names.setdefault(path, {})[key[2]] = key
        found: Deviation = {}
        for path, keys in names.items():
            drawn = source.along(path, {year: self.rows[key] for year, key in keys.items()})
            found.update({keys[year]: values for year, values in drawn.items()})
        for members, name in self.totals.items():  # split of a total without rows of kind split
            for (kind, total, year), row in self.rows.items():
                if total == name and kind in ("input", "share"):
                    for flow in members:
                        if ("split", flow, year) not in found:
                            found["split", flow, year] = source.constant(f"split {flow}", row.split_sd)
        return found

    def branches(self, flows: Sequence[Flow], year: int) -> list[Branch]:
        """Outflows of one process, flows of a total grouped."""
        alive = [flow.name for flow in flows]
        found: list[Branch] = []
        taken: set[str] = set()
        for members, name in self.totals.items():
            here = tuple(flow for flow in members if flow in alive)
            if len(here) > 1:
                found.append(Branch(name, here))
                taken.update(here)
        return found + [Branch(flow, (flow,)) for flow in alive if flow not in taken]

    def entering(self, branch: Branch, year: int, deviation: Deviation) -> Draws | None:
        """Input from outside; None where the delivered mass is stated instead."""
        if ("input", branch.name, year) not in self.rows and self._is_delivered(branch.flows[0], year):
            return None
        median = stated_median(self.row("input", branch.name, year), year)
        return np.asarray(median * np.exp(deviation["input", branch.name, year]))

    def _is_delivered(self, flow: str, year: int) -> bool:
        process = self.case.system.flows[self.case.system.flow_index[flow]].to_process
        names = [other.name for other in self.case.system.flows if other.from_process == process]
        return any(("input", name, year) in self.rows for name in names)

    def leaving(
        self, preferred: Sequence[str], flows: Sequence[Flow], year: int, deviation: Deviation, size: int
    ) -> list[tuple[Branch, Draws]]:
        """Share of the throughput of each outflow."""
        branches = self.branches(flows, year)
        if len(branches) < 2:
            return [(branch, np.ones(size)) for branch in branches]
        there = [name for name in preferred if any(flow.name == name for flow in flows)]
        rest = next(branch for branch in branches if there[0] in branch.flows)
        stated = {b: stated_median(self.row("share", b.name, year), year) for b in branches if b is not rest}
        weight = {b: s * np.exp(deviation["share", b.name, year]) for b, s in stated.items()}
        weight[rest] = np.full(size, 1.0 - sum(stated.values()))
        total = sum(weight.values())
        return [(branch, weight[branch] / total) for branch in branches]


def _within(
    table: _Table, branch: Branch, year: int, amount: Draws, deviation: Deviation
) -> dict[tuple[str, int], Draws]:
    """Split an amount over the flows of a branch; the last takes the remainder."""
    *others, last = branch.flows
    equal = 1.0 / len(branch.flows)
    stated = dict.fromkeys(others, equal)
    for name in others:
        if ("split", name, year) in table.rows:
            stated[name] = stated_median(table.row("split", name, year), year)
    weight = {name: s * np.exp(deviation["split", name, year]) for name, s in stated.items()}
    weight[last] = np.full(amount.shape, 1.0 - sum(stated.values()))
    total = sum(weight.values())
    return {(name, year): amount * w / total for name, w in weight.items()}
