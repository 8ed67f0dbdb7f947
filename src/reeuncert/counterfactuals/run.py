"""Runs the rules of a counterfactual on every draw of a result, within the capacities of mines and plants.

Short supply is allocated so: in one round, every process passes its demand to its suppliers (through its transfer
coefficients, up to its capacity, stocks first), in proportion to what they lack to their deliveries in the draw, then
beyond these, up to their limits. Then supply comes down: a process with a shortage serves all its customers by the same
fraction; surplus goes to its stock. Unmet demand is passed again to suppliers with spare supply, until a round adds
nothing. See `docs/method/counterfactuals.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.counterfactuals.network import (
    BEYOND,
    Rule,
    Setting,
    World,
    YearNetwork,
    no_mass,
    not_known,
    problem,
)
from reeuncert.counterfactuals.rounds import DONE, NOTHING, allocate_draws
from reeuncert.counterfactuals.steps import FLOW, PROCESS, Graph, Records
from reeuncert.errors import InputError, Problem, ReeUncertError
from reeuncert.indicators.flows import Array, FlowTable, Mask
from reeuncert.result.result import Result
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.cells import listed

Capacity = str | pd.DataFrame | Iterable[Mapping[str, Any]]

GROUP = "counterfactual"  # of a result: what it lost
BY = ("region", "product", "end_use")
HIGHEST, AS_DRAWN = "highest", "as_drawn"
_COLUMNS = ("region", "stage", "capacity")  # of a table of capacities


def capacity_problems(where: str, setting: Setting, capacity: str | pd.DataFrame) -> list[Problem]:
    """All problems of capacities."""
    if isinstance(capacity, str):
        if capacity in (HIGHEST, AS_DRAWN):
            return []
        says = f"'{capacity}' is no capacity; say '{HIGHEST}' (highest throughput so far), '{AS_DRAWN}' (that of the "
        return [problem(where, "capacity", says + "year), or give a table with the columns region, stage, capacity")]
    missing = [c for c in _COLUMNS if c not in capacity.columns]
    extra = [str(c) for c in capacity.columns if c not in _COLUMNS]
    if missing or extra:
        said = [f"lacks {listed(missing)}"] if missing else []
        said += [f"has {listed(extra)}, which is not known"] if extra else []
        says = f"the table {' and '.join(said)}; its columns: {', '.join(_COLUMNS)}"
        return [problem(where, "capacity", says)]
    found = []
    seen: dict[tuple[str, str], int] = {}
    for n, (region, stage, value) in enumerate(_rows(capacity), start=1):
        row = f"{where}, capacity row {n}"
        found += setting.plant_problems(row, region, stage)
        found += no_mass(row, "capacity", value)
        if (region, stage) in seen:
            says = f"row {seen[region, stage]} gives the same place already; delete one"
            found.append(problem(row, "stage", says))
        seen.setdefault((region, stage), n)
    return found


def capacities(setting: Setting, capacity: str | pd.DataFrame, mass: Array) -> Array:
    """Maximum throughput of each process, array (process, draw); ``inf`` for markets and uses.

    Mines and plants: the highest throughput of the draw up to the year, or that of the year. Unregistered ones always
    have that of the year: closed capacity is not assumed to reopen. A given capacity is an output; the recovery of the
    draw converts it to a throughput. Masses are the flows of the year as drawn, array (flow of the network, draw).
    """
    network = setting.network
    through = network.throughput(setting.table)
    plants, registered = network.transforms(), setting.registered()
    out = np.full(through.shape[:2], np.inf)
    out[plants] = through[plants, :, network.year]
    if isinstance(capacity, str) and capacity == AS_DRAWN:
        return out
    out[plants & registered] = through[plants & registered].max(axis=2)
    if not isinstance(capacity, str):
        share = network.output_share(mass)
        for region, stage, value in _rows(capacity):
            chosen = np.flatnonzero(setting.plants(region, stage))
            # Plants of one place share its capacity in proportion to their throughput.
            part = through[chosen, :, network.year]
            part = part / part.sum(axis=0)
            out[chosen] = value * part / share[chosen]
    return out


def _rows(table: pd.DataFrame) -> list[tuple[str, str, Any]]:
    cells = zip(*(table[name] for name in _COLUMNS), strict=True)
    return [(str(region), str(stage), value) for region, stage, value in cells]


_WHERE = "counterfactual"


def run_counterfactual(
    dt: xr.DataTree,
    rules: Rule | Sequence[Rule],
    *,
    year: int | None = None,
    capacity: Capacity = "highest",
    priority: Sequence[str] = (),
) -> xr.DataTree:
    """Compute a counterfactual year on every draw.

    Consumption creates demand up the chain; mines, plants, trade and stocks supply it within the rules, capacities and
    recoveries of the draw. Stocks release what they do in the draw, and grow from surplus only. `lost_consumption`
    makes a table of what is lost, `reeuncert.plots.plot_lost_consumption` a figure. See the page on counterfactuals in
    the documentation for formulas and limits (no prices, no substitution, no new trade routes).

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`.
    rules
        One change, or several that are applied together: ``NoTrade()``, `ExportStop`, `Reduce`, `AddCapacity` of
        `reeuncert.counterfactuals`.
    year
        Year of the case; by default its last.
    capacity
        ``"highest"``: registered mines and plants have their highest throughput up to `year` in the draw; unregistered
        ones that of `year`. ``"as_drawn"``: all have their throughput of `year`. Or a table (data frame, or records)
        with ``region``, ``stage``, ``capacity`` (output of registered plants, in the unit of the case); other places
        have their highest.
    priority
        End uses served first, in this order; the others share the rest.

    Returns
    -------
    DataTree
        ``posterior`` (``mass_flow`` of the counterfactual in `year`, and of the year before as drawn) and
        ``counterfactual`` (``consumption``, ``lost_consumption``; dims chain, draw, region, product, end_use, year);
        the case in its attributes. Indicators can be added to it with `reeuncert.add_indicators`.

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
    rules = rules if isinstance(rules, Sequence) else [rules]
    case, table = _result(dt)
    if year is None:
        year = table.years[-1]
    if year not in table.years:
        span = f"{table.years[0]} to {table.years[-1]}"
        raise InputError([problem(_WHERE, "year", f"{year!r} is no year of case '{case.name}'; it has {span}")])
    setting = Setting.of(table, table.years.index(year), case)
    if not isinstance(capacity, str | pd.DataFrame):
        capacity = pd.DataFrame(list(capacity))
    found = [p for rule in rules for p in rule.problems(setting)]
    found += capacity_problems(_WHERE, setting, capacity)
    found += _priority_problems(table, priority)
    if found:
        raise InputError(found)
    world = _as_drawn(setting, capacity)
    for rule in rules:
        world = rule.apply(setting, world)
    network = setting.network
    wanted, use = network.wanted(), setting.attribute("end_use")
    tiers = [*(wanted & (use == name) for name in priority), wanted & ~np.isin(use, list(priority))]
    mass, closing = allocate(network, world, tiers)
    after = year_of(table, network.year)
    after[network.flows] = mass
    held = network.closing >= 0
    after[network.closing[held]] = closing[held]
    title = "; ".join(rule.describe() for rule in rules) or "as drawn"
    return _tree(dt, table, network.year, after, title.replace("{unit}", case.system.unit), priority)


def _result(dt: xr.DataTree) -> tuple[Case, FlowTable]:
    if "posterior" not in dt.children or "mass_flow" not in dt["posterior"].data_vars:
        raise ReeUncertError("this result holds no flows ('posterior/mass_flow'); use one that `sample` returned")
    result = Result.holding(dt)
    return result.case, result.once(_flows)


def _flows(result: Result) -> FlowTable:
    return FlowTable.from_dataset(result.dt["posterior"].to_dataset(), result.case)


def _as_drawn(setting: Setting, capacity: str | pd.DataFrame) -> World:
    """The unchanged world."""
    table, network = setting.table, setting.network
    everything = year_of(table, network.year)
    mass = everything[network.flows]
    limit = np.full(mass.shape, np.inf)
    fixed = network.crossing | network.given()  # both are limited to the draw
    limit[fixed] = mass[fixed]
    carried = np.zeros((len(network.processes), mass.shape[1]))
    closing = np.zeros_like(carried)
    held = network.closing >= 0
    closing[held] = everything[network.closing[held]]
    if network.year:
        before = year_of(table, network.year - 1)
        for i in np.flatnonzero(table.carried[:, network.year]):
            carried[network.processes.index(str(table.attributes["to_process"][i]))] += before[i]
    for i in np.flatnonzero(network.opening):
        carried[network.target[i]] += mass[i]
    kept = np.minimum(carried, closing)
    return World(mass, limit, capacities(setting, capacity, mass), carried, kept, closing, np.zeros_like(carried))


def _priority_problems(table: FlowTable, priority: Sequence[str]) -> list[Problem]:
    if isinstance(priority, str):
        return [problem(_WHERE, "priority", f"'{priority}' is a text; give a list of end uses: ['{priority}']")]
    found = [p for u in priority for p in not_known(_WHERE, "priority", u, table.end_uses, "end use")]
    twice = [u for k, u in enumerate(priority) if u in priority[:k]]
    return found + [problem(_WHERE, "priority", f"'{u}' is given twice; keep one of them") for u in twice]


def year_of(table: FlowTable, year: int) -> Array:
    """Flows of a year, array (flow, draw)."""
    return np.where(table.present[:, year, None], table.mass[:, :, :, year].reshape(len(table.mass), -1), 0.0)


def _tree(
    dt: xr.DataTree, table: FlowTable, year: int, after: Array, title: str, priority: Sequence[str]
) -> xr.DataTree:
    chains, draws, _ = table.shape
    held = dt["posterior"].to_dataset()
    drawn = held[[name for name in ("mass_flow", "log_offset") if name in held]]
    kept = [year - 1, year] if year else [year]
    flows = drawn.isel(year=kept).transpose("chain", "draw", "flow", "year", ...).copy(deep=True)
    new = after.T.reshape(chains, draws, -1)
    flows["mass_flow"].values[..., -1] = np.where(table.present[:, year], new, np.nan)
    numbers = _numbers(table, year, year_of(table, year), after)
    numbers = numbers.assign_coords(chain=flows["chain"], draw=flows["draw"])
    out = xr.DataTree.from_dict({"posterior": flows, GROUP: numbers})
    out.attrs = {k: dt.attrs[k] for k in ("case_json", "case_name", "seed", "sampler") if k in dt.attrs}
    served = f"; served first: {', '.join(priority)}" if priority else ""
    out.attrs |= {"counterfactual": title, "counterfactual_year": table.years[year]}
    out.attrs |= {"counterfactual_rule": "stocks as in the draw" + served}
    return out


def _numbers(table: FlowTable, year: int, before: Array, after: Array) -> xr.Dataset:
    """Consumption (end uses, and what is not split into them) and lost consumption, from flows (flow, draw) before and
    after. Dims chain, draw, region, product, end_use, year (one year). NaN: no such flow.
    """
    chains, draws, _ = table.shape
    leaving = table.attributes["to_process"] == OUTSIDE
    consumed = table.where(quantity="end_use") | (table.where(quantity="apparent_consumption") & leaving)
    attributes = dict(zip(BY, ("destination", "product", "end_use"), strict=True))
    labels = {"region": table.regions, "product": table.products, "end_use": table.end_uses}
    for dim, name in attributes.items():  # an empty label where the case gives none
        labels[dim] += ("",) * bool((table.attributes[name][consumed] == "").any())
    shape = (chains, draws, *(len(v) for v in labels.values()), 1)
    found, lost = np.full(shape, np.nan), np.full(shape, np.nan)
    for i in np.flatnonzero(consumed & table.present[:, year]):
        at = tuple(labels[dim].index(str(table.attributes[name][i])) for dim, name in attributes.items())
        less = before[i] - after[i]
        less[less < NOTHING * before[i]] = 0.0
        for out, values in ((found, before[i]), (lost, less)):
            cell = out[:, :, at[0], at[1], at[2], 0]
            cell[...] = np.where(np.isnan(cell), 0.0, cell) + values.reshape(chains, draws)
    dims, unit = ("chain", "draw", *BY, "year"), {"units": table.case.system.unit}
    return xr.Dataset(
        {
            "consumption": (dims, found, {"long_name": "consumption as drawn", **unit}),
            "lost_consumption": (dims, lost, {"long_name": "consumption lost in the counterfactual", **unit}),
        },
        coords={k: list(v) for k, v in labels.items()} | {"year": [table.years[year]]},
    )


_LEAST = 1e-9  # a flow limited to less than this fraction of its drawn value is set to zero
_EXCESS = 1e-6  # of its drawn value, by which a flow may exceed its limit


def allocate(
    network: YearNetwork, world: World, tiers: Sequence[Mask], *, within_supply: bool = False
) -> tuple[Array, Array]:
    """Serve the demand of each tier (a boolean array of the demanded flows, whose demand is the drawn value) in turn,
    then rebuild stocks. A process without stock must have no surplus supply. Returns the flows (flow, draw), and the
    stock of each process at the end (process, draw).

    ``within_supply``: from the first round on, no supplier is asked for more than it can get, and markets that supply
    each other pass on none of what they ask of each other: where trade has no limit, demand that no one can serve would
    circulate between them.
    """
    limit = np.where(world.limit < _LEAST * world.mass, 0.0, world.limit)
    per_flow, per_process = (world.mass, limit), (world.capacity, world.carried, world.kept, world.closing, world.extra)
    arrays = [np.ascontiguousarray(a.T) for a in (*per_flow, *per_process)]
    flows, processes, graph = _records(network, (limit > 0).any(axis=1))
    arrays.append(out := np.empty_like(arrays[0]))
    stuck = allocate_draws(flows, processes, graph, np.array(tiers), within_supply, *arrays)
    if stuck != DONE:
        names = ", ".join(np.array(network.processes)[processes["group"] == processes["group"][stuck]])
        message = f"the counterfactual does not converge: flow circulates between {names} and almost nothing leaves; "
        raise ReeUncertError(f"{message}check the flows between them in this year")
    if not within_supply:
        _require_limits(network, limit + _EXCESS * world.mass < out.T)
    return _balanced(network, np.where(network.opening[:, None], world.mass, out.T), world)


def _records(network: YearNetwork, open_flows: Mask) -> tuple[Records, Records, Graph]:
    """The network as the compiled rounds read it."""
    flows = np.zeros(len(network.source), FLOW).view(np.recarray)
    processes = np.zeros(len(network.processes), PROCESS).view(np.recarray)
    for name in ("source", "target", "made", "aside"):
        flows[name] = getattr(network, name)
    ends = []
    for side, ending in (("in", np.where(network.opening, BEYOND, network.target)), ("out", network.source)):
        chosen = np.flatnonzero(open_flows & (ending != BEYOND))
        chosen = chosen[np.argsort(ending[chosen], kind="stable")]
        bounds = np.searchsorted(ending[chosen], np.arange(len(processes) + 1))
        processes[f"{side}_start"], processes[f"{side}_end"] = bounds[:-1], bounds[1:]
        ends.append(chosen)
    processes["stocked"] = network.closing >= 0
    given = network.source[open_flows & ~network.made]
    processes["plant"] = ~processes["stocked"] & ~np.isin(np.arange(len(processes)), given)
    groups = network.order(open_flows)
    for g, group in enumerate(groups):
        processes["group"][group] = g
    within = np.minimum(flows["source"], flows["target"]) >= 0
    flows["inside"] = within & (processes["group"][flows["source"]] == processes["group"][flows["target"]])
    start = np.cumsum([0, *(len(group) for group in groups)])
    return flows, processes, (ends[0], ends[1], start, np.array([j for group in groups for j in group]))


def _require_limits(network: YearNetwork, over: Mask) -> None:
    """Refuse a world with flows above their limits (flow, draw): a process makes them of whatever enters it."""
    made = network.source[over.any(axis=1)]
    if made.size:
        names = listed(dict.fromkeys(network.processes[j] for j in made))
        message = f"a rule limits what leaves {names}, where it is made in a fixed proportion of all that enters; "
        raise ReeUncertError(f"{message}reduce what enters, or all that is made of it")


def _balanced(network: YearNetwork, mass: Array, world: World) -> tuple[Array, Array]:
    """The flows, and the stocks at the end: surplus supply is carried into the next year."""
    closing, inflow = world.carried.copy(), world.carried.copy()
    into, out = (network.target != BEYOND) & ~network.opening, network.source != BEYOND
    np.add.at(inflow, network.target[into], np.maximum(mass, world.mass)[into])
    np.add.at(closing, network.target[into], mass[into])
    np.subtract.at(closing, network.source[out], mass[out])
    stocked = (network.closing >= 0)[:, None]
    over = (closing > 1e-9 * inflow) & ~stocked
    if over.any():
        process = network.processes[int(np.flatnonzero(over.any(axis=1))[0])]
        message = f"the counterfactual leaves surplus supply at process '{process}', which has no demand or stock for "
        raise ReeUncertError(f"{message}it; reduce what enters it, or add a stock flow to the case (from it to itself)")
    return mass, np.maximum(closing, 0.0) * stocked
