"""Which words are so near to each other that one may be a slip for the other."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

SHORTEST = 4
"""Letters that a word must have: of shorter ones most are an edit away from another."""

ALIKE = 0.8
"""Likeness (of difflib) above which a word is taken for one that has a role."""


def near_miss(word: str, other: str) -> bool:
    """Whether two different words differ by one letter, or only in case, spaces, hyphens and underscores.

    Words that differ in their digits are meant to be different.

    Examples
    --------
    >>> near_miss("stok", "stock"), near_miss("Trade", "trade"), near_miss("tarde", "trade")
    (True, True, True)
    >>> near_miss("trade", "trade"), near_miss("survey 2010", "survey 2011"), near_miss("salt", "metal")
    (False, False, False)
    """
    if word == other or re.findall(r"\d+", word) != re.findall(r"\d+", other):
        return False
    one, two = (re.sub(r"[\s_-]", "", text).casefold() for text in (word, other))
    if one == two:
        return True
    if min(len(one), len(two)) < SHORTEST or abs(len(one) - len(two)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    one, two = one[start:], two[start:]
    return one[1:] == two[1:] or one[1:] == two or one == two[1:] or (one[1::-1] == two[:2] and one[2:] == two[2:])


def nearest(word: str, known: Iterable[str]) -> str:
    """The first known word that a word may be a slip for; empty where there is none, or the word is known."""
    words = list(known)
    if word in words:
        return ""
    alike = difflib.get_close_matches(word, words, n=1, cutoff=ALIKE)
    return next((other for other in words if near_miss(word, other)), alike[0] if alike else "")
