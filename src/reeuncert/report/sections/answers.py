"""Answers: the headlines of the case as sentences with intervals, and whether each rests on the prior."""

from __future__ import annotations

from typing import Any

from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.registry import lookup
from reeuncert.report.svg import interval_picture
from reeuncert.report.words import interval
from reeuncert.result.learning import INFORMED, LEVELS
from reeuncert.result.result import Result

STYLES = {"passed": "informed", "warning": "rests", "information": "unknown"}
"""Level of a verdict → style of its mark in the page."""


def content(result: Result) -> dict[str, Any]:
    """One card per headline, and counts by verdict."""
    cards = []
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
            }
        )
    words = [card["words"] for card in cards]
    counts = {word: words.count(word) for word in LEVELS if word in words}
    return {"cards": cards, "informed": counts.pop(INFORMED, 0), "counts": counts}
