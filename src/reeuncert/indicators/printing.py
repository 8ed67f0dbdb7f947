"""Values of indicators in sentences and tables: their unit, their interval, their heading."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reeuncert.indicators.registry import CUMULATED, DIMS, lookup
from reeuncert.words.estimates import estimate


def unit_of(row: Mapping[Any, Any] | pd.Series) -> str:
    """Unit in which `reeuncert.words.estimates` prints a value: "1" (per cent), that of a mass, or none (an index)."""
    record = lookup(str(row["indicator"]))
    return "1" if record.percent else str(row["unit"]) if record.unit == "mass" else ""


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


EXPORTS = ("export_dep", "ore_shipped")
"""How the names of indicators begin whose flows go from the region to the partner, not the other way."""


def labels_in_words(name: str, at: Mapping[Any, Any] | pd.Series) -> list[str]:
    """Labels of one series of an indicator: region and partner as a way, from where the flows come to where they go.

    >>> labels_in_words("import_dependence", {"region": "A", "partner": "B", "product": "salt"})
    ['B → A', 'salt']
    >>> labels_in_words("interdependence", {"region": "A", "partner": "B"})
    ['A and B']
    """
    found = {dim: str(at[dim]) for dim in DIMS if dim in at and str(at[dim]) not in ("", "nan")}
    pair = [found.pop(dim) for dim in ("region", "partner") if dim in found]
    mutual = name.startswith("interdep")
    way = (" and " if mutual else " → ").join(pair if mutual or name.startswith(EXPORTS) else pair[::-1])
    return [label for label in (way, *found.values()) if label]


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
