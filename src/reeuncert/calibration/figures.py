"""Reported figures of a simulated truth: each row of evidence as its source would report it.

A source observes y = η + error, with η the true quantity on the scale of the row (log of a mass or ratio, log odds of a
share, the number itself for additive errors). It reports y by a rule that is fixed in advance:

* a plain figure is reported as it is, or rounded to the last digit of the source; zero after rounding is reported as
  zero, and a share that rounds to 1 as "at least" 1 minus half a digit;
* a bound at L reports whether y is above or below L: "at least L" becomes "up to L" if it is below;
* a range reports in which of three cells y lies: below, inside or above;
* of two readings, the second applies with the probability of its weight; their distance is kept.

Cells are fixed in advance because the likelihood of an interval is the probability of the statement only then.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reeuncert.case.records import Case, Content, ErrorClass, ErrorTails, Evidence
from reeuncert.system.definition import Flow, Selector
from reeuncert.words.error_laws import ERROR_LAWS, NORMAL, STUDENT_T

LEARNED_LOG_SD = 0.4
"""Log-sd of a learned width around that of its class."""

WITNESSED = 8
"""Fewest rows with a second source for a learned width."""

Mass = Mapping[tuple[str, int], float]
"""Mass of each flow (by name) in each year."""


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
        part = _cells(row.selector, row.years, case)
        whole = () if row.of is None else _cells(row.of, row.of_years or row.years, case)
        if part or (row.relation == "difference" and whole):
            found.append(Statement(row, part, whole))
    return tuple(found)


def _cells(selector: Selector, years: Iterable[int], case: Case) -> tuple[tuple[Flow, int], ...]:
    """Flows of a selector in the years in which they exist."""
    years = [year for year in years if year in case.system.years]
    chosen = [flow for flow in case.system.flows if selector.matches(flow)]
    return tuple((flow, year) for flow in chosen for year in years if year in flow.years)


def source_label(row: Evidence, case: Case) -> str:
    """Width group of a row: lineage and error class."""
    return f"{row.lineage} ({class_of(row, case).name})"


def learned_sources(case: Case, said: Iterable[Statement]) -> dict[str, ErrorClass]:
    """Sources with a learned width: enough of their rows concern quantities that another lineage also reports."""
    touched = [(s.row, {(flow.name, year) for flow, year in (*s.part, *s.whole)}) for s in said]
    speakers: dict[tuple[str, int], set[str]] = {}
    for row, cells in touched:
        for cell in cells:
            speakers.setdefault(cell, set()).add(row.lineage)
    prints = _prints(row for row, _ in touched)
    count: dict[str, int] = {}
    found: dict[str, ErrorClass] = {}
    for row, cells in touched:
        error = class_of(row, case)
        floor = 0.0 if math.isnan(error.floor) else error.floor
        if not math.isnan(row.width) or row.print in prints or not error.learn or floor >= error.width:
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


def draw_error(family: str, width: float, tails: ErrorTails, rng: np.random.Generator) -> float:
    """One error of a family, for a width that is the half-width of the central 68 % (of its core, with outliers)."""
    law = ERROR_LAWS[family]
    if law.outliers and rng.random() < tails.outlier_share:
        return tails.outlier_sd * float(rng.standard_normal())
    if law.core == NORMAL:
        return width * float(rng.standard_normal())
    if law.core != STUDENT_T:
        raise ValueError(f"the simulator knows no errors of the law '{family}'; write how its core is drawn here")
    nu = tails.degrees_of_freedom
    return width / round(float(stats.t.ppf(stats.norm.cdf(1.0), nu)), 2) * float(rng.standard_t(nu))


Shared = Mapping[str, Mapping[str, float]]
"""Value of each error that rows share, by its name and its year or era ("": all years)."""


def draw_offsets(case: Case, said: Iterable[Statement], rng: np.random.Generator) -> Shared:
    """Each error that rows share: offsets that they name, what persists in their lineage, prints of several rows."""
    said = tuple(said)
    rows = [statement.row for statement in said]
    drawn: dict[str, dict[str, float]] = {}

    def draw(name: str, when: str, mean: float, sd: float, family: str) -> None:
        if when not in drawn.setdefault(name, {}):
            drawn[name][when] = mean + draw_error(family, sd, case.errors, rng)

    for row in rows:
        for names, years in ((row.offsets, row.years), (row.of_offsets, row.of_years or row.years)):
            for name in names:
                offset = case.offsets[name]
                for year in years:
                    if year in case.system.years:
                        draw(name, str(year) if offset.per == "year" else "", offset.mean, offset.sd, offset.family)
        error = class_of(row, case)
        for year in (*row.years, *row.of_years) if error.persistent else ():
            draw(f"{source_label(row, case)} persistent", _era(error, year), 0.0, error.persistent, "normal")
    for name, members in _prints(rows).items():
        widest = max((class_of(row, case) for row in members), key=lambda error: error.width)
        draw(f"print {name}", "", 0.0, widest.width, widest.family)
    for statement in said:
        for flow, year in (*statement.part, *statement.whole) if statement.row.element else ():
            content = _content(statement.row.element, flow, year, case)
            if content.sd:
                draw(f"content {content.name}", str(year) if content.per == "year" else "", 0.0, content.sd, "normal")
    return drawn


def draw_contents(case: Case, known: Collection[str], rng: np.random.Generator) -> dict[str, float]:
    """Each content of an element that is not known by name, or name and year: no row is about it."""
    drawn: dict[str, float] = {}
    for content in case.contents.values():
        for year in content.years or case.system.years:
            label = f"content {content.name}" + (f" {year}" if content.per == "year" else "")
            if content.sd and label not in known and label not in drawn:
                drawn[label] = draw_error("normal", content.sd, case.errors, rng)
    return drawn


def _content(element: str, flow: Flow, year: int, case: Case) -> Content:
    """The row of the table of contents on an element in a flow."""
    of_element = (c for c in case.contents.values() if c.element == element and c.selector.matches(flow))
    return next(content for content in of_element if not content.years or year in content.years)


def _prints(rows: Iterable[Evidence]) -> dict[str, list[Evidence]]:
    """Rows of each print from which several were made."""
    found: dict[str, list[Evidence]] = {}
    for row in rows:
        found.setdefault(row.print, []).append(row)
    return {name: members for name, members in found.items() if name and len(members) > 1}


def _era(error: ErrorClass, year: int) -> str:
    begun = [era for era in error.eras if era <= year]
    return f"since {begun[-1]}" if begun else f"until {error.eras[0] - 1}" if error.eras else ""


def offset_of(row: Evidence, case: Case, drawn: Shared) -> float:
    """Sum of the errors that a row shares; of one by year or era, the mean over the row's years."""

    def mean(name: str, years: Iterable[int], when: Callable[[int], str]) -> float:
        values = [drawn[name][when(y)] for y in years if y in case.system.years]
        return sum(values) / len(values)

    def named(name: str, years: Iterable[int]) -> float:
        return mean(name, years, lambda y: str(y) if case.offsets[name].per == "year" else "")

    error, others = class_of(row, case), row.of_years or row.years
    total = sum(named(name, row.years) for name in row.offsets) - sum(named(name, others) for name in row.of_offsets)
    if error.persistent:
        name = f"{source_label(row, case)} persistent"
        total += mean(name, row.years, lambda y: _era(error, y))
        if row.relation == "ratio" and row.of_years:
            total -= mean(name, row.of_years, lambda y: _era(error, y))
    return total + drawn.get(f"print {row.print}", {}).get("", 0.0)


NOTHING = float("nan")
TONNES = {"t": 1.0, "kt": 1e3, "Mt": 1e6}
ABOUT = 1.5
"""Factor by which "about" widens the error."""


def simulated_row(
    said: Statement, case: Case, mass: Mass, widths: Mapping[str, float], offsets: Shared, rng: np.random.Generator
) -> Evidence:
    """One row as its source would report a truth.

    The truth is the mass of each flow and year that exists, in the unit of the case; widths are those of sources with a
    learned width (others have the width of their class), offsets are from `draw_offsets`.
    """
    row = said.row
    error = class_of(row, case)
    plain = ERROR_LAWS[error.family].plain
    width = row.width
    if math.isnan(width):
        of_a_print = f"print {row.print}" in offsets
        width = error.floor if of_a_print else widths.get(source_label(row, case), error.width)
    width *= ABOUT if row.qualifier == "about" else 1.0
    quantity = _quantity(said, case, mass, offsets) / _unit(row, case)
    shift = offset_of(row, case, offsets)
    true = quantity * math.exp(shift) if plain else _to_scale(quantity, row, plain) + shift
    seen = true + draw_error(error.family, width, case.errors, rng)
    second = 0.0
    if not math.isnan(row.alternative) and row.alternative_weight > 0.0:
        second = _to_scale(row.alternative, row, plain) - _to_scale(_said(row), row, plain)
        seen -= second if rng.random() < row.alternative_weight else 0.0
    return _with_second_reading(_printed(row, _off(seen, row, plain), plain), second, plain)


def _quantity(said: Statement, case: Case, mass: Mass, drawn: Shared) -> float:
    """Quantity of the row, in the unit of the case, or as a fraction."""
    part = _sum(said.part, said.row.years, said.row, case, mass, drawn)
    if said.row.relation == "level":
        return part
    whole = _sum(said.whole, said.row.of_years or said.row.years, said.row, case, mass, drawn)
    return part - whole if said.row.relation == "difference" else part / whole


def _sum(
    cells: Iterable[tuple[Flow, int]], years: Iterable[int], row: Evidence, case: Case, mass: Mass, drawn: Shared
) -> float:
    total = 0.0
    for flow, year in cells:
        counted = mass[flow.name, year]
        if row.basis == "gross":
            counted /= case.factors[flow.product].factor
        if row.element:
            content = _content(row.element, flow, year, case)
            by = drawn.get(f"content {content.name}", {})
            counted *= content.share * math.exp(by.get(str(year), by.get("", 0.0)))
        total += counted
    years = [year for year in years if year in case.system.years]
    return total / len(years) if row.span == "mean" else total


def _unit(row: Evidence, case: Case) -> float:
    """One unit of the row, in the unit of the case."""
    if row.relation in ("share", "ratio"):
        return 0.01 if row.unit == "%" else 1.0
    return TONNES[row.unit.split()[0]] / TONNES[case.system.unit.split()[0]]


def _to_scale(number: float, row: Evidence, plain: bool) -> float:
    """A number in the unit of the row, on its scale (up to a constant: the log of its unit)."""
    if plain:
        return number
    if row.relation != "share":
        return math.log(number)
    part = number * (0.01 if row.unit == "%" else 1.0)
    return math.log(part / (1.0 - part))


def _off(seen: float, row: Evidence, plain: bool) -> float:
    """A figure on the scale of the row, in its unit."""
    if plain:
        return seen
    if row.relation != "share":
        return math.exp(seen)
    return 1.0 / (1.0 + math.exp(-seen)) / (0.01 if row.unit == "%" else 1.0)


def _said(row: Evidence) -> float:
    """Reference value of a second reading."""
    if math.isnan(row.value):
        return row.low if row.qualifier == "at_least" else row.high
    return row.value


def _printed(row: Evidence, figure: float, plain: bool) -> Evidence:
    """Reported value of a figure, in the unit of the row."""
    if row.qualifier in ("at_least", "up_to"):
        return _side(row, figure, _said(row))
    if row.qualifier == "range":
        if row.low <= figure <= row.high:
            return row
        return _side(row, figure, row.low if figure < row.low else row.high)
    if math.isnan(row.resolution) or row.resolution <= 0.0:
        return replace(row, value=figure)
    half, rounded = 0.5 * row.resolution, row.resolution * float(np.rint(figure / row.resolution))
    if plain:
        return replace(row, value=rounded)
    whole = 100.0 if row.unit == "%" else 1.0
    everything = row.relation == "share" and rounded > whole - half
    if row.qualifier == "about" and (rounded < half or everything):
        return replace(row, value=figure, resolution=NOTHING)  # "zero" and "at least" would lose the "about"
    if rounded < half:
        return replace(row, qualifier="zero", value=0.0)
    if everything:
        return replace(row, qualifier="at_least", value=whole - half)
    qualifier = "exact" if row.qualifier == "zero" else row.qualifier
    return replace(row, qualifier=qualifier, value=rounded)


def _side(row: Evidence, figure: float, bound: float) -> Evidence:
    qualifier = "at_least" if figure >= bound else "up_to"
    return replace(row, qualifier=qualifier, value=bound, low=NOTHING, high=NOTHING)


def _with_second_reading(row: Evidence, distance: float, plain: bool) -> Evidence:
    if distance == 0.0:
        return row
    if row.qualifier == "zero":  # a second reading of zero would be a figure
        return replace(row, alternative=NOTHING, alternative_weight=0.0)
    return replace(row, alternative=_off(_to_scale(row.value, row, plain) + distance, row, plain))


def mass_by_name(case: Case, mass: NDArray[np.float64]) -> dict[tuple[str, int], float]:
    """The flows of one truth, shape (flow, year), by name and year."""
    return {
        (flow.name, year): float(mass[i, t])
        for i, flow in enumerate(case.system.flows)
        for t, year in enumerate(case.system.years)
        if year in flow.years
    }
