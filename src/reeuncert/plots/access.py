"""What figures take from a result: groups, labels, sums of flows and quantiles, with errors that tell what to call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.printing import label_positions
from reeuncert.indicators.summary import SAMPLE, label_columns
from reeuncert.plots.style import PROBABILITIES
from reeuncert.result.quantiles import interval_columns, quantiles, spread
from reeuncert.result.tables import mass_flow, prior_flow
from reeuncert.words.estimates import estimate

ALL_YEARS = "cumulative"  # label of the sum over all years, among the years of a figure
Coords = Mapping[str, Any] | None


def require_prior(dt: xr.DataTree, group: str = "prior") -> None:
    """Refuse a result without draws of the prior."""
    if group in dt.children and len(dt[group].data_vars):
        return
    if group == "derived_prior" and "prior" in dt.children:
        raise ReeUncertError("this result has no group 'derived_prior': call add_indicators(dt) first")
    raise ReeUncertError(
        "this result has no group 'prior', so nothing can be shown beside the posterior: "
        "sample the case again with prior_draws above 0"
    )


def take(coords: Coords, known: Mapping[str, Iterable[Any]], what: str) -> dict[str, list[Any]]:
    """Dim → the labels that `coords` choose, by default all; refuses a dim or label that is not `known`, and none."""
    labels = {dim: list(of) for dim, of in known.items()}
    chosen = label_positions(what, labels, coords or {})
    if empty := [dim for dim, places in chosen.items() if not places]:
        raise ReeUncertError(f"no {empty[0]} of {what} is chosen; name one or more, or leave it out for all")
    return labels | {dim: [labels[dim][at] for at in places] for dim, places in chosen.items()}


def quantile_table(
    draws: np.ndarray, probs: Sequence[float] = PROBABILITIES, prefix: str = ""
) -> dict[str, np.ndarray]:
    """Mean, median and equal-tailed intervals of draws (draw, quantity) as columns. Columns ``mean``, ``median`` and,
    per probability, ``eti90_lb`` and ``eti90_ub``; names begin with `prefix`.
    """
    found = spread(draws, prob=probs[0])
    out = {f"{prefix}mean": found.mean, f"{prefix}median": found.median}
    sides = [0.5 + side * prob / 2 for prob in probs[1:] for side in (-1, 1)]
    ends = [found.lower, found.upper, *(quantiles(draws, sides) if sides else ())]
    names = [prefix + name for prob in probs for name in interval_columns(prob)]
    return out | dict(zip(names, ends, strict=True))


def tidy(posterior: xr.DataArray, prior: xr.DataArray | None, probs: Sequence[float] = PROBABILITIES) -> pd.DataFrame:
    """Quantiles of an array (chain, draw, *dims) as a table with a row for each combination of labels that exists.

    A column a dim, ``mean``, ``median``, ``eti50_lb`` … ``eti90_ub``, and ``prior_median``, ``prior_eti90_lb``,
    ``prior_eti90_ub`` (NaN without prior).
    """
    cells, before = flat(posterior), None if prior is None else flat(prior)
    there = np.isfinite(cells if before is None else np.concatenate([cells, before])).any(axis=0)
    table = pd.DataFrame(label_columns(posterior, there) | quantile_table(cells[:, there], probs))
    if before is None:
        return table.assign(prior_median=np.nan, prior_eti90_lb=np.nan, prior_eti90_ub=np.nan)
    known = quantile_table(before[:, there], (PROBABILITIES[-1],), "prior_")
    return table.assign(**known).drop(columns="prior_mean")


def led_by(table: pd.DataFrame, *first: str) -> pd.DataFrame:
    """A table with these columns first."""
    return table[[*first, *(name for name in table if name not in first)]]


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """Rows of a table as named tuples; pandas cannot say of what types their fields are."""
    return iter(table.itertuples())


def estimate_of(row: Any, prefix: str = "", *, unit: str | None = None) -> str:
    """Median and 90 % interval of a row of a table in words, by default in its ``unit``."""
    ends = (getattr(row, f"{prefix}{name}") for name in ("median", "eti90_lb", "eti90_ub"))
    return estimate(*ends, unit=row.unit if unit is None else unit)


def flat(data: xr.DataArray) -> np.ndarray:
    """Draws of an array (chain, draw, *dims) as (draw, quantity)."""
    dims = [d for d in data.dims if d not in SAMPLE]
    values = data.transpose(*SAMPLE, *dims).values
    return np.ascontiguousarray(values.reshape(values.shape[0] * values.shape[1], -1), dtype=float)


def chosen_flows(mass: xr.DataArray, **attributes: str | Iterable[str]) -> np.ndarray:
    """Which flows have these attributes (several allowed values may be given for each), as a boolean array (flow,)."""
    keep = np.ones(mass.sizes["flow"], dtype=bool)
    for name, allowed in attributes.items():
        keep &= np.isin(mass[name].values.astype(str), [allowed] if isinstance(allowed, str) else list(allowed))
    return keep


def sum_of(
    mass: xr.DataArray, *, min_count: int | None = None, **attributes: str | Iterable[str]
) -> xr.DataArray | None:
    """Sum of the flows with these attributes (chain, draw, year), or None; an absent flow adds nothing. Where fewer
    than `min_count` are there, it is NaN.
    """
    keep = np.flatnonzero(chosen_flows(mass, **attributes))
    if not len(keep):
        return None
    return mass.isel(flow=keep).sum("flow", skipna=True, min_count=min_count)


def refined_products(mass: xr.DataArray) -> list[str]:
    """Products that some process makes."""
    made = mass["product"].values.astype(str)[chosen_flows(mass, quantity="production")]
    return list(dict.fromkeys(made.tolist()))


def both(dt: xr.DataTree) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Flows of the posterior, and of the prior if it was simulated."""
    return mass_flow(dt), prior_flow(dt)
