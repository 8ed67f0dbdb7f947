"""`reeuncert.studies`: fit a case again under changes, and see which conclusions survive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json
from reeuncert.errors import SamplingError
from reeuncert.machine import available_cores
from reeuncert.studies.cache import Cache, cache_of, package_version
from reeuncert.studies.fitted import Fitted
from reeuncert.studies.jobs import Failure, Fit, FitSettings, Job
from reeuncert.studies.plan import Asked, Plan, plan_study, scenarios_asked
from reeuncert.studies.progress import StudyProgress
from reeuncert.studies.runners import Pool, local_pool, run_jobs
from reeuncert.studies.study import FAILED, FINISHED, KEPT, Study, stack


def sensitivity(
    case: Case,
    vary: Mapping[str, Sequence[object]] | None = None,
    scenarios: Asked | None = None,
    *,
    indicators: Iterable[str] | None = None,
    draws: int = 500,
    tune: int = 150,
    thin: int = 1,
    chains: int = 2,
    seed: int = 1,
    jobs: int | None = None,
    client: Any = None,
    cache: str | Path | bool = True,
    progress: bool = True,
    fit: Fit | None = None,
) -> Study:
    """Fit a case again with things changed that an analyst doubts, and see which conclusions survive.

    Every scenario is made and checked before the first is fitted. Finished scenarios are kept on disk: asked again, or
    after a crash, only the missing ones are fitted. A scenario that fails is reported and does not lose the others.

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
    draws, tune, thin, chains, seed
        Of every fit, as in `reeuncert.sample`.
    jobs
        Processes on this machine; None: as many as it has cores. With one, everything runs in this process.
    client
        A Dask client, cluster, or address of a scheduler, to run there instead.
    cache
        Folder of finished scenarios; True: ``scenarios`` in the folder of the package (of the user's cache, or that
        which the environment variable REEUNCERT_CACHE_DIR names); False: keep nothing.
    progress
        Show progress on standard error.
    fit
        Makes the result of a job, by default `reeuncert.studies.refits.refit`; a function of a module, so that
        other processes can find it.

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
    settings = FitSettings(draws, tune, thin, chains, seed)
    plan = plan_study(case, scenarios_asked(vary, scenarios), settings, indicators)
    held = cache_of(cache)
    found, statuses = fit_plan(plan, held, fit=fit, jobs=jobs, client=client, progress=progress)
    return _study(case, plan, found, statuses, settings, held)


def fit_plan(
    plan: Plan,
    held: Cache,
    *,
    fit: Fit | None = None,
    jobs: int | None = None,
    client: Any = None,
    progress: bool = True,
) -> tuple[dict[str, Fitted | Failure], dict[str, str]]:
    """Fit what the cache does not hold of a plan, and keep it there as it is finished.

    Returns
    -------
    (dict, dict)
        Scenario → its result; scenario → status, of those that the cache held.
    """
    held.prepare()
    found: dict[str, Fitted | Failure] = {}
    for job in plan.jobs:
        kept = held.get(job.key, job.name)
        if kept is not None:
            found[job.name] = kept
    statuses = dict.fromkeys(found, KEPT)
    waiting = _distinct([job for job in plan.jobs if job.name not in found])
    with StudyProgress(len(waiting), show=progress) as shown:
        for note in held.notes:
            shown.say(note)
        if waiting:
            pool = _pool(client, jobs, len(waiting))
            shown.say(_begin(waiting, len(plan.jobs), pool))
            _fit_all(_with_cores(waiting, pool), plan, fit or _refit(), pool, held, found, shown)
    return found, statuses


def _fit_all(
    waiting: Sequence[Job],
    plan: Plan,
    fit: Fit,
    pool: Pool,
    cache: Cache,
    found: dict[str, Fitted | Failure],
    shown: StudyProgress,
) -> None:
    try:
        for job, result in run_jobs(waiting, fit, pool, begun=shown.begun):
            if isinstance(result, Fitted) and (note := cache.put(job.key, result)):
                shown.say(note)
            found |= {other.name: result for other in plan.jobs if other.key == job.key}
            shown.ended(job, result)
    except KeyboardInterrupt:
        done = sum(isinstance(result, Fitted) for result in found.values())
        kept = "are kept: asked again, the study goes on from there" if cache.folder else "are lost: none were kept"
        raise KeyboardInterrupt(f"{done} of {len(plan.jobs)} scenarios are finished and {kept}") from None


def _refit() -> Fit:
    from reeuncert.studies.refits import refit  # loads PyMC, which looking at kept results does not need

    return refit


def _pool(client: Any, jobs: int | None, scenarios: int) -> Pool:
    if client is None:
        return local_pool(jobs, scenarios)
    if jobs is not None:
        raise SamplingError("jobs is for this machine and client for a cluster; give one of them")
    from reeuncert.studies.runners_dask import DaskPool

    return DaskPool(client)


def _distinct(jobs: Sequence[Job]) -> list[Job]:
    """One job of those that ask for the same thing under several names."""
    return list({job.key: job for job in reversed(jobs)}.values())[::-1]


def _with_cores(jobs: list[Job], pool: Pool) -> list[Job]:
    """Processes that share this machine share its cores."""
    slots = len(pool.slots())
    cores = None if slots == 1 else max(1, available_cores() // slots)
    return [replace(job, cores=cores) for job in jobs]


def _begin(waiting: Sequence[Job], total: int, pool: Pool) -> str:
    counts = (
        (len(waiting), "scenario"),
        (len({job.shape for job in waiting}), "structure"),
        (len(pool.slots()), "process"),
    )
    fitted, shapes, slots = (f"{n} {word}{'' if n == 1 else 'es' if word[-1] == 's' else 's'}" for n, word in counts)
    kept = f"; {total - len(waiting)} need no fit" if total > len(waiting) else ""
    return f"Fitting {fitted} of {shapes} in {slots}{kept} …"


def _study(
    case: Case,
    plan: Plan,
    found: Mapping[str, Fitted | Failure],
    statuses: Mapping[str, str],
    settings: FitSettings,
    cache: Cache,
) -> Study:
    rows = []
    for scenario in plan.scenarios:
        result = found[scenario.name]
        if isinstance(result, Failure):
            row = (FAILED, float("nan"), result.reason, result.trace)
        else:
            row = (statuses.get(scenario.name, FINISHED), float(result.about.get("seconds", float("nan"))), "", "")
        rows.append((scenario.name, scenario.what, scenario.why, *row))
    table = pd.DataFrame(rows, columns=["scenario", "what", "why", "status", "seconds", "reason", "trace"])
    results = {s.name: r for s in plan.scenarios if isinstance(r := found[s.name], Fitted)}
    if not results:
        told = "; ".join(f"{row.scenario}: {row.reason}" for row in table.head(3).itertuples())
        more = f" and {len(table) - 3} more" if len(table) > 3 else ""
        raise SamplingError(f"none of {len(table)} scenarios could be fitted: {told}{more}")
    about = {
        "case": case.name,
        "case_json": case_to_json(case),
        "settings": asdict(settings),
        "version": package_version(),
        "models_compiled": len({id(r) for n, r in results.items() if n not in statuses and r.about.get("compiled")}),
        "notes": list(cache.notes),
    }
    return stack(results, table, about)
