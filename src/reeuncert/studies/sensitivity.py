"""A case fitted again under changes, to see which conclusions survive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json
from reeuncert.edits import Edited
from reeuncert.edits.base import Reread
from reeuncert.edits.scenario import BASE, MOST, Scenario, grid, read_scenarios, scenarios_from
from reeuncert.errors import CaseError, InputError, Problem, ReeUncertError, SamplingError
from reeuncert.indicators.registry import choose as choose_indicators
from reeuncert.inference.settings import check_settings
from reeuncert.studies.cache import Kept, package_version
from reeuncert.studies.engine import Fits, make_fits
from reeuncert.studies.jobs import Failure, FitOptions, FitSettings, Job, JobMaker
from reeuncert.studies.study import FAILED, FINISHED, KEPT, Study, stack
from reeuncert.studies.summaries import Summary
from reeuncert.validation.reader import problems_of

ScenarioList = str | Path | Iterable[Scenario | Mapping[str, object]]
"""Scenarios as a user gives them: a file, or a list."""


def sensitivity(
    case: Case,
    vary: Mapping[str, Sequence[object]] | None = None,
    scenarios: ScenarioList | None = None,
    *,
    indicators: Iterable[str] | None = None,
    **options: Unpack[FitOptions],
) -> Study:
    """Fit a case again with changed assumptions, and see which conclusions survive.

    Every scenario is made and checked before the first is fitted. Finished scenarios are kept on disk: asked again, or
    after a crash, only the missing ones are fitted. A scenario that fails is reported; the others go on.

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    vary
        A grid: every combination of the values of some keys, see `reeuncert.edits.scenario.grid`, e.g.
        ``{"prior_spread[group=recoveries]": [0.5, 2], "option[option=gap_structure]": ["walk", "flat"]}``.
    scenarios
        Named scenarios: a list of `Scenario` or of mappings with ``name``, ``changes`` and ``why``; or a TOML file.
        The kinds of change are in `reeuncert.edits.EDITS`.
    indicators
        Indicators to keep besides those of the headlines.
    **options
        How to sample, where to run, what to keep on disk: see `reeuncert.studies.jobs.FitOptions`. Without ``jobs``,
        as many processes as this machine has cores.

    Returns
    -------
    Study
        Results stacked along a dim ``scenario``; ``.conclusions()`` says which headlines change under which scenario.

    Raises
    ------
    InputError
        With the problems of all scenarios, before anything is fitted.
    SamplingError
        When the cluster cannot be reached, or no scenario at all could be fitted.
    OutputError
        When finished scenarios cannot be kept where they should be.
    """
    settings = FitSettings.of(options)
    asked = scenarios_asked(vary, scenarios)
    jobs = plan_study(case, asked, settings, indicators)
    return _study(case, asked, make_fits(jobs, options, processes=None), settings)


def scenarios_asked(
    vary: Mapping[str, Sequence[object]] | None, scenarios: ScenarioList | None
) -> tuple[Scenario, ...]:
    """The scenarios of a grid, of a list or of a file, after the base."""
    found = () if vary is None else grid(vary)
    if isinstance(scenarios, str | Path):
        found += read_scenarios(scenarios)
    elif scenarios is not None:
        found += scenarios_from(scenarios)
    if not found:
        raise CaseError([Problem("scenarios", 0, "", "there is nothing to compare; give vary={…} or scenarios=[…]")])
    if len(found) > MOST:
        raise CaseError([Problem("scenarios", 0, "", f"{len(found):,} scenarios are more than {MOST} of one study")])
    return (Scenario(BASE, why="The case as it is."), *scenarios_from(found))


def plan_study(
    case: Case, scenarios: Sequence[Scenario], settings: FitSettings, indicators: Iterable[str] | None = None
) -> list[Job]:
    """A job for each scenario: every case is changed and looked at for problems; nothing is compiled or sampled."""
    check_settings(**asdict(settings))
    keep = Summary(_indicators(case, indicators))
    reread, maker = Reread(), JobMaker(case)
    jobs, problems = [], []
    for scenario in scenarios:
        try:
            edited = scenario.apply(Edited(case, reread=reread))
            # A scenario may lack the flows of a headline: its row is then empty. The case itself may not.
            found = [*problems_of(edited.case if scenario.name == BASE else replace(edited.case, headlines=()))]
            if edited.case.evidence and all(row.id in edited.left_out for row in edited.case.evidence):
                message = "no evidence is left; leave some in, or look at the prior (sample_prior)"
                found.append(Problem("scenarios", 0, "", message))
        except InputError as error:
            found = list(error.problems)
        except ReeUncertError as error:
            found = [Problem("", 0, "", str(error))]
        problems += [_of_scenario(problem, scenario) for problem in found]
        if not found:
            jobs.append(maker.job(scenario.name, edited.case, settings, keep, edited.left_out, share=False))
    if problems:
        raise CaseError(problems)
    return jobs


def _of_scenario(problem: Problem, scenario: Scenario) -> Problem:
    """A problem of a changed case, reported under the name of its scenario."""
    if problem.file == "scenarios":
        return Problem(problem.file, 0, scenario.name, problem.message)
    return Problem("scenarios", 0, scenario.name, str(problem) if problem.file else problem.message)


def _indicators(case: Case, asked: Iterable[str] | None) -> tuple[str, ...]:
    wanted = {headline.indicator for headline in case.headlines}
    if asked is None and not wanted:
        raise ReeUncertError(f"case '{case.name}' has no headlines; say which indicators to keep: indicators=[…]")
    wanted |= {asked} if isinstance(asked, str) else set(asked or ())
    return tuple(record.name for record in choose_indicators(sorted(wanted), case))


def _study(case: Case, scenarios: Sequence[Scenario], fits: Fits, settings: FitSettings) -> Study:
    rows = []
    for scenario in scenarios:
        result = fits.results[scenario.name]
        if isinstance(result, Failure):
            row = (FAILED, float("nan"), result.reason, result.trace)
        else:
            status = KEPT if scenario.name in fits.found_before else FINISHED
            row = (status, float(result.about.get("seconds", float("nan"))), "", "")
        rows.append((scenario.name, scenario.what, scenario.why, *row))
    table = pd.DataFrame(rows, columns=["scenario", "what", "why", "status", "seconds", "reason", "trace"])
    results = {s.name: r for s in scenarios if isinstance(r := fits.results[s.name], Kept)}
    if not results:
        reasons = "; ".join(f"{row.scenario}: {row.reason}" for row in table.head(3).itertuples())
        more = f" and {len(table) - 3} more" if len(table) > 3 else ""
        raise SamplingError(f"none of {len(table)} scenarios could be fitted: {reasons}{more}")
    fresh = {id(r) for n, r in results.items() if n not in fits.found_before and r.about.get("compiled")}
    about: dict[str, Any] = {"case": case.name, "case_json": case_to_json(case), "settings": asdict(settings)}
    about |= {"version": package_version(), "models_compiled": len(fresh), "notes": list(fits.notes)}
    return stack(results, table, about)
