"""Values of indicators: where they stand and whether they exist; their unit, interval and heading in sentences and
tables. Uses plain arrays only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from reeuncert.case.figures import sentence_problem
from reeuncert.case.records import Case, Headline
from reeuncert.errors import AbsentError, ReeUncertError
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.indicators.registry import CUMULATED, DIMS, INTO, MUTUAL, Indicator, lookup, records_of
from reeuncert.words.cells import did_you_mean, listed, quoted
from reeuncert.words.estimates import estimate

if TYPE_CHECKING:
    import pandas as pd


def unit_of(row: Mapping[Any, Any] | pd.Series) -> str:
    """Unit in which `reeuncert.words.estimates` prints a value: "1" (per cent), that of a mass, or none (an index)."""
    unit = str(row["unit"])
    return unit if unit not in ("", "1") else "1" if lookup(str(row["indicator"])).percent else ""


def value(row: Mapping[Any, Any] | pd.Series, *, prefix: str = "", unit: bool = True) -> str:
    """Median and interval of a row of `reeuncert.indicators.summary`, with its unit (without it: per cent for shares).

    >>> row = {"indicator": "net_import_reliance", "median": 0.71, "eti90_lb": 0.6, "eti90_ub": 0.8, "unit": "1"}
    >>> value(row), value(row, unit=False)
    ('71 % (60 to 80 %)', '71 (60 to 80)')
    """
    shown = unit_of(row)
    scale = 100.0 if shown == "1" and not unit else 1.0
    numbers = (scale * float(row[f"{prefix}{column}"]) for column in ("median", "eti90_lb", "eti90_ub"))
    return estimate(*numbers, unit=shown if unit else "")


def labels_in_words(name: str, at: Mapping[Any, Any] | pd.Series) -> list[str]:
    """Labels of one series of an indicator: region and partner as a way, from where the flows come to where they go.

    >>> labels_in_words("import_dependence", {"region": "A", "partner": "B", "product": "salt"})
    ['B → A', 'salt']
    >>> labels_in_words("interdependence", {"region": "A", "partner": "B"})
    ['A and B']
    """
    found = {dim: str(at[dim]) for dim in DIMS if dim in at and str(at[dim]) not in ("", "nan")}
    pair = [found.pop(dim) for dim in ("region", "partner") if dim in found]
    way = lookup(name).way
    shown = (" and " if way == MUTUAL else " → ").join(pair[::-1] if way == INTO else pair)
    return [label for label in (shown, *found.values()) if label]


def value_title(row: Mapping[Any, Any] | pd.Series) -> str:
    """One value of an indicator in words, from the first columns of a tidy table.

    >>> value_title({"indicator": "mine_production", "region": "South", "partner": "", "year": 2002})
    'Mine production, registered and unregistered · South · 2002'
    """
    name = str(row["indicator"])
    year = "all years" if name.endswith(CUMULATED) or not row.get("year", 0) else str(int(row["year"]))
    return " · ".join([lookup(name).title, *labels_in_words(name, row), year])


def series_title(row: Mapping[Any, Any] | pd.Series) -> str:
    """Title of an indicator with the labels of one series.

    >>> series_title({"indicator": "import_dependence", "region": "A", "partner": "B", "product": "salt"})
    'Import dependence, recorded: B → A, salt'
    """
    name = str(row["indicator"])
    labels, title = ", ".join(labels_in_words(name, row)), lookup(name).titles[name]
    return f"{title[:1].upper()}{title[1:]}" + (f": {labels}" if labels else "")


def heading(row: pd.Series) -> str:
    """The same with its unit."""
    unit = unit_of(row).replace("1", "%")
    return series_title(row) + (f" [{unit}]" if unit else "")


class UnknownLabelError(AbsentError):
    """A label that something does not have; ``dim`` is where it was looked for."""

    def __init__(self, message: str, dim: str):
        super().__init__(message)
        self.dim = dim


def refuse_event(record: Indicator) -> None:
    """Refuse an indicator that has no interval, for what is about medians and intervals."""
    if record.event:
        raise ReeUncertError(f"'{record.name}' is 0 or 1 in a draw: it has a probability (`summary`), but no interval")


def headline_place(headline: Headline, case: Case, years: Sequence[int]) -> tuple[str, dict[str, str], int]:
    """Location of a headline's value in a result of a case, of some years: variable, labels, year."""
    record = lookup(headline.indicator, case)
    refuse_event(record)
    name, year = headline.indicator, headline.year
    if not year:
        if not record.cumulated:
            summed = ", ".join(sorted(r.name for r in records_of(case).values() if r.cumulated))
            raise ReeUncertError(
                f"a headline asks for '{name}' over all years (year 0), but it has no cumulative variant; "
                f"give a year, or use one of: {summed}"
            )
        name = record.name + CUMULATED
        year = int(years[-1])
    said = {"region": headline.region, "partner": headline.partner, "product": headline.product}
    if "end_use" in record.dims:
        said = {"region": headline.region, "end_use": headline.product}
    coords = {dim: label for dim, label in said.items() if label}
    missing = [dim for dim in record.dims if dim not in coords]
    if missing:
        raise ReeUncertError(f"a headline on '{name}' must also name its {' and '.join(missing)}")
    return name, coords, year


def check_dims(what: str, dims: Collection[str], wanted: Iterable[str]) -> None:
    """Refuse a dim that something does not have; the error lists its own."""
    for dim in wanted:
        if dim not in dims:
            raise ReeUncertError(
                f"{what} has no dim {quoted(dim)}; its dims: {', '.join(dims)}{did_you_mean(dim, dims)}"
            )


def label_positions(
    what: str,
    labels: Mapping[str, Iterable[object]],
    wanted: Mapping[str, object],
    offered: Mapping[str, Sequence[object]] | None = None,
) -> dict[str, list[int]]:
    """Positions of labels along the dims of something. The error for any other lists the known ones, or those offered
    of them.
    """
    check_dims(what, labels, wanted)
    found = {}
    for dim, given in wanted.items():
        there = list(labels[dim])
        values = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        for value in values:
            if value not in there:
                known = [str(label) for label in (offered or labels)[dim]]
                all_of_them = f"there are: {listed(known)}{did_you_mean(str(value), known)}"
                raise UnknownLabelError(f"{quoted(value)} is no {dim} of {what}; {all_of_them}", dim)
        found[dim] = [there.index(value) for value in values]
    return found


def no_such_flows(name: str, coords: Mapping[str, object], year: int) -> str:
    """Message for a headline whose value is not defined in any draw."""
    named = ", ".join(f"{dim} = {label}" for dim, label in {**coords, "year": year}.items())
    return f"a headline on '{name}' asks for flows that the system does not have ({named})"


@lru_cache(maxsize=32)  # several headlines ask for one indicator
def _values(record: Indicator, table: FlowTable, cumulated: bool) -> Array:
    return record.of_flows(table.cumulated() if cumulated else table)


def check_headline(headline: Headline, table: FlowTable) -> None:
    """Test a headline of a case on its flows, as if its sentence were filled in."""
    record = lookup(headline.indicator, table.case)
    problem = sentence_problem(headline.sentence)
    if problem:
        raise ReeUncertError(problem)
    name, coords, year = headline_place(headline, table.case, table.years)
    labels: dict[str, Sequence[object]] = {dim: table.labels(dim) for dim in record.dims} | {"year": table.years}
    values = _values(record, table, name.endswith(CUMULATED))
    somewhere = np.nonzero(np.isfinite(values).any(axis=(0, 1)))
    offered = {d: [labels[d][i] for i in np.unique(at)] for d, at in zip(labels, somewhere, strict=True)}
    at = label_positions(f"indicator '{name}'", labels, {**coords, "year": year}, offered)
    cell: tuple[slice | int, ...] = (slice(None), slice(None), *(at[dim][0] for dim in (*record.dims, "year")))
    if not np.isfinite(values[cell]).any():
        raise ReeUncertError(no_such_flows(name, coords, year))
