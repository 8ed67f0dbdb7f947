"""What studies keep of a fit: quantiles of indicators, draws of the headlines, checks, figures that were left out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from reeuncert.case.records import Case, Headline
from reeuncert.case.serial import case_to_json
from reeuncert.checks import OF_DRAWS, check
from reeuncert.checks.predictive import row_table
from reeuncert.errors import AbsentError
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.headlines import Target, headline_row, place, value_of
from reeuncert.indicators.registry import lookup
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.predictive import drawn, log_likelihood
from reeuncert.priors.coverage import case_network
from reeuncert.result.diagnostics import diagnose, interval_ends
from reeuncert.result.quantiles import quantiles
from reeuncert.result.result import Result
from reeuncert.studies.cache import Kept

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of every indicator that are kept: the median, and equal-tailed intervals of 50 and 90 %."""

LABELS = ("indicator", "region", "partner", "product", "year")
"""What names a headline."""

NUMBERS = ("median", "eti90_lb", "eti90_ub", "mcse_median", "ess_bulk", "r_hat")
"""What is kept of its draws."""

PREDICTED = ("row", "source", "lineage", "below", "log_score")


@dataclass(frozen=True)
class Summary:
    """Keeps what a study needs of the fit of a scenario.

    ``data["indicators"]`` holds quantiles (quantile, [region], [partner], [product], [end_use], year);
    ``data["draws"]`` holds ``value`` (headline, sample), NaN where the system has no such flow. ``tables["headlines"]``
    has a row a headline: labels, unit, median, eti90_lb, eti90_ub, mcse_median, ess_bulk, r_hat; ``tables["checks"]``:
    check, status, value, threshold, message.
    """

    indicators: tuple[str, ...] = ()

    @property
    def asked(self) -> Mapping[str, object]:
        return {"indicators": sorted(self.indicators), "quantiles": QUANTILES}

    def __call__(self, dt: xr.DataTree, case: Case, left_out: tuple[str, ...]) -> Kept:
        held = add_indicators(dt, list(self.indicators), case=case)
        derived = held["derived"].to_dataset()
        events = {name for name in derived.data_vars if lookup(str(name), case).event}
        indicators = xr.Dataset({str(name): _quantiles(of, name in events) for name, of in derived.data_vars.items()})
        rows, draws = [], []
        for headline in case.headlines:
            row, values = _headline(held, headline)
            rows.append(row)
            draws.append(values)
        # Checks judge the headlines that this system has.
        there = tuple(h for h, values in zip(case.headlines, draws, strict=True) if np.isfinite(values).any())
        held.attrs["case_json"] = case_to_json(replace(case, headlines=there))
        value = np.array(draws, dtype=np.float32).reshape(len(rows), _samples(dt))
        stacked = xr.Dataset({"value": (("headline", "sample"), value)})
        tables = {
            "headlines": pd.DataFrame(rows, columns=[*LABELS, "unit", *NUMBERS]).astype(dict.fromkeys(NUMBERS, float)),
            "checks": check(held, list(OF_DRAWS)).to_frame(),
        }
        return Kept({"indicators": indicators, "draws": stacked}, tables)


@dataclass(frozen=True)
class Headlines:
    """Keeps the headlines of a fit: ``tables["headlines"]`` and ``data["draws"]``, see `headline_values`."""

    asked: ClassVar[Mapping[str, object]] = {"keep": "headlines with draws"}

    def __call__(self, dt: xr.DataTree, case: Case, left_out: tuple[str, ...]) -> Kept:
        held = add_indicators(dt, sorted({headline.indicator for headline in case.headlines}), case=case)
        table, draws = headline_values(held, case)
        value = (("headline", "sample"), draws.astype(np.float32))
        return Kept({"draws": xr.Dataset({"value": value})}, {"headlines": table})


@dataclass(frozen=True)
class Predicted:
    """Keeps what a fit predicts of the rows of evidence that it has not seen.

    ``tables["predicted"]`` has a row a figure: row, source, lineage, below (probability that a predicted figure is not
    above the reported one; NaN for bounds), log_score (log of the mean density over the draws).
    """

    asked: ClassVar[Mapping[str, object]] = {"keep": "predicted"}

    def __call__(self, dt: xr.DataTree, case: Case, left_out: tuple[str, ...]) -> Kept:
        evidence = compile_evidence(case, case_network(case))
        posterior = dt["posterior"].to_dataset()
        names = [row.id for row in evidence.rows]
        table = row_table(evidence, posterior).set_index("row")
        flat = log_likelihood(evidence, *drawn(posterior)).reshape(-1, evidence.n_rows)
        table["log_score"] = pd.Series(logsumexp(flat, axis=0) - np.log(len(flat)), index=names)
        return Kept(tables={"predicted": table.loc[[n for n in names if n in left_out]].reset_index()[list(PREDICTED)]})


def headline_values(dt: xr.DataTree, case: Case) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Labels, unit and convergence of every headline of a result, and their values (headline, sample)."""
    headlines = [_value(dt, headline) for headline in case.headlines]
    values = np.array([headline.draws for headline in headlines])
    found = diagnose(np.moveaxis(values, 0, -1))
    table = pd.DataFrame([headline.columns for headline in headlines])
    table = table.assign(ess_bulk=found.ess_bulk, ess_tail=found.ess_tail, r_hat=found.r_hat)
    return table, values.reshape(len(table), -1)


def _value(dt: xr.DataTree, headline: Headline) -> Target:
    name, coords, year = place(dt, headline)
    return value_of(dt, name, {**coords, "year": year})


def _headline(dt: xr.DataTree, headline: Headline) -> tuple[dict[str, object], np.ndarray]:
    """Row and draws of one headline; empty where this system has no such flow."""
    row = {name: getattr(headline, name) for name in LABELS}
    try:
        found = headline_row(Result(dt), headline).iloc[0]
        values = _value(dt, headline).draws
    except AbsentError:
        # A scenario may lack what a headline is about (no unrecorded trade: nothing smuggled); the table says so.
        return row | {"unit": ""}, np.full(_samples(dt), np.nan)
    row |= {name: found[name] for name in ("unit", *NUMBERS) if name in found}
    return row | {"mcse_median": interval_ends(values)[1].error}, values.ravel()


def _samples(dt: xr.DataTree) -> int:
    return dt["posterior"].sizes["chain"] * dt["posterior"].sizes["draw"]


def _quantiles(draws: xr.DataArray, event: bool) -> xr.DataArray:
    """Quantiles over the draws (quantile, …); NaN where more than a tenth of the draws are undefined. Of events the
    median is the probability, and the others are NaN.
    """
    rest = [str(d) for d in draws.dims if d not in ("chain", "draw")]
    values = draws.transpose("chain", "draw", *rest).values
    cells = values.reshape(values.shape[0] * values.shape[1], -1)
    out = quantiles(cells, QUANTILES)
    if event:
        out = np.where(np.array(QUANTILES)[:, None] == 0.5, cells.mean(axis=0), np.nan)
    coords = {"quantile": list(QUANTILES), **{d: draws[d].values for d in rest}}
    shape = (len(QUANTILES), *values.shape[2:])
    return xr.DataArray(out.reshape(shape).astype(np.float32), coords, ("quantile", *rest), attrs=dict(draws.attrs))
