"""What each record of a case must satisfy by itself: the same rules for what is read and for what is made in memory.

Every function yields pairs of a column and a message; readers add file and line, `reeuncert.validation` the rest.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import chain

from reeuncert.case.figures import bounds, figure_text, scale_of, to_scale
from reeuncert.case.records import Case, Content, ErrorClass, ErrorTails, Evidence, Factor, Offset, Prior
from reeuncert.case.selection import GROSS
from reeuncert.errors import Problem
from reeuncert.words.cells import listed, quoted, unknown
from reeuncert.words.error_laws import ERROR_LAWS, OFFSET_LAWS
from reeuncert.words.prior_families import PRIOR_FAMILIES, PRIOR_KINDS, PriorFamily
from reeuncert.words.qualifiers import BOUND_QUALIFIERS, QUALIFIERS
from reeuncert.words.units import RELATION_UNITS, SHARE_RELATIONS, SHARE_UNITS, unknown_unit

Found = Iterator[tuple[str, str]]

MODES = ("each", "total")
SPANS = ("sum", "mean")
PERS = ("all", "year")

WIDEST = 10.0  # largest spread on the log scale that is accepted: a factor of ten million either way
_WIDEST_TEXT = "a spread is on the log scale, where 20 % is written 0.2"


def _word(column: str, word: str, known: Sequence[str], what: str = "") -> Found:
    if word not in known:
        yield column, unknown(word, tuple(known), what).lstrip()


def _above_zero(column: str, number: float, what: str) -> Found:
    if number <= 0:
        yield column, f"{number:.15g} is not above 0; {what}"


def _spread(column: str, number: float) -> Found:
    if number < 0 or number > WIDEST:
        yield column, f"{number:.15g} is not between 0 and {WIDEST:g}; {_WIDEST_TEXT}"


def class_problems(record: ErrorClass) -> Found:
    """Problems of a class of sources."""
    yield from _word("family", record.family, tuple(ERROR_LAWS), "family")
    what = "a width is the half-width of the central 68 %, which is more than zero"
    yield from _above_zero("width", record.width, what)
    if record.floor < 0:
        yield "floor", f"{record.floor:.15g} is below 0; a floor is zero or more"
    if record.family in ERROR_LAWS and not ERROR_LAWS[record.family].plain and record.width > WIDEST:
        yield "width", f"{record.width:.15g} is not between 0 and {WIDEST:g}; {_WIDEST_TEXT}"
    yield from _spread("persistent", record.persistent)
    if record.persistent and record.family in ERROR_LAWS and ERROR_LAWS[record.family].plain:
        message = f"what persists is on the log scale, but the errors of the law {record.family} are in the unit of "
        yield "persistent", message + "the row; name an offset of offsets.csv in the rows"
    if record.eras and not record.persistent:
        yield "eras", "the class has eras but nothing that persists in them; fill in persistent, or empty eras"
    if record.floor > record.width > 0:
        yield "floor", "the floor is above the width; a floor is the least that the width may be"


def tail_problems(record: ErrorTails) -> Found:
    """Problems of the tails of the laws of errors."""
    for name, low, high in (("degrees_of_freedom", 1, 100), ("outlier_share", 0, 0.5), ("outlier_sd", 0.01, WIDEST)):
        number = getattr(record, name)
        if not low <= number <= high:
            yield name, f"{number:.15g} is not between {low:g} and {high:g}"


def offset_problems(record: Offset) -> Found:
    """Problems of a shared log-offset."""
    yield from _spread("sd", record.sd)
    yield from _above_zero("sd", record.sd, "a spread is more than zero (a plain factor belongs into factors.csv)")
    yield from _word("per", record.per, PERS)
    yield from _word("family", record.family, OFFSET_LAWS, "family")


def factor_problems(record: Factor) -> Found:
    """Problems of the content per gross weight of a product."""
    for column in ("factor", "low", "high"):
        what = "a factor is tonnes of content per gross tonne, which is more than zero"
        yield from _above_zero(column, getattr(record, column), what)
    if record.low > record.factor:
        yield "low", "the lower limit is above the factor; write low <= factor <= high"
    if record.high < record.factor:
        yield "high", "the upper limit is below the factor; write low <= factor <= high"


def content_problems(record: Content) -> Found:
    """Problems of the content of an element in some flows."""
    yield from _above_zero("share", record.share, "a content is a share; a flow without the element needs no row")
    yield from _spread("sd", record.sd)
    if 0 <= record.sd <= WIDEST and record.share * math.exp(2.0 * record.sd) > 1.0:
        high = f"{record.share * math.exp(2.0 * record.sd):.3g}"
        yield "share", f"two sd above its median the content is {high}, more than 1; a content of 20 % is written 0.2"
    yield from _word("per", record.per, PERS)
    if not record.selector.fields:
        yield "quantity", "the row selects every flow of the case; fill in at least quantity, product or flow"


def prior_problems(record: Prior) -> Found:
    """Problems of a row of the priors table."""
    yield from _word("kind", record.kind, tuple(dict.fromkeys(chain(*PRIOR_KINDS.values()))), "kind")
    if record.mode:
        yield from _word("mode", record.mode, MODES, "mode")
    for column, median in (("median", record.median), ("median_to", record.median_to)):
        yield from _above_zero(column, median, "a median is a mass or a share, which is more than zero")
        if record.kind in ("share", "split") and median >= 1:
            yield column, f"{median:.15g} is not between 0 and 1; a share of 20 % is written 0.2"
    for column in ("level_sd", "year_sd", "split_sd"):
        yield from _spread(column, getattr(record, column))
    if record.slope_sd < 0:
        yield "slope_sd", f"{record.slope_sd:.15g} is below 0; a spread is zero or more"
    if record.correlation < 0 or record.correlation >= 1:
        wrong = "1 is not below 1" if record.correlation == 1 else f"{record.correlation:.15g} is not between 0 and 1"
        yield "correlation", f"{wrong}; a correlation is 0 or more and below 1"
    if record.family.casefold() in ("normal", "gaussian"):
        yield "family", "a mass is never below zero; write truncated_normal or lognormal, for shares logistic_normal"
    elif record.family:
        yield from _word("family", record.family, tuple(PRIOR_FAMILIES), "family")
    if family := PRIOR_FAMILIES.get(record.family):
        yield from _numbers_of_family(record, family)
    for column in ("slope", "slope_sd"):
        if getattr(record, column) and not record.slope_on:
            message = f"the row gives {column} but no covariate; name one of covariates.csv, or empty {column}"
            yield "slope_on", message


def _numbers_of_family(record: Prior, family: PriorFamily) -> Found:
    """Numbers that a family needs and that are not given, or the other way round; numbers that are none of it."""
    needed = family.columns
    wrong = [name for name in ("a", "b", "c") if math.isnan(getattr(record, name)) is (name in needed)]
    for column in wrong:
        if column in needed:
            yield column, f"the cell is empty; the family '{record.family}' needs {' and '.join(needed)}"
        else:
            takes = f"takes {' and '.join(needed) or 'no numbers'}"
            yield column, f"the family '{record.family}' {takes}, and no {column}; empty the cell"
    if not wrong and not family.accepts(record):
        given = ", ".join(f"{name} = {getattr(record, name):g}" for name in needed)
        yield "a", f"the family '{record.family}' has no member with {given}; it needs {family.rule}"


def record_problems(case: Case) -> list[Problem]:
    """Problems of the classes, offsets, factors, contents and tails of a case, each by itself."""
    found = [("classes.csv", f"class {quoted(name)}", class_problems(record)) for name, record in case.classes.items()]
    found += [("offsets.csv", f"offset {quoted(name)}", offset_problems(r)) for name, r in case.offsets.items()]
    found += [("factors.csv", f"product {quoted(name)}", factor_problems(r)) for name, r in case.factors.items()]
    found += [("contents.csv", f"content {quoted(name)}", content_problems(r)) for name, r in case.contents.items()]
    found.append(("case.toml", "errors", tail_problems(case.errors)))
    return [Problem(file, 0, column, f"{of}: {text}") for file, of, problems in found for column, text in problems]


def evidence_row_problems(row: Evidence, unit: str, plain: bool | None) -> list[tuple[str, str]]:
    """Problems of one row of evidence. Flows, years and sources are not looked at; ``plain`` says whether the row's
    errors are additive (None: its class is not known).
    """
    found = list(_evidence_words(row, unit.partition(" ")[2]))
    if {column for column, _ in found}.isdisjoint(("relation", "qualifier")):
        found += _figures(row, plain)
        if not found and plain is not None:
            found += _needless(row, plain)
    return found


def _evidence_words(row: Evidence, content: str) -> Found:
    yield from _word("relation", row.relation, tuple(RELATION_UNITS), "relation")
    yield from _word("qualifier", row.qualifier, tuple(QUALIFIERS), "qualifier")
    yield from _word("span", row.span, SPANS)
    if row.relation not in RELATION_UNITS:
        return
    if row.relation == "level" and row.of is not None:
        yield "relation", "the row fills in columns of_… but is a level; write share, ratio or difference"
        return
    units = RELATION_UNITS[row.relation]
    if row.unit not in units:
        yield "unit", unknown_unit(row.unit, units, f"a {row.relation}")
    yield from _basis(row, content)
    if row.relation != "level" and row.of is None:
        yield "of_quantity", f"the row is a {row.relation} and does not say of what; fill in at least one column of_…"
    if row.element and row.basis == GROSS:
        yield "basis", "the row is about an element, whose mass is counted by its content; write the content, not gross"
    if row.of_years and row.of is None:
        yield "of_year_from", "the row has years of what it is related to, but no flows; fill in a column of_…"
    if row.of_offsets and row.relation != "ratio":
        yield "of_offsets", f"the row is a {row.relation}; only a ratio divides by a record and subtracts its offsets"
    if not row.selector.fields:
        yield "quantity", "the row selects every flow of the case; fill in at least quantity, product or flow"


def _basis(row: Evidence, content: str) -> Found:
    if row.relation in SHARE_RELATIONS or not content:
        allowed = [content, GROSS, "n/a"] if content else ["n/a", GROSS]
        if row.basis and row.basis not in allowed:
            yield "basis", f"the basis {quoted(row.basis)} is not known; use one of: {listed(allowed)}"
    elif row.basis not in (content, GROSS):
        empty = row.basis in ("", "n/a")
        what = "the cell is empty" if empty else f"the basis {quoted(row.basis)} is not known"
        yield "basis", f"{what}; use one of: {content} (the content), gross (gross weight)"


def _figures(row: Evidence, plain: bool | None) -> Found:
    """Numbers that do not fit each other, the relation or the qualifier."""
    distance = "it is a distance, which is more than zero"
    yield from _above_zero("resolution", row.resolution, f"the last printed digit: {distance}")
    yield from _above_zero("width", row.width, f"the half-width of the central 68 %: {distance}")
    if row.alternative_weight < 0 or row.alternative_weight >= 1:
        weight = f"{row.alternative_weight:.15g} is not inside 0 to 1; it is the probability of the second reading"
        yield "alternative_weight", weight
    zero_allowed = row.relation == "difference" or plain is not False or row.qualifier in ("zero", "at_least")
    top = {"%": 100.0, "share": 1.0}.get(row.unit, math.inf) if row.relation == "share" else math.inf
    if row.qualifier == "range":
        for name in ("low", "high"):
            if math.isnan(getattr(row, name)):
                yield name, "the cell is empty; a range needs low and high"
    elif math.isnan(row.value) and not math.isnan(row.low) and not math.isnan(row.high):
        yield "qualifier", f"the row gives low and high and no value, but is {row.qualifier}; write range"
    elif math.isnan(row.value):
        yield "value", "the cell is empty; drop the row if nothing was reported, write 0 if zero was reported"
    if row.low >= row.high:
        yield "high", f"high, {row.high:g}, is not above low, {row.low:g}; write the smaller number into low"
    for name in ("value", "low", "high", "alternative"):
        number = getattr(row, name)
        if number < 0 and row.relation != "difference" and not plain:
            what = "mass" if row.relation == "level" else row.relation
            yield name, f"{number:g} is negative; a {what} is zero or more"
        elif number > top:
            yield name, f"{number:g} is not between 0 and {top:g}; a share has the unit % (0-100) or share (0-1)"
    for name, where in (("value", "qualifier"), ("alternative", "alternative")):
        if getattr(row, name) == 0 and not zero_allowed:
            yield where, "0 was reported; write the qualifier zero, and the printed unit into resolution"
        elif getattr(row, name) == top and row.qualifier != "up_to":
            yield where, f"the share is {top:g}, the whole; say how much of it at the least: qualifier at_least"
    if row.qualifier == "zero":
        if row.value != 0 and not math.isnan(row.value):
            yield "value", f"{row.value:g} is not 0, but the qualifier is zero; use another qualifier"
        if math.isnan(row.resolution):
            yield "resolution", "the cell is empty; a reported zero needs the printed unit, e.g. 0.1"
    if math.isnan(row.alternative) != (row.alternative_weight == 0):
        missing = "alternative" if math.isnan(row.alternative) else "alternative_weight"
        yield missing, "the cell is empty; a second reading needs a value and a weight"


def _needless(row: Evidence, plain: bool) -> Found:
    """A bound without information, and a second reading of a bound or range."""
    scale = scale_of(row.relation, plain or row.relation == "difference")
    if row.qualifier in BOUND_QUALIFIERS:
        low, high = (to_scale(end * SHARE_UNITS.get(row.unit, 1.0), scale) for end in bounds(row))
        if low == -math.inf and high == math.inf:
            yield "value", f"{figure_text(row)} is true of every {row.relation}; delete the row"
    if row.qualifier in ("range", "zero") and not math.isnan(row.alternative):
        what = f"a row that is {row.qualifier} cannot have a second reading"
        yield "alternative", f"{what}; delete it, or write two rows"


def agrees_with_zero(row: Evidence) -> bool:
    """Whether what a row says is true of a mass of exactly zero."""
    if row.qualifier in BOUND_QUALIFIERS:
        low, high = bounds(row)
        return low <= 0.0 <= high
    return row.value == 0.0
