"""One year of a system as a graph: demanded flows, flows in fixed proportions, and their order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.system.definition import OUTSIDE
from reeuncert.system.graph import strong_components

MADE = (*("mine_production", "production", "fabrication", "recycling", "swarf", "loss", "declared", "undeclared"),)
"""Quantities that leave a process by fixed transfer coefficients; all others are demanded."""

BY_PRODUCTS = ("swarf",)
"""Of these, the ones for whose sake nothing is made."""

BEYOND = -1
"""Index that stands for outside."""


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
    def of(cls, table: FlowTable, year: int) -> YearNetwork:
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
        return cls(
            year,
            processes,
            flows,
            np.array([number[str(p)] for p in names["from_process"][flows]], dtype=int),
            np.array([number[str(p)] for p in names["to_process"][flows]], dtype=int),
            np.isin(quantity, MADE),
            np.isin(quantity, BY_PRODUCTS),
            quantity == "loss",
            quantity == "opening_stock",
            (origin != destination) & (origin != "") & (destination != ""),
            closing,
        )

    def transforms(self) -> Mask:
        """Boolean array (process,): mines and plants, which have a capacity."""
        found = np.zeros(len(self.processes), dtype=bool)
        found[self.source[self.made & ~self.crossing & (self.source != BEYOND)]] = True
        return found

    def with_free_mix(self, produced: Mask) -> YearNetwork:
        """The graph in which a plant of several products (``produced``, by flow) makes of each what is asked."""
        count = np.bincount(self.source[produced], minlength=len(self.processes))
        return replace(self, made=self.made & ~(produced & (count[self.source] > 1)))

    def without_return(self) -> tuple[YearNetwork, Mask]:
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


def throughput(table: FlowTable, network: YearNetwork) -> Array:
    """Throughput without stocks of each process in each year up to the network's, array (process, draw, year)."""
    chains, draws, _ = table.shape
    last = network.year + 1
    out = np.zeros((len(network.processes), last, chains * draws))  # as the masses are in memory
    number = {p: i for i, p in enumerate(network.processes)}
    for i, (source, target) in enumerate(
        zip(table.attributes["from_process"], table.attributes["to_process"], strict=True)
    ):
        if source != OUTSIDE and source != target:
            out[number[str(source)]] += np.moveaxis(table.of(i), -1, 0).reshape(-1, chains * draws)[:last]
    return np.moveaxis(out, 1, 2)
