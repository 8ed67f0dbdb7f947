"""Sections of fan charts: dependence, net trade, unregistered mining and refining, and consumption over the years."""

from typing import Any

import pandas as pd

from reeuncert.indicators.headlines import place
from reeuncert.indicators.registry import lookup
from reeuncert.indicators.summary import summary
from reeuncert.reference import all_published
from reeuncert.report.figures import ABREAST, fan, fans, fans_of, figure, series_of
from reeuncert.result.result import Result

SHOWN = 8  # number of fan charts of headlines shown by default; the others are selected from the list
NET, USES = "net_imports", "end_use_consumption"
UNREGISTERED = {
    "unregistered_mining": "Unregistered mine production",
    "unregistered_mining_share": "Unregistered share of each region's mine production",
    "refining_beyond_quota": "Refining beyond quota, all feed",
    "refining_beyond_quota_own_ore": "Refining beyond quota, from the region's own ore",
}


def dependence(result: Result) -> dict[str, Any] | None:
    """Fan charts of the headlines, a selectable fan chart, and published values."""
    every = result.once(fans)
    if not every["indicators"]:
        return None
    places = (place(result.dt, headline)[:2] for headline in result.case.headlines)
    shown = list(
        dict.fromkeys((name, tuple(labels[d] for d in lookup(name, result.case).dims)) for name, labels in places)
    )
    chosen = figure(
        "explorer",
        "Any indicator",
        lambda: {"kind": "explorer", "start": shown[0] if shown else None},
        alt="Fan chart of the indicator chosen above, over the years.",
        caption="Choose an indicator, region and partner.",
    )
    return {
        "figures": [fan(result, name, at, id=f"fan-{i}") for i, (name, at) in enumerate(shown[:SHOWN])],
        "explorer": chosen,
        "fans": figure("fan-data", "", lambda: {"kind": "data", **every}, alt=""),
        "published": result.once(all_published).to_dict("records"),
    }


def net_trade(result: Result) -> dict[str, Any] | None:
    """Net imports by region with bands: for each product a row of panels with one axis, or a group of panels."""
    if not series_of(result, NET):
        return None
    rows = {
        product: fans_of(result, NET, id=f"net-{n}", only={"product": product}, short=True, height=210)
        for n, product in enumerate(result.case.products)
    }
    columns = max(map(len, rows.values()))
    return {"rows": list(rows.items()), "columns": columns, "wide": columns > ABREAST}


def unregistered(result: Result) -> dict[str, Any] | None:
    """Fan charts by indicator and region, and cumulative totals."""
    found = ((title, fans_of(result, name, id=name, short=True)) for name, title in UNREGISTERED.items())
    groups = [(title, figures) for title, figures in found if figures]
    if not groups:
        return None
    totals: list[dict[Any, Any]] = []
    cumulated = "unregistered_mining_cumulated"
    if series_of(result, cumulated):
        table = summary(result.dt, cumulated, year=result.years[-1])
        totals = table[table["median"] > 0].to_dict("records")
    return {"groups": groups, "totals": totals}


def consumption(result: Result) -> dict[str, Any] | None:
    """Apparent consumption as fans, end uses stacked by region, and a table of the last year and of all years."""
    uses = series_of(result, USES)
    known = {at["product"] for at in series_of(result, "apparent_consumption")}
    if not uses and not known:
        return None
    chosen = {"product": "refined"} if "refined" in known else {}
    named = list(dict.fromkeys(at["end_use"] for at in uses))
    of_region: dict[str, list[str]] = {}
    for at in uses:
        of_region.setdefault(at["region"], []).append(at["end_use"])
    stacks = [
        figure(
            f"end-uses-{n}",
            region,
            lambda region=region, own=own: {  # type: ignore[misc]  # defaults bind the loop's values
                "kind": "stack",
                "indicator": USES,
                "series": [[region, use] for use in own],
                "hues": [named.index(use) for use in own],
            },
            alt=f"Stacked areas: median consumption of {region} by end use over the years; the table has intervals.",
            height=340,
        )
        for n, (region, own) in enumerate(of_region.items())
    ]
    return {
        "totals": fans_of(result, "apparent_consumption", id="consumption", short=True, only=chosen),
        "refined": bool(chosen),
        "scrap": _scrap_leaves(result),
        "stacks": stacks,
        "named": named,
        "uses": _uses(result) if uses else [],
    }


def _uses(result: Result) -> list[dict[Any, Any]]:
    """One row per region and end use: mass and share in the last year, and cumulative mass."""
    mass, share, every = (
        summary(result.dt, name, year=result.years[-1]) for name in (USES, "end_use_share", f"{USES}_cumulated")
    )
    keys = ["region", "end_use"]
    joined: pd.DataFrame = mass.merge(share, on=keys, suffixes=("", "_share"))
    joined = joined.merge(every, on=keys, suffixes=("", "_all"))
    return joined[joined["median_all"] > 0].to_dict("records")


def _scrap_leaves(result: Result) -> bool:
    """Whether a process that supplies end uses sends a part of its input elsewhere."""
    flows = [f for f in result.case.system.flows if not f.is_stock]
    users = {f.from_process for f in flows if f.end_use}
    return any(f.from_process in users and not f.end_use for f in flows)
