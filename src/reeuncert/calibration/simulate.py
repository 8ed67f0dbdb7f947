"""A simulated truth of a case, and the figures that its sources would report of it.

This code is independent of the model: paths, shares, balance, row sums and errors are implemented a second time, as
simply as possible, so that a fit tests the model against other code.

Flows are balanced by fixed-point iteration over the processes: in each year the throughput of every process is set to
its total inflow until it converges; no matrix is inverted. Stocks enter in the next year.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from reeuncert.calibration.figures import (
    draw_contents,
    draw_offsets,
    draw_widths,
    mass_by_name,
    simulated_row,
    statements,
)
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError
from reeuncert.system.definition import OUTSIDE, Flow, SystemDefinition


@dataclass(frozen=True, eq=False)
class Truth:
    """One truth drawn from the priors of a case, with its reported figures: flows (flow, year) in the unit of the case,
    NaN where a flow does not exist; width of each source with a learned width, by ``"lineage (class)"``; value of each
    offset that a row names, and of each content of an element, by name, or name and year; and the case with the
    simulated figures for the reported ones.
    """

    mass_flow: NDArray[np.float64]
    source_width: Mapping[str, float]
    log_offset: Mapping[str, float]
    case: Case

    def as_draws(self) -> xr.Dataset:
        """The flows as a posterior of one draw: ``mass_flow`` (chain, draw, flow, year) with their labels."""
        system = self.case.system
        labels = {"flow": [flow.name for flow in system.flows], "year": list(system.years)}
        values = self.mass_flow[None, None]
        array = xr.DataArray(values, dims=("chain", "draw", "flow", "year"), coords=labels)
        return xr.Dataset({"mass_flow": array})


def simulate(case: Case, *, seed: int = 0) -> Truth:
    """Draw a truth from the priors of a case, and report it as its sources would; the first of `simulations`."""
    return next(simulations(case, 1, seed=seed))


def simulations(case: Case, count: int, *, seed: int = 0) -> Iterator[Truth]:
    """Independent truths; the first ones are the same whatever the count. Raises `ModelError` as `simulate_flows`."""
    said = statements(case)
    for stream in np.random.SeedSequence(seed).spawn(count):
        rng = np.random.default_rng(stream)
        flows = simulate_flows(case, 1, rng)[0]
        mass = mass_by_name(case, flows)
        widths = draw_widths(case, said, rng)
        offsets = draw_offsets(case, said, rng)
        reported = {s.row.id: simulated_row(s, case, mass, widths, offsets, rng) for s in said}
        evidence = tuple(reported.get(row.id, row) for row in case.evidence)
        named = {
            f"{name} {year}" if year else name: value for name, by in offsets.items() for year, value in by.items()
        }
        named |= draw_contents(case, named, rng)
        yield Truth(flows, widths, named, replace(case, evidence=evidence))


Draws = NDArray[np.float64]
"""One number for each simulated truth, shape (draw,)."""


@dataclass
class Deviations:
    """Draws deviations of ``size`` truths from stated medians, on the log or log-ratio scale; rows with a shared level
    get the same one. Covariates: name → year → value.
    """

    rng: np.random.Generator
    size: int
    covariates: Mapping[str, Mapping[int, float]]
    _drawn: dict[tuple[str, ...], Draws] = field(default_factory=dict)

    def along(self, path: str, rows: Mapping[int, Prior]) -> dict[int, Draws]:
        """Deviation of one path in each year. The path is a flow or a total and the kind of its prior; rows are those
        of the priors table by year.
        """
        found: dict[int, Draws] = {}
        wander, last = np.zeros(self.size), 0
        for year in sorted(rows):
            row = rows[year]
            who = row.shared or path
            deviation = row.level_sd * self.once("level", who)
            if row.slope_on:
                slope = row.slope + row.slope_sd * self.once("slope", who, row.slope_on)
                deviation = deviation + slope * self.covariates[row.slope_on][year]
            if not found:
                wander = self._fresh()
            else:  # AR(1) of variance one over the years between
                kept = row.correlation ** (year - last)
                wander = kept * wander + math.sqrt(1.0 - kept**2) * self._fresh()
            last = year
            found[year] = deviation + row.year_sd * wander
        return found

    def once(self, *key: str) -> Draws:
        """A standard normal number of each truth, the same whenever it is asked for."""
        if key not in self._drawn:
            self._drawn[key] = self._fresh()
        return self._drawn[key]

    def _fresh(self) -> Draws:
        return self.rng.standard_normal(self.size)


def stated_median(row: Prior, year: int) -> float:
    """Median of a row in a year: linear on the log scale (masses) or logit scale (shares) if it changes.

    >>> from reeuncert.system.definition import Selector
    >>> row = Prior("ore", "mining", "input", Selector(), (2000, 2001, 2002), median=1.0, median_to=4.0)
    >>> [round(stated_median(row, year), 6) for year in row.years]
    [1.0, 2.0, 4.0]
    """
    first, last = row.years[0], row.years[-1]
    if math.isnan(row.median_to) or first == last:
        return row.median
    passed = (year - first) / (last - first)
    if row.kind == "input":
        return row.median ** (1.0 - passed) * row.median_to**passed
    odds = (row.median / (1.0 - row.median)) ** (1.0 - passed) * (row.median_to / (1.0 - row.median_to)) ** passed
    return odds / (1.0 + odds)


class Branch(NamedTuple):
    """One outflow of a process in a year: a flow, or several flows with a stated total."""

    name: str
    flows: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """Drawn quantities of each truth, before the mass balance.

    By (flow, year): the mass of each flow from outside; for each other flow its share of the throughput of its process;
    and the mass of an outflow where the table states the delivered mass instead of the input.
    """

    entering: dict[tuple[str, int], Draws]
    share: dict[tuple[str, int], Draws]
    delivering: dict[tuple[str, int], Draws]


def draw_shares(case: Case, size: int, rng: np.random.Generator) -> Drawn:
    """Draw inputs and shares of `size` truths from the priors table."""
    table = _Table(case)
    deviation = table.deviations(Deviations(rng, size, case.covariates))
    drawn = Drawn({}, {}, {})
    for year in case.system.years:
        alive = [flow for flow in case.system.flows if year in flow.years]
        for branch in table.branches([flow for flow in alive if flow.from_process == OUTSIDE]):
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
        is_total = row.mode == "total" and row.kind in ("input", "share")
        return tuple(flow.name for flow in self.case.system.flows if is_total and row.selector.matches(flow))

    def _enter(self, row: Prior) -> None:
        members = self._members(row)
        chosen = [flow for flow in self.case.system.flows if row.selector.matches(flow)]
        for year in row.years:
            alive = [flow.name for flow in chosen if year in flow.years]
            paths = {name: name for name in alive}
            if len(members) > 1 and alive:  # a total with one existing flow is that flow
                total = self.totals[members]
                paths = {total if len(alive) > 1 else alive[0]: total}
            for name, path in paths.items():
                key = (row.kind, name, year)
                if key in self.rows:
                    both = f"priors '{self.rows[key].name}' and '{row.name}' both state {name} in {year}"
                    raise ModelError(f"{both} ({row.kind})")
                self.rows[key], self.path[key] = row, f"{row.kind} {path}"

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
            found |= {keys[year]: values for year, values in drawn.items()}
        for members, name in self.totals.items():  # split of a total without rows of kind split
            for (kind, total, year), row in self.rows.items():
                if total == name and kind in ("input", "share"):
                    for flow in members:
                        if ("split", flow, year) not in found:
                            found["split", flow, year] = row.split_sd * source.once("level", f"split {flow}")
        return found

    def branches(self, flows: Sequence[Flow]) -> list[Branch]:
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
        branches = self.branches(flows)
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
    rows = {name: table.rows.get(("split", name, year)) for name in others}
    stated = {name: equal if row is None else stated_median(row, year) for name, row in rows.items()}
    weight = {name: s * np.exp(deviation["split", name, year]) for name, s in stated.items()}
    weight[last] = np.full(amount.shape, 1.0 - sum(stated.values()))
    total = sum(weight.values())
    return {(name, year): amount * w / total for name, w in weight.items()}


SETTLED = 1e-14
"""Largest relative change of a throughput in the last round."""

MOST_ROUNDS = 100_000


def simulate_flows(case: Case, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Flows of `size` truths drawn from the priors table: (draw, flow, year) in the unit of the case, NaN where a flow
    does not exist. Raises `ModelError` if the case states densities of flows or shares, or its priors table does not
    state everything that must be drawn.
    """
    if case.prior_measure != "coordinates":
        raise ModelError(
            f"the priors of case '{case.name}' cannot be simulated forward: prior_measure is '{case.prior_measure}', "
            "and only under 'coordinates' does every row state what can be drawn; calibrate a case written that way"
        )
    system, drawn = case.system, draw_shares(case, size, rng)
    mass = np.full((size, len(system.flows), len(system.years)), np.nan)
    carried: dict[str, Draws] = {}
    for t, year in enumerate(system.years):
        carried = _one_year(system, drawn, year, carried, mass[:, :, t])
    return mass


def _one_year(
    system: SystemDefinition, drawn: Drawn, year: int, carried: dict[str, Draws], mass: NDArray[np.float64]
) -> dict[str, Draws]:
    """Compute the flows of one year; return the stocks carried into the next."""
    alive = [(i, flow) for i, flow in enumerate(system.flows) if year in flow.years]
    for i, flow in alive:
        if flow.from_process == OUTSIDE:
            mass[:, i] = _mass_entering(drawn, flow, [f for _, f in alive], year)
    throughput = _settled([(i, f, drawn.share.get((f.name, year))) for i, f in alive], carried, mass)
    kept: dict[str, Draws] = {}
    for i, flow in alive:
        if flow.from_process == OUTSIDE:
            continue
        mass[:, i] = throughput[flow.from_process] * drawn.share[flow.name, year]
        opens_next = any(f.from_process == flow.from_process and year + 1 in f.years for f in system.flows)
        if flow.is_stock and opens_next:
            kept[flow.from_process] = kept.get(flow.from_process, 0.0) + mass[:, i]
    return kept


def _mass_entering(drawn: Drawn, flow: Flow, alive: list[Flow], year: int) -> Draws:
    if (flow.name, year) in drawn.entering:
        return drawn.entering[flow.name, year]
    # The table states the mass of an outflow: the input follows from its share.
    out = next(f for f in alive if f.from_process == flow.to_process and (f.name, year) in drawn.delivering)
    return np.asarray(drawn.delivering[out.name, year] / drawn.share[out.name, year])


def _settled(
    edges: list[tuple[int, Flow, Draws | None]], carried: dict[str, Draws], mass: NDArray[np.float64]
) -> dict[str, Draws]:
    """Throughput of each process: inputs from outside, from last year, and from other processes."""
    size = mass.shape[0]
    names = {end for _, f, _ in edges for end in (f.from_process, f.to_process)} - {OUTSIDE}
    supply = {name: np.array(carried.get(name, np.zeros(size))) for name in sorted(names)}
    for i, flow, _ in edges:
        if flow.from_process == OUTSIDE:
            supply[flow.to_process] += mass[:, i]
    inside = [(f.from_process, f.to_process, share) for _, f, share in edges if share is not None and not f.is_stock]
    passed_on = [(source, target, share) for source, target, share in inside if target != OUTSIDE]
    throughput = supply
    for _ in range(MOST_ROUNDS):
        entering = {name: value.copy() for name, value in supply.items()}
        for source, target, share in passed_on:
            entering[target] += throughput[source] * share
        still = all(np.all(np.abs(entering[n] - throughput[n]) <= SETTLED * entering[n]) for n in entering)
        throughput = entering
        if still:
            return throughput
    raise ModelError(
        f"the flows of a simulated truth have not settled after {MOST_ROUNDS} rounds: almost all of what circulates in "
        "a cycle comes back; state larger shares for the ways out of it"
    )
