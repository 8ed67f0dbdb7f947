"""Units of reported figures."""

from __future__ import annotations

TONNES = {"t": 1.0, "kt": 1e3, "Mt": 1e6}
"""Units of mass, in tonnes."""

SHARE_UNITS = {"%": 0.01, "share": 1.0, "ratio": 1.0}
"""Units of shares and ratios."""

MASS_RELATIONS = ("level", "difference")
SHARE_RELATIONS = ("share", "ratio")
"""Relations whose quantity has a unit of mass, and those without."""

RELATION_UNITS = {
    "level": tuple(TONNES),
    "share": ("%", "share"),
    "ratio": ("ratio", "%"),
    "difference": tuple(TONNES),
}
"""Relations of the evidence table, and the units that each may have."""


def mass_unit(unit: str) -> str:
    """The unit of mass in a unit that may also name the content: the first word.

    >>> mass_unit("kt REO")
    'kt'
    """
    return unit.split()[0] if unit.split() else ""


def unit_factor(unit: str, relation: str, case_unit: str) -> float:
    """What a figure is multiplied by to give the case's unit of mass, or a share between 0 and 1. The relation is
    ``level``, ``difference``, ``share`` or ``ratio``.

    Examples
    --------
    >>> unit_factor("t", "level", "kt REO")
    0.001
    >>> unit_factor("%", "share", "kt REO")
    0.01
    """
    if relation in SHARE_RELATIONS:
        return SHARE_UNITS[unit]
    return TONNES[mass_unit(unit)] / TONNES[mass_unit(case_unit)]
