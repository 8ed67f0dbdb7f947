"""Runs the rules of a counterfactual on every draw of a result."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.serial import case_from_json
from reeuncert.counterfactuals.allocate import World, allocate
from reeuncert.counterfactuals.capacity import AS_DRAWN, Capacity, capacities, capacity_problems
from reeuncert.counterfactuals.lost import consumption_flows, counterfactual_dataset
from reeuncert.counterfactuals.network import BEYOND, YearNetwork
from reeuncert.counterfactuals.rule import Rule, Setting, problem
from reeuncert.errors import InputError, Problem, ReeUncertError
from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.words.cells import unknown

RELEASED = "released"
STOCKS = {AS_DRAWN: "stocks released as in the draw", RELEASED: "stocks run down before anything is lost"}
_WHERE = "counterfactual"


def run_counterfactual(
    dt: xr.DataTree,
    rules: Sequence[Rule],
    *,
    year: int | None = None,
    capacity: Capacity = "highest",
    priority: Sequence[str] = (),
    stocks: str = AS_DRAWN,
) -> xr.DataTree:
    """Compute a counterfactual year on every draw.

    Consumption creates demand up the chain; mines, plants, trade and stocks supply it within the rules, capacities and
    recoveries of the draw. See the page on counterfactuals in the documentation for formulas and limits (no prices, no
    substitution, no new trade routes).

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`.
    rules
        Changes: records from `reeuncert.counterfactuals` (`NoTrade`, `ExportStop`, `Reduce`, `AddCapacity`), applied
        together.
    year
        Year of the case; by default its last.
    capacity
        ``"highest"``: registered mines and plants have their highest throughput up to `year` in the draw; unregistered
        ones that of `year`. ``"as_drawn"``: all have their throughput of `year`. Or a table (data frame, or records)
        with ``region``, ``stage``, ``capacity`` (output of the plant, in the unit of the case) and optionally
        ``route``; other places have their highest.
    priority
        End uses served first, in this order; the others share the rest.
    stocks
        ``"as_drawn"``: only the stock withdrawal of the draw is available; ``"released"``: all of the carried-over
        stock is. In both, stocks are rebuilt only from surplus.

    Returns
    -------
    DataTree
        ``posterior`` (``mass_flow`` of the counterfactual in `year`, and of the year before as drawn) and
        ``counterfactual`` (``consumption``, ``lost_consumption`` by region, product and end use; ``mine_production``
        and ``mine_production_change`` by region), dims (chain, draw, …, year); the case in its attributes. Indicators
        can be added to it with `reeuncert.add_indicators`.

    Raises
    ------
    InputError
        All problems of the arguments.
    ReeUncertError
        If the result has no flows or no case.

    Examples
    --------
    >>> from reeuncert.counterfactuals import NoTrade, AddCapacity, lost_consumption
    >>> from reeuncert.testing import toy_posterior
    >>> dt = toy_posterior(draws=20, years=2)
    >>> world = run_counterfactual(dt, [NoTrade(), AddCapacity("South", "separation", 10.0)], priority=["glass"])
    >>> world.attrs["counterfactual"]
    'no trade; 10 kt more capacity in South (separation)'
    >>> list(lost_consumption(world, by=("region",))["region"])
    ['North', 'South', 'East']
    """
    case, table = _result(dt)
    if year is None:
        year = table.years[-1]
    if year not in table.years:
        span = f"{table.years[0]} to {table.years[-1]}"
        raise InputError([problem(_WHERE, "year", f"{year!r} is no year of case '{case.name}'; it has {span}")])
    setting = _setting(table, table.years.index(year), case)
    found = [p for rule in rules for p in rule.problems(setting)]
    found += capacity_problems(_WHERE, setting, capacity)
    found += _priority_problems(table, priority)
    if stocks not in STOCKS:
        found.append(problem(_WHERE, "stocks", unknown(str(stocks), tuple(STOCKS), "choice")))
    if found:
        raise InputError(found)
    world = _as_drawn(setting, capacity, stocks)
    for rule in rules:
        world = rule.apply(setting, world)
    network = setting.network
    allocation = allocate(network, world, _tiers(setting, priority))
    after = _year_of(table, network.year)
    after[network.flows] = allocation.mass
    for j, i in enumerate(network.closing):
        if i >= 0:
            after[i] = allocation.closing[j]
    title = "; ".join(rule.describe() for rule in rules) or "as drawn"
    return _tree(dt, table, network.year, after, title.replace("{unit}", table.unit), priority, stocks)


def _result(dt: xr.DataTree) -> tuple[Case, FlowTable]:
    if "posterior" not in dt.children or "mass_flow" not in dt["posterior"].data_vars:
        raise ReeUncertError("this result holds no flows ('posterior/mass_flow'); use one that `sample` returned")
    if "case_json" not in dt.attrs:
        raise ReeUncertError(
            "this result holds no case ('case_json' among its attributes); use one that `sample` returned"
        )
    case = case_from_json(str(dt.attrs["case_json"]))
    return case, FlowTable.from_dataset(dt["posterior"].to_dataset()[["mass_flow"]], case)


def _setting(table: FlowTable, year: int, case: Case) -> Setting:
    network = YearNetwork.of(table, year)
    known = {p.name: p for p in case.system.processes}
    stages = tuple(known[p].stage for p in network.processes)
    return Setting(table, network, stages, tuple(known[p].region for p in network.processes))


def _as_drawn(setting: Setting, capacity: Capacity, stocks: str) -> World:
    """The unchanged world."""
    table, network = setting.table, setting.network
    everything = _year_of(table, network.year)
    mass = everything[network.flows]
    limit = np.full(mass.shape, np.inf)
    # Trade is limited to the draw, and so are inputs from outside that enter no mine or plant.
    fed = np.append(network.transforms(), True)[network.target]
    fixed = network.crossing | ((network.source == BEYOND) & ~fed)
    limit[fixed] = mass[fixed]
    carried = np.zeros((len(network.processes), mass.shape[1]))
    closing = np.zeros_like(carried)
    before = _year_of(table, network.year - 1) if network.year else None
    for j, i in enumerate(network.closing):
        if i >= 0:
            closing[j] = everything[i]
    number = {p: j for j, p in enumerate(network.processes)}
    for i in np.flatnonzero(table.carried[:, network.year]):
        if before is not None:
            carried[number[str(table.attributes["to_process"][i])]] += before[i]
    for i in np.flatnonzero(network.opening):
        carried[network.target[i]] += mass[i]
    kept = np.minimum(carried, closing) if stocks == AS_DRAWN else np.zeros_like(carried)
    return World(mass, limit, capacities(setting, capacity, mass), carried, kept, closing, np.zeros_like(carried))


def _tiers(setting: Setting, priority: Sequence[str]) -> list[Mask]:
    wanted, use = setting.network.wanted(), setting.attribute("end_use")
    tiers = [wanted & (use == name) for name in priority]
    return [*tiers, wanted & ~np.isin(use, list(priority))]


def _priority_problems(table: FlowTable, priority: Sequence[str]) -> list[Problem]:
    if isinstance(priority, str):
        return [problem(_WHERE, "priority", f"'{priority}' is a text; give a list of end uses: ['{priority}']")]
    found = [
        problem(_WHERE, "priority", unknown(str(u), table.end_uses, "end use"))
        for u in priority
        if u not in table.end_uses
    ]
    twice = [u for k, u in enumerate(priority) if u in priority[:k]]
    return found + [problem(_WHERE, "priority", f"'{u}' is given twice; keep one of them") for u in twice]


def _year_of(table: FlowTable, year: int) -> Array:
    """Flows of a year, array (flow, draw)."""
    return np.ascontiguousarray(table.mass[:, :, :, year].reshape(len(table.mass), -1))


def _tree(
    dt: xr.DataTree, table: FlowTable, year: int, after: Array, title: str, priority: Sequence[str], stocks: str
) -> xr.DataTree:
    chains, draws, _ = table.shape
    drawn = dt["posterior"].to_dataset()[["mass_flow"]]
    kept = [year - 1, year] if year else [year]
    flows = drawn.isel(year=kept).transpose("chain", "draw", "flow", "year").copy(deep=True)
    new = after.T.reshape(chains, draws, -1)
    flows["mass_flow"].values[..., -1] = np.where(table.present[:, year], new, np.nan)
    before = _year_of(table, year)
    numbers = counterfactual_dataset(table, year, before, after, consumption_flows(table))
    out = xr.DataTree.from_dict(
        {"posterior": flows, "counterfactual": numbers.assign_coords(chain=flows["chain"], draw=flows["draw"])}
    )
    out.attrs = {k: dt.attrs[k] for k in ("case_json", "case_name", "seed", "sampler") if k in dt.attrs}
    served = f"; served first: {', '.join(priority)}" if priority else ""
    out.attrs |= {
        "counterfactual": title,
        "counterfactual_year": table.years[year],
        "counterfactual_rule": STOCKS[stocks] + served,
    }
    out.attrs["counterfactual_priority"] = json.dumps(list(priority), ensure_ascii=False)
    return out
