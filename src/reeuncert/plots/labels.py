"""Words for single values of indicators and for components, the same in every figure of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reeuncert.indicators.registry import CUMULATED, DIMS, lookup
from reeuncert.plots.style import hue
from reeuncert.questions.powerscale import CLASS, SOURCE

SCENARIO = "scenario"
COLOURS = {CLASS: hue(1), SOURCE: hue(0), SCENARIO: hue(2), "rest": hue(7)}
"""Colour of a kind of component."""


def value_title(row: Mapping[str, Any]) -> str:
    """One value of an indicator in words, from the first columns of a tidy table.

    Examples
    --------
    >>> value_title({"indicator": "mine_production", "region": "South", "partner": "", "year": 2002})
    'Mine production, registered and unregistered · South · 2002'
    """
    name = str(row["indicator"])
    labels = [str(row[d]) for d in DIMS if d in row and str(row[d]) not in ("", "nan")]
    year = "all years" if name.endswith(CUMULATED) or not row.get("year", 0) else str(int(row["year"]))
    return " · ".join([lookup(name).title, *labels, year])


def table_title(table: pd.DataFrame) -> str:
    """The value that a tidy table is about, in words."""
    return value_title({str(k): v for k, v in table.iloc[0].items()})


def plain(name: str) -> str:
    """A name as a reader would write it.

    Examples
    --------
    >>> plain("declared_share")
    'declared share'
    """
    return name.replace("_", " ")
