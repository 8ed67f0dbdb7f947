"""Answers: the first screen with at most five of them, then every headline of the case as a card."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reeuncert.checks import check_table
from reeuncert.checks.result import FAILED
from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.printing import series_title, unit_of, value, value_title
from reeuncert.indicators.registry import CUMULATED, DIMS, TOPICS, base_name, lookup
from reeuncert.report.figures import fan, interval_picture
from reeuncert.report.sections.what_if import without_trade
from reeuncert.report.words import GLOSSARY, own_structure
from reeuncert.result.learning import FIXED
from reeuncert.result.result import Result
from reeuncert.result.structures import Structures
from reeuncert.result.verdicts import CONFLICT, INFORMED, LEVELS
from reeuncert.words.estimates import estimate, interval

STYLES = {"passed": "informed", "warning": "rests", "information": "unknown"}
"""Level of a verdict → style of its mark in the page; `CONFLICT` has its own."""

TILES = 5
LEAST_CERTAIN = 3  # number of unsettled answers that are named on the first screen
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Tile:
    """One large number of the first screen, with what it is a share of and its verdict; ``then`` has the same in other
    years, or its parts. A note that is ``told_below`` by a card is left out of the print.
    """

    title: str
    number: str
    note: str
    interval: str = ""
    when: str = ""
    whole: str = ""
    verdict: str = ""
    style: str = ""
    then: tuple[tuple[str, str], ...] = ()
    told_below: bool = False


def content(result: Result) -> dict[str, Any] | None:
    """Tiles and picture of the first screen, cards by group, and counts by how much the evidence informs them."""
    if not result.case.headlines:
        return None
    rows = result.once(all_headlines).to_dict("records")
    found = result.structures
    failed = any(check.status == FAILED for check in check_table(result))
    cards: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        cards.setdefault(lookup(row["indicator"]).topic, []).append(_card(row, found, failed))
    words = [row["verdict"] for row in rows]
    counts = [
        (word, words.count(word), _style(word, failed), GLOSSARY.get(word, "")) for word in LEVELS if word in words
    ]
    why = {} if found is None else dict(zip(found.names, map(str, found.data["why"].values), strict=True))
    records = [lookup(row["indicator"], result.case) for row in rows]
    wholes = {one.title.split(",")[0].split(" over ")[0]: one.whole for one in records if one.whole}
    return {
        "groups": [(title, cards[title]) for title in TOPICS if title in cards],
        "tiles": list(_tiles(result, rows, failed))[:TILES],
        "picture": _picture(result, rows[0]),
        "counts": counts,
        "wholes": {f"{title[0].lower()}{title[1:]}": whole for title, whole in wholes.items()},
        "total": len(rows),
        "failed": failed,
        "averaged": [] if found is None else found.averaged,
        "apart": [(name, told) for name, told in why.items() if found is not None and name not in found.averaged],
    }


def _style(verdict: str, failed: bool) -> str:
    return "unknown" if failed else "conflict" if verdict == CONFLICT else STYLES[LEVELS[verdict]]


def _card(row: Row, found: Structures | None, failed: bool) -> dict[str, Any]:
    unit = unit_of(row)
    posterior = (row["eti90_lb"], row["median"], row["eti90_ub"])
    prior = (row["prior_eti90_lb"], row["prior_median"], row["prior_eti90_ub"])
    told = f"Posterior {interval(posterior[0], posterior[2], unit)}; prior {interval(prior[0], prior[2], unit)}."
    structures = []
    if found is not None and f"{found.names[0]}: median" in row:  # else they were not asked for it
        ends = ([row[f"{name}: eti90_{end}"] for end in ("lb", "ub")] for name in found.names)
        structures = [
            {"name": name, "interval": interval(low, high, unit), "counts": name in found.averaged}
            for name, (low, high) in zip(found.names, ends, strict=True)
        ]
    log = lookup(row["indicator"]).unit == "mass" and min(posterior[0], prior[0]) > 0
    return {
        **row,
        "picture": interval_picture(posterior, prior, unit=unit, log=log, label=told),
        "style": _style(row["verdict"], failed),
        "prior": interval(prior[0], prior[2], unit),
        "log": log,
        "structures": structures,
    }


def _tiles(result: Result, rows: Sequence[Row], failed: bool) -> Iterator[Tile]:
    """The first headline; the other direction; what has no record; what rests on the prior; what would be lost without
    trade; then the others in their order. A tile has one series, so that no two have the same title.
    """
    series: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        series.setdefault(tuple(row[name] for name in ("indicator", *DIMS)), []).append(row)
    first, *others = series.values()
    yield _tile(first, failed)
    ways = {"region": first[0]["partner"], "partner": first[0]["region"], "indicator": first[0]["indicator"]}
    hidden = ("smuggled", "unregistered", "customs_gap")
    back = [one for one in others if first[0]["partner"] and all(one[0][k] == v for k, v in ways.items())]
    unseen = [one for one in others if base_name(one[0]["indicator"]).startswith(hidden)]
    shown = [*back[:1], *unseen[:1]]
    for one in shown:
        yield _tile(one, failed)
    open_ = [row for row in rows if row["verdict"] not in (INFORMED, FIXED)]
    words = [row["verdict"] for row in open_]
    counts = ", ".join(f"{word}: {words.count(word)}" for word in LEVELS if word in words)
    yield Tile(
        "Not settled by the evidence",
        f"{len(open_)} of {len(rows)}",
        f"answers ({counts}). Least certain:" if counts else "answers.",
        then=tuple(_least_certain(open_)),
    )
    yield from _without_trade(result, str(first[0]["region"]), failed)
    yield from (_tile(one, failed) for one in others if one not in shown)


def _without_trade(result: Result, region: str, failed: bool) -> Iterator[Tile]:
    """The part of its consumption that a region would lose; nothing where there is no such number."""
    found = result.once(without_trade) or {"leads": ()}
    for row in found["leads"]:
        share = (row["share_median"], row["share_eti90_lb"], row["share_eti90_ub"])
        if row["region"] != region or not math.isfinite(share[0]):
            continue
        number, _, ends = estimate(*share, unit="1").partition(" (")
        own, word = own_structure(result), row["verdict"].verdict
        note = "would be lost if all trade between the regions stopped, recorded or not, with plants as in their best "
        note += f"year. Structure “{own}” alone." if own else "year."
        yield Tile(
            f"Without trade: {region}",
            number,
            note,
            ends.rstrip(")"),
            str(result.years[-1]),
            "consumption",
            word,
            _style(word, failed),
        )


def _least_certain(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Values that are widest for their size, one of an indicator."""
    known = [row for row in rows if row["median"] and math.isfinite(row["eti90_ub"] - row["eti90_lb"])]
    widest = sorted(known, key=lambda row: -(row["eti90_ub"] - row["eti90_lb"]) / abs(row["median"]))
    of_indicator: dict[str, Row] = {}
    for row in widest:
        of_indicator.setdefault(row["indicator"], row)
    for row in list(of_indicator.values())[:LEAST_CERTAIN]:
        whole = lookup(row["indicator"]).whole
        ends = interval(row["eti90_lb"], row["eti90_ub"], unit_of(row))
        yield value_title(row), f"{ends} of {whole}" if whole else ends


def _tile(series: list[Row], failed: bool) -> Tile:
    """The first headline of a series, and the others by year."""
    row, others = series[0], sorted(series[1:], key=lambda row: int(row["year"]))
    number, _, ends = value(row).partition(" (")
    return Tile(
        series_title(row),
        number,
        row["sentence"],
        ends.rstrip(")"),
        "all years" if str(row["indicator"]).endswith(CUMULATED) else str(row["year"]),
        lookup(row["indicator"]).whole,
        row["verdict"],
        _style(row["verdict"], failed),
        tuple((str(other["year"]), value(other)) for other in others),
        told_below=True,
    )


def _picture(result: Result, row: Row) -> Any:
    dims = lookup(row["indicator"], result.case).dims
    told, own = "Line: median; blue: 50, 80 and 90 % intervals; grey and dotted: the prior.", own_structure(result)
    if own:  # the cards are averages over structures
        told += f" Structure “{own}” alone."
    return fan(result, row["indicator"], [str(row[dim]) for dim in dims], id="lead", height=420, caption=told)
