"""Published results for comparison only: never evidence, never a prior.

They are in ``reference/published_reference.csv`` of the data folder of a case (with ``reference/sources.csv``), one
number per row. The folder is optional.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.errors import CaseError, Problem
from reeuncert.indicators.headlines import Target, value_of
from reeuncert.indicators.registry import CUMULATED, INDICATORS, Indicator
from reeuncert.reading.bundled import PUBLISHED, REFERENCE_FOLDER, data_folder
from reeuncert.reading.tables import read_texts
from reeuncert.result.quantiles import spread
from reeuncert.result.result import Result
from reeuncert.words.cells import CellError, nearest, number_cell, unknown, year_cell
from reeuncert.words.units import TONNES

SOURCES = "sources.csv"
NEEDED = (
    *("id", "source_id", "statement", "indicator", "region", "partner", "product"),
    *("year_from", "year_to", "value", "unit"),
)
"""Required columns of the table."""

_TO_ONE = {"%": 0.01, "% greater": 0.01, "1": 1.0, "ratio": 1.0, "fold": 1.0, "times": 1.0, "share": 1.0}


@dataclass(frozen=True)
class Published:
    """One published number.

    Parameters
    ----------
    id, source_id, source, title, statement, note, why_outside
        As in the table; ``source`` is the label of the source (its title where it has none), ``why_outside`` says why
        it differs from our interval.
    indicator, region, partner, product
        Indicator and its labels (``product`` names the end use of an indicator by end use).
    year_from, year_to
        Years of the value.
    value
        In the unit of the indicator (the case's unit of mass, or 1).
    per_year
        Whether it is a rate per year; else one figure for all its years.
    hedge
        Qualifier of the source: "~", "up to".
    """

    id: str
    source_id: str
    source: str
    title: str
    statement: str
    indicator: str
    region: str
    partner: str
    product: str
    year_from: int
    year_to: int
    value: float
    per_year: bool
    hedge: str = ""
    note: str = ""
    why_outside: str = ""

    @property
    def years(self) -> range:
        """Years in which it is shown: all that a rate holds for, else the last."""
        return range(self.year_from if self.per_year else self.year_to, self.year_to + 1)

    @property
    def told(self) -> str:
        """Source and statement in a line."""
        return " ".join(f"{self.source}: {self.statement} {self.hedge}".split())

    def is_of(self, variable: str, first: int) -> bool:
        """Whether it is a value of an indicator, or, as one figure for all years, of its cumulative variant, which
        begins in a first year.
        """
        summed = self.year_from != self.year_to and not self.per_year
        return variable == self.indicator + (CUMULATED if summed else "") and (not summed or self.year_from == first)


def published_values(case: Case) -> tuple[Published, ...]:
    """Published values that can be compared with one number of the posterior.

    Left out: rows that name no indicator, no number or no year, or labels that the case does not have. A label that is
    nearly one of the case is an error, and so is a unit that the indicator cannot have. Raises `CaseError`, which lists
    every problem, if a table cannot be read.
    """
    data = data_folder(case.name, case.path)
    if data is None or not (data / REFERENCE_FOLDER / PUBLISHED).is_file():
        return ()
    sources = data / REFERENCE_FOLDER / SOURCES
    named: dict[str, tuple[str, str]] = {}
    if sources.is_file():
        rows = read_texts(sources, f"{REFERENCE_FOLDER}/{SOURCES}", ("source_id", "title"))
        named = {row["source_id"]: (row.cells.get("label") or row["title"], row["title"]) for row in rows}
    problems: list[Problem] = []
    found = []
    for row in read_texts(data / REFERENCE_FOLDER / PUBLISHED, f"{REFERENCE_FOLDER}/{PUBLISHED}", NEEDED):
        try:
            found.append(_published(row.cells, named, case))
        except CellError as error:
            problems.append(Problem(f"{REFERENCE_FOLDER}/{PUBLISHED}", row.line, "", str(error)))
    if problems:
        raise CaseError(problems)
    return tuple(row for row in found if row is not None)


def reference_table(dt: xr.DataTree) -> pd.DataFrame:
    """Position of each published value in the posterior.

    Parameters
    ----------
    dt
        Result to which `reeuncert.add_indicators` has added the indicators.

    Returns
    -------
    DataFrame
        The fields of `Published`, then ``unit``, ``median``, ``eti90_lb``, ``eti90_ub`` and ``below`` (share of our
        draws below the published value). A figure for several years is compared with the cumulative indicator; rates
        over several years ("9 to 10 kt a year") are left out.
    """
    return all_published(Result(dt))


def all_values(result: Result) -> tuple[Published, ...]:
    """`published_values` of the case of a result."""
    return published_values(result.case)


def values_of(result: Result, variable: str, at: Mapping[str, str], first: int) -> list[Published]:
    """Published values of one series of an indicator, which begins in a first year."""
    return [one for one in result.once(all_values) if one.is_of(variable, first) and labels(one) == at]


def all_published(result: Result) -> pd.DataFrame:
    """`reference_table` of a result."""
    rows = []
    for one, ours in counterparts(result):
        found, defined = spread(ours.draws.reshape(-1, 1)), ours.draws[np.isfinite(ours.draws)]
        row = {name: getattr(one, name) for name in Published.__dataclass_fields__} | {"unit": ours.unit}
        row |= {"median": found.median[0], "eti90_lb": found.lower[0], "eti90_ub": found.upper[0]}
        rows.append(row | {"below": (defined < one.value).mean() if len(defined) else np.nan})
    columns = [*Published.__dataclass_fields__, "unit", "median", "eti90_lb", "eti90_ub", "below"]
    return pd.DataFrame(rows, columns=columns)


def counterparts(result: Result) -> Iterator[tuple[Published, Target]]:
    """Published values with the value of the result that each is compared with: in its year, or over all years."""
    held = result.dt["derived"].to_dataset() if "derived" in result.dt.children else xr.Dataset()
    for one in result.once(all_values):
        name = one.indicator + (CUMULATED if one.year_from != one.year_to else "")
        if name in held.data_vars and one.is_of(name, int(held["year"].values[0])):
            yield one, value_of(result.dt, name, {**labels(one), "year": one.year_to})


def labels(published: Published) -> dict[str, str]:
    """The labels of the indicator's dims that a published value names."""
    return _labels(INDICATORS[published.indicator], published.region, published.partner, published.product)


def _labels(record: Indicator, region: str, partner: str, product: str) -> dict[str, str]:
    named = {"region": region, "partner": partner, "product": product, "end_use": product}
    return {dim: named[dim] for dim in record.dims}


def _published(row: Mapping[str, str], sources: Mapping[str, tuple[str, str]], case: Case) -> Published | None:
    record = INDICATORS.get(row["indicator"])
    if record is None and row["indicator"]:
        raise CellError(unknown(row["indicator"], tuple(INDICATORS), "indicator"))
    if record is None or not row["value"] or not row["year_from"] or not row["year_to"]:
        return None
    years = year_cell(row["year_from"]), year_cell(row["year_to"])
    value = number_cell(row["value"])
    if years[0] > years[1]:
        raise CellError(f"the years {years[0]} to {years[1]} run backwards; write the earlier first")
    scale = _scale(row["unit"], record, case)
    known = {"region": case.regions, "partner": case.regions, "product": (*case.products, "refined", "all")}
    known["end_use"] = tuple({f.end_use for f in case.system.flows})
    named = _labels(record, row["region"], row["partner"], row["product"])
    for dim, label in named.items():
        if nearest(label, known[dim]):
            raise CellError(unknown(label, known[dim], dim))
    if not all(label and label in known[dim] for dim, label in named.items()):
        return None
    if not (case.system.years[0] <= years[0] and years[1] <= case.system.years[-1]):
        return None
    source, title = sources.get(row["source_id"], (row["source_id"], ""))
    cells: dict[str, Any] = {name: row.get(name, "") for name in (*NEEDED[:7], "hedge", "note", "why_outside")}
    cells |= {"source": source, "title": title, "year_from": years[0], "year_to": years[1]}
    return Published(**cells, value=value * scale, per_year="/yr" in row["unit"])


def _scale(unit: str, record: Indicator, case: Case) -> float:
    """From the unit of the table to that of the indicator."""
    word = unit if record.unit == "1" else " ".join(unit.split("/")[0].split()[:1])
    known = _TO_ONE if record.unit == "1" else TONNES
    if word not in known:
        raise CellError(f"{unknown(word, tuple(known), 'unit')} (those of '{record.name}')")
    return known[word] / (1.0 if record.unit == "1" else TONNES[case.system.unit.split()[0]])
