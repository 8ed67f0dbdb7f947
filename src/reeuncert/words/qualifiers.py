"""Qualifiers of reported figures: what the words around a number make of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Qualifier:
    """A word of the column ``qualifier``.

    Parameters
    ----------
    meaning
        For documentation.
    bound
        The figure is an interval, one end of which may be open, instead of a value.
    widens
        Factor on the width of the error.
    """

    meaning: str
    bound: bool = False
    widens: float = 1.0


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
