"""One future year after the other: the world that the rule of the counterfactuals gets, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from reeuncert.case.records import Case
from reeuncert.counterfactuals.network import BEYOND, Setting, World, YearNetwork
from reeuncert.counterfactuals.run import allocate
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.outlook.future import Openings, PastGrowth, generator, growth, row_for
from reeuncert.outlook.plans import BASE, CAPACITY, DEMAND, OutlookScenario, Plans
from reeuncert.outlook.recycling import Recycler, drawn_life, ended, recyclers_of
from reeuncert.result.result import Result
from reeuncert.system.definition import OUTSIDE

RECENT = 5  # past years whose highest throughput is the capacity of a plant that exists
MOST_AT_ONCE = 4000  # draws that are allocated together


def allocate_year(futures: Sequence[FutureYears], year: int, places: Sequence[str]) -> None:
    """Fill in a year of several scenarios of one case: their draws are allocated together, which is faster."""
    prepared = [future.prepare(year, places) for future in futures]
    network = prepared[0][0]
    parts = ([getattr(world, f.name) for _, world, _ in prepared] for f in fields(World))
    whole = [np.concatenate(part, axis=1) for part in parts]
    mass, closing = np.empty_like(whole[0]), np.empty_like(whole[-1])
    for first in range(0, mass.shape[1], MOST_AT_ONCE):
        part = slice(first, first + MOST_AT_ONCE)
        world = World(*(values[:, part] for values in whole))
        got = allocate(network, world, [network.wanted()], within_supply=True)
        mass[:, part], closing[:, part] = got
    ends = np.cumsum([world.mass.shape[1] for _, world, _ in prepared])[:-1]
    found = (np.split(values, ends, axis=1) for values in (mass, closing))
    for future, (_, _, recyclers), *own in zip(futures, prepared, *found, strict=True):
        future.record(year, network, recyclers, *own)


class FutureYears:
    """The years so far, and what bounds the next."""

    def __init__(
        self,
        case: Case,
        table: FlowTable,
        paths: Array,
        opened: Openings,
        plans: Plans,
        scenario: OutlookScenario,
        seed: int,
    ):
        self.case, self.table, self.paths, self.opened = case, table, paths, opened
        self.plans, self.scenario, self.seed = plans, scenario, seed
        self.now = table.years[-1] - paths.shape[2] + 1
        last = table.years.index(self.now)
        self.present = table.mass[:, 0, :, last].copy()
        setting = Setting.of(table, last, case)
        network, registered = setting.network, setting.registered()
        self.number = {name: j for j, name in enumerate(network.processes)}
        samples, years = paths.shape[1], paths.shape[2] - 1
        through = network.throughput(table)
        recent = through[:, :, -RECENT:]
        highest = np.where(recent[:, :, -1] > 0, recent.max(axis=2), 0.0)  # a plant that is closed has none
        past = PastGrowth.of(np.where(network.transforms()[:, None, None], through, 0.0))
        self.held, self.apart = np.empty((2, len(self.number), samples, years))
        for name, j in self.number.items():
            region = setting.regions[j] if registered[j] else ""  # a quota limits no unregistered route
            grown = self._growth(CAPACITY, scenario.capacity, region, setting.stages[j], name)
            self.apart[j] = past.ahead(j, years, seed, CAPACITY, name)
            self.held[j] = highest[j][:, None] * grown * self.apart[j]
        leaving = ((i, f) for i, f in enumerate(case.system.flows) if f.to_process == OUTSIDE)
        final = {i: flow for i, flow in leaving if flow.quantity != "loss" and not flow.is_stock}
        ends = list(dict.fromkeys(flow.destination for flow in final.values()))
        used = [table.mass[[i for i, f in final.items() if f.destination == end], 0].sum(axis=0) for end in ends]
        past = PastGrowth.of(np.array(used)[:, :, : last + 1])
        self.wanted: dict[int, Array] = {}
        for i, flow in final.items():
            end, name = flow.destination, flow.end_use or flow.product
            grown = self._growth(DEMAND, scenario.demand, end, name, flow.name)
            self.wanted[i] = self.present[i][:, None] * grown * past.ahead(ends.index(end), years, seed, DEMAND, end)
        self.recyclers = [self.number[p.name] for p in recyclers_of(case) if p.name in self.number]
        self.scrap: dict[int, Array] = {}
        """Flow of scrap → what retired goods give as in the last past year, array (sample, future year)."""
        self.old: dict[int, Array] = {}
        """Flow of scrap → what retired goods give at most, same shape."""
        self.mined: dict[int, Array] = {}
        """Flow of a mine → what it could give, array (sample, future year)."""

    def _growth(self, subject: str, scenario: str, region: str, name: str, place: str) -> Array:
        row, base = (row_for(self.plans.growth, subject, of, region, name) for of in (scenario, BASE))
        return growth(row, base, place, self.paths.shape[2] - 1, self.paths.shape[1], self.seed)

    def prepare(self, year: int, places: Sequence[str]) -> tuple[YearNetwork, World, list[Recycler]]:
        """The network, world and recyclers of a year; ``places`` are the processes of the projects."""
        k, t = self.table.years.index(year), year - self.now - 1
        setting = Setting.of(self.table, k, self.case)
        quantity = setting.attribute("quantity")
        working = np.zeros((len(self.number), self.paths.shape[1]))
        for n, (project, place) in enumerate(zip(self.plans.projects, places, strict=True)):
            working[self.number[place]] += project.mass(self.case.system.unit) * self.opened.working[n, :, t]
        recyclers = [self._recycler(j, setting.network, k, working[j]) for j in self.recyclers]
        network, returning = setting.network.with_free_mix(quantity == "production").without_return()
        returning = returning | np.isin(network.source, self.recyclers) | np.isin(network.target, self.recyclers)
        mass = self.paths[network.flows, :, t + 1]
        for row, i in enumerate(network.flows.tolist()):
            if i in self.wanted:
                mass[row] = self.wanted[i][:, t]
        share = network.output_share(mass)
        working[self.recyclers] = 0.0
        extra = working * self.apart[:, :, t] / share
        capacity = self._capacities(setting, mass, t) + extra
        for i in network.flows[quantity == "mine_production"].tolist():
            j = self.number[self.case.system.flows[i].from_process]
            self.mined.setdefault(i, np.zeros(self.paths[0, :, 1:].shape))[:, t] = capacity[j] * share[j]
        carried, closing = np.zeros_like(extra), np.zeros_like(extra)
        for i in np.flatnonzero(self.table.carried[:, k]):
            carried[self.number[self.case.system.flows[i].to_process]] += self.table.mass[i, 0, :, k - 1]
        held = network.closing >= 0
        closing[held] = self.paths[network.closing[held], :, t + 1]
        kept = np.minimum(carried, closing)
        for recycler in recyclers:
            recycler.supply(carried)
        limit = self._limits(setting, mass, year)
        limit[returning] = 0.0
        return network, World(mass, limit, capacity, carried, kept, closing, extra), recyclers

    def record(
        self, year: int, network: YearNetwork, recyclers: Sequence[Recycler], mass: Array, closing: Array
    ) -> None:
        """Write what was allocated in a year: flows (flow of the network, sample) and stocks (process, sample)."""
        k = self.table.years.index(year)
        self.table.mass[network.flows, 0, :, k] = mass
        held = network.closing >= 0
        self.table.mass[network.closing[held], 0, :, k] = closing[held]
        for recycler in recyclers:
            recycler.record(self.table, k, network.closing.tolist())

    def _capacities(self, setting: Setting, mass: Array, t: int) -> Array:
        """Throughput that old plants can have, (process, sample): their highest of late, with growth; unregistered ones
        that had none, that of their path; markets and uses any.
        """
        network = setting.network
        plants, registered = network.transforms(), setting.registered()
        path = np.zeros((len(plants), mass.shape[1]))
        for row in np.flatnonzero(network.source != BEYOND):
            path[network.source[row]] += mass[row]
        held = np.where(registered[:, None] | (self.held[:, :, t] > 0), self.held[:, :, t], path)
        return np.where(plants[:, None], held, np.inf)

    def _limits(self, setting: Setting, mass: Array, year: int) -> Array:
        network, t = setting.network, year - self.now - 1
        limit = np.full(mass.shape, np.inf)
        given = network.given()
        limit[given] = mass[given]
        for row, i in enumerate(network.flows.tolist()):
            if i in self.scrap:
                limit[row] = self.scrap[i][:, t]
            for bound in self.scenario.limits:
                if bound.first <= year <= bound.last and bound.selector.matches(self.case.system.flows[i]):
                    limit[row] = np.minimum(limit[row], bound.factor * self.present[i])
        return limit

    def retire(self, result: Result) -> None:
        """Scrap of goods whose life ends: as in the last year, times what retires of a product in the region."""
        past, held, now = result.masses(), result.case.system, len(result.years)
        for life in self.plans.lifetimes:
            mean, shape, part = drawn_life(life, past.shape[0], generator(self.seed, "life", life.product))
            for i, scrap in enumerate(self.case.system.flows):
                if scrap.quantity != "scrap" or scrap.product != life.product:
                    continue
                of_region = {"quantity": "use_in_goods", "product": life.product, "destination": scrap.destination}
                goods = np.flatnonzero(self.table.where(**of_region)).tolist()
                names = [held.flow_index[self.case.system.flows[g].name] for g in goods]
                ahead = sum((self.wanted[g] for g in goods), np.zeros(self.paths[0, :, 1:].shape))
                used = np.concatenate([np.nansum(past[:, names], axis=1), ahead], axis=1)
                old = ended(mean, shape, life.since, used, result.years[0])
                self.old[i] = part[:, None] * old[:, now:]
                self.scrap[i] = self.present[i][:, None] * old[:, now:] / np.maximum(old[:, [now - 1]], 1e-12)

    def _recycler(self, j: int, network: YearNetwork, k: int, output: Array) -> Recycler:
        """A recycler with what projects add: new scrap of the year before that was lost, and old scrap."""
        flows, year = self.case.system.flows, self.table.years[k]
        t = year - self.now - 1
        taken = {i: values[:, t] for i, values in self.scrap.items()}
        path = self.paths[:, :, t + 1]
        there = np.zeros(path.shape[1])
        for i in network.flows[(network.target == j) & (network.source == BEYOND)].tolist():
            if i in self.old:
                there += np.maximum(self.old[i][:, t] - taken.get(i, path[i]), 0.0)
            same = {"quantity": "loss", "product": flows[i].product, "origin": flows[i].origin}
            for lost in np.flatnonzero(self.table.where(**same)).tolist():
                if self.number[flows[lost].from_process] not in self.recyclers:
                    there += self.table.mass[lost, 0, :, k - 1]
        return Recycler.of_process(j, network, self.table, path, taken, np.stack([output, there]))
