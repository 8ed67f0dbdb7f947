"""Checks of the priors table: rows that cannot be used; coordinates without a row, or with several; needless rows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from reeuncert.balance.network import Network
from reeuncert.case.figures import median_in_year
from reeuncert.case.records import Case, Prior
from reeuncert.case.rules import prior_problems
from reeuncert.errors import ModelError, Problem
from reeuncert.priors.coverage import COORDINATE_KINDS, case_network, group_members, prior_groups, sole_input
from reeuncert.priors.subjects import check_densities
from reeuncert.system.definition import OUTSIDE, Flow
from reeuncert.words.cells import condensed, listed, quoted, unknown

FILE = "priors.csv"
AS_EVIDENCE = (
    "A normal prior on a flow inside the network is a row of evidence, with the mean in value, the sd in width, and a "
    "source whose class is additive"
)
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
            f"kind '{row.kind}' is for prior_measure = mass; with coordinates use one of: {listed(COORDINATE_KINDS)}. "
            f"{AS_EVIDENCE}",
        )
        return
    outside = [f.name for f in flows if f.from_process == OUTSIDE]
    fed = [f.name for f in flows if f.from_process != OUTSIDE and sole_input(case.system, f.from_process) is None]
    if row.kind == "input" and fed:
        yield (
            "kind",
            "kind 'input' is for flows from outside, or for what a process delivers that one such flow feeds alone, "
            f"but flow {quoted(fed[0])} leaves a process that others feed; use share",
        )
    elif row.kind != "input" and outside and row.kind == "share":
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


def _numbers(case: Case, row: Prior, flows: list[Flow]) -> _Found:
    if row.family:
        yield (
            "family",
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
                message = f"the row shares its level ('{row.shared}') with {quoted(other.name)} on line {other.line}"
                message += f", whose {name} is {theirs or 'empty'}; write the same, or another name in shared"
                found.append(Problem(FILE, row.line, name, message))
    return found


def coverage_problems(case: Case) -> list[Problem]:
    """Coordinates without a row, with several rows, and rows without a coordinate. The system must be able to balance,
    and the rows must be free of problems of their own.
    """
    try:
        network = case_network(case)
        if case.prior_measure != "coordinates":
            check_densities(case, network)
            return []
    except ModelError as error:
        return _density_problems(case, str(error))
    cover = _Cover.of(case, network)
    return [*_missing(case, cover), *_double(case, cover), *_needless(case, cover), *_sums(cover)]


def _density_problems(case: Case, message: str) -> list[Problem]:
    """Lines of a model error as problems on the rows that they name."""
    line_of = {row.name: row.line for row in case.priors}
    parts = [part.strip() for part in message.split("\n")]
    found = []
    for part in parts[1:] if len(parts) > 1 else parts:
        named = re.match(r"prior '(.+?)' ", part)
        found.append(Problem(FILE, line_of.get(named[1], 0) if named else 0, "", part))
    return found


_Key = tuple[str, int, str]
"""Name of a flow or group, year, kind."""


@dataclass
class _Cover:
    """Rows that cover each coordinate.

    ``of_process`` holds the coordinates of each process (or group) and year, by the name of its reference.
    """

    coordinates: dict[_Key, list[Prior]]
    fallback: set[tuple[str, int]] = field(default_factory=set)
    rows: dict[_Key, list[Prior]] = field(default_factory=dict)
    of_process: dict[tuple[str, int, str], list[_Key]] = field(default_factory=dict)

    @classmethod
    def of(cls, case: Case, network: Network) -> _Cover:
        kinds, names = network.coordinate_kind.tolist(), network.coordinate_name.tolist()
        years, references = network.coordinate_year.tolist(), network.reference_of.tolist()
        keys: list[_Key] = list(zip(names, years, kinds, strict=True))
        cover = cls({key: [] for key in keys})
        for key, reference in zip(keys, references, strict=True):
            if reference:
                cover.of_process.setdefault((reference, key[1], key[2]), []).append(key)
        group_name = {group.flows: group.name for group in prior_groups(case)}
        for row in case.priors:
            members = group_members(case, row)
            flows = [case.system.flows[i] for i in case.system.select(row.selector)]
            for year in row.years:
                present = [f.name for f in flows if year in f.years]
                names = [group_name[members]] if members and len(present) > 1 else present
                if names and names != present:
                    cover.fallback.update((name, year) for name in present)
                for name in names:
                    key = (name, year, row.kind)
                    cover.rows.setdefault(key, []).append(row)
                    if key in cover.coordinates:
                        cover.coordinates[key].append(row)
        return cover


def _by_name(keys: list[_Key]) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for name, year, kind in keys:
        found.setdefault((name, kind), []).append(year)
    return found


def _subject(case: Case, name: str, kind: str) -> str:
    index = case.system.flow_index.get(name)
    if index is None:
        return f"the total '{name}'"
    flow = case.system.flows[index]
    if kind == "input":
        return f"the input '{name}'"
    return f"the share of flow '{name}' in what leaves process '{flow.from_process}'"


def _missing(case: Case, cover: _Cover) -> list[Problem]:
    keys = [
        (name, year, kind)
        for (name, year, kind), rows in cover.coordinates.items()
        if not rows and not (kind == "split" and (name, year) in cover.fallback)
    ]
    speaking = {(name, kind): rows[0] for (name, _, kind), rows in cover.rows.items()}
    problems = []
    for (name, kind), years in _by_name(keys).items():
        row = speaking.get((name, kind))
        if row:
            remedy = f"extend the years of {quoted(row.name)} (line {row.line}, {condensed(row.years)}), or add a row"
        else:
            remedy = f"add a row of kind {kind}"
        message = f"no row covers {_subject(case, name, kind)} in {condensed(years)}; {remedy}"
        problems.append(Problem(FILE, 0, "flow", message))
    return problems


def _double(case: Case, cover: _Cover) -> list[Problem]:
    found: dict[tuple[str, str, tuple[int, ...]], list[int]] = {}
    rows_of: dict[int, Prior] = {row.line: row for row in case.priors}
    for (name, year, kind), rows in cover.coordinates.items():
        if len(rows) > 1:
            found.setdefault((name, kind, tuple(row.line for row in rows)), []).append(year)
    problems = []
    for (name, kind, lines), years in found.items():
        others = " and ".join(f"{quoted(rows_of[line].name)} (line {line})" for line in lines[:-1])
        message = f"{_subject(case, name, kind)} in {condensed(years)} is covered by {others} already; "
        message += "give each year one row: change the years or the selector"
        problems.append(Problem(FILE, lines[-1], "years", message))
    return problems


def _needless(case: Case, cover: _Cover) -> list[Problem]:
    """Rows for reference outflows, and rows of kind split for flows that are not part of a total."""
    found: dict[tuple[int, str], list[int]] = {}
    for (name, year, kind), rows in cover.rows.items():
        if (name, year, kind) not in cover.coordinates and name in case.system.flow_index:
            for row in rows:
                if kind != "split" or not any((name, y, "split") in cover.coordinates for y in row.years):
                    found.setdefault((row.line, name), []).append(year)
    problems = []
    kind_of = {row.line: row.kind for row in case.priors}
    for (line, name), years in found.items():
        flow = case.system.flows[case.system.flow_index[name]]
        if kind_of[line] == "split":
            message = (
                f"flow '{name}' is no part of a total that is split in {condensed(years)}, or takes what is left of it"
            )
        elif (name, years[0]) in cover.fallback:
            message = f"flow '{name}' is part of a total in {condensed(years)}; its own row must be of kind split"
        else:
            message = (
                f"flow '{name}' is the reference outflow of process '{flow.from_process}' in {condensed(years)}: it "
                "takes what the others leave, and can have no prior"
            )
        problems.append(Problem(FILE, line, "flow", f"{message}; change the selector or the years, or delete the row"))
    return problems


def _sums(cover: _Cover) -> list[Problem]:
    """Median shares that leave nothing for the reference outflow."""
    found: dict[tuple[str, str, tuple[int, ...]], list[tuple[int, float]]] = {}
    for (reference, year, kind), keys in cover.of_process.items():
        rows = [[row for row in cover.coordinates[key] if _is_share(row)] for key in keys]
        equal = 1 / (len(keys) + 1)
        medians = [
            median_in_year(r[0], year) if r and (kind != "split" or r[0].kind == "split") else equal * (kind == "split")
            for r in rows
        ]
        total = math.fsum(m for m in medians if not math.isnan(m))
        if total >= 1:
            lines = tuple(sorted({r[0].line for r in rows if r}))
            found.setdefault((reference, kind, lines), []).append((year, total))
    problems = []
    for (reference, _, lines), years in found.items():
        most = max(total for _, total in years)
        message = (
            f"the median shares on line{'s' * (len(lines) > 1)} {listed(map(str, lines), 20)} add up to {most:.3g} in "
            f"{condensed(y for y, _ in years)}, which leaves nothing for '{reference}'; keep their sum below 1"
        )
        problems.append(Problem(FILE, lines[-1], "median", message))
    return problems


def _is_share(row: Prior) -> bool:
    """Whether the medians of a row are shares, which can be summed."""
    return 0 < row.median < 1 and not (row.median_to <= 0 or row.median_to >= 1)
