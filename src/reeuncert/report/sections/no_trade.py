"""The last year without trade: lost consumption by region."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reeuncert.counterfactuals import lost_consumption, no_trade
from reeuncert.counterfactuals.lost import ALL
from reeuncert.counterfactuals.run import AS_DRAWN, HIGHEST
from reeuncert.report.sections.triangle import MANY
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow

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
    best, now = (lost_consumption(no_trade(result.dt, year=year, capacity=c), by=BY) for c in (HIGHEST, AS_DRAWN))
    joined: pd.DataFrame = best.merge(now, on=BY, suffixes=("", "_now"))
    rows = joined.to_dict("records")
    leads = [row for row in rows if row["product"] == ALL] if len(result.case.regions) < MANY else []
    return {"year": year, "rows": rows, "leads": leads}
