"""Qualifiers of reported figures: what the words around a number make of it."""

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal

from reeuncert.words.cells import CellError, number_cell, quoted, readings


@dataclass(frozen=True)
class Qualifier:
    """A word of the column ``qualifier``."""

    meaning: str  # for documentation
    bound: bool = False  # the figure is an interval, one end of which may be open, instead of a value
    widens: float = 1.0  # factor on the width of the error


QUALIFIERS = {
    "exact": Qualifier("the figure as it stands"),
    "about": Qualifier("its author is less sure of it", widens=1.5),
    "at_least": Qualifier("a lower bound", bound=True),
    "up_to": Qualifier("an upper bound", bound=True),
    "range": Qualifier("between low and high", bound=True),
    "estimate": Qualifier("an estimate of its author"),
    "revised": Qualifier("a later edition of an earlier figure"),
    "derived": Qualifier("computed from other figures of the same source"),
    "zero": Qualifier("zero, as far as the printed unit shows", bound=True),
}
"""Qualifiers by their word."""

BOUND_QUALIFIERS = tuple(word for word, qualifier in QUALIFIERS.items() if qualifier.bound)

NO_FIGURE = "no figure is printed"
IS_ZERO = "zero is printed: none, less than half a unit, or not reported"

WITHHELD = {
    "w": "W: withheld",
    "d": "D: withheld",
    "c": "c: confidential",
    "s": "suppressed",
    "e": "E: net exporter",
    **dict.fromkeys(("na", "n/a", "n.a."), "NA: not available"),
    **dict.fromkeys(("x", "xx"), "XX: not applicable"),
    **dict.fromkeys(("nan", "null", "none", "..", "...", "…"), NO_FIGURE),
}
"""Letters in place of a figure, and what they say."""

ZERO = ("-", "--", "—", "–", "nil", "0")  # what offices print for nothing, or for less than half a unit

_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
_SIGNS = {
    **dict.fromkeys((">", ">=", "≥"), "at_least"),
    **dict.fromkeys(("<", "<=", "≤"), "up_to"),
    **dict.fromkeys(("~", "≈", "about", "c.", "ca."), "about"),
}
_MARKS = {"e": "estimate", "est": "estimate", "p": "estimate", "r": "revised", "+": "at_least"}
_FIGURE = re.compile(
    rf"(?P<sign>[<>]=?|[≥≤~≈]|about |ca?\.)? *(?P<number>{_NUMBER})(?: *\(?(?P<mark>est|[erp+])\)?)?", re.IGNORECASE
)
_RANGE = re.compile(rf"({_NUMBER}) *(?:-|–|to) *({_NUMBER})")


@dataclass(frozen=True)
class Figure:
    """A value, or the ends of a range, with the qualifier and resolution of an evidence table."""

    value: float
    low: float = math.nan
    high: float = math.nan
    qualifier: str = "exact"
    resolution: float = math.nan

    def times(self, factor: float) -> "Figure":
        """The figure in another unit."""
        named = {name: getattr(self, name) * factor for name in ("value", "low", "high", "resolution")}
        return replace(self, **named)


NOTHING = Figure(math.nan)


def read_figure(text: str) -> Figure | str:
    """A figure as statistical offices print it, or the reason why there is none.

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
    qualifier, numbers = _parts(word)
    if not numbers:
        return f"'{word[:40]}' is not a figure"
    values = [float(number.replace(",", "")) for number in numbers]
    if qualifier == "range":
        return Figure(math.nan, values[0], values[1], qualifier)
    resolution = math.nan if qualifier in ("at_least", "up_to") else _resolution(numbers[0])
    return Figure(values[0], qualifier=qualifier, resolution=resolution)


def _parts(word: str) -> tuple[str, tuple[str, ...]]:
    """Qualifier and numbers of a printed figure; no number where it is none."""
    if span := _RANGE.fullmatch(word):
        return "range", (span[1], span[2])
    if not (found := _FIGURE.fullmatch(word)):
        return "", ()
    before, after = ((found[name] or "").strip().casefold() for name in ("sign", "mark"))
    return _SIGNS.get(before) or _MARKS.get(after, "exact"), (found["number"],)


def _resolution(text: str) -> float:
    digits = text.replace(",", "")
    whole = len(digits) - len(digits.rstrip("0")) if digits.isdigit() else Decimal(digits).as_tuple().exponent
    return float(f"1e{whole}")


def figure_cell(text: str) -> float:
    """A reported figure; the marks that statistics print around numbers point to the qualifier that says them.

    >>> figure_cell(">95")
    Traceback (most recent call last):
    reeuncert.words.cells.CellError: '>95' is no number; write 95, with the qualifier at_least
    """
    try:
        return number_cell(text)
    except CellError:
        advice = _meant(text)
        if not advice:
            raise
        raise CellError(f"{quoted(text)} is no number; {advice}") from None


def _meant(text: str) -> str:
    if text.casefold() in WITHHELD:
        return "nothing was reported, or it was withheld: delete the row (missing is not zero)"
    if text in ZERO:
        return "if it is zero write 0, the qualifier zero and the printed unit in resolution; else delete the row"
    qualifier, numbers = _parts(text)
    if not numbers or qualifier == "exact":
        return ""
    said = [readings(number) if "," in number else f"write {number}" for number in numbers]
    return f"{' into low, '.join(said)}{' into high' * (len(said) - 1)}, with the qualifier {qualifier}"
