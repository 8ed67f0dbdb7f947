"""Location of a headline's value among indicators, and whether it exists; uses plain arrays only."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from reeuncert.case.figures import sentence_problem
from reeuncert.case.records import Headline
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.indicators.registry import CUMULATED, INDICATORS, Indicator, UnknownIndicatorError, lookup
from reeuncert.words.cells import did_you_mean, listed, quoted


class UnknownLabelError(ReeUncertError):
    """A label that something does not have; ``dim`` is where it was looked for."""

    def __init__(self, message: str, dim: str):
        super().__init__(message)
        self.dim = dim


def headline_place(headline: Headline, years: Sequence[int]) -> tuple[str, dict[str, str], int]:
    """Location of a headline's value in a result of some years: variable, labels, year."""
    record = lookup(headline.indicator)
    name, year = headline.indicator, headline.year
    if not year:
        if not record.cumulated:
            summed = ", ".join(sorted(r.name for r in INDICATORS.values() if r.cumulated))
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


def label_positions(
    what: str,
    labels: Mapping[str, Sequence[object]],
    wanted: Mapping[str, object],
    offered: Mapping[str, Sequence[object]] | None = None,
) -> dict[str, list[int]]:
    """Positions of labels along the dims of something. The error for any other lists the known ones, or those offered
    of them.
    """
    found = {}
    for dim, given in wanted.items():
        if dim not in labels:
            hint = did_you_mean(dim, labels)
            raise ReeUncertError(f"{what} has no dim {quoted(dim)}; its dims: {', '.join(labels)}{hint}")
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


def check_headline(headline: Headline, table: FlowTable, own: Collection[str] = ()) -> None:
    """Test a headline on flows, as if its sentence were filled in; `own` names indicators that its case defines."""
    record = lookup(headline.indicator)
    if record.name not in INDICATORS and record.name not in own:
        raise UnknownIndicatorError(f"{quoted(record.name)} is an indicator of another case; define it in this one too")
    problem = sentence_problem(headline.sentence)
    if problem:
        raise ReeUncertError(problem)
    name, coords, year = headline_place(headline, table.years)
    labels: dict[str, Sequence[object]] = {dim: table.labels(dim) for dim in record.dims} | {"year": table.years}
    values = _values(record, table, name.endswith(CUMULATED))
    somewhere = np.nonzero(np.isfinite(values).any(axis=(0, 1)))
    offered = {d: [labels[d][i] for i in np.unique(at)] for d, at in zip(labels, somewhere, strict=True)}
    at = label_positions(f"indicator '{name}'", labels, {**coords, "year": year}, offered)
    cell: tuple[slice | int, ...] = (slice(None), slice(None), *(at[dim][0] for dim in (*record.dims, "year")))
    if not np.isfinite(values[cell]).any():
        raise ReeUncertError(no_such_flows(name, coords, year))
