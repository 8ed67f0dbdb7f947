"""Future years of a result, draw by draw: demand pulls, capacity bounds, and what is short is rationed.

Each future year starts from the drawn paths (`reeuncert.outlook.future`): they give recoveries, the mix of suppliers
and of products, and stocks to be held. Final demand is that of the last year of the draw times its growth; the rule of
the counterfactuals (`reeuncert.counterfactuals.run`) serves it within the capacities of old and new plants.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.restriction import extend, restrict
from reeuncert.case.serial import case_to_json
from reeuncert.counterfactuals.network import UNREGISTERED
from reeuncert.errors import CaseError, Problem
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.outlook.future import flows_from, generator, openings, past_coordinates, with_future
from reeuncert.outlook.plans import Plans, Project
from reeuncert.outlook.reading import plans_of
from reeuncert.outlook.recycling import with_recyclers
from reeuncert.outlook.years import FutureYears, allocate_year
from reeuncert.result.result import Result
from reeuncert.system.definition import OUTSIDE

GROUP = "outlook"
LEAST = 1e-6  # a shortage below this part of a demand is rounding error
AHEAD = 10  # future years, unless said otherwise
SHOWN_BEFORE = 10  # past years that an outlook holds beside the future


def outlook(
    dt: xr.DataTree, plans: Plans | None = None, *, to: int | None = None, scenario: str = "", seed: int = 1
) -> xr.DataTree:
    """Supply, demand and trade of future years on every draw of a result.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`, of a case with ``prior_measure = coordinates``.
    plans
        From `read_plans`; by default those in the folder of the case.
    to
        Last year; by default ten years after the case.
    scenario
        Name of a scenario of the plans; by default the first.
    seed
        Seed of what is drawn of the future.

    Returns
    -------
    DataTree
        ``posterior/mass_flow`` (chain, draw, flow, year) of the last past years and the future ones, so that all
        indicators can be computed on it; ``outlook`` with ``demand`` and ``shortage`` (chain, draw, use, future year),
        ``start`` (chain, draw, project; infinite: never) and ``mine_capacity`` (chain, draw, mine, year).

    Raises
    ------
    CaseError
        If the year is not in the future of the case, a project has no process in it, or the scenario is not known.
    ReeUncertError
        If the result holds no coordinates.
    """
    case = Result(dt).case
    last = case.system.years[-1] + AHEAD if to is None else to
    return worlds(dt, plans_of(case) if plans is None else plans, [scenario], to=last, seed=seed)[0]


def worlds(dt: xr.DataTree, plans: Plans, scenarios: Sequence[str], *, to: int, seed: int) -> list[xr.DataTree]:
    """The outlook under each scenario, with the same random numbers; an empty name means the first of the plans."""
    result = Result(dt)
    case = result.case
    now = case.system.years[-1]
    years, since = range(now + 1, to + 1), max(case.system.years[0], now - SHOWN_BEFORE)
    longer, _ = with_recyclers(case, plans.projects, years)
    places = [_process(longer, project) for project in plans.projects]
    extended = extend(case, to, {p for p in places if p in case.system.process_index})
    u, network = with_future(past_coordinates(dt, case), case, extended, generator(seed, "paths"))
    shown, like = with_recyclers(restrict(extended, range(since, to + 1)), plans.projects, years)
    # Masses (flow, sample, year) that follow from the drawn paths alone, from the last past year on
    alike = [extended.system.flow_index[like.get(f.name, f.name)] for f in shown.system.flows]
    paths = flows_from(u, network, now)[alike]
    paths[[f.name in like and f.from_process == OUTSIDE for f in shown.system.flows]] = 0.0
    past = _past(result, shown, paths.shape[1], since)
    futures = []
    for name in scenarios:
        chosen = plans.scenario(name)
        opened = openings(plans, chosen, years, paths.shape[1], seed)
        futures.append(FutureYears(shown, FlowTable.of_case(shown, past), paths, opened, plans, chosen, seed))
        futures[-1].retire(result)
    for year in years:
        allocate_year(futures, year, places)
    return [_tree(dt, future) for future in futures]


def _process(case: Case, project: Project) -> str:
    """The registered process of the region and stage of a project, closed or not."""
    found = [p.name for p in case.system.processes if (p.region, p.stage) == (project.region, project.stage)]
    registered = {f.from_process for f in case.system.flows if f.route != UNREGISTERED}
    chosen = [name for name in found if name in registered]
    if not chosen:
        message = f"project '{project.project}' needs a process of stage '{project.stage}' in '{project.region}', "
        message += f"which case '{case.name}' does not have; add it to the case, or delete the row"
        raise CaseError([Problem("projects.csv", 0, "stage", message)])
    return chosen[0]  # the first of several equal ones, as a counterfactual does


def _past(result: Result, shown: Case, samples: int, since: int) -> Array:
    """Masses (flow, sample, year) of the years that are known, zero in future ones."""
    held = result.case.system
    past = result.masses()
    out = np.zeros((len(shown.system.flows), samples, len(shown.system.years)))
    count = held.years[-1] - since + 1
    at = held.year_index[since]
    for k, flow in enumerate(shown.system.flows):
        if flow.quantity == "opening_stock" and at and flow.years == (since,):
            stocks = [i for i, f in enumerate(held.flows) if f.from_process == f.to_process == flow.to_process]
            out[k, :, 0] = np.nansum(past[:, stocks, at - 1], axis=1)
        elif flow.name in held.flow_index:
            out[k, :, :count] = np.nan_to_num(past[:, held.flow_index[flow.name], at:])
    return out


def _tree(dt: xr.DataTree, future: FutureYears) -> xr.DataTree:
    """The outlook as a result of the longer case."""
    held, table, case = dt["posterior"].to_dataset(), future.table, future.case
    chains, draws = held.sizes["chain"], held.sizes["draw"]
    sampled = {"chain": held["chain"].values, "draw": held["draw"].values}
    after = [year for year in table.years if year > future.now]

    def folded(values: Array) -> Array:
        """(row, sample, …) to (chain, draw, row, …)."""
        return np.moveaxis(values.reshape(len(values), chains, draws, *values.shape[2:]), 0, 2)

    mass = np.where(table.present[:, None, :], table.mass[:, 0], np.nan)
    posterior = xr.Dataset(
        {"mass_flow": (("chain", "draw", "flow", "year"), folded(mass), {"units": table.case.system.unit})},
        coords=sampled | {"flow": [f.name for f in case.system.flows], "year": list(table.years)},
    )
    if "log_offset" in held:
        posterior["log_offset"] = held["log_offset"]
    uses, mines = list(future.wanted), list(future.mined)
    demand, mined = (
        np.array(list(given.values())).reshape(len(given), chains * draws, len(after))  # also where there are none
        for given in (future.wanted, future.mined)
    )
    served = table.mass[uses, 0, :, -len(after) :]
    short = np.maximum(demand - served, 0.0)
    short[short < LEAST * demand] = 0.0
    names = [f.name for f in case.system.flows]
    numbers = xr.Dataset(
        {
            "demand": (("chain", "draw", "use", "year"), folded(demand)),
            "shortage": (("chain", "draw", "use", "year"), folded(short)),
            "start": (("chain", "draw", "project"), folded(future.opened.start)),
            "mine_capacity": (("chain", "draw", "mine", "year"), folded(mined)),
        },
        coords=sampled
        | {"use": [names[i] for i in uses], "mine": [names[i] for i in mines], "year": after}
        | {"project": [f"{p.project}, {p.stage}" for p in future.plans.projects]},
    )
    out = xr.DataTree.from_dict({"posterior": posterior, GROUP: numbers})
    out.attrs = {k: dt.attrs[k] for k in ("seed", "sampler", "approximate", "complete", "created") if k in dt.attrs}
    out.attrs |= {"case_json": case_to_json(case), "case_name": case.name}
    out.attrs |= {"outlook_scenario": future.scenario.name, "outlook_from": future.now}
    return out
