"""Dependence over time: a fan chart of every indicator, headline indicators first."""

from collections.abc import Iterator
from typing import Any

from reeuncert.indicators.registry import CUMULATED, lookup
from reeuncert.reference import all_published
from reeuncert.report.fans import fans
from reeuncert.report.figures import figure
from reeuncert.report.sections.panels import fan
from reeuncert.result.result import Result

SHOWN = 8
"""Number of fan charts shown by default; the others are selected from the list."""


def content(result: Result) -> dict[str, Any] | None:
    """Fan charts of the headlines, a selectable fan chart, and published values."""
    every = result.once(fans)
    if not every["indicators"]:
        return None
    shown = list(_of_headlines(result))
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
        "count": sum(len(i["series"]) for i in every["indicators"]),
        "published": result.once(all_published).to_dict("records"),
    }


def _of_headlines(result: Result) -> Iterator[tuple[str, tuple[str, ...]]]:
    seen = set()
    for headline in result.case.headlines:
        record = lookup(headline.indicator)
        named = {"region": headline.region, "partner": headline.partner, "product": headline.product}
        if "end_use" in record.dims:
            named["end_use"] = headline.product
        name = record.name + ("" if headline.year else CUMULATED)
        key = name, tuple(named[d] for d in record.dims)
        if key not in seen:
            seen.add(key)
            yield key
