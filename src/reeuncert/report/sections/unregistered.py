"""Unregistered mining, and refining beyond quota, by region and year."""

from typing import Any

from reeuncert.indicators.summary import summary
from reeuncert.report.figures import Figure
from reeuncert.report.sections.panels import fans_of, series_of
from reeuncert.result.result import Result

GROUPS = (
    ("unregistered_mining", "Unregistered mine production"),
    ("unregistered_mining_share", "Unregistered share of each region's mine production"),
    ("refining_beyond_quota", "Refining beyond quota, all feed"),
    ("refining_beyond_quota_own_ore", "Refining beyond quota, from the region's own ore"),
)


def content(result: Result) -> dict[str, Any] | None:
    """Fan charts by indicator and region, and cumulative totals."""
    groups: list[tuple[str, list[Figure]]] = []
    for name, title in GROUPS:
        found = fans_of(result, name, id=name, short=True)
        if found:
            groups.append((title, found))
    if not groups:
        return None
    totals: list[dict[Any, Any]] = []
    cumulated = "unregistered_mining_cumulated"
    if series_of(result, cumulated):
        table = summary(result.dt, cumulated, year=result.years[-1])
        totals = table[table["median"] > 0].to_dict("records")
    return {"groups": groups, "totals": totals, "span": (result.years[0], result.years[-1])}
