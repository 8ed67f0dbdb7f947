"""Widths and offsets of simulated truths, drawn one by one from the tables of classes, sources and offsets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from reeuncert.case.records import Case, ErrorClass, Evidence
from reeuncert.system.definition import Flow, Selector

HALF_WIDTH_OF_T4 = 1.14
"""Half-width of the central 68 % of a t distribution with four degrees of freedom (definition of a width)."""

OUTLIERS, OUTLIER_SD = 0.1, 2.0
"""Customs outliers (wrong heading, missing consignment): probability and log-sd."""

LEARNED_LOG_SD = 0.4
"""Log-sd of a learned width around that of its class."""

WITNESSED = 8
"""Fewest rows with a second source for a learned width."""

Cell = tuple[str, int]
"""A flow in a year."""


def class_of(row: Evidence, case: Case) -> ErrorClass:
    """Error class of the source of a row."""
    return case.classes[case.sources[row.source_id].error_class]


@dataclass(frozen=True)
class Statement:
    """A row with its flows and years: numerator, and denominator of a share or ratio."""

    row: Evidence
    part: tuple[tuple[Flow, int], ...]
    whole: tuple[tuple[Flow, int], ...]


def statements(case: Case) -> tuple[Statement, ...]:
    """Rows with at least one existing flow; a zero for absent flows carries no information."""
    found = []
    for row in case.evidence:
        part = _cells(row.selector, row, case)
        whole = () if row.of is None else _cells(row.of, row, case)
        if part or (row.relation == "difference" and whole):
            found.append(Statement(row, part, whole))
    return tuple(found)


def _cells(selector: Selector, row: Evidence, case: Case) -> tuple[tuple[Flow, int], ...]:
    """Flows of a selector in the years of a row in which they exist."""
    years = [year for year in row.years if year in case.system.years]
    chosen = [flow for flow in case.system.flows if selector.matches(flow)]
    return tuple((flow, year) for flow in chosen for year in years if year in flow.years)


def source_label(row: Evidence, case: Case) -> str:
    """Width group of a row: lineage and error class."""
    return f"{row.lineage} ({class_of(row, case).name})"


def learned_sources(case: Case, said: Iterable[Statement]) -> dict[str, ErrorClass]:
    """Sources with a learned width: enough of their rows concern quantities that another lineage also reports."""
    touched = [(s.row, {(flow.name, year) for flow, year in (*s.part, *s.whole)}) for s in said]
    speakers: dict[Cell, set[str]] = {}
    for row, cells in touched:
        for cell in cells:
            speakers.setdefault(cell, set()).add(row.lineage)
    count: dict[str, int] = {}
    found: dict[str, ErrorClass] = {}
    for row, cells in touched:
        error = class_of(row, case)
        floor = 0.0 if math.isnan(error.floor) else error.floor
        if not math.isnan(row.width) or not error.learn or floor >= error.width:
            continue
        label = source_label(row, case)
        count[label] = count.get(label, 0) + any(len(speakers[cell]) > 1 for cell in cells)
        found[label] = error
    return {label: error for label, error in found.items() if count[label] >= WITNESSED}


def draw_widths(case: Case, said: Iterable[Statement], rng: np.random.Generator) -> dict[str, float]:
    """Width of each source with a learned width: lognormal around its class, above its floor."""
    drawn = {}
    for label, error in learned_sources(case, said).items():
        floor = 0.0 if math.isnan(error.floor) else error.floor
        above = (error.width**2 - floor**2) * math.exp(2.0 * LEARNED_LOG_SD * rng.standard_normal())
        drawn[label] = math.sqrt(floor**2 + above)
    return drawn


def draw_error(family: str, width: float, rng: np.random.Generator) -> float:
    """One error of a family, for a width that is the half-width of the central 68 % (of its core, for customs)."""
    if family in ("normal", "additive"):
        return width * float(rng.standard_normal())
    if family == "customs" and rng.random() < OUTLIERS:
        return OUTLIER_SD * float(rng.standard_normal())
    return width / HALF_WIDTH_OF_T4 * float(rng.standard_t(4))


def draw_offsets(case: Case, said: Iterable[Statement], rng: np.random.Generator) -> dict[str, dict[int, float]]:
    """Each offset used by a row: by year, or under year 0 if it is the same for all years."""
    drawn: dict[str, dict[int, float]] = {}
    for row in (statement.row for statement in said):
        for name in row.offsets:
            offset = case.offsets[name]
            years = [y for y in row.years if y in case.system.years] if offset.per == "year" else [0]
            for year in years:
                if year not in drawn.setdefault(name, {}):
                    drawn[name][year] = offset.mean + draw_error(offset.family, offset.sd, rng)
    return drawn


def offset_of(row: Evidence, case: Case, drawn: Mapping[str, Mapping[int, float]]) -> float:
    """Sum of a row's offsets; of one by year, the mean over the row's years."""
    total = 0.0
    for name in row.offsets:
        if case.offsets[name].per == "year":
            years = [y for y in row.years if y in case.system.years]
            total += sum(drawn[name][y] for y in years) / len(years)
        else:
            total += drawn[name][0]
    return total
