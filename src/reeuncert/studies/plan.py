"""From what a user asks to jobs: every scenario is made and checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json
from reeuncert.edits import Edited
from reeuncert.edits.reread import Reread
from reeuncert.edits.scenario import BASE, MOST, Scenario, grid, read_scenarios, scenarios_from
from reeuncert.errors import CaseError, InputError, Problem, ReeUncertError
from reeuncert.indicators.registry import choose as choose_indicators
from reeuncert.inference.settings import check_settings
from reeuncert.studies.cache import scenario_key
from reeuncert.studies.jobs import FitSettings, Job
from reeuncert.studies.shapes import shape_of
from reeuncert.validation.reader import problems_of

Asked = str | Path | Iterable[Scenario | Mapping[str, object]]
"""Scenarios as a user gives them: a file, or a list."""


@dataclass(frozen=True)
class Plan:
    """What a study will do.

    Parameters
    ----------
    scenarios
        The base first.
    jobs
        One a scenario, in the same order.
    """

    scenarios: tuple[Scenario, ...]
    jobs: tuple[Job, ...]


def scenarios_asked(vary: Mapping[str, Sequence[object]] | None, scenarios: Asked | None) -> tuple[Scenario, ...]:
    """The scenarios of a grid, of a list or of a file, after the base.

    Raises
    ------
    CaseError
        When none is given, or one cannot be used.
    """
    found: tuple[Scenario, ...] = ()
    if vary is not None:
        found += grid(vary)
    if isinstance(scenarios, str | Path):
        found += read_scenarios(scenarios)
    elif scenarios is not None:
        found += scenarios_from(scenarios)
    if not found:
        message = "there is nothing to compare; give vary={…} or scenarios=[…]"
        raise CaseError([Problem("scenarios", 0, "", message)])
    if len(found) > MOST:
        raise CaseError([Problem("scenarios", 0, "", f"{len(found):,} scenarios are more than {MOST} of one study")])
    return (Scenario(BASE, why="The case as it is."), *scenarios_from(found))


def plan_study(
    case: Case, scenarios: Sequence[Scenario], settings: FitSettings, indicators: Iterable[str] | None = None
) -> Plan:
    """Make every changed case and look for its problems; nothing is compiled or sampled.

    Raises
    ------
    InputError
        With the problems of all scenarios.
    ReeUncertError
        For an indicator that does not exist, or settings that cannot be.
    """
    check_settings(**{name: getattr(settings, name) for name in ("draws", "tune", "thin", "chains", "seed")})
    names = _indicators(case, indicators)
    reread = Reread()
    jobs, problems = [], []
    base, shape = case_to_json(case), shape_of(case)
    for scenario in scenarios:
        try:
            edited = scenario.apply(Edited(case, reread=reread))
            found = [*problems_of(edited.case), *_nothing_said(edited)]
        except InputError as error:
            found = list(error.problems)
        except ReeUncertError as error:
            found = [Problem("", 0, "", str(error))]
        problems += [_of_scenario(problem, scenario) for problem in found]
        if not found:
            job = _job(scenario, edited, settings, names)
            jobs.append(replace(job, like_json=base) if job.shape == shape else job)
    if problems:
        raise CaseError(problems)
    return Plan(tuple(scenarios), tuple(jobs))


def _job(scenario: Scenario, edited: Edited, settings: FitSettings, names: tuple[str, ...]) -> Job:
    left_out = tuple(sorted(edited.left_out))
    return Job(
        scenario.name,
        scenario_key(edited.case, left_out, asdict(settings), names),
        shape_of(edited.case),
        case_to_json(edited.case),
        left_out,
        settings,
        names,
    )


def _nothing_said(edited: Edited) -> list[Problem]:
    """A case without evidence has nothing to be sampled from but its prior."""
    if edited.case.evidence and all(row.id in edited.left_out for row in edited.case.evidence):
        return [Problem("scenarios", 0, "", "no evidence is left; leave some in, or look at the prior (sample_prior)")]
    return []


def _of_scenario(problem: Problem, scenario: Scenario) -> Problem:
    """A problem of a changed case, told under the name of its scenario."""
    if problem.file == "scenarios":
        return Problem(problem.file, 0, scenario.name, problem.message)
    return Problem("scenarios", 0, scenario.name, str(problem) if problem.file else problem.message)


def _indicators(case: Case, asked: Iterable[str] | None) -> tuple[str, ...]:
    if asked is None:
        wanted = sorted({headline.indicator for headline in case.headlines})
        if not wanted:
            raise ReeUncertError(f"case '{case.name}' has no headlines; say which indicators to keep: indicators=[…]")
    else:
        wanted = [asked] if isinstance(asked, str) else list(asked)
        wanted = sorted({*wanted, *(headline.indicator for headline in case.headlines)})
    return tuple(record.name for record in choose_indicators(wanted))
