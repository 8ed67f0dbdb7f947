"""What is kept of the fit of one scenario: quantiles of indicators, draws of the headlines, checks; and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case, Headline
from reeuncert.case.serial import case_to_json
from reeuncert.checks import check
from reeuncert.errors import OutputError, ReeUncertError
from reeuncert.files import first_line, write_whole
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.headlines import headlines, place
from reeuncert.result.netcdf import read_tree, tree_bytes
from reeuncert.result.quantiles import quantiles
from reeuncert.studies.table_text import table_of, table_text

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of every indicator that are kept: the median, and equal-tailed intervals of 50 and 90 %."""

CHECKS = ("completeness", "balance", "convergence", "geometry", "monte_carlo")
"""Checks of every fit: whether its draws can be believed."""

FORMAT = "reeuncert scenario 2"
PREDICTED = ("row", "source", "lineage", "below", "r_hat")
LABELS = ("indicator", "region", "partner", "product", "year")
"""What names a headline."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """The result of one scenario.

    Parameters
    ----------
    indicators
        Quantiles: dims (quantile, [region], [partner], [product], [end_use], year).
    draws
        ``value`` (headline, sample): all draws of each headline of the case; NaN where the system has no such flow.
    headlines
        One row a headline: labels, unit, median, eti90_lb, eti90_ub, mcse_median, ess_bulk, r_hat.
    checks
        Columns check, status, value, threshold, message.
    about
        Seconds by phase, whether a model was compiled, versions, seed.
    predicted
        One row a figure that the fit has not seen: row, source, lineage, below (probability that a predicted figure is
        not above the reported one; NaN for bounds), r_hat (the largest of the flows).
    """

    indicators: xr.Dataset
    draws: xr.Dataset
    headlines: pd.DataFrame
    checks: pd.DataFrame
    about: Mapping[str, Any] = field(default_factory=dict)
    predicted: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PREDICTED))

    def saying(self, **more: Any) -> Fitted:
        """The same with more said about it."""
        return replace(self, about={**self.about, **more})

    def to_netcdf(self, path: Path) -> None:
        """Write as netCDF-4; tables and what is said about it are JSON in its attributes."""
        tree = xr.DataTree.from_dict({"indicators": self.indicators, "draws": self.draws})
        tree.attrs = {
            "format": FORMAT,
            "headlines": table_text(self.headlines),
            "checks": table_text(self.checks),
            "predicted": table_text(self.predicted),
            "about": json.dumps(dict(self.about), sort_keys=True),
        }
        write_whole(path, tree_bytes(tree))

    @classmethod
    def read(cls, path: Path) -> Fitted:
        """Read back what `to_netcdf` wrote.

        Raises
        ------
        OutputError
            When the file is damaged, or is something else.
        """
        tree = read_tree(path)
        try:
            said = {name: str(tree.attrs[name]) for name in ("format", "headlines", "checks", "predicted", "about")}
            if said["format"] != FORMAT:
                raise ValueError(f"its format is '{said['format'][:40]}', not '{FORMAT}'")
            return cls(
                tree["indicators"].to_dataset(),
                tree["draws"].to_dataset(),
                table_of(said["headlines"]),
                table_of(said["checks"]),
                json.loads(said["about"]),
                table_of(said["predicted"]),
            )
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise OutputError(f"'{path}' is no result of a scenario, or is damaged: {first_line(error)}") from error


def summarise(dt: xr.DataTree, case: Case, names: Sequence[str], about: Mapping[str, Any]) -> Fitted:
    """Keep of a fit what a study needs.

    Parameters
    ----------
    dt
        From a refit of the case.
    names
        Indicators to keep.
    """
    held = add_indicators(dt, list(names), case=case)
    derived = held["derived"].to_dataset()
    indicators = xr.Dataset({str(name): _quantiles(derived[name]) for name in derived.data_vars})
    rows, draws = [], []
    for headline in case.headlines:
        row, values = _headline(held, derived, headline, case)
        rows.append(row)
        draws.append(values)
    # Checks judge the headlines that this system has.
    there = tuple(h for h, values in zip(case.headlines, draws, strict=True) if np.isfinite(values).any())
    held.attrs["case_json"] = case_to_json(replace(case, headlines=there))
    value = np.array(draws, dtype=np.float32).reshape(len(rows), -1)
    stacked = xr.Dataset({"value": (("headline", "sample"), value)})
    table = pd.DataFrame(rows, columns=[*LABELS, "unit", *_NUMBERS])
    return Fitted(indicators, stacked, table, check(held, list(CHECKS)).to_frame(), dict(about))


_NUMBERS = ("median", "eti90_lb", "eti90_ub", "mcse_median", "ess_bulk", "r_hat")


def _headline(
    dt: xr.DataTree, derived: xr.Dataset, headline: Headline, case: Case
) -> tuple[tuple[object, ...], np.ndarray]:
    """Row and draws of one headline; empty where this system has no such flow."""
    labels = (headline.indicator, headline.region, headline.partner, headline.product, headline.year)
    nothing = np.full(dt["posterior"].sizes["chain"] * dt["posterior"].sizes["draw"], np.nan)
    try:
        row = headlines(dt, case=replace(case, headlines=(headline,))).iloc[0]
        name, coords, year = place(dt, headline)
    except ReeUncertError:
        # A scenario may lack what a headline is about (no unrecorded trade: nothing smuggled); the table says so.
        return (*labels, "", *(np.nan for _ in _NUMBERS)), nothing
    values = derived[name].sel({**coords, "year": year}).transpose("chain", "draw").values
    mcse = _mcse_of_median(values, float(row["ess_bulk"]))
    numbers = (row["median"], row["eti90_lb"], row["eti90_ub"], mcse, row["ess_bulk"], row["r_hat"])
    return (*labels, row["unit"], *map(float, numbers)), values.ravel()


def _mcse_of_median(values: np.ndarray, ess: float) -> float:
    """Monte Carlo error of the median: how far the quantiles at 1/2 ± 1/(2 √ess) are from each other, halved."""
    known = values[np.isfinite(values)]
    if not known.size or not ess > 0:
        return float("nan")
    half = min(0.5 / np.sqrt(ess), 0.5)
    low, high = np.quantile(known, [0.5 - half, 0.5 + half])
    return float(high - low) / 2


def _quantiles(draws: xr.DataArray) -> xr.DataArray:
    """Quantiles over the draws (quantile, …); NaN where more than a tenth of the draws are undefined."""
    rest = [str(d) for d in draws.dims if d not in ("chain", "draw")]
    values = draws.transpose("chain", "draw", *rest).values
    cells = values.reshape(values.shape[0] * values.shape[1], -1)
    out = quantiles(cells, QUANTILES)
    coords = {"quantile": list(QUANTILES), **{d: draws[d].values for d in rest}}
    shape = (len(QUANTILES), *values.shape[2:])
    return xr.DataArray(out.reshape(shape).astype(np.float32), coords, ("quantile", *rest), attrs=dict(draws.attrs))
