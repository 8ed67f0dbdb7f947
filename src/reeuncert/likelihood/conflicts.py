"""Rows that conflict or are not independent: duplicates, contradictions, overlaps."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reeuncert.case.figures import bounds, figure_text, place_text, scale_of, to_scale
from reeuncert.case.records import Case, Evidence
from reeuncert.case.selection import Term, of_years, sides, years_in_case
from reeuncert.case.shared import error_class_of
from reeuncert.errors import Problem
from reeuncert.likelihood.parameters import has_own_width, row_multiplier
from reeuncert.words.cells import condensed
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.qualifiers import BOUND_QUALIFIERS
from reeuncert.words.units import SHARE_RELATIONS, unit_factor

CONTRADICTION_WIDTHS = 8.0
"""Two bounds contradict each other if their gap exceeds this many joint widths."""

Statement = tuple[str, str, str, str, tuple[int, ...], tuple[int, ...], frozenset[Term], frozenset[Term]]
"""Subject of a row: relation, basis, element, span, years of both sides, flows of numerator and denominator."""


@dataclass(frozen=True)
class Overlap:
    """Two rows (ids, in the order of the tables) of one lineage with common flows and no shared offset; the years in
    which they overlap, and the common flows in these.
    """

    lineage: str
    first: str
    second: str
    years: tuple[int, ...]
    flows: tuple[str, ...]

    def __str__(self) -> str:
        names = ", ".join(self.flows[:3]) + (f", … ({len(self.flows)} flows)" if len(self.flows) > 3 else "")
        return (
            f"'{self.first}' and '{self.second}' (lineage {self.lineage}) both report {names} in "
            f"{condensed(self.years)} and share no offset; if they are parts and total of one record, give them one"
        )


def statement(row: Evidence, case: Case) -> Statement:
    """Subject of a row; equal for selectors that select the same flows."""
    years, others = (years_in_case(given, case.system) for given in (row.years, of_years(row)))
    part, whole = map(frozenset, sides(row, case.system))
    return row.relation, row.basis, row.element, row.span if len(years) > 1 else "sum", years, others, part, whole


def duplicates(case: Case, rows: Iterable[Evidence]) -> list[Problem]:
    """Double counting: rows of one lineage on the same flows, basis and years."""
    first: dict[tuple[str, Statement], Evidence] = {}
    problems = []
    for row in rows:
        key = (row.lineage, statement(row, case))
        if not key[1][-2] and not key[1][-1]:
            continue
        if key in first:
            problems.append(
                Problem(
                    row.file,
                    row.line,
                    "lineage",
                    f"'{row.id}' and {place_text(first[key])} are of one lineage, '{row.lineage}', and report the "
                    f"same flows on the same basis in {condensed(row.years)}: they count once; delete one, or "
                    "join them to a range or a second reading",
                )
            )
        first.setdefault(key, row)
    return problems


def contradictions(case: Case, rows: Iterable[Evidence]) -> list[Problem]:
    """Bounds on the same flows that exclude each other by more than their widths allow."""
    by_statement: dict[Statement, list[Evidence]] = defaultdict(list)
    for row in rows:
        if row.qualifier in BOUND_QUALIFIERS and not (row.offsets or row.of_offsets or row.print):
            by_statement[statement(row, case)].append(row)
    return [
        _contradiction(earlier, later)
        for same in by_statement.values()
        for k, later in enumerate(same)
        for earlier in same[:k]
        if _excludes(earlier, later, case)
    ]


def _contradiction(earlier: Evidence, later: Evidence) -> Problem:
    return Problem(
        later.file,
        later.line,
        "value",
        f"'{later.id}' says {figure_text(later)}, but {place_text(earlier)} says {figure_text(earlier)} of the same "
        "flows; the gap is more than their widths can bridge: correct one of them, or give one a larger width",
    )


def _excludes(first: Evidence, second: Evidence, case: Case) -> bool:
    (low_a, high_a, width_a), (low_b, high_b, width_b) = (_bound(row, case) for row in (first, second))
    gap = max(low_a, low_b) - min(high_a, high_b)
    same_scale = _is_plain(first, case) == _is_plain(second, case)
    return same_scale and gap > CONTRADICTION_WIDTHS * math.hypot(width_a, width_b)


def _is_plain(row: Evidence, case: Case) -> bool:
    return ERROR_LAWS[error_class_of(row, case).family].plain


def _bound(row: Evidence, case: Case) -> tuple[float, float, float]:
    """Bounds on the scale of the row, and the scale of its error."""
    error = error_class_of(row, case)
    factor = unit_factor(row.unit, row.relation, case.system.unit)
    scale = scale_of(row.relation, _is_plain(row, case))
    low, high = (end if math.isinf(end) else to_scale(end * factor, scale) for end in bounds(row))
    width = row.width if has_own_width(row) else error.width
    return low, high, width * row_multiplier(row, error, factor, case.errors)


def overlaps_among(case: Case, sound: Iterable[Evidence]) -> list[Overlap]:
    """Rows of one lineage whose selectors overlap in a year and that share no offset or print: a part and its total.

    Only rows without a problem of their own are looked at. Shares and ratios are compared with those of one whole,
    levels and differences with levels and differences.
    """
    by_lineage: dict[tuple[str, frozenset[Term] | None], list[tuple[Evidence, frozenset[Term]]]] = defaultdict(list)
    for row in sound:
        *_, part, whole = statement(row, case)
        relative = row.relation in SHARE_RELATIONS
        by_lineage[row.lineage, whole if relative else None].append((row, part if relative else part | whole))
    found = []
    for (lineage, _), rows in by_lineage.items():
        found += _overlaps_within(case, lineage, rows)
    return found


def _overlaps_within(case: Case, lineage: str, rows: Sequence[tuple[Evidence, frozenset[Term]]]) -> list[Overlap]:
    speakers: dict[Term, list[int]] = defaultdict(list)
    for k, (_, terms) in enumerate(rows):
        for term in terms:
            speakers[term].append(k)
    pairs: dict[tuple[int, int], set[Term]] = defaultdict(set)
    for term, members in speakers.items():
        for position, second in enumerate(members):
            for first in members[:position]:
                pairs[first, second].add(term)
    result = []
    for (a, b), common in sorted(pairs.items()):
        first_row, second_row = rows[a][0], rows[b][0]
        one_print = first_row.print and first_row.print == second_row.print
        if one_print or set(first_row.offsets) & set(second_row.offsets):
            continue
        years = tuple(sorted({case.system.years[t] for _, t in common}))
        flows = tuple(case.system.flows[i].name for i in sorted({i for i, _ in common}))
        result.append(Overlap(lineage, first_row.id, second_row.id, years, flows))
    return result
