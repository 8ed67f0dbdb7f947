"""Plans and projections: what the tables of an outlook hold, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from reeuncert.case.records import Source
from reeuncert.errors import CaseError, Problem
from reeuncert.system.definition import Selector
from reeuncert.words.cells import unknown
from reeuncert.words.units import unit_factor

SCENARIOS = "scenarios.toml"
DEMAND, CAPACITY, BASE = "demand", "capacity", "base"
LEARNED, ON_TIME = "learned", "none"
STATUSES = ("ramp_up", "construction", "pre_fid", "study", "announced")
OUTCOMES = ("opened", "not_yet", "cancelled")


@dataclass(frozen=True)
class Project:
    """New capacity of one stage in one region."""

    project: str
    region: str
    stage: str
    capacity: float  # output a year beyond that of the last year of the case, in ``unit`` of ``basis``
    unit: str
    basis: str
    content: float  # mass of the case's unit in the output of the stage per mass of ``basis``
    # Start as announced, and when it was announced, as decimal years
    announced_start: float
    announced_on: float
    status: str  # one of `STATUSES`
    source_id: str
    locator: str = ""
    note: str = ""
    overdue: str = ""  # ``yes`` where the announced start lies before the end of the case and the plant is not open

    def mass(self, case_unit: str) -> float:
        """Capacity in the unit of the case a year.

        >>> Project("P", "R", "mining", 500, "t", "REO", 2.0, 2027, 2025, "study", "s").mass("kt REO")
        1.0
        """
        return self.capacity * self.content * unit_factor(self.unit, "level", case_unit)


@dataclass(frozen=True)
class DelayPair:
    """An announced start and what became of it by ``outcome_date`` (decimal year); ``outcome``: one of `OUTCOMES`."""

    project: str
    stage: str
    milestone: str
    status: str
    announced_on: float
    announced_start: float
    outcome: str
    outcome_date: float
    source_id: str
    locator: str = ""
    note: str = ""


@dataclass(frozen=True)
class RampPoint:
    """Output over nameplate capacity of a plant, some years after its start."""

    plant: str
    stage: str
    years_since_start: float
    utilisation: float
    source_id: str
    locator: str = ""
    note: str = ""


@dataclass(frozen=True)
class GrowthFigure:
    """Projected log growth a year of the demand of an end use, or of the capacity of the existing plants of a stage."""

    subject: str  # ``demand`` or ``capacity``
    scenario: str  # free name; ``base`` stands for a missing one
    # Region, and end use (or product of goods) or stage; empty: all
    region: str
    name: str
    # Mean of the log growth a year, its standard deviation (one value for all years), and that of a yearly step
    rate: float
    sd: float
    walk: float
    first_year: int
    last_year: int
    source_id: str
    locator: str = ""
    note: str = ""


@dataclass(frozen=True)
class Lifetime:
    """Years for which goods of a product are used, a Weibull distribution, and how much comes back of what ended."""

    product: str
    # Medians of its mean (years) and shape, with log-sd ``mean_sd`` and ``shape_sd``: each draw has its own
    mean: float
    mean_sd: float
    shape: float
    shape_sd: float
    # Median, and sd on the logit scale, of the part of ended goods that a recycler can get at most
    collected: float
    collected_sd: float
    since: int  # year before which there were no such goods
    source_id: str
    locator: str = ""
    note: str = ""


@dataclass(frozen=True)
class PolicyEvent:
    """A dated act of policy (decimal year); shown beside the figures."""

    date: float
    actor: str
    content: str
    source_id: str
    note: str = ""


@dataclass(frozen=True)
class FlowLimit:
    """The selected flows are at most ``factor`` times their mass in the last year of the case, in some years."""

    selector: Selector
    factor: float
    first: int
    last: int


@dataclass(frozen=True)
class OutlookScenario:
    """What is assumed of the future: ``delays`` is ``learned`` or ``none``; ``demand`` and ``capacity`` name rows of
    growth.csv; projects in ``fails`` never open.
    """

    name: str
    why: str = ""
    delays: str = LEARNED
    demand: str = BASE
    capacity: str = BASE
    fails: tuple[str, ...] = ()
    limits: tuple[FlowLimit, ...] = ()


@dataclass(frozen=True)
class Question:
    """One indicator that the outlook is asked for."""

    indicator: str
    region: str = ""
    partner: str = ""
    product: str = ""
    says: str = ""  # what it is, as the subject of a sentence
    lines: tuple[float, ...] = ()  # values of which the probability to lie below is wanted, and ``years`` in which
    years: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plans:
    """All that an outlook takes beside a result."""

    projects: tuple[Project, ...] = ()
    delays: tuple[DelayPair, ...] = ()
    ramp: tuple[RampPoint, ...] = ()
    growth: tuple[GrowthFigure, ...] = ()
    events: tuple[PolicyEvent, ...] = ()
    lifetimes: tuple[Lifetime, ...] = ()
    sources: tuple[Source, ...] = ()
    scenarios: tuple[OutlookScenario, ...] = (OutlookScenario("learned delays"),)
    questions: tuple[Question, ...] = ()

    def scenario(self, name: str = "") -> OutlookScenario:
        """A scenario by its name; the first by default. Raises `CaseError` if there is none of that name."""
        known = {s.name: s for s in self.scenarios}
        if name and name not in known:
            raise CaseError([Problem(SCENARIOS, 0, "", unknown(name, tuple(known), "scenario"))])
        return known[name] if name else self.scenarios[0]
