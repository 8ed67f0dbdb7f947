"""Errors that rows of evidence share: offsets that they name, what persists in a lineage, one print in several rows.

All are log-offsets with a weight in each row, so that the likelihood knows one kind only. So are the contents of
elements, which multiply single flows of a row.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reeuncert.case.records import Case, Content, ErrorClass, Evidence, Offset
from reeuncert.case.selection import Term, contents_of, sides

Value = tuple[str, str]  # an offset and its period: a year, an era, or "" for all years


@dataclass(frozen=True)
class SharedErrors:
    """The shared errors of some rows."""

    # Offsets by name: those of the case that rows name, then what persists in each lineage and class, then prints
    laws: Mapping[str, Offset]
    weights: tuple[Mapping[Value, float], ...]  # for each row, the weight of each value that it adds
    # For each row, its own width: as given, or, in a print of several rows, the floor of its class; NaN: that of its
    # class
    widths: tuple[float, ...]
    # For each row, the value that multiplies a flow in a year, where its content is uncertain
    contents: tuple[Mapping[Term, Value], ...]

    @property
    def values(self) -> tuple[Value, ...]:
        """All values, by offset and then by period."""
        used = {value for weights in self.weights for value in weights}
        used |= {value for contents in self.contents for value in contents.values()}
        place = {name: k for k, name in enumerate(self.laws)}
        return tuple(sorted(used, key=lambda value: (place[value[0]], value[1])))


def prints_of_several_rows(rows: Iterable[Evidence]) -> dict[str, int]:
    """Printed numbers from which more than one row was made, with how many."""
    count = Counter(row.print for row in rows if row.print)
    return {name: number for name, number in count.items() if number > 1}


def error_class_of(row: Evidence, case: Case) -> ErrorClass:
    """The error class of a row: that of its source."""
    return case.classes[case.sources[row.source_id].error_class]


def shared_errors(rows: Sequence[Evidence], case: Case) -> SharedErrors:
    """The shared errors of rows whose offsets, sources and classes are all known."""
    several = prints_of_several_rows(rows)
    named = {name for row in rows for name in row.offsets + row.of_offsets}
    laws = {name: offset for name, offset in case.offsets.items() if name in named}
    prints: dict[str, Offset] = {}
    weights: list[dict[Value, float]] = []
    widths = []
    for row in rows:
        added: dict[Value, float] = {}
        error = error_class_of(row, case)
        names = [(name, row.years, 1.0) for name in row.offsets]
        names += [(name, row.of_years or row.years, -1.0) for name in row.of_offsets]
        if error.persistent > 0:
            name = f"{row.lineage} ({error.name}) persistent"
            laws.setdefault(name, Offset(name, 0.0, error.persistent, "era", "normal"))
            names.append((name, row.years, 1.0))
            if row.relation == "ratio" and row.of_years:  # growth: the record of another year is divided by
                names.append((name, row.of_years, -1.0))
        for name, years, weight in names:
            inside = [year for year in years if year in case.system.year_index]
            for year in inside:
                value = (name, _period(laws[name].per, year, error.eras))
                added[value] = added.get(value, 0.0) + weight / len(inside)
        width = row.width
        if row.print in several:
            name = f"print {row.print}"
            # Of rows of several classes, the print has the error of the widest.
            if name not in prints or prints[name].sd < error.width:
                prints[name] = Offset(name, 0.0, error.width, "all", error.family)
            added[name, ""] = 1.0
            width = error.floor if math.isnan(width) else width
        weights.append({value: weight for value, weight in added.items() if weight})
        widths.append(width)
    contents, multipliers = _contents(rows, case)
    return SharedErrors(laws | prints | contents, tuple(weights), tuple(widths), multipliers)


def _contents(rows: Sequence[Evidence], case: Case) -> tuple[dict[str, Offset], tuple[dict[Term, Value], ...]]:
    """Laws of uncertain contents, and the value of each flow and year of each row."""
    named = {f"content {name}": content for name, content in case.contents.items()}
    laws = {name: Offset(name, 0.0, content.sd, content.per, "normal") for name, content in named.items()}
    found: list[dict[Term, Value]] = [{} for _ in rows]
    for row, values in zip(rows, found, strict=True):
        terms = [term for side in sides(row, case.system) for term in side] if row.element else ()
        for term, (content, *_) in contents_of(row.element, terms, case).items():
            if content.sd > 0:
                values[term] = (f"content {content.name}", _period(content.per, case.system.years[term[1]], ()))
    return laws, tuple(found)


def content_name(content: Content, year: int) -> str:
    """Name of a content in a year among the offsets."""
    return f"content {content.name} {_period(content.per, year, ())}".rstrip()


def content_sds(case: Case) -> dict[str, float]:
    """Log-sd of every uncertain content of a case, whether evidence is about it or not, by its name among the offsets,
    of which no other is a content.
    """
    return {
        content_name(content, year): content.sd
        for content in case.contents.values()
        for year in case.system.years
        if content.sd > 0 and (not content.years or year in content.years)
    }


def _period(per: str, year: int, eras: Sequence[int]) -> str:
    if per == "year":
        return str(year)
    if per == "all" or not eras:
        return ""
    begun = bisect_right(eras, year)
    return f"since {eras[begun - 1]}" if begun else f"until {eras[0] - 1}"
