"""Checks of one evidence row that need no flows: its words and its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reeuncert.case.records import Case, Evidence
from reeuncert.case.wording import figure_text
from reeuncert.likelihood.readings import BOUND_QUALIFIERS, LOG, LOGIT, QUALIFIERS, bounds, scale_of, to_scale
from reeuncert.words.cells import unknown
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.units import MASS_RELATIONS, SHARE_RELATIONS, unit_factor, units_for

RELATIONS = (*MASS_RELATIONS, *SHARE_RELATIONS)
"""A level, then the relations between two sums."""
SPANS = ("sum", "mean")

_ALLOWED = {LOG: "more than 0", LOGIT: "between 0 and 1 (0 and 100 %)"}


def word_problems(row: Evidence, case: Case) -> Iterator[tuple[str, str]]:
    """Column and message of each word of a row that is not known."""
    if row.relation not in RELATIONS:
        yield "relation", unknown(row.relation, RELATIONS, "relation")
    else:
        try:
            unit_factor(row.unit, row.relation, case.system.unit)
        except KeyError:
            yield "unit", unknown(row.unit, units_for(row.relation), f"for a {row.relation} the unit")
    if row.qualifier not in QUALIFIERS:
        yield "qualifier", unknown(row.qualifier, QUALIFIERS, "qualifier")
    if row.span not in SPANS:
        yield "span", unknown(row.span, SPANS, "span")
    if row.relation in RELATIONS[1:] and row.of is None:
        yield "of_quantity", f"the row is a {row.relation} and does not say of what; fill in at least one column of_…"
    for name in row.offsets:
        if name not in case.offsets:
            yield "offsets", unknown(name, tuple(case.offsets), "offset")
    if row.source_id not in case.sources:
        yield "source_id", unknown(row.source_id, tuple(case.sources), "source")
        return
    error_class = case.sources[row.source_id].error_class
    if error_class not in case.classes:
        yield "source_id", f"{unknown(error_class, tuple(case.classes), 'class')} (of source '{row.source_id}')"
    elif case.classes[error_class].family not in ERROR_LAWS:
        family = case.classes[error_class].family
        yield "source_id", f"{unknown(family, tuple(ERROR_LAWS), 'family')} (of class '{error_class}')"


def number_problems(row: Evidence, plain: bool) -> Iterator[tuple[str, str]]:
    """Column and message of each number of a row that cannot be on its scale.

    Parameters
    ----------
    plain
        The row has additive errors, so that any number will do.
    """
    scale = scale_of(row.relation, plain or row.relation == "difference")
    factor = 0.01 if row.unit == "%" else 1.0
    if row.qualifier == "zero" and not row.resolution > 0.0:
        yield "resolution", "the cell is empty; a reported zero needs the printed unit, e.g. 0.1"
    elif row.qualifier in BOUND_QUALIFIERS:
        low, high = bounds(row)
        if math.isnan(low) or math.isnan(high):
            yield (
                "value",
                f"a row that is {row.qualifier} needs {'low and high' if row.qualifier == 'range' else 'a value'}",
            )
        elif row.qualifier == "range" and low >= high:
            yield "high", f"high, {high:g}, is not above low, {low:g}; write the smaller number into low"
        elif to_scale(low * factor, scale) == -math.inf and to_scale(high * factor, scale) == math.inf:
            yield "value", f"{figure_text(row)} is true of every {row.relation}; delete the row"
        elif to_scale(high * factor, scale) == -math.inf:
            yield (
                "value",
                f"{figure_text(row)} leaves nothing; write the qualifier zero, and the printed unit into resolution",
            )
        elif to_scale(low * factor, scale) == math.inf:
            yield "value", f"{figure_text(row)} leaves nothing; a share is {_ALLOWED[LOGIT]}"
    elif not math.isfinite(to_scale(row.value * factor, scale)):
        yield (
            "value",
            f"the value is {row.value:g}; a {row.relation} with relative errors is {_ALLOWED.get(scale, 'a number')}",
        )
    if not math.isnan(row.width) and not row.width > 0.0:
        yield "width", f"the width is {row.width:g}; a width is more than 0"
    if not math.isnan(row.alternative):
        if row.qualifier in ("range", "zero"):
            yield (
                "alternative",
                f"a row that is {row.qualifier} cannot have a second reading; delete it, or write two rows",
            )
        elif not math.isfinite(to_scale(row.alternative * factor, scale)):
            yield (
                "alternative",
                f"the second reading is {row.alternative:g}; it must be {_ALLOWED.get(scale, 'a number')}",
            )
        if not 0.0 < row.alternative_weight < 1.0:
            yield "alternative_weight", f"the weight is {row.alternative_weight:g}; it must be between 0 and 1"


def agrees_with_zero(row: Evidence) -> bool:
    """Whether what a row says is true of a mass of exactly zero."""
    if row.qualifier in BOUND_QUALIFIERS:
        low, high = bounds(row)
        return low <= 0.0 <= high
    return row.value == 0.0
