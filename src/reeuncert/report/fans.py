"""Fan charts of all indicators: quantiles of posterior and prior over the years, as compact data for the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from reeuncert.indicators.registry import CUMULATED, lookup
from reeuncert.reference import Published, labels, published_values
from reeuncert.result.quantiles import quantiles
from reeuncert.result.result import Result

PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Bounds of the 90, 80 and 50 % equal-tailed intervals, and the median."""

PRIOR_PROBABILITIES = (0.05, 0.5, 0.95)


def fans(result: Result) -> dict[str, Any]:
    """`all_fans` of a result, with the published values of its case."""
    prior = result.dt["derived_prior"].to_dataset() if "derived_prior" in result.dt.children else None
    return all_fans(result.dt["derived"].to_dataset(), prior, published_values(result.case))


def all_fans(derived: xr.Dataset, prior: xr.Dataset | None, published: Iterable[Published] = ()) -> dict[str, Any]:
    """Fans of every indicator of a result.

    ``years``, and ``indicators``: for each ``name``, ``title``, ``unit``, ``reference``, ``dims`` and ``series``, a
    list of ``at`` (labels), ``q`` (one list over the years for each of `PROBABILITIES`), ``p`` (the same for the prior,
    if there is one) and ``points`` (published values). Series that the system lacks are left out.
    """
    points = list(published)
    indicators = []
    for name in derived.data_vars:
        variable = derived[str(name)]
        before = prior[str(name)] if prior is not None and name in prior.data_vars else None
        series = list(_series(str(name), variable, before, points))
        if series:
            dims = [str(d) for d in variable.dims if d not in ("chain", "draw", "year")]
            about = {"name": str(name), "title": variable.attrs.get("long_name", str(name))}
            about |= {"unit": variable.attrs.get("units", ""), "reference": variable.attrs.get("reference", "")}
            indicators.append(about | {"percent": lookup(str(name)).percent, "dims": dims, "series": series})
    years = [int(y) for y in derived["year"].values]
    return {"years": years, "indicators": indicators}


def _series(
    name: str, variable: xr.DataArray, prior: xr.DataArray | None, published: list[Published]
) -> Iterable[dict[str, Any]]:
    dims = [str(d) for d in variable.dims if d not in ("chain", "draw")]
    found = _grid(variable, dims, PROBABILITIES)
    known = None if prior is None else _grid(prior, dims, PRIOR_PROBABILITIES)
    shape = found.shape[1:-1]
    for index in np.ndindex(*shape):
        q = found[(slice(None), *index)]
        if not np.isfinite(q).any() or not np.nanmax(np.abs(q)) > 0:
            continue
        at = [str(variable[d].values[i]) for d, i in zip(dims[:-1], index, strict=True)]
        one: dict[str, Any] = {"at": at, "q": q}
        if known is not None and np.isfinite(known[(slice(None), *index)]).any():
            one["p"] = known[(slice(None), *index)]
        marks = _points(name, dict(zip(dims[:-1], at, strict=True)), variable, published)
        yield one | ({"points": marks} if marks else {})


def _grid(variable: xr.DataArray, dims: list[str], probabilities: tuple[float, ...]) -> np.ndarray:
    draws = variable.transpose("chain", "draw", *dims).values
    flat = draws.reshape(draws.shape[0] * draws.shape[1], -1)
    return quantiles(flat, probabilities).reshape(len(probabilities), *draws.shape[2:])


def _points(
    name: str, at: dict[str, str], variable: xr.DataArray, published: list[Published]
) -> list[dict[str, object]]:
    """Published values of one series: in one year, over some years (a rate), or up to a year (cumulated)."""
    first = int(variable["year"].values[0])
    out = []
    for row in published:
        several = row.year_from != row.year_to
        cumulated = several and not row.per_year
        if name != row.indicator + (CUMULATED if cumulated else "") or labels(row) != at:
            continue
        if cumulated and row.year_from != first:
            continue
        shown = row.year_to if cumulated else row.year_from
        text = " ".join(f"{row.statement} {row.hedge}".split())
        out.append(
            {
                "from": shown,
                "to": row.year_to,
                "value": row.value,
                "source": row.source_id,
                "text": f"{row.source}: {text}",
            }
        )
    return out
