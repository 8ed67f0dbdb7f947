"""Problems of evidence rows with respect to the flows of a case, found before sampling."""

import math
from collections.abc import Iterator

from reeuncert.case.figures import figure_text
from reeuncert.case.records import Case, Evidence
from reeuncert.case.rules import agrees_with_zero, evidence_row_problems
from reeuncert.case.selection import GROSS, Term, contents_of, of_years, products_without_factor, sides, years_in_case
from reeuncert.case.shared import error_class_of, prints_of_several_rows
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
    problems += _prints(case, sound)
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
    for column, given in (("year_from", row.years), ("of_year_from", of_years(row))):
        if not years_in_case(given, case.system):
            yield problem(
                column,
                f"the row is about {condensed(given)}, but the case covers {condensed(case.system.years)}; "
                "correct the years or delete the row",
            )
            return
    terms: dict[str, tuple[Term, ...]] = {}
    selectors = [("", row.selector)] + ([("of_", row.of)] if row.of is not None else [])
    for (prefix, selector), found_terms in zip(selectors, sides(row, case.system), strict=False):
        if not case.system.select(selector):
            yield problem(
                _column(selector, prefix),
                f"no flow of the case has {selector}; widen the selector, or add the flow to flows.csv",
            )
            return
        terms[prefix] = found_terms
    yield from (problem(*p) for p in _existence_problems(row, case, terms))
    if row.basis == GROSS:
        missing = products_without_factor(case.system, [t for side in terms.values() for t in side], case.factors)
        for product in missing:
            yield problem(
                "basis",
                f"the row is in gross weight, but product '{product}' has no factor; add it to factors.csv, or leave "
                "the product out of the selector",
            )
    if row.element:
        yield from (problem(*p) for p in _content_problems(row, case, [t for side in terms.values() for t in side]))
    if row.relation == "share" and terms[""] and terms["of_"]:
        yield from (problem(*p) for p in _share_problems(case, terms[""], terms["of_"], plain))


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


def _existence_problems(row: Evidence, case: Case, terms: dict[str, tuple[Term, ...]]) -> Iterator[tuple[str, str]]:
    """A figure above zero for flows that do not exist in those years; a share or ratio of nothing."""
    if row.of is not None and row.relation != "difference" and not terms["of_"]:
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
            if names:
                message = (
                    f"the content of {row.element} in flow '{flow_name}' in {when} is given {len(names)} times, by "
                )
                message += f"{', '.join(names)}; narrow their selectors or years in contents.csv"
            else:
                message = f"contents.csv does not say how much {row.element} flow '{flow_name}' holds in {when}; add a "
                message += "row, or leave the flow out of the selector"
            yield "element", message


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
