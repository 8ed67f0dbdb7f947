"""All evidence of a case as arrays for the likelihood kernels; how a figure and its qualifier are read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.network import Network
from reeuncert.case.figures import LOG, LOGIT, PLAIN, bounds, scale_of, to_scale
from reeuncert.case.records import Case, ErrorTails, Evidence
from reeuncert.case.selection import Term, select
from reeuncert.case.shared import error_class_of, shared_errors
from reeuncert.errors import EvidenceError, ModelError
from reeuncert.likelihood.parameters import OffsetValues, WidthGroups, expand_offsets, group_widths, row_multiplier
from reeuncert.likelihood.problems import evidence_problems, row_has_flows
from reeuncert.words.cells import Short
from reeuncert.words.error_laws import DENSITY, ERROR_LAWS, INTERVAL
from reeuncert.words.qualifiers import BOUND_QUALIFIERS
from reeuncert.words.units import unit_factor


class Reading(NamedTuple):
    """One figure as input of the kernels."""

    # `DENSITY` at ``value``, or `INTERVAL` from ``value + lower`` to ``value + upper`` (either may be infinite)
    form: int
    value: float  # The figure on the scale of the row; for a range its middle, for a bound the bound
    lower: float = 0.0
    upper: float = 0.0
    # With probability ``weight`` the figure is ``value + shift``
    shift: float = 0.0
    weight: float = 0.0


def _interval(low: float, high: float) -> Reading:
    """The interval from low to high on the scale of the row, around its middle (or its finite end)."""
    if math.isinf(low):
        return Reading(INTERVAL, high, -math.inf, 0.0)
    if math.isinf(high):
        return Reading(INTERVAL, low, 0.0, math.inf)
    half = 0.5 * (high - low)
    return Reading(INTERVAL, low + half, -half, half)


def read(row: Evidence, factor: float, scale: str, sigma: float) -> Reading:
    """Form of one row without a problem; ``factor`` leads from its unit to that of the case, ``scale`` is ``log``,
    ``logit`` or ``plain``. With sigma, the scale of the row's error (the median, where it is learned), a printed figure
    is the interval of ± half its last digit where that exceeds sigma / 2.
    """
    if row.qualifier in BOUND_QUALIFIERS:
        low, high = bounds(row)
        reading = _interval(_end(low, factor, scale), _end(high, factor, scale))
    else:
        value = to_scale(row.value * factor, scale)
        reading = Reading(DENSITY, value)
        if math.isfinite(row.resolution) and row.resolution > 0.0:
            half = 0.5 * row.resolution
            low = to_scale((row.value - half) * factor, scale)
            high = to_scale((row.value + half) * factor, scale)
            if high - low > sigma:
                reading = Reading(INTERVAL, value, low - value, high - value)
    if math.isfinite(row.alternative) and row.alternative_weight > 0.0:
        shift = to_scale(row.alternative * factor, scale) - reading.value
        reading = reading._replace(shift=shift, weight=row.alternative_weight)
    return reading


def _end(number: float, factor: float, scale: str) -> float:
    return number if math.isinf(number) else to_scale(number * factor, scale)


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Sums(NamedTuple):
    """Sparse sums, one a row: row r is Σ ``coefficient[k]`` · exp(value ``content[k]``) · mass of ``edge[k]`` for k
    from ``pointer[r]`` on. Values of contents are log-offsets, counted from 1; 0 stands for none.
    """

    pointer: Ints
    edge: Ints
    coefficient: Floats
    content: Ints

    @classmethod
    def of(cls, rows: Iterable[tuple[Mapping[Term, float], Mapping[Term, int]]], edge_index: Ints) -> Sums:
        """Lay out the terms of each row; ``edge_index`` (flow, year) gives the number of an edge."""
        pointer, edge, coefficient, content = [0], [], [], []
        for terms, contents in rows:
            edge += [edge_index[term] for term in terms]
            coefficient += list(terms.values())
            content += [contents.get(term, 0) for term in terms]
            pointer.append(len(edge))
        ints = (np.array(numbers, np.int64) for numbers in (pointer, edge, content))
        return cls(next(ints), next(ints), np.array(coefficient, np.float64), next(ints))


@dataclass(frozen=True, eq=False, repr=False)
class EvidenceModel(Short):
    """The likelihood of a case as arrays; rows as in the evidence tables, without rows that have no flow."""

    rows: tuple[Evidence, ...]  # The evidence (row)
    scale: tuple[str, ...]  # Error scale of each row, ``log``, ``logit`` or ``plain`` (row)
    unit_factor: Floats  # From the unit of each row to the unit of the case (row)
    # The sums A and B of each row: its quantity is log A - log B + offsets, on the plain scale A / B · exp(offsets)
    numerator: Sums
    denominator: Sums
    # Statement of each row, see `reeuncert.likelihood.compile.Reading` (row)
    value: Floats
    form: Ints
    lower: Floats
    upper: Floats
    shift: Floats
    weight: Floats
    family: Ints  # Code of the error family (row)
    widths: WidthGroups  # One width for each lineage and class
    own_width: Floats  # Width given in the row; NaN if it uses that of its group (row)
    multiplier: Floats  # From the width to the scale of the row's error (row)
    offsets: OffsetValues  # Values of the log-offsets, and the rows that add them
    tails: ErrorTails  # Of the laws of errors
    # Indices of the flow and year of each edge (edge)
    edge_flow: Ints
    edge_year: Ints

    def __repr__(self) -> str:
        return f"Likelihood of {self.n_rows} figures of {len(set(self.lineage))} lineages"

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Id of each row: the coordinate ``evidence``."""
        return tuple(row.id for row in self.rows)

    @cached_property
    def lineage(self) -> tuple[str, ...]:
        """Lineage of each row."""
        return tuple(row.lineage for row in self.rows)

    @cached_property
    def learned_source(self) -> tuple[str, ...]:
        """Labels of the width groups whose width is learned."""
        return tuple(n for n, learned in zip(self.widths.label, self.widths.learned, strict=True) if learned)

    @cached_property
    def plain(self) -> NDArray[np.bool_]:
        """Whether a row has additive errors (row)."""
        return np.array([s == PLAIN for s in self.scale], dtype=bool)

    @cached_property
    def width_index(self) -> Ints:
        """Position of each row's width in the group widths followed by the rows' own widths (row)."""
        own = ~np.isnan(self.own_width)
        index = self.widths.row_group.copy()
        index[own] = len(self.widths.label) + np.arange(own.sum())
        return index

    @property
    def own_widths(self) -> Floats:
        """Widths given in rows, in row order."""
        return self.own_width[~np.isnan(self.own_width)]

    @cached_property
    def quantity_arrays(self) -> tuple[Ints, Floats]:
        """The constant inputs of `reeuncert.likelihood.op.selected_quantities`: layout and coefficients."""
        from reeuncert.likelihood.packing import pack_sums  # loads numba, which `reeuncert check` does without

        num, den, off = self.numerator, self.denominator, self.offsets
        return pack_sums(self.plain, num, den, (off.pointer, off.index, off.weight))

    @cached_property
    def row_arrays(self) -> tuple[Ints, Floats]:
        """The constant inputs of `reeuncert.likelihood.op.row_logp`: codes and bounds."""
        from reeuncert.likelihood.packing import pack_rows

        return pack_rows(self.family, self.form, self.lower, self.upper, self.shift, self.weight, self.tails)

    @cached_property
    def rows_of_lineage(self) -> Mapping[str, Ints]:
        """Positions of the rows of each lineage, in the order in which lineages appear."""
        found: dict[str, list[int]] = {}
        for r, lineage in enumerate(self.lineage):
            found.setdefault(lineage, []).append(r)
        return {lineage: np.array(rows, dtype=np.int64) for lineage, rows in found.items()}

    def row_sigma(self, source_width: Floats | None = None) -> Floats:
        """Scale of the error of each row (..., row) from the width of each group (..., source_group); from those of the
        classes if none is given.
        """
        source_width = self.widths.median if source_width is None else np.asarray(source_width, dtype=np.float64)
        own = np.broadcast_to(self.own_widths, (*source_width.shape[:-1], self.own_widths.size))
        widths: Floats = np.concatenate([source_width, own], axis=-1)[..., self.width_index] * self.multiplier
        return widths

    def to_unit(self, figures: Floats) -> Floats:
        """Figures on the scale of each row (..., row), in the unit in which the row was reported."""
        figures = np.asarray(figures, dtype=np.float64)
        result = figures.copy()
        log = np.array([s == LOG for s in self.scale], dtype=bool)
        logit = np.array([s == LOGIT for s in self.scale], dtype=bool)
        result[..., log] = np.exp(figures[..., log])
        result[..., logit] = 0.5 * (1.0 + np.tanh(0.5 * figures[..., logit]))
        result /= self.unit_factor
        return result


def compile_evidence(case: Case, network: Network) -> EvidenceModel:
    """Compile the evidence rows of a case to likelihood arrays. Every problem of the evidence is reported at once."""
    problems = evidence_problems(case)
    if problems:
        raise EvidenceError(problems)
    rows = tuple(row for row in case.evidence if row_has_flows(row, case))
    classes = [error_class_of(row, case) for row in rows]
    plain = [ERROR_LAWS[error.family].plain for error in classes]
    selections = [select(row, case, p) for row, p in zip(rows, plain, strict=True)]
    shared = shared_errors(rows, case)
    place = {value: k for k, value in enumerate(shared.values, 1)}
    contents = [{term: place[value] for term, value in values.items()} for values in shared.contents]
    own_width = np.array(shared.widths, dtype=np.float64)
    widths = group_widths(rows, classes, [s.touches for s in selections], np.isnan(own_width))
    factors = [unit_factor(row.unit, row.relation, case.system.unit) for row in rows]
    multiplier = np.array(
        [row_multiplier(row, error, f, case.errors) for row, error, f in zip(rows, classes, factors, strict=True)],
        dtype=np.float64,
    )
    medians = np.where(np.isnan(own_width), [error.width for error in classes], own_width) * multiplier
    scales = tuple(scale_of(row.relation, p) for row, p in zip(rows, plain, strict=True))
    readings = [read(*given) for given in zip(rows, factors, scales, medians, strict=True)]
    form, value, lower, upper, shift, weight = np.array(readings, dtype=np.float64).reshape(-1, 6).T.copy()
    edge_index = network.edge_index
    if edge_index.shape != case.system.exists.shape or np.any((edge_index < 0) & case.system.exists):
        raise ModelError("the network lacks flows of the system: make it from the system of this case")
    return EvidenceModel(
        rows=rows,
        scale=scales,
        unit_factor=np.array(factors, dtype=np.float64),
        numerator=Sums.of(zip((s.numerator for s in selections), contents, strict=True), edge_index),
        denominator=Sums.of(zip((s.denominator for s in selections), contents, strict=True), edge_index),
        value=value,
        form=form.astype(np.int64),
        lower=lower,
        upper=upper,
        shift=shift,
        weight=weight,
        family=np.array([ERROR_LAWS[error.family].code for error in classes], dtype=np.int64),
        widths=widths,
        own_width=own_width,
        multiplier=multiplier,
        offsets=expand_offsets(shared, case.errors),
        tails=case.errors,
        edge_flow=np.asarray(network.edge_flow, dtype=np.int64),
        edge_year=np.asarray(network.edge_year, dtype=np.int64),
    )
