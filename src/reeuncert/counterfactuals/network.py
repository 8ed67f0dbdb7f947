"""One year of a system as a graph (demanded flows, flows in fixed proportions, order), and what a rule changes."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from reeuncert.case.records import Case
from reeuncert.errors import Problem
from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.system.definition import OUTSIDE
from reeuncert.system.graph import strong_components
from reeuncert.words.cells import quoted, unknown

MADE = ("mine_production", "production", "fabrication", "recycling", "swarf", "loss", "declared", "undeclared")
"""Quantities that leave a process by fixed transfer coefficients; all others are demanded."""

BY_PRODUCTS = ("swarf",)  # of these, the ones for whose sake nothing is made
BEYOND = -1  # index that stands for outside


@dataclass(frozen=True, eq=False)
class YearNetwork:
    """Flows and processes of one year, as numbers."""

    year: int  # index of the year in the table
    processes: tuple[str, ...]  # names of all processes of the table
    # Indices of the flows that exist in the year, without stocks; the arrays below have one entry for each
    flows: np.ndarray
    # Processes from and to which each leads; `BEYOND` for outside
    source: np.ndarray
    target: np.ndarray
    made: Mask  # whether it leaves its process in a fixed proportion
    aside: Mask  # whether it is a by-product
    lost: Mask  # whether it is a loss
    opening: Mask  # whether it is the opening stock of the first year, which is always available
    crossing: Mask  # whether it leads from one region to another
    # For each process the index of its stock flow in the table, or -1: what is carried into the next year
    closing: np.ndarray

    @classmethod
    def of(cls, table: FlowTable, year: int) -> Self:
        """The graph of one year of a table (`year`: its index)."""
        names = table.attributes
        processes = tuple(dict.fromkeys(str(p) for p in (*names["from_process"], *names["to_process"]) if p != OUTSIDE))
        number = {p: i for i, p in enumerate(processes)} | {OUTSIDE: BEYOND}
        stock = names["from_process"] == names["to_process"]
        closing = np.full(len(processes), -1)
        for i in np.flatnonzero(stock & table.present[:, year]):
            closing[number[str(names["from_process"][i])]] = i
        flows = np.flatnonzero(table.present[:, year] & ~stock)
        quantity, origin, destination = (names[k][flows] for k in ("quantity", "origin", "destination"))
        source = np.array([number[str(p)] for p in names["from_process"][flows]], dtype=int)
        target = np.array([number[str(p)] for p in names["to_process"][flows]], dtype=int)
        made, aside = np.isin(quantity, MADE), np.isin(quantity, BY_PRODUCTS)
        lost, opening = quantity == "loss", quantity == "opening_stock"
        crossing = (origin != destination) & (origin != "") & (destination != "")
        return cls(year, processes, flows, source, target, made, aside, lost, opening, crossing, closing)

    def transforms(self) -> Mask:
        """Boolean array (process,): mines and plants, which have a capacity."""
        found = np.zeros(len(self.processes), dtype=bool)
        found[self.source[self.made & ~self.crossing & (self.source != BEYOND)]] = True
        return found

    def given(self) -> Mask:
        """Boolean array (flow,): inputs from outside that enter no mine or plant."""
        fed = np.append(self.transforms(), True)[self.target]
        return np.asarray((self.source == BEYOND) & ~fed)

    def with_free_mix(self, produced: Mask) -> Self:
        """The graph in which a plant of several products (``produced``, by flow) makes of each what is asked."""
        count = np.bincount(self.source[produced], minlength=len(self.processes))
        return replace(self, made=self.made & ~(produced & (count[self.source] > 1)))

    def without_return(self) -> tuple[Self, Mask]:
        """The graph in which by-products are lost, and the flows (flow,) of the processes that take them in."""
        takers = np.unique(self.target[self.aside])
        touching = np.isin(self.source, takers) | (np.isin(self.target, takers) & ~self.aside)
        target = np.where(self.aside, BEYOND, self.target)
        return replace(self, target=target, lost=self.lost | self.aside), touching

    def wanted(self) -> Mask:
        """Boolean array (flow,): final demand, all outflows of the system except losses."""
        return np.asarray((self.target == BEYOND) & ~self.lost)

    def order(self, open_flows: Mask) -> list[list[int]]:
        """Strongly connected components of processes, suppliers first."""
        successors: list[list[int]] = [[] for _ in self.processes]
        for i in np.flatnonzero(open_flows & (self.source != BEYOND) & (self.target != BEYOND)):
            successors[self.source[i]].append(int(self.target[i]))
        return strong_components(successors)

    def throughput(self, table: FlowTable) -> Array:
        """Throughput without stocks of each process in each year up to this one, array (process, draw, year)."""
        chains, draws, _ = table.shape
        last = self.year + 1
        out = np.zeros((len(self.processes), last, chains * draws))  # as the masses are in memory
        number = {p: i for i, p in enumerate(self.processes)}
        ends = zip(table.attributes["from_process"], table.attributes["to_process"], strict=True)
        for i, (source, target) in enumerate(ends):
            if source != OUTSIDE and source != target:
                out[number[str(source)]] += np.moveaxis(table.of(i), -1, 0).reshape(-1, chains * draws)[:last]
        return np.moveaxis(out, 1, 2)

    def output_share(self, mass: np.ndarray) -> np.ndarray:
        """Recovery of each process (1 − loss share), array (process, draw)."""
        total, kept = np.zeros((2, len(self.processes), mass.shape[1]))
        for out, chosen in ((total, self.source != BEYOND), (kept, (self.source != BEYOND) & ~self.lost)):
            np.add.at(out, self.source[chosen], mass[chosen])
        return np.divide(kept, total, out=np.ones_like(total), where=total > 0)


UNREGISTERED = "unregistered"


@dataclass(frozen=True, eq=False)
class World:
    """A year as drawn, and the limits of the counterfactual."""

    mass: Array  # flows as drawn, array (flow of the network, draw)
    limit: Array  # upper limit of each flow, same shape; ``inf`` if only its source limits it
    capacity: Array  # maximum throughput of each process, array (process, draw); ``inf`` if unlimited
    carried: Array  # stock of each process from the year before, array (process, draw)
    kept: Array  # part of it that is not available, same shape
    closing: Array  # stock at the end of the year as drawn, same shape
    extra: Array  # new part of the capacity, same shape; its output is bought first


@dataclass(frozen=True, eq=False)
class Setting:
    """Year and tables on which a rule acts: all flows of the result, the network of the year, and the stage and region
    of each of its processes.
    """

    table: FlowTable
    network: YearNetwork
    stages: np.ndarray
    regions: np.ndarray

    @classmethod
    def of(cls, table: FlowTable, year: int, case: Case) -> Self:
        """The setting of a year (`year`: its index)."""
        network = YearNetwork.of(table, year)
        known = [case.system.processes[case.system.process_index[name]] for name in network.processes]
        stages, regions = ([getattr(p, name) for p in known] for name in ("stage", "region"))
        return cls(table, network, np.array(stages, dtype=object), np.array(regions, dtype=object))

    @property
    def year(self) -> int:
        return self.table.years[self.network.year]

    def attribute(self, name: str) -> np.ndarray:
        """An attribute of the flows of the year, array of text (flow of the network,)."""
        return np.asarray(self.table.attributes[name][self.network.flows])

    def registered(self) -> Mask:
        """Boolean array (process,): all but those whose outflows are all unregistered."""
        source, each = self.network.source, np.arange(len(self.network.processes))
        return ~np.isin(each, source) | np.isin(each, source[self.attribute("route") != UNREGISTERED])

    def plants(self, region: str, stage: str) -> Mask:
        """Registered mines and plants of a region at a stage."""
        found = self.network.transforms() & self.registered()
        return found & (self.regions == region) & (self.stages == stage)

    def plant_problems(self, where: str, region: str, stage: str) -> list[Problem]:
        """Problem of the location of a plant, or none."""
        found = not_known(where, "region", region, self.table.regions, "region")
        places = self.network.transforms()
        found += not_known(where, "stage", stage, tuple(dict.fromkeys(self.stages[places].tolist())), "stage")
        if not found and not self.plants(region, stage).any():
            own = ", ".join(dict.fromkeys(self.stages[places & (self.regions == region)].tolist())) or "none"
            says = f"{quoted(region)} has no registered process of stage {quoted(stage)} in {self.year}, so that its "
            says += f"recovery is not known; its stages then: {own} (add the process to the case to have it)"
            found.append(problem(where, "stage", says))
        return found


class Rule(Protocol):
    """One change of a counterfactual; a frozen dataclass whose fields are its arguments."""

    def describe(self) -> str:
        """Description for titles: "no trade", "no exports of …"."""

    def problems(self, setting: Setting) -> list[Problem]:
        """All problems of the arguments in this year."""

    def apply(self, setting: Setting, world: World) -> World:
        """The world under the rule."""


def problem(where: str, argument: str, message: str) -> Problem:
    """A problem of an argument."""
    return Problem(f"{where}, argument '{argument}'", 0, "", message)


def is_number(value: Any, most: float = np.finfo(float).max) -> bool:
    """Whether a value is a number, from zero to ``most``."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(0 <= value <= most)


def no_mass(where: str, argument: str, value: object) -> list[Problem]:
    """Problem of a number that is no mass of zero or more, or none."""
    if is_number(value):
        return []
    return [problem(where, argument, f"{value!r} is no capacity; a capacity is a mass of zero or more")]


def not_known(where: str, argument: str, label: object, known: tuple[str, ...], what: str) -> list[Problem]:
    """Problem of an unknown label, or none."""
    return [] if label in known else [problem(where, argument, unknown(str(label), known, what))]
