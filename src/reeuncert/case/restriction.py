"""A case cut to fewer years (a first look, studies of many refits, teaching), and one extended by future years."""

import dataclasses
import math
from collections.abc import Collection, Sequence

from reeuncert.case.figures import median_in_year
from reeuncert.case.records import Case, Evidence, Prior
from reeuncert.case.selection import sides
from reeuncert.errors import ArgumentError
from reeuncert.system.definition import OUTSIDE, Flow, SystemDefinition


def restrict(case: Case, years: Sequence[int]) -> Case:
    """A case cut to some consecutive years.

    What is said of the years that remain stays as it was: a prior whose median moves along a line keeps its value in
    each of them. A figure about a span of years is kept only if all of them remain. What exists in the first year of
    the case alone (an opening stock) is carried to the new first year with its prior, since every market needs one;
    that is an approximation for years in which stocks had changed.

    Parameters
    ----------
    case
        From `read_case`.
    years
        Years to keep: consecutive, all of them years of the case, in order.

    Returns
    -------
    Case
        A case like any other; its name says which years it holds.

    Raises
    ------
    ArgumentError
        When the years are not consecutive years of the case.

    Examples
    --------
    >>> import reeuncert as ree
    >>> case = ree.read_case("small_metal")
    >>> case.system.years
    (2016, 2017, 2018, 2019, 2020)
    >>> small = ree.restrict(case, [2018, 2019])
    >>> small.name, small.system.years, len(small.evidence) < len(case.evidence)
    ('small_metal_2018_2019', (2018, 2019), True)
    """
    kept = _checked(case, years)
    if kept == case.system.years:
        return case
    shift = {case.system.years[0]: kept[0]}
    flows = (dataclasses.replace(flow, years=_years(flow.years, kept, shift)) for flow in case.system.flows)
    system = dataclasses.replace(with_flows(case.system, [flow for flow in flows if flow.years]), years=kept)
    priors = tuple(p for p in (_prior(prior, system, kept, shift) for prior in case.priors) if p.years)
    return dataclasses.replace(
        case,
        name=f"{case.name}_{kept[0]}_{kept[-1]}",
        system=system,
        priors=priors,
        evidence=tuple(r for r in case.evidence if {*r.years, *r.of_years} <= set(kept) and speaks_of(r, system)),
        constants=tuple(constant for constant in case.constants if constant.year in kept),
        headlines=tuple(headline for headline in case.headlines if headline.year in (0, *kept)),
    )


def _checked(case: Case, years: Sequence[int]) -> tuple[int, ...]:
    kept = tuple(int(year) for year in years)
    first, last = case.system.years[0], case.system.years[-1]
    if not kept or kept != tuple(range(kept[0], kept[0] + len(kept))) or kept[0] < first or kept[-1] > last:
        said = ", ".join(map(str, kept)) or "none"
        message = f"the years {said} are no span of case '{case.name}'; give consecutive years between {first} and "
        message += f"{last}, e.g. range({max(first, last - 2)}, {last + 1})"
        raise ArgumentError(message)
    return kept


def _years(years: tuple[int, ...], kept: tuple[int, ...], shift: dict[int, int]) -> tuple[int, ...]:
    """Years that remain; what is of the first year alone moves to the new first year."""
    if len(years) == 1 and years[0] in shift:
        return (shift[years[0]],)
    return tuple(year for year in years if year in kept)


def with_flows(system: SystemDefinition, flows: Sequence[Flow]) -> SystemDefinition:
    """A system of other flows, with those of its processes that the flows touch."""
    names = {flow.name for flow in flows}
    ends = {end for flow in flows for end in (flow.from_process, flow.to_process)}
    processes = tuple(
        dataclasses.replace(p, reference_outflow=tuple(name for name in p.reference_outflow if name in names))
        for p in system.processes
        if p.name in ends
    )
    return dataclasses.replace(system, processes=processes, flows=tuple(flows))


def _prior(prior: Prior, system: SystemDefinition, kept: tuple[int, ...], shift: dict[int, int]) -> Prior:
    """The row restricted to the remaining years; without years if it has no flow left."""
    years = _years(prior.years, kept, shift)
    if not years or not system.select(prior.selector):
        return dataclasses.replace(prior, years=())
    if math.isnan(prior.median_to) or years[0] not in prior.years:
        return dataclasses.replace(prior, years=years)
    first, last = median_in_year(prior, years[0]), median_in_year(prior, years[-1])
    until = prior.median_until if years[0] < prior.median_until < years[-1] else 0
    to = math.nan if len(years) == 1 or years[0] >= prior.median_until > 0 else last
    return dataclasses.replace(prior, years=years, median=first, median_to=to, median_until=until)


def speaks_of(row: Evidence, system: SystemDefinition) -> bool:
    """Whether a system has flows of each side of a row."""
    part, whole = sides(row, system)
    return bool(part) and (row.of is None or bool(whole))


def extend(case: Case, last: int, reopened: Collection[str] = ()) -> Case:
    """A case with years after its last, to a new last one: the same system, priors whose paths run on, no evidence on
    the new years. Raises `ArgumentError` when the year does not lie after the last of the case.

    Flows that exist in the last year exist in all later ones, and so do those of processes that are ``reopened``. A
    prior whose median moves keeps that of the old last year; a covariate keeps its last value. So nothing but levels
    and correlations says anything of the future.

    >>> import reeuncert as ree
    >>> case = extend(ree.read_case("small_metal"), 2025)
    >>> case.name, case.system.years[-1], case.system.flows[0].years[-1]
    ('small_metal_to_2025', 2025, 2025)
    """
    old = case.system.years
    if last <= old[-1]:
        message = f"the year {last} does not lie after the last year of case '{case.name}', {old[-1]}; give a later one"
        raise ArgumentError(message)
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
        priors=tuple(_run_on(p, run_on(p.years, of_reopened(p))) for p in case.priors),
        covariates={n: {**v, **dict.fromkeys(new, v[max(v)])} for n, v in case.covariates.items()},
        contents={n: dataclasses.replace(c, years=run_on(c.years)) for n, c in case.contents.items()},
    )


def _run_on(prior: Prior, years: tuple[int, ...]) -> Prior:
    if years == prior.years or math.isnan(prior.median_to):
        return dataclasses.replace(prior, years=years)
    return dataclasses.replace(prior, years=years, median_until=prior.median_until or prior.years[-1])


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
