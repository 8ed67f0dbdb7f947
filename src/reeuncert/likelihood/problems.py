"""Problems of evidence rows with respect to the flows of a case, found before sampling: of single rows, and of rows
that conflict or are not independent (duplicates, contradictions, overlaps).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reeuncert.case.figures import bounds, figure_text, place_text, scale_of, to_scale
from reeuncert.case.records import Case, Evidence
from reeuncert.case.rules import agrees_with_zero, evidence_row_problems
from reeuncert.case.selection import GROSS, Term, contents_of, of_years, products_without_factor, sides, years_in_case
from reeuncert.case.shared import error_class_of, prints_of_several_rows
from reeuncert.errors import Problem
from reeuncert.likelihood.parameters import row_multiplier
from reeuncert.system.definition import Selector
from reeuncert.words.cells import condensed, unknown
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.qualifiers import BOUND_QUALIFIERS
from reeuncert.words.units import RELATION_UNITS, SHARE_RELATIONS, unit_factor

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


def evidence_problems(case: Case) -> list[Problem]:
    """All problems of the evidence of a case, in file and line order; only its system and evidence are used."""
    problems, sound = _sift(case)
    problems += duplicates(case, sound)
    problems += _prints(case, sound)
    problems += contradictions(case, [row for row in sound if row_has_flows(row, case)])
    return sorted(problems)


def _sift(case: Case) -> tuple[list[Problem], list[Evidence]]:
    """Problems of single rows, and the rows without problems."""
    problems: list[Problem] = []
    sound: list[Evidence] = []
    for row in case.evidence:
        found = [Problem(row.file, row.line, *text) for text in _row_problems(row, case)]
        problems += found
        if not found:
            sound.append(row)
    return problems, sound


def rows_without_flows(case: Case) -> list[Evidence]:
    """Rows that report zero (or a bound that zero meets) for flows that do not exist in those years.

    They agree with the table of flows and carry no information, so the model leaves them out.
    """
    return [row for row in _sift(case)[1] if not row_has_flows(row, case)]


def row_has_flows(row: Evidence, case: Case) -> bool:
    """Whether any flow of a row exists in its years."""
    part, whole = sides(row, case.system)
    return bool(part) or (row.relation == "difference" and bool(whole))


def _prints(case: Case, sound: list[Evidence]) -> Iterator[Problem]:
    """Rows that cannot share the error of their print."""
    several = prints_of_several_rows(sound)
    scale: dict[str, tuple[str, bool]] = {}
    for row in sound:
        if row.print not in several:
            continue
        error = error_class_of(row, case)
        other, share = scale.setdefault(row.print, (row.id, row.relation == "share"))
        message = ""
        if ERROR_LAWS[error.family].plain:
            message = f"the class '{error.name}' is {error.family}; give one row all that the print says of it"
        elif share != (row.relation == "share"):
            message = f"the error of a share is on another scale than that of '{other}'; leave print empty in one"
        elif math.isnan(row.width) and not error.floor > 0:
            message = "the row needs an error of its own: write into width what making it from the print adds, or give "
            message += f"class '{error.name}' a floor"
        if message:
            count = f"{several[row.print]} rows are made from the print '{row.print}' and share its error, but "
            yield Problem(row.file, row.line, "print", count + message)


def _row_problems(row: Evidence, case: Case) -> Iterator[tuple[str, str]]:
    unknown_names = list(_references(row, case))
    family = "" if unknown_names else case.classes[case.sources[row.source_id].error_class].family
    plain = ERROR_LAWS[family].plain if family else None
    yield from (*evidence_row_problems(row, case.system.unit, plain), *unknown_names)
    if plain is None or row.relation not in RELATION_UNITS:
        return
    if row.relation == "difference" and not plain:
        yield (
            "relation",
            f"a difference may be negative and needs additive errors, but the class of source '{row.source_id}' has "
            f"the family {family}; give the source a class of family additive",
        )
    for column, given in (("year_from", row.years), ("of_year_from", of_years(row))):
        if not years_in_case(given, case.system):
            yield (
                column,
                f"the row is about {condensed(given)}, but the case covers {condensed(case.system.years)}; "
                "correct the years or delete the row",
            )
            return
    part, whole = sides(row, case.system)
    for prefix, selector in (("", row.selector), ("of_", row.of)):
        if selector is not None and not case.system.select(selector):
            yield (
                _column(selector, prefix),
                f"no flow of the case has {selector}; widen the selector, or add the flow to flows.csv",
            )
            return
    yield from _existence_problems(row, case, whole)
    if row.basis == GROSS:
        for product in products_without_factor(case.system, [*part, *whole], case.factors):
            yield (
                "basis",
                f"the row is in gross weight, but product '{product}' has no factor; add it to factors.csv, or leave "
                "the product out of the selector",
            )
    if row.element:
        yield from _content_problems(row, case, [*part, *whole])
    if row.relation == "share" and part and whole:
        yield from _share_problems(case, part, whole, plain)


def _references(row: Evidence, case: Case) -> Iterator[tuple[str, str]]:
    """Names in a row that are missing in the other tables of the case."""
    for column in ("offsets", "of_offsets"):
        for name in getattr(row, column):
            if name not in case.offsets:
                yield column, unknown(name, tuple(case.offsets), "offset")
    if row.source_id not in case.sources:
        yield "source_id", unknown(row.source_id, tuple(case.sources), "source")
        return
    error_class = case.sources[row.source_id].error_class
    if error_class not in case.classes:
        yield "source_id", f"{unknown(error_class, tuple(case.classes), 'class')} (of source '{row.source_id}')"
    elif case.classes[error_class].family not in ERROR_LAWS:
        family = case.classes[error_class].family
        yield "source_id", f"{unknown(family, tuple(ERROR_LAWS), 'family')} (of class '{error_class}')"


def _existence_problems(row: Evidence, case: Case, whole: tuple[Term, ...]) -> Iterator[tuple[str, str]]:
    """A figure above zero for flows that do not exist in those years; a share or ratio of nothing."""
    if row.of is not None and row.relation != "difference" and not whole:
        yield (
            _column(row.of, "of_"),
            f"none of the flows with {row.of} exists in {condensed(of_years(row))} (flows.csv has them in "
            f"{_years_of(case, row.of)}), so there is nothing to be a {row.relation} of; correct the years of the row "
            "or of the flows",
        )
    elif not row_has_flows(row, case) and not agrees_with_zero(row):
        yield (
            "year_from",
            f"none of the flows with {row.selector} exists in {condensed(row.years)} (flows.csv has them in "
            f"{_years_of(case, row.selector)}), so they are zero, which contradicts {figure_text(row)}; correct the "
            "years of the row or of the flows",
        )


def _content_problems(row: Evidence, case: Case, terms: list[Term]) -> Iterator[tuple[str, str]]:
    """Flows whose content of the row's element is not said, or said twice."""
    elements = {content.element for content in case.contents.values()}
    if row.element not in elements:
        yield "element", unknown(row.element, sorted(elements), "element")
        return
    counts: dict[str, dict[tuple[str, ...], set[int]]] = {}
    for (flow, year), found in contents_of(row.element, terms, case).items():
        if len(found) != 1:
            names = tuple(content.name for content in found)
            counts.setdefault(case.system.flows[flow].name, {}).setdefault(names, set()).add(case.system.years[year])
    for flow_name, by_names in counts.items():
        for names, years in by_names.items():
            when = condensed(sorted(years))
            message = f"the content of {row.element} in flow '{flow_name}' in {when} is given {len(names)} times in "
            message += f"contents.csv ({', '.join(names) or 'by no row'}), once is needed: "
            remedy = "narrow selectors or years there" if names else "add a row, or leave the flow out of the selector"
            yield "element", message + remedy


def _share_problems(
    case: Case, part: tuple[Term, ...], whole: tuple[Term, ...], plain: bool
) -> Iterator[tuple[str, str]]:
    beyond = sorted({case.system.flows[i].name for i, _ in set(part) - set(whole)})
    if beyond:
        more = f" (and {len(beyond) - 1} more)" if len(beyond) > 1 else ""
        yield (
            "relation",
            f"the row is a share, but flow '{beyond[0]}'{more} of the part is not in the whole; "
            "correct the columns of_…, or write the relation ratio",
        )
    elif set(part) == set(whole) and not plain:
        yield (
            "of_quantity",
            "the part and the whole of the share are the same flows, so the share is always 1; correct the columns "
            "of_…",
        )


def _years_of(case: Case, selector: Selector) -> str:
    exist = case.system.exists[list(case.system.select(selector))].any(axis=0)
    years = [y for y, found in zip(case.system.years, exist, strict=True) if found]
    return condensed(years) or "no year of the case"


def _column(selector: Selector, prefix: str) -> str:
    return prefix + next(iter(selector.fields), "quantity")


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
        Problem(
            later.file,
            later.line,
            "value",
            f"'{later.id}' says {figure_text(later)}, but {place_text(earlier)} says {figure_text(earlier)} of the "
            "same flows; the gap is more than their widths can bridge: correct one of them, or give one a larger width",
        )
        for same in by_statement.values()
        for k, later in enumerate(same)
        for earlier in same[:k]
        if _excludes(earlier, later, case)
    ]


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
    width = error.width if math.isnan(row.width) else row.width
    return low, high, width * row_multiplier(row, error, factor, case.errors)


def overlaps(case: Case) -> list[Overlap]:
    """Rows of one lineage whose selectors overlap in a year and that share no offset or print: a part and its total.

    They have a common error; without a shared offset the model treats them as independent. Only rows without a problem
    of their own are looked at. Shares and ratios are compared with those of one whole, levels and differences with
    levels and differences.
    """
    by_lineage: dict[tuple[str, frozenset[Term] | None], list[tuple[Evidence, frozenset[Term]]]] = defaultdict(list)
    for row in _sift(case)[1]:
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
