"""Answers: the first screen with at most five of them, then every headline of the case as a card."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reeuncert.checks.registry import check_table
from reeuncert.checks.result import FAILED
from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.printing import labels_in_words, unit_of, value, value_title
from reeuncert.indicators.registry import CUMULATED, DIMS, base_name, lookup
from reeuncert.report.sections import no_trade
from reeuncert.report.sections.panels import fan
from reeuncert.report.svg import interval_picture
from reeuncert.report.words import own_structure
from reeuncert.result.learning import FIXED
from reeuncert.result.result import Result
from reeuncert.result.structures import Structures
from reeuncert.result.verdicts import INFORMED, LEVELS
from reeuncert.words.estimates import estimate, interval

STYLES = {"passed": "informed", "warning": "rests", "information": "unknown"}
"""Level of a verdict → style of its mark in the page."""

GROUPS = (
    ("Dependence", ("import_dep", "export_dep", "interdep", "supp", "net_import", "embodied", "return_share")),
    ("Trade without a record", ("smuggled", "customs_gap")),
    ("Mining and refining", ("mine_", "world_mine", "unregistered", "refin", "share_of_")),
)
"""Title of a group of cards → how the names of its indicators begin; the others are last."""

OTHERS = "Consumption and other answers"
TILES = 5
LEAST_CERTAIN = 3
"""Number of unsettled answers that are named on the first screen."""

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Tile:
    """One large number of the first screen, with its verdict; ``then`` has the same in other years, or its parts."""

    title: str
    number: str
    note: str
    interval: str = ""
    labels: str = ""
    verdict: str = ""
    style: str = ""
    then: tuple[tuple[str, str], ...] = ()


def content(result: Result) -> dict[str, Any] | None:
    """Tiles and picture of the first screen, cards by group, and counts by how much the evidence informs them."""
    if not result.case.headlines:
        return None
    rows = result.once(all_headlines).to_dict("records")
    found = result.structures
    failed = any(check.status == FAILED for check in check_table(result))
    cards: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        name = base_name(row["indicator"])
        group = next((title for title, starts in GROUPS if name.startswith(starts)), OTHERS)
        cards.setdefault(group, []).append(_card(row, found, failed))
    every = [card for group in cards.values() for card in group]
    words = [card["words"] for card in every]
    counts = {word: words.count(word) for word in LEVELS if word in words}
    apart = [] if found is None else [name for name in found.names if name not in found.averaged]
    why = {} if found is None else dict(zip(found.names, map(str, found.data["why"].values), strict=True))
    return {
        "groups": [(title, cards[title]) for title in (*(t for t, _ in GROUPS), OTHERS) if title in cards],
        "tiles": list(_tiles(result, rows, failed))[:TILES],
        "picture": _picture(result, rows[0]),
        "informed": counts.pop(INFORMED, 0),
        "counts": counts,
        "total": len(every),
        "averaged": [] if found is None else found.averaged,
        "apart": [{"name": name, "why": why[name]} for name in apart],
    }


def _by_structure(row: dict[Any, Any], found: Structures, unit: str) -> list[dict[str, Any]]:
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


def _style(row: Row, failed: bool) -> str:
    return "unknown" if failed else STYLES[row["level"]]


def _card(row: Row, found: Structures | None, failed: bool) -> dict[str, Any]:
    unit = unit_of(row)
    posterior = (row["eti90_lb"], row["median"], row["eti90_ub"])
    prior = (row["prior_eti90_lb"], row["prior_median"], row["prior_eti90_ub"])
    told = f"Posterior {interval(posterior[0], posterior[2], unit)}; prior {interval(prior[0], prior[2], unit)}."
    log = lookup(row["indicator"]).unit == "mass" and min(posterior[0], prior[0]) > 0
    return {
        "sentence": row["sentence"],
        "picture": interval_picture(posterior, prior, unit=unit, log=log, label=told),
        "style": _style(row, failed),
        "failed": failed,
        "words": row["verdict"],
        "why": row["why"],
        "prior": interval(prior[0], prior[2], unit),
        "ratio": row["width_ratio"],
        "log": log,
        "structures": [] if found is None else _by_structure(dict(row), found, unit),
    }


def _tiles(result: Result, rows: list[dict[Any, Any]], failed: bool) -> Iterator[Tile]:
    """The first headline with its other years; the other direction; what has no record; what rests on the prior; what
    would be lost without trade; then the others in their order.
    """
    first = rows[0]
    series = [row for row in rows if all(row[name] == first[name] for name in ("indicator", *DIMS))]
    others = sorted(series[1:], key=lambda row: row["year"])
    yield replace(_tile(first, failed), then=tuple((str(row["year"]), value(row)) for row in others))
    used = [first, *series[1:]]
    ways = {"region": first["partner"], "partner": first["region"], "indicator": first["indicator"]}
    back = [row for row in rows if first["partner"] and all(row[k] == v for k, v in ways.items())]
    unseen = [
        row for row in rows if base_name(row["indicator"]).startswith(("smuggled", "unregistered", "customs_gap"))
    ]
    for found in (back, unseen):
        if found and found[0] not in used:
            used.append(found[0])
            yield _tile(found[0], failed)
    open_ = [row for row in rows if row["verdict"] not in (INFORMED, FIXED)]
    words = [row["verdict"] for row in open_]
    counts = ", ".join(f"{word}: {words.count(word)}" for word in LEVELS if word in words)
    yield Tile(
        "Not settled by the evidence",
        f"{len(open_)} of {len(rows)}",
        f"answers ({counts}). Least certain:" if counts else "answers.",
        then=tuple(_least_certain(open_)),
    )
    lost = [
        row for row in (result.once(no_trade.content) or {"leads": ()})["leads"] if row["region"] == first["region"]
    ]
    if lost:
        row = lost[0]
        year = result.years[-1]
        note = f"of consumption ({row['region']}, {year}) would be lost; plants as in their best year."
        share = (row["share_median"], row["share_eti90_lb"], row["share_eti90_ub"])
        if math.isfinite(share[0]):
            number, _, ends = estimate(*share, unit="1").partition(" (")
            yield Tile("Without trade", number, note, ends.rstrip(")"))
    for row in rows:
        if row not in used:
            yield _tile(row, failed)


def _least_certain(rows: list[dict[Any, Any]]) -> Iterator[tuple[str, str]]:
    """Values that are widest for their size, one of an indicator."""
    known = [row for row in rows if row["median"] and math.isfinite(row["eti90_ub"] - row["eti90_lb"])]
    widest = sorted(known, key=lambda row: -(row["eti90_ub"] - row["eti90_lb"]) / abs(row["median"]))
    of_indicator: dict[str, dict[Any, Any]] = {}
    for row in widest:
        of_indicator.setdefault(row["indicator"], row)
    for row in list(of_indicator.values())[:LEAST_CERTAIN]:
        yield value_title(row), interval(row["eti90_lb"], row["eti90_ub"], unit_of(row))


def _tile(row: Row, failed: bool) -> Tile:
    number, _, ends = value(row).partition(" (")
    year = "all years" if str(row["indicator"]).endswith(CUMULATED) else str(row["year"])
    title = lookup(row["indicator"]).title.split(",")[0].split(" (")[0]
    return Tile(
        f"{title[:1].upper()}{title[1:]}",
        number,
        row["sentence"],
        ends.rstrip(")"),
        " · ".join([*labels_in_words(str(row["indicator"]), row), year]),
        row["verdict"],
        _style(row, failed),
    )


def _picture(result: Result, row: Row) -> Any:
    dims = lookup(row["indicator"]).dims
    told, own = "Line: median; blue: 50, 80 and 90 % intervals; grey and dotted: the prior.", own_structure(result)
    if own:  # the cards are averages over structures
        told += f" Structure “{own}” alone."
    return fan(result, row["indicator"], [str(row[dim]) for dim in dims], id="lead", height=420, caption=told)
