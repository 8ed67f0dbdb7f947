"""Definition of a system: processes, flows and years, without numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from pydantic import ConfigDict

from reeuncert.words.cells import Short

OUTSIDE = "outside"
"""Process that represents everything beyond the system boundary."""

FLOW_FIELDS = ("flow", "from_process", "to_process", "quantity", "product", "origin", "destination", "route", "end_use")
"""Attributes of a flow that a selector can use."""


class Record:
    """A value of a case, which pydantic reads back from text only if it knows every key."""

    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Process(Record):
    """A node of the system; inflows equal outflows in every year (stocks are flows between years)."""

    # ``stage`` groups equal processes over regions (mining, cracking, separation, electrolysis, market, use, …)
    name: str
    region: str = ""
    stage: str = ""
    # Names of flows, in order of preference: the first that exists in a year takes the remainder
    reference_outflow: tuple[str, ...] = ()
    note: str = ""
    label: str = ""  # What readers see; made of stage and region where it is empty


@dataclass(frozen=True)
class Flow(Record):
    """A directed edge of the system, in the years in which it exists.

    A flow from a process to itself is a stock: it leaves the process at the end of one year and enters it in the next
    (it enters `outside` where the process does not exist in the next year).
    """

    name: str
    from_process: str
    to_process: str
    quantity: str
    product: str = ""
    origin: str = ""
    destination: str = ""
    route: str = ""
    end_use: str = ""
    years: tuple[int, ...] = ()
    note: str = ""
    label: str = ""

    @property
    def is_stock(self) -> bool:
        return self.from_process == self.to_process

    def attribute(self, name: str) -> str:
        """Value of one of `FLOW_FIELDS`."""
        return str(getattr(self, "name" if name == "flow" else name))


@dataclass(frozen=True)
class Selector(Record):
    """Selects flows by their attributes; attributes that are not named are ignored.

    Examples
    --------
    >>> Selector.of(quantity="trade", product="salt+oxide")
    Selector(fields={'quantity': ('trade',), 'product': ('salt', 'oxide')})
    """

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, **attributes: str) -> Self:
        """Build from text; alternatives are joined by ``+``, an empty text means any."""
        unknown = sorted(set(attributes) - set(FLOW_FIELDS))
        if unknown:
            raise ValueError(f"a selector knows no attribute {unknown}; it knows {list(FLOW_FIELDS)}")
        parts = {k: tuple(p.strip() for p in v.split("+") if p.strip()) for k, v in attributes.items() if v}
        return cls({k: v for k, v in parts.items() if v})

    def matches(self, flow: Flow) -> bool:
        return all(flow.attribute(k) in allowed for k, allowed in self.fields.items())

    def __str__(self) -> str:
        return ", ".join(f"{k} = {'+'.join(v)}" for k, v in self.fields.items()) or "every flow"


@dataclass(frozen=True, repr=False)
class SystemDefinition(Record, Short):
    """Processes, flows and years of one case."""

    # In the order of their tables; names are unique
    processes: tuple[Process, ...]
    flows: tuple[Flow, ...]
    years: tuple[int, ...]  # Consecutive years
    unit: str = "kt"  # Unit of mass of every flow, e.g. ``"kt REO"``

    def __repr__(self) -> str:
        years = f"years {self.years[0]}-{self.years[-1]}" if self.years else "no years"
        return f"{len(self.processes)} processes, {len(self.flows)} flows, {years}, masses in {self.unit}"

    @cached_property
    def flow_index(self) -> dict[str, int]:
        return {f.name: i for i, f in enumerate(self.flows)}

    @cached_property
    def process_index(self) -> dict[str, int]:
        return {p.name: i for i, p in enumerate(self.processes)}

    @cached_property
    def year_index(self) -> dict[int, int]:
        return {y: i for i, y in enumerate(self.years)}

    @cached_property
    def exists(self) -> np.ndarray:
        """Boolean array (flow, year): whether a flow exists in a year."""
        there = [[year in flow.years for year in self.years] for flow in self.flows]
        return np.array(there, dtype=bool).reshape(len(self.flows), len(self.years))

    @cached_property
    def _flows_with(self) -> dict[tuple[str, str], frozenset[int]]:
        """Indices of the flows that have a value of an attribute."""
        found: dict[tuple[str, str], set[int]] = {}
        for i, flow in enumerate(self.flows):
            for name in FLOW_FIELDS:
                found.setdefault((name, flow.attribute(name)), set()).add(i)
        return {key: frozenset(members) for key, members in found.items()}

    def select(self, selector: Selector) -> tuple[int, ...]:
        """Indices of the selected flows (in any year), in table order."""
        key = tuple(selector.fields.items())
        if key not in self._chosen:
            there, every = self._flows_with, frozenset(range(len(self.flows)))
            having = (frozenset().union(*(there.get((name, v), ()) for v in values)) for name, values in key)
            self._chosen[key] = tuple(sorted(every.intersection(*having)))
        return self._chosen[key]

    @cached_property
    def _chosen(self) -> dict[tuple[tuple[str, tuple[str, ...]], ...], tuple[int, ...]]:
        """Fields of a selector → what it chooses: rows of one series select the same flows."""
        return {}
