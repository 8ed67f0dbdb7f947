"""Problems of single rows of a priors table, found before sampling."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reeuncert.case.records import Case, Prior
from reeuncert.case.rules import prior_problems
from reeuncert.errors import Problem
from reeuncert.priors.coverage import COORDINATE_KINDS, sole_input
from reeuncert.system.definition import OUTSIDE, Flow
from reeuncert.words.cells import condensed, listed, shown, unknown

FILE = "priors.csv"
WIDE = 1.0
"""Log-sd above which a prior gets a warning."""

_Found = Iterator[tuple[str, str]]


def row_problems(case: Case) -> list[Problem]:
    """Problems of single rows of the priors table, in its order, given a system that can balance and the covariates of
    the case.
    """
    found = []
    for row in case.priors:
        own = list(prior_problems(row))
        columns = {column for column, _ in own}
        found += [Problem(FILE, row.line, *text) for text in own]
        found += [Problem(FILE, row.line, *text) for text in _row(case, row) if text[0] not in columns]
    return found + _shared_levels(case)


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
            found.append(Problem(FILE, row.line, "level_sd", message))
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
    yield from _kind(case, row, flows)
    if row.mode == "" and len(flows) > 1:
        names = listed([f.name for f in flows], 4)
        yield (
            "mode",
            f"the cell is empty, but the selector matches {len(flows)} flows ({names}); write each (one prior for "
            "every one) or total (for their sum)",
        )
    if case.prior_measure == "coordinates":
        yield from _numbers(case, row, flows)


def _kind(case: Case, row: Prior, flows: list[Flow]) -> _Found:
    if case.prior_measure != "coordinates":
        return
    if row.kind not in COORDINATE_KINDS:
        yield (
            "kind",
            f"kind '{row.kind}' is for prior_measure = mass; with coordinates use one of: {listed(COORDINATE_KINDS)}",
        )
        return
    outside = [f.name for f in flows if f.from_process == OUTSIDE]
    fed = [f.name for f in flows if f.from_process != OUTSIDE and sole_input(case.system, f.from_process) is None]
    if row.kind == "input" and fed:
        yield (
            "kind",
            "kind 'input' is for flows from outside, or for what a process delivers that one such flow feeds alone, "
            f"but flow {shown(fed[0])} leaves a process that others feed; use share",
        )
    elif row.kind != "input" and outside and row.kind == "share":
        yield (
            "kind",
            f"kind 'share' is for flows that leave a process, but {shown(outside[0])} is from outside; use input",
        )
    starts = sorted({f.from_process for f in flows})
    if row.mode == "total" and row.kind == "share" and len(starts) > 1:
        yield (
            "mode",
            f"a total is of flows that leave one process, but these leave {len(starts)} ({listed(starts, 4)}); name "
            "one in from_process, or write each",
        )


def _numbers(case: Case, row: Prior, flows: list[Flow]) -> _Found:
    if row.family:
        yield (
            "family",
            "families are for prior_measure = mass or shares; empty the cell, and give median and spread",
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
                message = f"the row shares its level ('{row.shared}') with {shown(other.name)} on line {other.line}"
                message += f", whose {name} is {theirs or 'empty'}; write the same, or another name in shared"
                found.append(Problem(FILE, row.line, name, message))
    return found
