"""Qualifiers of reported figures: what the words around a number make of it."""

import re
from dataclasses import dataclass

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

_BEFORE = {
    ">": "at_least", "≥": "at_least", ">=": "at_least", "<": "up_to", "≤": "up_to", "<=": "up_to",
    "~": "about", "≈": "about", "c.": "about", "ca.": "about",
}  # fmt: skip
_AFTER = {"e": "estimate", "est": "estimate", "r": "revised", "p": "estimate", "+": "at_least"}
_WITHHELD = ("w", "d", "na", "n/a", "n.a.", "nan", "null", "none", "...", "…", "..", "x", "xx", "c")
_NIL = ("--", "-", "—", "–", "nil")
_MARKED = re.compile(r"(?P<before>[^\d\s.,+-]*\.?)\s*(?P<number>\d[\d.,' ]*?)\s*\(?(?P<after>[A-Za-z+]*)\)?")
_SPAN = re.compile(r"(\d[\d.]*)\s*(?:-|–|to)\s*(\d[\d.]*)")


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
    if text.casefold() in _WITHHELD:
        return "nothing was reported, or it was withheld: delete the row (missing is not zero)"
    if text in _NIL:
        return "if it is zero write 0, the qualifier zero and the printed unit in resolution; else delete the row"
    span = _SPAN.fullmatch(text)
    if span:
        return f"write {span[1]} into low and {span[2]} into high, with the qualifier range"
    found = _MARKED.fullmatch(text)
    word = found and (_BEFORE.get(found["before"].casefold()) or _AFTER.get(found["after"].casefold()))
    if not found or not word:
        return ""
    number = found["number"]
    return f"{readings(number) if re.search(r"[, ']", number) else f'write {number}'}, with the qualifier {word}"
