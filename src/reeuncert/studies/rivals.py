"""Rival structures of a case: do its headlines hold whichever of them is true?

A case may name a switch whose choices are rival assumptions (``compare = true`` in case.toml), and scenarios that are
structures too (``structure`` in scenarios.toml), either averaged or only shown. Its headlines are averages over them;
see `reeuncert.result.structures`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.case.serial import case_to_json
from reeuncert.edits import Edited
from reeuncert.edits.scenario import AVERAGED, FILE, read_scenarios
from reeuncert.errors import ReeUncertError
from reeuncert.inference.prior import PRIOR_DRAWS, sample_prior
from reeuncert.model import build_model
from reeuncert.priors.implied import implied_flows
from reeuncert.reading.bundled import find_case
from reeuncert.result.diagnostics import diagnose, unconverged
from reeuncert.result.quantiles import Array
from reeuncert.result.result import Result
from reeuncert.result.structures import StructureRun, Structures, without_structures
from reeuncert.studies.cache import Kept
from reeuncert.studies.engine import make_fits
from reeuncert.studies.jobs import FitOptions, FitSettings, JobMaker
from reeuncert.studies.refits import convergence
from reeuncert.studies.summaries import Headlines, headline_values
from reeuncert.validation.reader import read_case

SHORT: FitOptions = {"draws": 400, "tune": 150, "chains": 4}
"""Settings of the runs; where a headline has not converged, further chains are added.

These raise the ESS, but R-hat of chains with an effective size of n each stays near 1 + 1 / (2 n): a chain has to be
long enough by itself.
"""
MOST_FITS = 3
"""Of one structure."""


@dataclass(frozen=True)
class Rival:
    """A case under one structure, whether it counts in the averages, why it is there, and rows that count nothing."""

    case: Case
    averaged: bool = True
    why: str = ""
    left_out: frozenset[str] = frozenset()


def compare_structures(case: Case, **options: Unpack[FitOptions]) -> Structures:
    """Run a case under each of its rival structures and compare the headlines.

    Parameters
    ----------
    case
        From `reeuncert.read_case`. Its structures are the choices of the switch that it marks with ``compare = true``,
        and those of its scenarios that are structures; its other switches keep their choices.
    **options
        How to sample, where to run, what to keep on disk: see `reeuncert.studies.jobs.FitOptions`. The runs are short
        by default (`SHORT`); more chains are added where headlines have not converged.

    Returns
    -------
    Structures
        ``.averages()``: averages and verdicts; ``.table()``: headlines under each structure.

    Raises
    ------
    ReeUncertError
        When the case marks no switch or names no headline, or a structure could not be fitted.
    """
    return Structures.of(_runs(rivals_of(case), options))


def run_rivals(dt: xr.DataTree, **options: Unpack[FitOptions]) -> Structures:
    """Headlines of a result, and of its case under each other structure that is averaged, for
    `reeuncert.result.structures`; its indicators have been added. Raises `ReeUncertError` as `compare_structures`.
    """
    return beside_own(dt, fit_rivals(Result(dt).case, **options))


def fit_rivals(case: Case, **options: Unpack[FitOptions]) -> dict[str, StructureRun]:
    """Headlines of a case under each other structure that is averaged; see `run_rivals`."""
    # Structures that are not averaged cost as much as the others: `compare_structures` fits them when asked.
    own = case.options[_switch_of(case)]
    others = {name: rival for name, rival in rivals_of(case).items() if rival.averaged and name != own}
    return _runs(others, {"cache": False, **options})  # a run writes to its own folder only


def beside_own(dt: xr.DataTree, runs: Mapping[str, StructureRun]) -> Structures:
    """Headlines of a result beside those that `fit_rivals` found under the other structures."""
    held, case = without_structures(dt), Result(dt).case
    switch = _switch_of(case)
    own = StructureRun(*headline_values(held, case), convergence(held))
    if "derived_prior" in held.children:
        before = xr.DataTree.from_dict({"derived": held["derived_prior"].to_dataset()})
        before.attrs = held.attrs
        own = replace(own, prior=headline_values(before, case)[1])
    every = {**runs, case.options[switch]: own}
    return Structures.of({name: every[name] for name in dict.fromkeys([*case.option_choices[switch], *runs])})


def rivals_of(case: Case) -> dict[str, Rival]:
    """Structure → the case under it, cut to the same years."""
    name, place = _switch_of(case), case.path or case.name
    found = {}
    for choice in case.option_choices[name]:
        rival = case if choice == case.options[name] else read_case(place, **{**case.options, name: choice})
        found[choice] = Rival(rival if rival.system.years == case.system.years else restrict(rival, case.system.years))
    file = find_case(place) / FILE
    for scenario in read_scenarios(file) if file.is_file() else ():
        if scenario.structure:
            edited = scenario.apply(Edited(case))
            found[scenario.name] = Rival(
                edited.case, scenario.structure == AVERAGED, scenario.why, frozenset(edited.left_out)
            )
    return found


def _runs(rivals: Mapping[str, Rival], options: FitOptions) -> dict[str, StructureRun]:
    """Headlines under each structure; what is compiled for one, and its pilot run, serves the next, if only numbers
    differ.
    """
    settings = FitSettings.of({**SHORT, **options})
    case = next(iter(rivals.values())).case
    if not case.headlines:
        raise ReeUncertError(f"case '{case.name}' has no headline to compare; name some in case.toml: [[headline]]")
    maker = JobMaker(case)
    jobs = [
        maker.job(name, rival.case, settings, Headlines(), rival.left_out, share=True) for name, rival in rivals.items()
    ]
    parts: dict[str, list[Kept]] = {name: [] for name in rivals}
    runs: dict[str, StructureRun] = {}
    for number in range(MOST_FITS):
        # A headline that is undefined in some draw counts as converged.
        short = [job for job in jobs if job.name not in runs or unconverged(runs[job.name].headlines).any()]
        if not short:
            break
        fits = make_fits([job.again(number) if number else job for job in short], options)
        for job in short:
            parts[job.name].append(fits.kept(job.name))
            runs[job.name] = _joined(rivals[job.name], parts[job.name], settings.chains)
    for name, rival in rivals.items():
        if rival.averaged:
            runs[name] = replace(runs[name], prior=_before(rival.case, settings.seed))
    return {name: runs[name] for name in rivals}


def _before(case: Case, seed: int) -> Array:
    """Headlines in draws of the prior (headline, draw)."""
    if case.prior_measure == "coordinates":
        network, log_flow = implied_flows(case, PRIOR_DRAWS, seed)
        mass = np.full((1, PRIOR_DRAWS, len(case.system.flows), len(case.system.years)), np.nan)
        mass[0][:, network.edge_flow, network.edge_year] = np.exp(log_flow)
        names = {"flow": [flow.name for flow in case.system.flows], "year": list(case.system.years)}
        draws = xr.Dataset({"mass_flow": (("chain", "draw", "flow", "year"), mass)}, coords=names)
    else:
        draws = sample_prior(build_model(case), PRIOR_DRAWS, seed, quiet=True)["prior"].to_dataset()
    held = xr.DataTree.from_dict({"posterior": draws})
    held.attrs["case_json"] = case_to_json(case)
    return np.asarray(Headlines()(held, case, ()).data["draws"]["value"].values)


def _joined(rival: Rival, parts: list[Kept], chains: int) -> StructureRun:
    """The run of a structure from one or more fits, which have the same number of draws."""
    values = [part.data["draws"]["value"].values for part in parts]
    draws, table = np.concatenate(values, axis=1), parts[0].tables["headlines"]
    if len(parts) > 1:
        by_chain = np.concatenate([value.reshape(len(value), chains, -1) for value in values], axis=1)
        found = diagnose(np.moveaxis(by_chain, 0, -1))
        table = table.assign(ess_bulk=found.ess_bulk, ess_tail=found.ess_tail, r_hat=found.r_hat)
    run = {"r_hat": max(part.about["r_hat"] for part in parts)}
    run |= {name: sum(part.about[name] for part in parts) for name in ("ess", "divergences")}
    return StructureRun(table, draws, run, rival.averaged, rival.why)


def _switch_of(case: Case) -> str:
    """Name of the switch whose choices are the rival structures of a case; raises `ReeUncertError` if there is none."""
    if not case.compare:
        raise ReeUncertError(
            f"case '{case.name}' names no rival structures; mark a switch with compare = true in case.toml"
        )
    return case.compare[0]
