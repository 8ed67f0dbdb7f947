"""Consumption by region and end use."""

from typing import Any

import pandas as pd

from reeuncert.indicators.summary import summary
from reeuncert.report.figures import figure
from reeuncert.report.sections.panels import fans_of, series_of
from reeuncert.result.result import Result


def content(result: Result) -> dict[str, Any] | None:
    """Apparent consumption as fans, end uses stacked by region, and a table of the last year and of all years."""
    uses = series_of(result, "end_use_consumption")
    known = {at["product"] for at in series_of(result, "apparent_consumption")}
    if not uses and not known:
        return None
    refined = "refined" in known
    totals = fans_of(
        result,
        "apparent_consumption",
        id="consumption",
        keep=lambda at: not refined or at["product"] == "refined",
        short=True,
    )
    named = list(dict.fromkeys(at["end_use"] for at in uses))
    regions = list(dict.fromkeys(at["region"] for at in uses))
    stacks = [
        figure(
            f"end-uses-{n}",
            region,
            lambda region=region: {  # type: ignore[misc]  # default binds region
                "kind": "stack",
                "indicator": "end_use_consumption",
                "series": [[region, at["end_use"]] for at in uses if at["region"] == region],
                "hues": [named.index(at["end_use"]) for at in uses if at["region"] == region],
            },
            alt=f"Stacked areas: median consumption of {region} by end use over the years; the table has intervals.",
            height=340,
        )
        for n, region in enumerate(regions)
    ]
    return {
        "totals": totals,
        "refined": refined,
        "scrap": _scrap_leaves(result),
        "stacks": stacks,
        "named": named,
        "table": _table(result) if uses else [],
        "year": result.years[-1],
    }


def _table(result: Result) -> list[dict[Any, Any]]:
    """One row per region and end use: mass and share in the last year, and cumulative mass."""
    year = result.years[-1]
    keys = ["region", "end_use"]
    mass = summary(result.dt, "end_use_consumption", year=year)
    share = summary(result.dt, "end_use_share", year=year)
    every = summary(result.dt, "end_use_consumption_cumulated", year=year)
    joined: pd.DataFrame = mass.merge(share, on=keys, suffixes=("", "_share")).merge(
        every, on=keys, suffixes=("", "_all")
    )
    return joined[joined["median_all"] > 0].to_dict("records")


def _scrap_leaves(result: Result) -> bool:
    """Whether a process that supplies end uses sends a part of its input elsewhere."""
    flows = [f for f in result.case.system.flows if not f.is_stock]
    users = {f.from_process for f in flows if f.end_use}
    return any(f.from_process in users and not f.end_use for f in flows)
