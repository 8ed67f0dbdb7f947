"""Which supplier's stop would cost each region most: an export stop of each region in turn."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.counterfactuals.lost import BY, counterfactual_of
from reeuncert.counterfactuals.rule import Rule
from reeuncert.counterfactuals.rules import ExportStop
from reeuncert.counterfactuals.run import AS_DRAWN, HIGHEST, Capacity, run_counterfactual
from reeuncert.errors import ReeUncertError
from reeuncert.result.quantiles import interval_columns, spread

DRAWS = 400
"""Draws that are computed unless said otherwise."""


def supplier_stops(
    dt: xr.DataTree,
    *,
    year: int | None = None,
    capacity: Capacity = HIGHEST,
    priority: Sequence[str] = (),
    stocks: str = AS_DRAWN,
    draws: int | None = DRAWS,
    prob: float = 0.9,
    kind: str = "eti",
) -> pd.DataFrame:
    """Consumption that each region loses if one other region stops all exports, to everyone, recorded or not.

    Losses through third regions are included: a region loses, too, if its supplier lacks the feed of another.

    Parameters
    ----------
    dt, year, capacity, priority, stocks
        See `run_counterfactual`.
    draws
        Compute about this many draws of all chains, evenly spaced; None: all. The Monte Carlo standard error of a
        probability p is about √(p (1 − p) / draws).
    prob, kind
        Probability and kind of the interval, see `reeuncert.summary`.

    Returns
    -------
    DataFrame
        ``region``, ``supplier``, ``year``, ``unit``, ``consumption`` (median as drawn), ``mean``, ``median``,
        ``eti90_lb``, ``eti90_ub`` of the loss, ``share_median``, ``share_eti90_lb``, ``share_eti90_ub`` of it in
        consumption, and ``costs_most``: the probability that no other supplier's stop costs the region more.

    Raises
    ------
    ReeUncertError
        If the case has fewer than two regions.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = supplier_stops(toy_posterior(draws=20, years=2))
    >>> table[["region", "supplier"]].values.tolist()[:2]
    [['North', 'South'], ['North', 'East']]
    """
    held = dt["posterior"].to_dataset()
    step = 1 if draws is None else max(1, math.ceil(held.sizes["chain"] * held.sizes["draw"] / max(draws, 1)))
    some = xr.DataTree.from_dict({"posterior": held[["mass_flow"]].isel(draw=slice(None, None, step))})
    some.attrs = dt.attrs

    def numbers(rules: Sequence[Rule]) -> xr.Dataset:
        return counterfactual_of(
            run_counterfactual(some, rules, year=year, capacity=capacity, priority=priority, stocks=stocks)
        )

    drawn = numbers([])
    regions = [str(r) for r in drawn["region"].values]
    if len(regions) < 2:
        raise ReeUncertError("a case of one region has no supplier that could stop")
    consumed, lost = _by_region(drawn, "consumption"), {}
    for supplier in regions:
        stopped = numbers([ExportStop(supplier, region) for region in regions if region != supplier])
        lost[supplier] = _by_region(stopped, "lost_consumption")
    rows = []
    lower, upper = interval_columns(prob, kind)
    for r, region in enumerate(regions):
        if not np.isfinite(consumed[:, r]).any():
            continue
        worst = np.max([lost[s][:, r] for s in regions if s != region], axis=0)
        for supplier in regions:
            if supplier == region:
                continue
            loss = lost[supplier][:, r]
            share = np.divide(loss, consumed[:, r], out=np.full_like(loss, np.nan), where=consumed[:, r] > 0)
            mass, part = (spread(v[:, None], prob=prob, kind=kind) for v in (loss, share))
            row: dict[str, Any] = {"region": region, "supplier": supplier, "year": int(drawn["year"].values[0])}
            row |= {"unit": drawn["consumption"].attrs["units"], "consumption": float(np.median(consumed[:, r]))}
            row |= {"mean": mass.mean[0], "median": mass.median[0], lower: mass.lower[0], upper: mass.upper[0]}
            row |= {"share_median": part.median[0], f"share_{lower}": part.lower[0], f"share_{upper}": part.upper[0]}
            rows.append(row | {"costs_most": float(np.mean((loss > 0) & (loss == worst)))})
    return pd.DataFrame(rows)


def _by_region(numbers: xr.Dataset, name: str) -> np.ndarray:
    """Sum over products and end uses, array (draw, region)."""
    values = numbers[name].isel(year=0).sum([d for d in BY if d != "region"], min_count=1)
    return np.asarray(values.transpose("chain", "draw", "region").values.reshape(-1, values.sizes["region"]))
