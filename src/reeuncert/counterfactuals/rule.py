"""Interface of a counterfactual rule: validates its arguments and changes the limits of the world."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reeuncert.counterfactuals.allocate import World
from reeuncert.counterfactuals.network import BEYOND, YearNetwork
from reeuncert.errors import Problem
from reeuncert.indicators.flows import FlowTable, Mask
from reeuncert.words.cells import quoted, unknown

REGISTERED, UNREGISTERED = "registered", "unregistered"


@dataclass(frozen=True, eq=False)
class Setting:
    """Year and tables on which a rule acts: all flows of the result, the network of the year, and the stage and region
    of each of its processes.
    """

    table: FlowTable
    network: YearNetwork
    stages: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def year(self) -> int:
        return self.table.years[self.network.year]

    def attribute(self, name: str) -> np.ndarray:
        """An attribute of the flows of the year, array of text (flow of the network,)."""
        return np.asarray(self.table.attributes[name][self.network.flows])

    def routes(self) -> np.ndarray:
        """Route of each process: unregistered only if all its outflows are."""
        route = self.attribute("route")
        out = np.full(len(self.network.processes), REGISTERED, dtype=object)
        for j in range(len(out)):
            leaving = route[self.network.source == j]
            if len(leaving) and (leaving == UNREGISTERED).all():
                out[j] = UNREGISTERED
        return out

    def plants(self, region: str, stage: str, route: str) -> Mask:
        """Mines and plants of a region at a stage and on a route."""
        found = self.network.transforms() & (self.routes() == route)
        return found & (np.array(self.regions) == region) & (np.array(self.stages) == stage)


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


def label_problem(where: str, argument: str, label: object, known: tuple[str, ...], what: str) -> list[Problem]:
    """Problem of an unknown label, or none."""
    return [] if label in known else [problem(where, argument, unknown(str(label), known, what))]


def plant_problems(where: str, setting: Setting, region: str, stage: str, route: str) -> list[Problem]:
    """Problem of the location of a plant, or none."""
    found = label_problem(where, "region", region, setting.table.regions, "region")
    places = setting.network.transforms()
    known = tuple(dict.fromkeys(np.array(setting.stages, dtype=object)[places].tolist()))
    found += label_problem(where, "stage", stage, known, "stage")
    found += label_problem(where, "route", route, (REGISTERED, UNREGISTERED), "route")
    if not found and not setting.plants(region, stage, route).any():
        here = places & (np.array(setting.regions) == region)
        own = ", ".join(dict.fromkeys(np.array(setting.stages, dtype=object)[here].tolist())) or "none"
        found.append(
            problem(
                where,
                "stage",
                f"{quoted(region)} has no {route} process of stage {quoted(stage)} in {setting.year}, so that its "
                f"recovery is not known; its stages then: {own} (add the process to the case to have it)",
            )
        )
    return found


def output_share(network: YearNetwork, mass: np.ndarray) -> np.ndarray:
    """Recovery of each process (1 − loss share), array (process, draw)."""
    total = np.zeros((len(network.processes), mass.shape[1]))
    kept = np.zeros_like(total)
    for i, source in enumerate(network.source):
        if source != BEYOND:
            total[source] += mass[i]
            if not network.lost[i]:
                kept[source] += mass[i]
    return np.divide(kept, total, out=np.ones_like(total), where=total > 0)
