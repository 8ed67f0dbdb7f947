"""Flows and years of an evidence row, with coefficients."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reeuncert.case.records import Case, Content, Evidence, Factor
from reeuncert.system.definition import Selector, SystemDefinition
from reeuncert.words.cells import unknown

GROSS = "gross"  # the basis in which a figure is gross weight: every flow is divided by the content of its product
Term = tuple[int, int]  # a flow in a year: indices into ``system.flows`` and ``system.years``


@dataclass(frozen=True)
class Selection:
    """Quantity of a row: numerator / denominator.

    Numerator and denominator are the coefficients of each (flow, year) that exists; the denominator is empty for levels
    and differences. For a share on the logit scale it holds what is *not* in the numerator, since logit(A / (A + B)) =
    log A - log B. ``touches`` has every (flow, year) of the row.
    """

    numerator: Mapping[Term, float]
    denominator: Mapping[Term, float]
    touches: frozenset[Term]


def selector_problems(selector: Selector, system: SystemDefinition) -> list[str]:
    """Words of a selector that no flow of a system has; or that no flow has them all together."""
    found = []
    for name, words in selector.fields.items():
        known = sorted({flow.attribute(name) for flow in system.flows} - {""})
        found += [unknown(word, known, name) for word in words if word not in known]
    return found or ([] if system.select(selector) else [f"no flow of the case has {selector}"])


def years_in_case(years: Iterable[int], system: SystemDefinition) -> tuple[int, ...]:
    """The years that are years of the case."""
    return tuple(y for y in years if y in system.year_index)


def of_years(row: Evidence) -> tuple[int, ...]:
    """Years of the flows to which a row relates its own."""
    return row.of_years or row.years


def selected(system: SystemDefinition, selector: Selector, years: Sequence[int]) -> tuple[Term, ...]:
    """Every (flow, year) that a selector chooses and that exists."""
    columns = [system.year_index[y] for y in years if y in system.year_index]
    return tuple((i, t) for i in system.select(selector) for t in columns if system.exists[i, t])


def sides(row: Evidence, system: SystemDefinition) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Every (flow, year) of a row that exists, and of what it is a share, ratio or difference of."""
    whole = () if row.of is None else selected(system, row.of, of_years(row))
    return selected(system, row.selector, row.years), whole


def products_without_factor(
    system: SystemDefinition, terms: Iterable[Term], factors: Mapping[str, Factor]
) -> tuple[str, ...]:
    """Products among the flows of these terms for which no content per gross weight is given."""
    return tuple(sorted({system.flows[i].product for i, _ in terms} - set(factors)))


def contents_of(element: str, terms: Iterable[Term], case: Case) -> dict[Term, tuple[Content, ...]]:
    """For each term, the rows of the table of contents that say how much of the element it holds: as a rule, one."""
    rows = [(c, frozenset(case.system.select(c.selector))) for c in case.contents.values() if c.element == element]
    year = case.system.years
    return {(i, t): tuple(c for c, of in rows if i in of and (not c.years or year[t] in c.years)) for i, t in terms}


def coefficients(terms: Iterable[Term], years: Iterable[int], row: Evidence, case: Case) -> dict[Term, float]:
    """Coefficient of each term in the row's sum: 1, over the content of the product where the row is in gross weight,
    times the content of the element where the row is about one.

    A mean over several years divides by the number of the years within the case, also those in which no flow exists:
    their mass is zero.
    """
    count = len(years_in_case(years, case.system)) if row.span == "mean" else 1
    if row.element:
        return {term: found[0].share / count for term, found in contents_of(row.element, terms, case).items()}
    gross, flows = row.basis == GROSS, case.system.flows
    return {(i, t): 1.0 / count / (case.factors[flows[i].product].factor if gross else 1.0) for i, t in terms}


def select(row: Evidence, case: Case, plain: bool) -> Selection:
    """Flows, years and coefficients of a row that has no problem (see `reeuncert.likelihood.problems`). A plain row is
    modelled on its own scale (additive errors), not on the log or logit scale.
    """
    part, whole = sides(row, case.system)
    upper = coefficients(part, row.years, row, case)
    lower = coefficients(whole, of_years(row), row, case)
    touches = frozenset(upper) | frozenset(lower)
    if row.relation == "difference":
        signed = {term: upper.get(term, 0.0) - lower.get(term, 0.0) for term in sorted(touches)}
        return Selection({k: v for k, v in signed.items() if v != 0.0}, {}, touches)
    if row.relation == "share" and not plain:
        return Selection(upper, {k: v for k, v in lower.items() if k not in upper}, touches)
    return Selection(upper, lower, touches)
