"""Problems of evidence rows with respect to the flows of a case, found before sampling."""

from __future__ import annotations

from collections.abc import Iterator

from reeuncert.case.records import Case, Evidence
from reeuncert.case.rules import agrees_with_zero, evidence_row_problems
from reeuncert.case.selection import GROSS, Term, products_without_factor, selected, years_in_case
from reeuncert.case.wording import figure_text
from reeuncert.errors import Problem
from reeuncert.likelihood.conflicts import Overlap, contradictions, duplicates, overlaps_among
from reeuncert.system.definition import Selector
from reeuncert.words.cells import condensed, unknown
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.units import RELATION_UNITS


def evidence_problems(case: Case) -> list[Problem]:
    """All problems of the evidence of a case, in file and line order; only its system and evidence are used."""
    problems, sound = _sift(case)
    problems += duplicates(case, sound)
    problems += contradictions(case, [row for row in sound if row_has_flows(row, case)])
    return sorted(problems)


def _sift(case: Case) -> tuple[list[Problem], list[Evidence]]:
    """Problems of single rows, and the rows without problems."""
    problems: list[Problem] = []
    sound: list[Evidence] = []
    for row in case.evidence:
        found = list(_row_problems(row, case))
        problems += found
        if not found:
            sound.append(row)
    return problems, sound


def overlaps(case: Case) -> list[Overlap]:
    """Rows of one lineage whose selectors overlap in a year and that share no offset, such as a part and its total.

    A total and its parts from one source have a common error; without a shared offset the model treats them as
    independent. Rows with other problems are left out.
    """
    return overlaps_among(case, _sift(case)[1])


def rows_without_flows(case: Case) -> list[Evidence]:
    """Rows that report zero (or a bound that zero meets) for flows that do not exist in those years.

    They agree with the table of flows and carry no information, so the model leaves them out.
    """
    return [row for row in _sift(case)[1] if not row_has_flows(row, case)]


def row_has_flows(row: Evidence, case: Case) -> bool:
    """Whether any flow of a row exists in its years."""
    years = years_in_case(row, case.system)
    found = bool(selected(case.system, row.selector, years))
    if not found and row.relation == "difference" and row.of is not None:
        found = bool(selected(case.system, row.of, years))
    return found


def _row_problems(row: Evidence, case: Case) -> Iterator[Problem]:
    def problem(column: str, message: str) -> Problem:
        return Problem(row.file, row.line, column, message)

    unknown_names = list(_references(row, case))
    family = "" if unknown_names else case.classes[case.sources[row.source_id].error_class].family
    plain = ERROR_LAWS[family].plain if family else None
    found = [*evidence_row_problems(row, case.system.unit, plain), *unknown_names]
    yield from (problem(*p) for p in found)
    if plain is None or row.relation not in RELATION_UNITS:
        return
    if row.relation == "difference" and not plain:
        yield problem(
            "relation",
            f"a difference may be negative and needs additive errors, but the class of source '{row.source_id}' has "
            f"the family {family}; give the source a class of family additive",
        )
    years = years_in_case(row, case.system)
    if not years:
        yield problem(
            "year_from",
            f"the row speaks of {condensed(row.years)}, but the case covers {condensed(case.system.years)}; "
            "correct the years or delete the row",
        )
        return
    sides = [("", row.selector)] + ([("of_", row.of)] if row.of is not None else [])
    terms: dict[str, tuple[Term, ...]] = {}
    for prefix, selector in sides:
        if not case.system.select(selector):
            yield problem(
                _column(selector, prefix),
                f"no flow of the case has {selector}; widen the selector, or add the flow to flows.csv",
            )
            return
        terms[prefix] = selected(case.system, selector, years)
    yield from (problem(*p) for p in _existence_problems(row, case, years, terms))
    if row.basis == GROSS:
        missing = products_without_factor(case.system, [t for side in terms.values() for t in side], case.factors)
        for product in missing:
            yield problem(
                "basis",
                f"the row is in gross weight, but product '{product}' has no factor; add it to factors.csv, or leave "
                "the product out of the selector",
            )
    if row.relation == "share" and terms[""] and terms["of_"]:
        yield from (problem(*p) for p in _share_problems(case, terms[""], terms["of_"], plain))


def _references(row: Evidence, case: Case) -> Iterator[tuple[str, str]]:
    """Names in a row that are missing in the other tables of the case."""
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


def _existence_problems(
    row: Evidence, case: Case, years: tuple[int, ...], terms: dict[str, tuple[Term, ...]]
) -> Iterator[tuple[str, str]]:
    """A figure above zero for flows that do not exist in those years; a share or ratio of nothing."""
    if row.of is not None and row.relation != "difference" and not terms["of_"]:
        yield (
            _column(row.of, "of_"),
            f"none of the flows with {row.of} exists in {condensed(years)} (flows.csv has them in "
            f"{_years_of(case, row.of)}), so there is nothing to be a {row.relation} of; correct the years of the row "
            "or of the flows",
        )
    elif not row_has_flows(row, case) and not agrees_with_zero(row):
        yield (
            "year_from",
            f"none of the flows with {row.selector} exists in {condensed(years)} (flows.csv has them in "
            f"{_years_of(case, row.selector)}), so they are zero, which contradicts {figure_text(row)}; correct the "
            "years of the row or of the flows",
        )


def _share_problems(
    case: Case, part: tuple[Term, ...], whole: tuple[Term, ...], plain: bool
) -> Iterator[tuple[str, str]]:
    beyond = sorted({case.system.flows[i].name for i, _ in set(part) - set(whole)})
    if beyond:
        yield (
            "relation",
            f"the row is a share, but flow '{beyond[0]}'{_and_more(len(beyond) - 1)} of the part is not in the whole; "
            "correct the columns of_…, or write the relation ratio",
        )
    elif set(part) == set(whole) and not plain:
        yield (
            "of_quantity",
            "the part and the whole of the share are the same flows, so the share is always 1; correct the columns "
            "of_…",
        )


def _and_more(count: int) -> str:
    return f" (and {count} more)" if count else ""


def _years_of(case: Case, selector: Selector) -> str:
    exist = case.system.exists[list(case.system.select(selector))].any(axis=0)
    years = [y for y, found in zip(case.system.years, exist, strict=True) if found]
    return condensed(years) or "no year of the case"


def _column(selector: Selector, prefix: str) -> str:
    return prefix + next(iter(selector.fields), "quantity")
