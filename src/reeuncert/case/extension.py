"""A case extended by future years: the counterpart of `restrict`."""

import dataclasses
import math
from collections.abc import Collection

from reeuncert.case.records import Case, Content, Prior
from reeuncert.errors import CaseError, Problem
from reeuncert.system.definition import OUTSIDE, SystemDefinition


def extend(case: Case, last: int, reopened: Collection[str] = ()) -> Case:
    """A case with years after its last: the same system, priors whose paths run on, no evidence on the new years.

    Flows that exist in the last year exist in all later ones. A prior whose median moves keeps that of the old last
    year; a covariate keeps its last value. So nothing but levels and correlations says anything of the future.

    Parameters
    ----------
    case
        From `read_case`.
    last
        New last year.
    reopened
        Processes that are closed in the last year and that run in the new years, with the flows that they had before.

    Returns
    -------
    Case
        A case like any other; its name says to which year it runs.

    Raises
    ------
    CaseError
        When the year does not lie after the last of the case.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = extend(ree.read_case("small_metal"), 2025)
    >>> case.name, case.system.years[-1], case.system.flows[0].years[-1]
    ('small_metal_to_2025', 2025, 2025)
    """
    old = case.system.years
    if last <= old[-1]:
        message = f"the year {last} does not lie after the last year of case '{case.name}', {old[-1]}; give a later one"
        raise CaseError([Problem("case.toml", 0, "years", message)])
    new = tuple(range(old[-1] + 1, last + 1))
    again = _reopened_flows(case.system, reopened)

    def run_on(years: tuple[int, ...], more: bool = False) -> tuple[int, ...]:
        return (*years, *new) if more or old[-1] in years else years

    flows = tuple(dataclasses.replace(f, years=run_on(f.years, f.name in again)) for f in case.system.flows)
    system = dataclasses.replace(case.system, flows=flows, years=(*old, *new))
    covered = {i for p in case.priors if old[-1] in p.years for i in case.system.select(p.selector)}
    latest = {i: max(f.years) for i, f in enumerate(case.system.flows) if f.name in again and i not in covered}

    def of_reopened(prior: Prior) -> bool:
        return any(i in latest and latest[i] in prior.years for i in case.system.select(prior.selector))

    return dataclasses.replace(
        case,
        name=f"{case.name}_to_{last}",
        system=system,
        priors=tuple(_prior(p, run_on(p.years, of_reopened(p))) for p in case.priors),
        covariates={n: {**v, **dict.fromkeys(new, v[max(v)])} for n, v in case.covariates.items()},
        contents={n: _content(c, run_on(c.years)) for n, c in case.contents.items()},
    )


def _prior(prior: Prior, years: tuple[int, ...]) -> Prior:
    if years == prior.years or math.isnan(prior.median_to):
        return dataclasses.replace(prior, years=years)
    return dataclasses.replace(prior, years=years, median_until=prior.median_until or prior.years[-1])


def _content(content: Content, years: tuple[int, ...]) -> Content:
    return dataclasses.replace(content, years=years)


def _reopened_flows(system: SystemDefinition, reopened: Collection[str]) -> set[str]:
    """Flows of processes that are reopened, and of those which only exist with them (markets between them)."""
    last = system.years[-1]
    alive = {OUTSIDE} | {p for f in system.flows if last in f.years for p in (f.from_process, f.to_process)}
    waiting, found = [p for p in reopened if p not in alive], set()
    while waiting:
        process = waiting.pop()
        alive.add(process)
        for f in system.flows:
            if process in (f.from_process, f.to_process) and f.years and f.quantity != "opening_stock":
                found.add(f.name)
                waiting += [p for p in (f.from_process, f.to_process) if p not in alive and p not in waiting]
    return found
