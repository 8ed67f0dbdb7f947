"""Checks of the priors table: rows that cannot be used; coordinates without a row, or with several; needless rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from reeuncert.case.figures import class_variable, median_in_year
from reeuncert.case.records import Case, Prior
from reeuncert.case.rules import prior_problems
from reeuncert.errors import ModelError, Problem
from reeuncert.priors.coverage import Key, case_network, sole_input, stated_by_rows
from reeuncert.priors.subjects import uncovered
from reeuncert.system.definition import OUTSIDE, Flow
from reeuncert.words.cells import condensed, listed, quoted, unknown
from reeuncert.words.prior_families import PRIOR_KINDS, families_of

FILE = "priors.csv"
AS_EVIDENCE = (
    "A normal prior on a flow inside the network is a row of evidence, with the mean in value, the sd in width, and a "
    "source whose class is additive"
)
WIDE = 1.0
"""Log-sd above which a prior gets a warning."""
MOST_LISTED = 20
"""Problems that the error of a model lists."""

_Found = Iterator[tuple[str, str]]


def row_problems(case: Case) -> list[Problem]:
    """Problems of single rows of the priors table, in its order, given a system that can balance and the covariates of
    the case.
    """
    found = []
    for row in case.priors:
        own = list(prior_problems(row))
        columns = {column for column, _ in own}
        own += [text for text in _row(case, row) if text[0] not in columns]
        found += [_problem(row, column, message) for column, message in own]
    return found + _shared_levels(case) + _classes(case)


def _problem(row: Prior, column: str, message: str) -> Problem:
    """Of one row; of a row made in memory no line says which it is."""
    return Problem(FILE, row.line, column, message if row.line else f"prior {quoted(row.name)}: {message}")


def _named(row: Prior) -> str:
    return f"{quoted(row.name)} (line {row.line})" if row.line else quoted(row.name)


def prior_warnings(case: Case) -> list[Problem]:
    """Rows whose total spread on the log scale is above 1: a factor of five either way at 90 %.

    The spreads of level, year and slope (times the largest absolute value of the covariate) count together.
    """
    found = []
    for row in case.priors:
        spread = total_log_sd(case, row)
        if spread > WIDE:
            factor = math.exp(min(1.645 * spread, 700.0))
            message = f"the spreads add up to a log-sd of {spread:.2f}, a factor of {factor:.3g} either way (90 %); "
            message += "where it is above 1, say why in reason, or tighten the row"
            found.append(_problem(row, "level_sd", message))
    return found


def total_log_sd(case: Case, row: Prior) -> float:
    """Largest standard deviation over the years of a coordinate of a row."""
    values = case.covariates.get(row.slope_on, {})
    slope = max((abs(values[y]) for y in row.years if y in values), default=0.0) * row.slope_sd
    return math.sqrt(row.level_sd**2 + row.year_sd**2 + slope**2)


def _row(case: Case, row: Prior) -> _Found:
    flows = [case.system.flows[i] for i in case.system.select(row.selector)]
    column = next(iter(row.selector.fields), "flow")
    if not row.selector.fields:
        yield column, "the row selects every flow of the case; fill in at least one of: flow, quantity, product"
        return
    if not flows:
        yield column, f"no flow of the case has {row.selector}; widen the selector, or add the flow to flows.csv"
        return
    there = sorted({y for f in flows for y in f.years})
    if not set(there) & set(row.years):
        yield (
            "years",
            f"none of the flows with {row.selector} exists in {condensed(row.years)}; they exist in {condensed(there)}",
        )
        return
    kind = list(_kind(case, row, flows))
    yield from kind
    if row.mode == "" and len(flows) > 1:
        names = listed([f.name for f in flows], 4)
        yield (
            "mode",
            f"the cell is empty, but the selector matches {len(flows)} flows ({names}); write each (one prior for "
            "every one) or total (for their sum)",
        )
    if case.prior_measure == "coordinates":
        yield from _numbers(case, row, flows)
    elif not kind:
        yield from _density(row)


def _kind(case: Case, row: Prior, flows: list[Flow]) -> _Found:
    by_coordinates, kinds = case.prior_measure == "coordinates", PRIOR_KINDS[case.prior_measure]
    if row.kind not in kinds:
        message = f"kind '{row.kind}' is not of prior_measure = {case.prior_measure}; use one of: {listed(kinds)}"
        yield "kind", f"{message}. {AS_EVIDENCE}" if by_coordinates else message
        return
    outside = [f.name for f in flows if f.from_process == OUTSIDE]
    inside = [f for f in flows if f.from_process != OUTSIDE]
    fed = [f.name for f in inside if not by_coordinates or sole_input(case.system, f.from_process) is None]
    if row.kind == "input" and fed:
        also, others = ", or for what a process delivers that one such flow feeds alone", " that others feed"
        yield (
            "kind",
            f"kind 'input' is for flows from outside{also * by_coordinates}, but flow {quoted(fed[0])} leaves a "
            f"process{others * by_coordinates}; use share",
        )
    elif row.kind == "share" and outside:
        yield (
            "kind",
            f"kind 'share' is for flows that leave a process, but {quoted(outside[0])} is from outside; use input",
        )
    starts = sorted({f.from_process for f in flows})
    if row.mode == "total" and row.kind == "share" and len(starts) > 1:
        yield (
            "mode",
            f"a total is of flows that leave one process, but these leave {len(starts)} ({listed(starts, 4)}); name "
            "one in from_process, or write each",
        )


def _density(row: Prior) -> _Found:
    families = families_of(row.kind)
    if row.family not in families:
        what = f"the family '{row.family}' is not of kind {row.kind}" if row.family else "the cell is empty"
        yield "family", f"{what}; use one of: {listed(families)}"
    if row.mode == "total" and row.kind != "flow":
        yield "mode", "only a density of kind flow may be of a total; write each, and a row for each flow"
    for column in ("median", "median_to", "level_sd", "year_sd", "split_sd", "slope_sd", "correlation"):
        if (number := getattr(row, column)) and not math.isnan(number):
            yield column, "a density is said by family, a, b and c alone; empty the cell"


def _numbers(case: Case, row: Prior, flows: list[Flow]) -> _Found:
    of_family = [*["family"] * bool(row.family), *(c for c in ("a", "b", "c") if not math.isnan(getattr(row, c)))]
    if of_family:
        yield (
            of_family[0],
            "families are for prior_measure = mass or shares; empty the cell, and give median and spread. "
            f"{AS_EVIDENCE}",
        )
    if math.isnan(row.median):
        yield "median", "the cell is empty; a prior needs a median"
    if not math.isnan(row.median_to) and len(row.years) < 2:
        yield "median_to", "the row covers one year, so its median cannot move; empty the cell"
    if row.level_sd == 0 and row.year_sd == 0:
        yield "level_sd", "a prior without spread is a certainty; give level_sd (all years together) or year_sd above 0"
    if row.mode == "total" and len(flows) > 1 and row.split_sd == 0 and not _has_splits(case, row, flows):
        yield (
            "split_sd",
            "the row is of a total, and nothing says how it is split; give split_sd above 0, or rows of kind split",
        )
    yield from _slope(case, row)


def _has_splits(case: Case, row: Prior, flows: list[Flow]) -> bool:
    """Whether rows of kind split cover all members but one in every year of a total."""
    covered = {
        (case.system.flows[i].name, year)
        for other in case.priors
        if other.kind == "split"
        for i in case.system.select(other.selector)
        for year in other.years
    }
    return all(
        sum((f.name, year) not in covered for f in flows if year in f.years) <= 1 or year not in case.system.year_index
        for year in row.years
    )


def _slope(case: Case, row: Prior) -> _Found:
    if not row.slope_on:
        return
    if row.slope_on not in case.covariates:
        yield "slope_on", f"{unknown(row.slope_on, list(case.covariates), 'covariate')} (named in covariates.csv)"
        return
    values = case.covariates[row.slope_on]
    missing = [y for y in row.years if y not in values]
    if missing:
        yield (
            "slope_on",
            f"the covariate '{row.slope_on}' has no value in {condensed(missing)}; add rows to covariates.csv",
        )


def _shared_levels(case: Case) -> list[Problem]:
    first: dict[str, Prior] = {}
    found = []
    for row in case.priors:
        other = first.setdefault(row.shared, row) if row.shared else row
        for name in ("level_sd", "slope_on", "slope", "slope_sd"):
            mine, theirs = getattr(row, name), getattr(other, name)
            if mine != theirs:
                message = f"the row shares its level ('{row.shared}') with {_named(other)}, whose {name} is "
                message += f"{theirs or 'empty'}; write the same, or another name in shared"
                found.append(_problem(row, name, message))
    return found


def _classes(case: Case) -> list[Problem]:
    first: dict[str, str] = {}
    return [
        _problem(row, "group", f"{quoted(row.group)} and {quoted(other)} are one name in files of results; rename one")
        for row in case.priors
        if (other := first.setdefault(class_variable(row.group), row.group)) != row.group
    ]


def coverage_problems(case: Case) -> list[Problem]:
    """Coordinates without a row, with several rows, and rows without a coordinate. The system must be able to balance,
    and the rows must be free of problems of their own.
    """
    try:
        network = case_network(case)
    except ModelError as error:
        return [Problem(FILE, 0, "", str(error))]
    if case.prior_measure != "coordinates":
        return [Problem(FILE, 0, "", text) for text in uncovered(case, network)]
    rows, totals = stated_by_rows(case)
    covered = {key: rows.get(key, []) for key in network.coordinate_keys}
    beside: dict[Key, list[Key]] = {}
    for key, reference in zip(covered, network.reference_of.tolist(), strict=True):
        if reference:
            beside.setdefault((reference, *key[1:]), []).append(key)
    return [
        *_missing(case, covered, rows, totals),
        *_double(case, covered),
        *_needless(case, covered, rows),
        *_sums(case, covered, beside),
    ]


def check_densities(case: Case) -> None:
    """Raise `ModelError` with the first problems of a priors table of densities."""
    if problems := row_problems(case) or coverage_problems(case):
        more = f"\n  … and {len(problems) - MOST_LISTED} more" if len(problems) > MOST_LISTED else ""
        lines = "\n".join(f"  {problem}" for problem in problems[:MOST_LISTED])
        raise ModelError(f"the priors table does not give a density of every flow:\n{lines}{more}")


def _by_key[K](pairs: Iterable[tuple[K, int]]) -> dict[K, list[int]]:
    """Years by what is said of them."""
    found: dict[K, list[int]] = {}
    for key, year in pairs:
        found.setdefault(key, []).append(year)
    return found


def _places(case: Case) -> dict[int, int]:
    """Identity of a row → its place in the table: rows made in memory have no lines."""
    return {id(row): k for k, row in enumerate(case.priors)}


def _subject(case: Case, name: str, kind: str) -> str:
    index = case.system.flow_index.get(name)
    if index is None:
        return f"the total '{name}'"
    flow = case.system.flows[index]
    if kind == "input":
        return f"the input '{name}'"
    return f"the share of flow '{name}' in what leaves process '{flow.from_process}'"


def _missing(
    case: Case,
    covered: Mapping[Key, list[Prior]],
    rows: Mapping[Key, list[Prior]],
    totals: Mapping[tuple[str, int], Prior],
) -> Iterator[Problem]:
    missing = _by_key(
        ((name, kind), year)
        for (name, year, kind), found in covered.items()
        if not found and not (kind == "split" and (name, year) in totals)
    )
    speaking = {(name, kind): found[0] for (name, _, kind), found in rows.items()}
    for (name, kind), years in missing.items():
        row = speaking.get((name, kind))
        if row:
            remedy = f"extend the years of {_named(row)}, now {condensed(row.years)}, or add a row"
        else:
            remedy = f"add a row of kind {kind}"
        message = f"no row covers {_subject(case, name, kind)} in {condensed(years)}; {remedy}"
        yield Problem(FILE, 0, "flow", message)


def _double(case: Case, covered: Mapping[Key, list[Prior]]) -> Iterator[Problem]:
    place = _places(case)
    double = _by_key(
        ((name, kind, tuple(place[id(row)] for row in found)), year)
        for (name, year, kind), found in covered.items()
        if len(found) > 1
    )
    for (name, kind, places), years in double.items():
        *others, last = (case.priors[k] for k in places)
        message = f"{_subject(case, name, kind)} in {condensed(years)} is covered by "
        message += (
            f"{' and '.join(map(_named, others))} already; give each year one row: change the years or the selector"
        )
        yield _problem(last, "years", message)


def _needless(case: Case, covered: Mapping[Key, list[Prior]], rows: Mapping[Key, list[Prior]]) -> Iterator[Problem]:
    """Rows for reference outflows, for inputs that another row states, and for splits of what is no total."""
    place = _places(case)
    needless = _by_key(
        ((place[id(row)], name), year)
        for (name, year, kind), found in rows.items()
        if (name, year, kind) not in covered and name in case.system.flow_index
        for row in found
        if kind != "split" or not any((name, y, "split") in covered for y in row.years)
    )
    for (k, name), years in needless.items():
        row = case.priors[k]
        message = f"a row of kind {row.kind} can state nothing of flow '{name}' in {condensed(years)}: a reference "
        message += "outflow takes what the others leave; flows of a total have rows of kind split, others have none; "
        message += "an input is stated by one flow in all years; change kind, selector or years, or delete the row"
        yield _problem(row, "flow", message)


def _sums(case: Case, covered: Mapping[Key, list[Prior]], beside: Mapping[Key, list[Key]]) -> Iterator[Problem]:
    """Median shares that leave nothing for the reference outflow, by whose name ``beside`` has the others."""
    place = _places(case)
    found: dict[tuple[str, str, tuple[int, ...]], list[tuple[int, float]]] = {}
    for (reference, year, kind), keys in beside.items():
        rows = [[row for row in covered[key] if _is_share(row)] for key in keys]
        equal = 1 / (len(keys) + 1)
        medians = [
            median_in_year(r[0], year) if r and (kind != "split" or r[0].kind == "split") else equal * (kind == "split")
            for r in rows
        ]
        total = math.fsum(m for m in medians if not math.isnan(m))
        if total >= 1:
            places = tuple(sorted({place[id(r[0])] for r in rows if r}))
            found.setdefault((reference, kind, places), []).append((year, total))
    for (reference, _, places), years in found.items():
        own, most = [case.priors[k] for k in places], max(total for _, total in years)
        message = f"the median shares of {listed(map(_named, own), 20)} add up to {most:.3g} in "
        message += f"{condensed(y for y, _ in years)}, which leaves nothing for '{reference}'; keep their sum below 1"
        yield _problem(own[-1], "median", message)


def _is_share(row: Prior) -> bool:
    """Whether the medians of a row are shares, which can be summed."""
    return 0 < row.median < 1 and not (row.median_to <= 0 or row.median_to >= 1)
