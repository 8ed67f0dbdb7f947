"""Recycling in future years: goods whose life ends, scrap that can be had, and what recyclers make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import expit, gamma, logit
from scipy.stats import weibull_min

from reeuncert.case.records import Case
from reeuncert.counterfactuals.network import BEYOND, BY_PRODUCTS, UNREGISTERED, YearNetwork
from reeuncert.errors import CaseError, Problem
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.outlook.plans import Lifetime, Project
from reeuncert.system.definition import OUTSIDE, Flow, Process, Selector

RECYCLING = "recycling"  # quantity of the product of a recycler
_COPIED = "{}, {}"  # name of a flow or process of a new recycler: what it is like, and the region


def recyclers_of(case: Case) -> tuple[Process, ...]:
    """Processes that make a product of scrap, or take in by-products of goods."""
    found = {f.from_process for f in case.system.flows if f.quantity == RECYCLING}
    found |= {f.to_process for f in case.system.flows if f.quantity in BY_PRODUCTS}
    return tuple(p for p in case.system.processes if p.name in found)


def with_recyclers(case: Case, projects: Sequence[Project], years: Sequence[int]) -> tuple[Case, dict[str, str]]:
    """The case with a recycler in each region that plans one and has none, and new flow → flow that it is like.

    It takes scrap from outside, works as the first recycler of the case does, and sells in the market of its region.
    Raises `CaseError` if the region has no market with a stock that the product could enter.
    """
    known, system = recyclers_of(case), case.system
    like: dict[str, str] = {}
    problems: list[Problem] = []
    there = {(p.region, p.stage) for p in known}
    stages = {p.stage: p for p in reversed(known)}
    flows, processes = list(system.flows), list(system.processes)
    for region, stage in dict.fromkeys((p.region, p.stage) for p in projects):
        if stage not in stages or (region, stage) in there:
            continue
        model = stages[stage]
        name = _COPIED.format(model.name, region)
        for flow in system.flows:
            if model.name not in (flow.from_process, flow.to_process) or flow.quantity in BY_PRODUCTS:
                continue
            ends = {OUTSIDE: OUTSIDE, model.name: name}
            if flow.quantity == RECYCLING:
                market = _market(case, flow, region)
                if not market:
                    message = f"'{region}' has no market of '{flow.product}' with a stock, which a recycler needs"
                    problems.append(Problem("projects.csv", 0, "region", f"{message}; delete the row of this region"))
                ends[flow.to_process] = market
            start, end = ends[flow.from_process], ends[flow.to_process]
            copy = replace(flow, name=_COPIED.format(flow.name, region), from_process=start, to_process=end)
            flows.append(replace(copy, origin=region, destination=region, years=tuple(years)))
            like[copy.name] = flow.name
        outflows = tuple(_COPIED.format(f, region) for f in model.reference_outflow)
        processes.append(replace(model, name=name, region=region, reference_outflow=outflows, label=""))
    if problems:
        raise CaseError(problems)
    contents = {k: replace(c, selector=_widened(c.selector, like)) for k, c in case.contents.items()}
    system = replace(system, flows=tuple(flows), processes=tuple(processes))
    return replace(case, system=system, contents=contents), like


def _market(case: Case, product: Flow, region: str) -> str:
    """The registered market of a region that corresponds to the one that a flow enters."""
    known = {p.name: p for p in case.system.processes}
    stage = known[product.to_process].stage
    stocks = {f.from_process for f in case.system.flows if f.is_stock and case.system.years[-1] in f.years}
    for f in case.system.flows:
        there = f.product == product.product and f.route != UNREGISTERED and f.from_process in stocks
        if there and known[f.from_process].stage == stage and known[f.from_process].region == region:
            return f.from_process
    return ""


def _widened(selector: Selector, like: Mapping[str, str]) -> Selector:
    """A selector that names flows also names the new ones that are like them."""
    named = selector.fields.get("flow", ())
    more = tuple(new for new, old in like.items() if old in named)
    return Selector({**selector.fields, "flow": (*named, *more)}) if more else selector


def drawn_life(life: Lifetime, samples: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Mean and shape of the Weibull distribution of a life, and the part that a recycler can get, each (sample,)."""
    mean, shape, part = rng.standard_normal((3, samples))
    mean, shape = life.mean * np.exp(life.mean_sd * mean), life.shape * np.exp(life.shape_sd * shape)
    return mean, shape, expit(logit(life.collected) + life.collected_sd * part)


def ended(mean: Array, shape: Array, since: int, used: Array, first: int) -> Array:
    """Mass of goods whose life ends in each year, array (sample, year), of those taken into use from the year `first`
    on, same shape. Before it, use rose in a line from nothing in the year `since`.

    >>> one = np.ones(1)
    >>> ended(2 * one, 50 * one, 2001, np.array([[8.0, 0.0, 0.0, 0.0]]), 2001).round(1).tolist()
    [[0.0, 0.0, 8.0, 0.0]]
    """
    before = max(first - since, 0)
    rising = used[:, :1] * np.arange(before) / max(before, 1)
    used = np.concatenate([rising, used], axis=1)
    years = used.shape[1]
    age = np.arange(years + 1) - 0.5  # goods of a year are taken into use at its middle
    scale = mean / gamma(1 + 1 / shape)
    left = weibull_min.sf(np.maximum(age, 0.0), shape[:, None], scale=scale[:, None])
    part = -np.diff(left, axis=1)
    out = np.zeros_like(used)
    for k in range(years):
        out[:, k:] += part[:, k, None] * used[:, : years - k]
    return out[:, before:]


@dataclass(frozen=True, eq=False)
class Recycler:
    """A process that takes in by-products of goods, and scrap from outside, in one year.

    Its feed is the by-products of the year before and the scrap of this one. What it makes of them is there without
    demand, like a stock, so that the loop from goods to their by-products and back need not be solved. What the year's
    own by-products are less than those of the year before is scrap.
    """

    # Flows in the table: by-products, inflows from outside, outflows
    aside: Sequence[int]
    scrap: Sequence[int]
    made: Sequence[int]
    feed: Array  # array (sample,)
    part: Array  # part of the feed that each outflow has, array (outflow, sample)
    market: Sequence[int]  # process that each outflow enters; `BEYOND` for a loss

    @classmethod
    def of_process(
        cls, j: int, network: YearNetwork, table: FlowTable, path: Array, scrap: Mapping[int, Array], new: Array
    ) -> Self:
        """The recycler `j` of a year of the whole graph.

        ``path``: flows of the year as drawn, array (flow of the table, sample). ``scrap``: flow of scrap → what there
        is in place of the path, array (sample,). ``new``: what projects could make, and scrap for it, (2, sample).
        """
        into, out = network.target == j, network.source == j
        aside, outside = network.flows[into & network.aside], network.flows[into & ~network.aside]
        made = network.flows[out]
        part = path[made] / path[made].sum(axis=0)
        feed = table.mass[aside, 0, :, network.year - 1].sum(axis=0)
        feed = feed + sum((scrap.get(i, path[i]) for i in outside.tolist()), np.zeros_like(feed))
        kept = part[~network.lost[out]].sum(axis=0)
        more = np.minimum(new[0] / np.maximum(kept, 1e-9), new[1])
        return cls(aside.tolist(), outside.tolist(), made.tolist(), feed + more, part, network.target[out].tolist())

    def supply(self, carried: Array) -> None:
        """Add what it makes to the stocks of the markets (process, sample)."""
        for market, part in zip(self.market, self.part, strict=True):
            if market != BEYOND:
                carried[market] += self.feed * part

    def record(self, table: FlowTable, k: int, closing: Sequence[int]) -> None:
        """Write its flows of the year; ``closing`` is the stock flow of each process."""
        came = table.mass[self.aside, 0, :, k].sum(axis=0)
        feed = np.maximum(came, self.feed) if len(self.scrap) else came
        for i in self.scrap:
            table.mass[i, 0, :, k] = (feed - came) / len(self.scrap)
        for i, market, part in zip(self.made, self.market, self.part, strict=True):
            table.mass[i, 0, :, k] = feed * part
            if market != BEYOND:
                table.mass[closing[market], 0, :, k] += (feed - self.feed) * part
