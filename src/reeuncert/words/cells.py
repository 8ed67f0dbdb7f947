"""What a cell of a table may hold: names, numbers, years and conditions, parsed without guessing; near words."""

import difflib
import html
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

SMALLEST, LARGEST = 1e-30, 1e30  # limits of the magnitude of a number that is not zero
FIRST_YEAR, LAST_YEAR = 1, 9999
LONGEST_NAME = 200
JOINING = "+|;/\\"  # characters that join names in cells, or parts of paths, and so stand in no name
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_YEAR = re.compile(r"(\d{1,4})(\.0*)?", re.ASCII)
_YEARS = re.compile(r"(\d{1,4})\s*-\s*(\d{1,4})", re.ASCII)
_GROUPED = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>\d+([ ,.'’\u00a0\u202f]\d{3})*)(?P<mark>[ ,.'’\u00a0\u202f])(?P<last>\d+)"
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class CellError(ValueError):
    """A cell cannot be used; the message says what is wrong, what is allowed, and the remedy."""


class Short:
    """A large record that a notebook shows in a few lines: those of its ``__repr__``."""

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def printable(text: object, longest: int = 60) -> str:
    """Text as a message may show it: invisible characters escaped, long text cut."""
    return quoted(text, longest)[1:-1]


def as_words(name: str) -> str:
    """A name of a table without its underscores.

    >>> as_words("mine_production")
    'mine production'
    """
    return name.replace("_", " ")


def quoted(text: object, longest: int = 60) -> str:
    r"""Text as a message may show it, like `printable`, in quotes.

    >>> print(quoted("a\u202eb"))
    'a\u202eb'
    """
    word = str(text)
    cut = word if len(word) <= longest else word[:longest] + "…"
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return f"'{visible}'"


def did_you_mean(word: str, known: Iterable[str], *, most: int = 1) -> str:
    """The ending of a message that offers the nearest known word or words, or nothing.

    >>> did_you_mean("chian", ["China", "RoW"])
    "; did you mean 'China'?"
    >>> did_you_mean("x", ["China"])
    ''
    """
    by_fold = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(word[:LONGEST_NAME].casefold(), list(by_fold), n=most, cutoff=0.6)
    return f"; did you mean {' or '.join(quoted(by_fold[word]) for word in near)}?" if near else ""


def listed(words: Iterable[str], most: int = 12) -> str:
    """Words for a message, joined by commas, at most a dozen."""
    all_words = [str(w) for w in words]
    more = f", … ({len(all_words)} in all)" if len(all_words) > most else ""
    return ", ".join(all_words[:most]) + more


def unknown(word: str, known: Sequence[str], what: str) -> str:
    """Message for a word that is not among those known.

    >>> unknown("kg", ["kt", "t"], "unit")
    "unit 'kg' is not known; use one of: kt, t"
    """
    allowed = listed(known) or "(there is none)"
    return f"{what} {quoted(word)} is not known; use one of: {allowed}{did_you_mean(word, known)}"


def text_cell(text: str) -> str:
    """Free text: any language, line breaks and tabs, but no other control and no direction marks."""
    for char in text:
        if char in _BIDI or (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t"):
            raise CellError(f"the text holds the character U+{ord(char):04X}, which cannot be seen; delete it")
    return text


def name_cell(text: str) -> str:
    """A name: printable, not the start of a spreadsheet formula, without the characters that join names.

    >>> name_cell("CN mining")
    'CN mining'
    >>> name_cell("a/b")
    Traceback (most recent call last):
    reeuncert.words.cells.CellError: the name 'a/b' holds '/', which joins names or makes paths; use a space, '_' or '-'
    """
    if not text:
        return text

    def refused(why: str) -> CellError:
        return CellError(f"the name {quoted(text)} {why}")

    for char in text:
        if not char.isprintable():
            raise refused(f"holds the character U+{ord(char):04X}, which cannot be seen; delete it")
    if text[0] in "=+-@":
        formula = f"starts with '{text[0]}', which spreadsheets run as a formula"
        raise refused(f"{formula}; begin it with a letter or a digit")
    if found := next((c for c in text if c in JOINING), None):
        raise refused(f"holds '{found}', which joins names or makes paths; use a space, '_' or '-'")
    if len(text) > LONGEST_NAME:
        raise refused(f"has {len(text)} characters; {LONGEST_NAME} are allowed: put the rest in a note")
    return text


def names_cell(separator: str) -> Callable[[str], tuple[str, ...]]:
    """A parser of names that are joined by a separator.

    >>> names_cell("|")("feed | sale")
    ('feed', 'sale')
    """

    def parse(text: str) -> tuple[str, ...]:
        return tuple(name_cell(part.strip()) for part in text.split(separator) if part.strip())

    return parse


def number_cell(text: str) -> float:
    """A decimal number; an empty cell is NaN, which means "not said".

    >>> number_cell("1.5e3")
    1500.0
    >>> number_cell("1,500")
    Traceback (most recent call last):
    reeuncert.words.cells.CellError: '1,500' is no number; write 1500 or 1.500, whichever the source means
    """
    if not text:
        return math.nan
    if not _NUMBER.fullmatch(text):
        raise CellError(f"{quoted(text)} is no number; {readings(text)}")
    value = float(text)
    digits = re.split("[eE]", text)[0]
    zero = not any(c in "123456789" for c in digits)
    if math.isinf(value) or (not zero and not SMALLEST <= abs(value) <= LARGEST):
        raise CellError(
            f"{quoted(text)} is out of range; numbers are 0 or between {SMALLEST:g} and {LARGEST:g} in size: "
            "check the exponent"
        )
    return value


def readings(text: str) -> str:
    """What a text that is no number may mean, and how to write that."""
    if text.lower().strip("+-") in ("nan", "na", "n/a", "null", "none", "inf", "infinity"):
        return "leave the cell empty where nothing is known"
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
        share = float(text[:-1])
        return f"write {share / 100:.15g} for a share, or {share:.15g} where the row has the unit %"
    found = _GROUPED.fullmatch(text)
    if not found:
        return "write digits with a decimal point, e.g. 12.5 or 1e-3"
    sign, whole, mark, last = found["sign"], re.sub(r"\D", "", found["whole"]), found["mark"], found["last"]
    marks = set(re.findall(r"[^\d]", found["whole"]))
    # Three digits after one comma may be a decimal comma or thousands: 1,045. Only the author knows.
    if mark == "," and not marks and len(last) == 3 and len(whole) <= 3 and whole != "0":
        return f"write {sign}{whole}{last} or {sign}{whole}.{last}, whichever the source means"
    if mark in ".," and mark not in marks:
        return f"write {sign}{whole}.{last} (a decimal point, no separators of thousands)"
    return f"write {sign}{whole}{last} (no separators of thousands)"


def year_cell(text: str) -> int:
    """A year; 0 where the cell is empty. pandas writes a column of years with a gap as 2018.0.

    >>> year_cell("2018"), year_cell("2018.0")
    (2018, 2018)
    """
    if not text:
        return 0
    found = _YEAR.fullmatch(text)
    if not found or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise CellError(f"{quoted(text)} is no year; write it like 2010")
    return int(found[1])


def parse_years(text: str, first: int, last: int) -> tuple[int, ...]:
    """Years from text such as ``2000-2001;2012``; empty means every year of the case.

    >>> parse_years("2000-2002;2005", 2000, 2022)
    (2000, 2001, 2002, 2005)
    """
    if not text:
        return tuple(range(first, last + 1))
    years: set[int] = set()
    for raw in text.split(";"):
        part = raw.strip()
        span = _YEARS.fullmatch(part)
        if span:
            start, end = int(span[1]), int(span[2])
        elif _YEAR.fullmatch(part):
            start = end = year_cell(part)
        else:
            hint = " (with a plain hyphen)" if any(c in part for c in "\u2010\u2011\u2012\u2013\u2014") else ""
            raise CellError(f"{quoted(part)} are no years; write 2000-2005, 2010 or 2000-2005;2010{hint}")
        if end < start:
            raise CellError(f"the years {quoted(part)} run backwards; write the earlier first: {end}-{start}")
        if start < first or end > last:
            raise CellError(
                f"the years {quoted(part)} are outside the case, which covers {first}-{last}; "
                "correct them, or widen `years` in case.toml"
            )
        years.update(range(start, end + 1))
    return tuple(sorted(years))


def condensed(years: Iterable[int], dash: str = "-") -> str:
    """Years as runs; tables have a plain hyphen, text an en dash.

    >>> condensed([2000, 2001, 2002, 2005]), condensed([2000, 2001], "–")
    ('2000-2002, 2005', '2000–2001')
    """
    spans: list[list[int]] = []
    for year in sorted(set(years)):
        if spans and year == spans[-1][1] + 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    return ", ".join(str(a) if a == b else f"{a}{dash}{b}" for a, b in spans)


def when_cell(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Conditions of a row on the case's options.

    >>> when_cell("gap=flat|walk; recycling=on")
    (('gap', ('flat', 'walk')), ('recycling', ('on',)))
    """
    conditions = []
    for part in filter(None, (p.strip() for p in text.split(";"))):
        name, equals, values = (p.strip() for p in part.partition("="))
        choices = tuple(v.strip() for v in values.split("|"))
        if not equals or not name or not all(choices):
            raise CellError(f"{quoted(part)} is no condition; write option=value or option=value|other value")
        conditions.append((name, choices))
    return tuple(conditions)


SHORTEST = 4  # letters that a word must have: of shorter ones most are an edit away from another
ALIKE = 0.8  # likeness (of difflib) above which a word is taken for one that has a role


def near_miss(word: str, other: str) -> bool:
    """Whether two different words differ by one letter, or only in case, spaces, hyphens and underscores.

    Words that differ in their digits are meant to be different.

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
    """The first known word that a word may be a misspelling of; empty where there is none, or the word is known."""
    words = list(known)
    if word in words:
        return ""
    alike = difflib.get_close_matches(word, words, n=1, cutoff=ALIKE)
    return next((other for other in words if near_miss(word, other)), alike[0] if alike else "")
