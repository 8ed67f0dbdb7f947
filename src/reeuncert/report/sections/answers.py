"""Answers: the headlines of the case as sentences with intervals, and whether each rests on the prior."""

from __future__ import annotations

from typing import Any

from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.registry import lookup
from reeuncert.report.svg import interval_picture
from reeuncert.report.words import interval
from reeuncert.result.learning import INFORMED, LEVELS
from reeuncert.result.result import Result
from reeuncert.result.structures import Structures, structures_of

STYLES = {"passed": "informed", "warning": "rests", "information": "unknown"}
"""Level of a verdict → style of its mark in the page."""


def content(result: Result) -> dict[str, Any]:
    """One card per headline, and counts by verdict."""
    cards = []
    found = structures_of(result.dt)
    for row in result.once(all_headlines).to_dict("records"):
        percent = lookup(row["indicator"]).percent
        unit = "1" if percent else row["unit"]
        posterior = (row["eti90_lb"], row["median"], row["eti90_ub"])
        prior = (row["prior_eti90_lb"], row["prior_median"], row["prior_eti90_ub"])
        told = f"Posterior {interval(posterior[0], posterior[2], unit)}; prior {interval(prior[0], prior[2], unit)}."
        cards.append(
            {
                "sentence": row["sentence"],
                "picture": interval_picture(posterior, prior, percent=percent, label=told),
                "style": STYLES[row["level"]],
                "words": row["verdict"],
                "why": row["why"],
                "prior": interval(prior[0], prior[2], unit),
                "ratio": row["width_ratio"],
                "structures": [] if found is None else _by_structure(row, found, unit),
            }
        )
    apart = [] if found is None else [name for name in found.names if name not in found.averaged]
    why = {} if found is None else dict(zip(found.names, map(str, found.data["why"].values), strict=True))
    words = [card["words"] for card in cards]
    counts = {word: words.count(word) for word in LEVELS if word in words}
    return {
        "cards": cards,
        "informed": counts.pop(INFORMED, 0),
        "counts": counts,
        "averaged": [] if found is None else found.averaged,
        "apart": [{"name": name, "why": why[name]} for name in apart],
    }


def _by_structure(row: dict[str, Any], found: Structures, unit: str) -> list[dict[str, Any]]:
    """Interval of a headline under each structure; none of one that the structures were not asked for."""
    if f"{found.names[0]}: median" not in row:
        return []
    return [
        {
            "name": name,
            "interval": interval(row[f"{name}: eti90_lb"], row[f"{name}: eti90_ub"], unit),
            "counts": name in found.averaged,
        }
        for name in found.names
    ]
