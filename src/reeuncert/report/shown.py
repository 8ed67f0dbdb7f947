"""Values of indicators as a reader sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from reeuncert.indicators.headlines import number
from reeuncert.indicators.registry import DIMS, lookup

INTERVAL = ("eti90_lb", "eti90_ub")


def interval(row: pd.Series, prefix: str = "") -> str:
    """Median and interval in one cell, percent for shares.

    Examples
    --------
    >>> row = pd.Series({"indicator": "net_import_reliance", "median": 0.71, "eti90_lb": 0.6, "eti90_ub": 0.8})
    >>> interval(row)
    '71 (60 to 80)'
    """
    percent = lookup(str(row["indicator"])).percent
    values = [float(row[f"{prefix}{column}"]) for column in ("median", *INTERVAL)]
    if not all(math.isfinite(v) for v in values):
        return ""
    middle, low, high = (number(v, percent=percent) for v in values)
    return f"{middle} ({low} to {high})"


def unit_of(row: Mapping[Any, Any] | pd.Series) -> str:
    """Unit in which `interval` prints."""
    record = lookup(str(row["indicator"]))
    if record.percent:
        return "%"
    return str(row["unit"]) if record.unit == "mass" else ""


def heading(row: pd.Series) -> str:
    """Title of an indicator with its labels and unit.

    Examples
    --------
    >>> heading(pd.Series({"indicator": "mine_production", "region": "South", "partner": "", "product": "",
    ...                    "end_use": "", "unit": "kt"}))
    'Mine production, registered and unregistered: South [kt]'
    """
    labels = ", ".join(str(row[dim]) for dim in DIMS if row[dim])
    unit = unit_of(row)
    cumulated = ", cumulated" if str(row["indicator"]).endswith("_cumulated") else ""
    title = lookup(str(row["indicator"])).title
    return (
        f"{title[:1].upper()}{title[1:]}{cumulated}"
        + (f": {labels}" if labels else "")
        + (f" [{unit}]" if unit else "")
    )
