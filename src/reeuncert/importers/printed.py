"""Figures, units and footnotes as statistical offices print them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal

WITHHELD = {
    "w": "W: withheld",
    "na": "NA: not available",
    "n/a": "NA: not available",
    "nan": "no figure is printed",
    "xx": "XX: not applicable",
    "e": "E: net exporter",
    "s": "suppressed",
}
"""Letters in place of a figure, and what they say."""

ZERO = ("-", "--", "—", "–", "0")  # what offices print for nothing, or for less than half a unit
NO_FIGURE = "no figure is printed"
IS_ZERO = "zero is printed: none, less than half a unit, or not reported"

_UNITS = {
    **dict.fromkeys(("kg", "kgs", "kilogram", "kilograms"), 1e-3),
    **dict.fromkeys(("g", "gram", "grams"), 1e-6),
    **dict.fromkeys(("t", "MT", "ton", "tons", "tonne", "tonnes", "tonnes (metric)"), 1.0),
    **dict.fromkeys(("metric ton", "metric tons", "metric tonnes"), 1.0),
    **dict.fromkeys(("kt", "thousand metric tons", "thousand tonnes", "thousand tons"), 1e3),
    **dict.fromkeys(("Mt", "mmt", "million metric tons", "million tonnes"), 1e6),
}
_CONTENT = re.compile(r"(component|\w+ content) (\w+)")
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
_FIGURE = re.compile(rf"(?P<sign>>=?|<=?|~|about )? *(?P<number>{_NUMBER}) *(?P<mark>\(?[er]\)?)?", re.IGNORECASE)
_RANGE = re.compile(rf"({_NUMBER}) *(?:-|–|to) *({_NUMBER})")
_EQUIVALENT = re.compile(r"(?i)(?:^|, |: |\(|\) |\bof )((?:[\w-]+ ){0,3}(?:\(\w+\) )?(?:equivalent|content))\b")
_SIGNS = {">": "at_least", ">=": "at_least", "<": "up_to", "<=": "up_to", "~": "about", "about": "about"}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True)
class Figure:
    """A value, or the ends of a range, with the qualifier and resolution of an evidence table."""

    value: float
    low: float = math.nan
    high: float = math.nan
    qualifier: str = "exact"
    resolution: float = math.nan

    def times(self, factor: float) -> Figure:
        """The figure in another unit."""
        named = {name: getattr(self, name) * factor for name in ("value", "low", "high", "resolution")}
        return replace(self, **named)


NOTHING = Figure(math.nan)


def read_figure(text: str) -> Figure | str:
    """A figure, or the reason why there is none.

    >>> read_figure("7,900")
    Figure(value=7900.0, low=nan, high=nan, qualifier='exact', resolution=100.0)
    >>> read_figure(">95").qualifier, read_figure("104 (e)").qualifier, read_figure("~100").qualifier
    ('at_least', 'estimate', 'about')
    >>> read_figure("820-880").high, read_figure("190,000").resolution, read_figure("1,5")
    (880.0, 10000.0, "'1,5' is not a figure")
    >>> read_figure("W"), read_figure("--")
    ('W: withheld', 'zero is printed: none, less than half a unit, or not reported')
    """
    word = " ".join(text.split()).strip('"')
    if word in ("", "."):
        return NO_FIGURE
    if word in ZERO or re.fullmatch(r"0+(\.0*)?", word):
        return IS_ZERO
    if word.casefold() in WITHHELD:
        return WITHHELD[word.casefold()]
    span = _RANGE.fullmatch(word)
    if span:
        return Figure(math.nan, _number(span[1]), _number(span[2]), "range")
    found = _FIGURE.fullmatch(word)
    if not found:
        return f"'{word[:40]}' is not a figure"
    sign, mark = (found["sign"] or "").strip().casefold(), (found["mark"] or "").strip("()").casefold()
    qualifier = _SIGNS.get(sign, {"e": "estimate", "r": "revised"}.get(mark, "exact"))
    resolution = math.nan if qualifier in ("at_least", "up_to") else _resolution(found["number"])
    return Figure(_number(found["number"]), qualifier=qualifier, resolution=resolution)


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _resolution(text: str) -> float:
    digits = text.replace(",", "")
    whole = len(digits) - len(digits.rstrip("0")) if digits.isdigit() else Decimal(digits).as_tuple().exponent
    return float(f"1e{whole}")


def mass(unit: str) -> tuple[float, str] | None:
    """Tonnes in a unit, and the content that it counts (empty: not said); None where it is not a mass.

    >>> mass("kilograms"), mass("component kilograms"), mass("number")
    ((0.001, ''), (0.001, 'component'), None)
    """
    word = " ".join(unit.split())
    content = _CONTENT.fullmatch(word.casefold())
    plain = content[2] if content else word
    factor = _UNITS.get(plain, _UNITS.get(plain.casefold()) if len(plain) != 2 or plain == "KG" else None)
    return None if factor is None else (factor, content[1] if content else "")


def basis_of(*texts: str) -> str:
    """The content that a description says is counted, else ``gross``.

    >>> basis_of("Mine production, rare-earth-oxide equivalent"), basis_of("Mine production")
    ('rare-earth-oxide equivalent', 'gross')
    """
    found = next((match for text in texts if (match := _EQUIVALENT.search(text))), None)
    return found[1] if found else "gross"


def plain_name(text: str) -> str:
    """A name without the numbers of its footnotes.

    >>> plain_name("New Caledonia11"), plain_name("World total (rounded)"), plain_name("Canada ")
    ('New Caledonia', 'World total', 'Canada')
    """
    name = re.sub(r"\s*\(rounded\)$", "", " ".join(text.split()))
    return re.sub(r"(?<=[a-z)])\d+(, ?\d+)*$", "", name).rstrip(" :,")


def iso_date(text: str, after: str) -> str:
    """The date after some words, which then sorts as text; empty where there is none.

    >>> iso_date("Posted:  March 19, 2025", "Posted:")
    '2025-03-19'
    """
    found = re.search(rf"{re.escape(after)} *(\w+) (\d+), (\d{{4}})", text, re.ASCII)
    return f"{found[3]}-{month_of(found[1]):02}-{int(found[2]):02}" if found else ""


def month_of(text: str) -> int:
    """The number of a month, also of its English name or the first letters of it; 0 for what is none.

    >>> month_of("September"), month_of("Dec."), month_of("03"), month_of("52"), month_of("all")
    (9, 12, 3, 0, 0)
    """
    word = text.strip(". ").casefold()
    if re.fullmatch(r"\d{1,2}", word, re.ASCII):
        return int(word) if int(word) <= 12 else 0
    # Not of the calendar module, whose names are those of the user's language.
    return next((i for i, name in enumerate(_MONTHS, 1) if len(word) > 2 and name.startswith(word)), 0)
