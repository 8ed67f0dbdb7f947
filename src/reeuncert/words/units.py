"""Units of reported figures."""

from collections.abc import Sequence

from reeuncert.words.cells import did_you_mean, listed, quoted

_POUND = 0.45359237e-3

TONNES = {"t": 1.0, "kt": 1e3, "Mt": 1e6, "kg": 1e-3, "g": 1e-6, "Mg": 1.0, "Gg": 1e3, "Tg": 1e6}
TONNES |= {"lb": _POUND, "klb": 1e3 * _POUND, "Mlb": 1e6 * _POUND, "st": 2000 * _POUND}
"""Units of mass, in tonnes; ``st`` is the short ton of 2,000 lb (NIST SP 811)."""

_NAMES = {
    "t": ("tonne", "tonnes", "metric ton", "metric tons"),
    "kt": ("thousand tonnes", "thousand metric tons", "kilotonnes"),
    "Mt": ("million tonnes", "million metric tons", "megatonnes"),
    "kg": ("kilogram", "kilograms", "kgs"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds", "lbs"),
    "klb": ("thousand pounds",),
    "Mlb": ("million lb", "million pounds"),
    "st": ("short ton", "short tons"),
    "%": ("percent", "per cent"),
}
SPELT_OUT = {name: symbol for symbol, names in _NAMES.items() for name in names}
"""Units as they are spelt out elsewhere, and the symbols that stand for them here."""


def unit_cell(text: str) -> str:
    """The symbol of a unit that may be spelt out; what is not known stays as it is.

    >>> unit_cell("million pounds"), unit_cell("tonnes"), unit_cell("kt")
    ('Mlb', 't', 'kt')
    """
    words = " ".join(text.split())
    return SPELT_OUT.get(words.casefold(), words)


def unknown_unit(unit: str, allowed: Sequence[str], what: str) -> str:
    """Message for a unit that is not among those allowed.

    >>> unknown_unit("mt", ("t", "Mt"), "a row")
    "the unit 'mt' is not known for a row; use one of: t, Mt; metric tons are 't', million tonnes 'Mt', short tons 'st'"
    >>> unknown_unit("kt Li", ("t", "kt"), "a row")[-51:]
    "write 'kt', and what is counted in the column basis"
    """
    hint = did_you_mean(unit, allowed)
    if unit.casefold() in ("ton", "tons", "mt"):  # offices write MT for metric tons
        hint = "; metric tons are 't', million tonnes 'Mt', short tons 'st'"
    elif (word := unit.partition(" ")[0]) in allowed:
        hint = f"; write {quoted(word)}, and what is counted in the column basis"
    return f"the unit {quoted(unit)} is not known for {what}; use one of: {listed(allowed, 20)}{hint}"


SHARE_UNITS = {"%": 0.01, "share": 1.0, "ratio": 1.0}  # units of shares and ratios
MASS_RELATIONS = ("level", "difference")
SHARE_RELATIONS = ("share", "ratio")  # relations whose quantity has a unit of mass, and those without
RELATION_UNITS = {"level": tuple(TONNES), "share": ("%", "share"), "ratio": ("ratio", "%"), "difference": tuple(TONNES)}
"""Relations of the evidence table, and the units that each may have."""


def mass_unit(unit: str) -> str:
    """The unit of mass in a unit that may also name the content: the first word.

    >>> mass_unit("kt REO")
    'kt'
    """
    return unit.split()[0] if unit.split() else ""


def unit_factor(unit: str, relation: str, case_unit: str) -> float:
    """What a figure is multiplied by to give the case's unit of mass, or for shares and ratios a part of 1.

    >>> unit_factor("t", "level", "kt REO")
    0.001
    >>> unit_factor("%", "share", "kt REO")
    0.01
    """
    if relation in SHARE_RELATIONS:
        return SHARE_UNITS[unit]
    return TONNES[mass_unit(unit)] / TONNES[mass_unit(case_unit)]
