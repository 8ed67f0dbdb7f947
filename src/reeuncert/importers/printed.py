"""Units, names, dates and footnotes as statistical offices print them."""

import re

_UNITS = {
    **dict.fromkeys(("kg", "kgs", "kilogram", "kilograms"), 1e-3),
    **dict.fromkeys(("g", "gram", "grams"), 1e-6),
    **dict.fromkeys(("t", "MT", "ton", "tons", "tonne", "tonnes", "tonnes (metric)"), 1.0),
    **dict.fromkeys(("metric ton", "metric tons", "metric tonnes"), 1.0),
    **dict.fromkeys(("kt", "thousand metric tons", "thousand tonnes", "thousand tons"), 1e3),
    **dict.fromkeys(("Mt", "mmt", "million metric tons", "million tonnes"), 1e6),
}
_CONTENT = re.compile(r"(component|\w+ content) (\w+)")
_EQUIVALENT = re.compile(r"(?i)(?:^|, |: |\(|\) |\bof )((?:[\w-]+ ){0,3}(?:\(\w+\) )?(?:equivalent|content))\b")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


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
