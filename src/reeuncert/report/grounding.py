"""Which of evidence and prior decides a result: the verdict of the checks, for any quantity of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.checks.assumption import INFORMED, ON_PRIOR, PARTLY_PRIOR, verdict, width_ratio

STYLES = {INFORMED: "informed", PARTLY_PRIOR: "partly", ON_PRIOR: "rests"}
"""Verdict → style of its mark in the page."""


@dataclass(frozen=True)
class Grounding:
    """What a value rests on.

    Parameters
    ----------
    words
        As `reeuncert.checks.assumption.verdict` says it; without a prior, that there is none to compare with.
    ratio
        Width of the posterior interval over the prior's (of masses: of their logarithms); NaN without a prior.
    """

    words: str
    ratio: float

    @property
    def style(self) -> str:
        return STYLES.get(self.words, "unknown")


def grounding(dt: xr.DataTree, name: str, at: Mapping[str, object]) -> Grounding:
    """What one value of an indicator rests on.

    Parameters
    ----------
    dt
        Result with indicators.
    name, at
        Name of the variable, and a label for each of its dims beside chain and draw.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> found = grounding(toy_posterior(draws=50, years=2), "mine_production", {"region": "South", "year": 2002})
    >>> found.style, 0 < found.ratio < 1
    ('informed', True)
    """
    if "derived_prior" not in dt.children or name not in dt["derived_prior"].data_vars:
        return Grounding("no prior to compare with", float("nan"))
    after, before = (_draws(dt[group].to_dataset()[name], at) for group in ("derived", "derived_prior"))
    if not len(after) or not len(before):
        return Grounding(verdict(float("nan")), float("nan"))
    mass = dt["derived"][name].attrs.get("units") != "1"
    ratio = width_ratio(after, before, log=mass and bool((after > 0).all() and (before > 0).all()))
    return Grounding(verdict(ratio, float((before < np.median(after)).mean())), ratio)


def grounding_of_row(dt: xr.DataTree, row: Mapping[Any, Any] | pd.Series) -> Grounding:
    """What the value of a row of `reeuncert.summary` or `reeuncert.headlines` rests on.

    Parameters
    ----------
    dt
        Result with indicators.
    row
        Its indicator, and its label for each dim of that indicator.
    """
    variable = dt["derived"][row["indicator"]]
    at = {str(d): row[str(d)] for d in variable.dims if d not in ("chain", "draw")}
    return grounding(dt, row["indicator"], at)


def _draws(variable: xr.DataArray, at: Mapping[str, object]) -> np.ndarray:
    values = np.asarray(variable.sel(dict(at)).values, dtype=float).reshape(-1)
    return values[np.isfinite(values)]
