"""The last year without trade: lost consumption by region, and the verdict on it."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.counterfactuals import lost_consumption, no_trade
from reeuncert.counterfactuals.lost import ALL, counterfactual_of, lost_draws
from reeuncert.counterfactuals.run import AS_DRAWN, HIGHEST
from reeuncert.indicators.headlines import ValueDraws, verdicts_on
from reeuncert.report.sections.triangle import MANY
from reeuncert.result.quantiles import Array
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.result.verdicts import Verdict

BY = ["region", "product"]


def content(result: Result) -> dict[str, Any] | None:
    """Lost consumption by region and product, with plants as in their best year and as in the last."""
    year = result.years[-1]
    mass = mass_flow(result.dt)
    crosses = mass["origin"].values != mass["destination"].values
    there = np.isfinite(mass.sel(year=year).isel(chain=0, draw=0).transpose("flow").values)
    used = np.isin(mass["quantity"].values, ["end_use", "apparent_consumption"])
    if not (crosses & there).any() or not (used & there).any():
        return None
    world, of_now = (no_trade(result.dt, year=year, capacity=c) for c in (HIGHEST, AS_DRAWN))
    best, now = lost_consumption(world, by=BY), lost_consumption(of_now, by=BY)
    joined: pd.DataFrame = best.merge(now, on=BY, suffixes=("", "_now"))
    rows = joined.to_dict("records")
    leads = [row for row in rows if row["product"] == ALL] if len(result.case.regions) < MANY else []
    verdicts = _verdicts(result, world) if leads else {}
    return {"year": year, "rows": rows, "leads": [row | {"verdict": verdicts[row["region"]]} for row in leads]}


def _verdicts(result: Result, world: xr.DataTree) -> dict[str, Verdict]:
    """Region → the verdict on the part of its consumption that it would lose."""
    after, before = _lost_shares(world), {}
    if "prior" in result.dt.children:
        drawn = xr.DataTree.from_dict({"posterior": result.dt["prior"].to_dataset()})
        drawn.attrs = result.dt.attrs
        before = _lost_shares(no_trade(drawn, year=result.years[-1]))
    draws = [
        ValueDraws(region, False, share, before[region].ravel() if region in before else np.empty(0))
        for region, share in after.items()
    ]
    return dict(zip(after, verdicts_on(result, draws, scale="share"), strict=True))


def _lost_shares(world: xr.DataTree) -> dict[str, Array]:
    """Region → draws (chain, draw) of the part of its consumption that is lost."""
    found = counterfactual_of(world)
    labels, consumed, lost = lost_draws(found, ["region"])
    share = np.divide(lost, consumed, out=np.full_like(lost, np.nan), where=consumed > 0)
    shape = found.sizes["chain"], found.sizes["draw"]
    return {str(region): share[:, k].reshape(shape) for k, region in enumerate(labels["region"])}
