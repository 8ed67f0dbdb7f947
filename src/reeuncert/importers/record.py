"""What an importer finds in a file: figures of one reporter and year, and what was left out and why."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from reeuncert.errors import Problem
from reeuncert.importers.printed import mass
from reeuncert.words.cells import quoted
from reeuncert.words.offices import Witness
from reeuncert.words.qualifiers import IS_ZERO, NO_FIGURE, NOTHING, Figure, read_figure

Direction = Literal["import", "export", "output", "use", ""]
Quality = Literal["quota", "estimated", "reported"]
"""What a figure is, each with a class of its own; a sum is the first of those of its parts."""

EVERYONE = "*"  # partner of a figure that covers all of them
THE_REPORTER = "(reporting country)"  # stands for a reporter that the file does not name
NOT_REPORTED = "no weight: 0 or nothing, which means not reported"
UNASKED = "another product than those asked for"
PART_OF_YEAR = "part of a year, and a part is never a year"


@dataclass(frozen=True)
class Place:
    """Where a figure stands: file (with sheet), line, column."""

    file: str
    line: int
    column: str = ""


@dataclass(frozen=True)
class Record:
    """One figure, in tonnes, in the words of its file."""

    places: tuple[Place, ...]  # where it stands; several where a file divides it (months, customs offices)
    year: int
    direction: Direction  # ``import``, ``export``, ``output`` or ``use``; empty for what is no flow
    # Codes where the file has them, else names; `EVERYONE` as partner stands for all
    product: str
    reporter: str = THE_REPORTER
    partner: str = ""
    basis: str = "gross"  # ``gross``, or the content as the file describes it
    quality: Quality = "reported"
    release: str = ""  # edition of the file, which sorts as text; empty where it has none
    note: str = ""
    month: int = 0  # 1 to 12 for a part of a year, else 0
    figure: Figure = NOTHING

    @property
    def key(self) -> tuple[str | int, ...]:
        """What the figure is about, but for the month."""
        return (self.release, self.year, self.direction, self.product, self.reporter, self.partner, self.basis)


@dataclass
class Download:
    """What was read from the files of one kind."""

    kind: str  # a word of `IMPORTERS`
    asked: tuple[str, ...] = ()  # products asked for: beginnings of codes, or parts of names; empty: every one
    witness: Witness = "publisher"
    records: list[Record] = field(default_factory=list)  # one for each figure read
    # Reason → where the first figure stands that was left out for it, and how many were
    left_out: dict[str, tuple[Place, int]] = field(default_factory=dict)
    printed: dict[tuple[str, str], str] = field(default_factory=dict)  # kind of word and word → its description
    notices: list[str] = field(default_factory=list)  # what a reader of the figures must know
    problems: list[Problem] = field(default_factory=list)
    partial: bool = False  # whether the query named single partners, so that others are missing
    _wanted: dict[str, bool] = field(default_factory=dict, repr=False)  # products that were asked after already

    def year(self, text: str, place: Place, column: str) -> int:
        """A year as printed, also with a month after it; one that is no year is a problem of the file."""
        if found := re.fullmatch(r"([12]\d{3})(\d\d|\.0|-\d\d-\d\d.*)?", text.strip(), re.ASCII):
            return int(found[1])
        message = f"{quoted(text)} is no year; the file is damaged or was changed: give it as it was downloaded"
        self.problems.append(Problem(place.file, place.line, column, message))
        return 0

    def wants(self, product: str) -> bool:
        """Whether a product was asked for, by the beginning of a code or a part of a name."""
        if product not in self._wanted:
            word, *asked = (text.replace(".", "").casefold() for text in (product, *self.asked))
            found = (word.startswith(a) or (not a.isdigit() and a in word) for a in asked)
            self._wanted[product] = not asked or any(found)
        return self._wanted[product]

    def skips(self, product: str, place: Place) -> bool:
        """Whether a row of a long table is of a product that was not asked for, which is noted."""
        if not self.wants(product):
            self.leave(UNASKED, place)
        return not self.wants(product)

    def leave(self, reason: str, first: Place, count: int = 1) -> None:
        """Note figures that are not read."""
        place, before = self.left_out.get(reason, (first, 0))
        self.left_out[reason] = (place, before + count)

    def describe(self, what: str, word: str, text: str) -> None:
        """Keep the description of a code."""
        if text.strip() and text.strip() != word:
            self.printed.setdefault((what, word), " ".join(text.split()))

    def take(self, like: Record, text: str, unit: str, why_not: str = "", *, customs: bool = False) -> None:
        """Read one printed figure into a record like another; ``why_not``: reason to leave it out; ``customs``: weights
        are counted to the last digit, and 0 means that none was reported.
        """
        scale = mass(unit)
        figure = read_figure(text)
        if not self.wants(like.product):
            why_not = UNASKED
        elif not why_not and not like.direction:
            why_not = "no flow"
        elif not why_not and scale is None:
            why_not = f"the unit '{unit}' is not a mass" if unit else "no unit is given"
        elif not why_not and isinstance(figure, str):
            why_not = NOT_REPORTED if customs and figure in (IS_ZERO, NO_FIGURE) else figure
        if why_not or scale is None or isinstance(figure, str):
            self.leave(why_not, like.places[0])
            return
        figure = figure.times(scale[0])
        if customs:
            figure = replace(figure, resolution=math.nan)
        if like.figure.qualifier != "exact" and figure.qualifier == "exact":
            figure = replace(figure, qualifier=like.figure.qualifier)
        basis = scale[1] if scale[1] and like.basis == "gross" else like.basis
        self.records.append(replace(like, figure=figure, basis=basis))

    def settle(self, *, divided: bool = False) -> None:
        """Sum months to years, and parts of a figure in one file where the kind has such; elsewhere each key has one
        figure.
        """
        groups: dict[tuple[str | int, ...], list[Record]] = {}
        for record in self.records:
            found = groups.setdefault(record.key, [])
            place = record.places[0]
            twins = [r for r in found if r.month == record.month and not (divided and r.places[0].file == place.file)]
            if not twins:
                found.append(record)
            elif any(repr(twin.figure) == repr(record.figure) for twin in twins):
                self.leave("the same figure again", place)
            else:
                before = f"{twins[0].places[0].file} line {twins[0].places[0].line}"
                message = f"another figure for the same key stands at {before}; keep one of them"
                self.problems.append(Problem(place.file, place.line, place.column, message))
        self.records = []
        for found in groups.values():
            whole = [record for record in found if not record.month]
            months = {record.month for record in found if record.month}
            parts = [place for record in found if record.month for place in record.places]
            if whole and months:
                self.leave("months of a year that is given whole", parts[0], len(parts))
            elif len(months) in range(1, 12):
                self.leave(f"{PART_OF_YEAR} ({len(months)} of 12 months)", parts[0], len(parts))
                continue
            self.records.append(summed(whole or found))

    def __str__(self) -> str:
        count = sum(count for _, count in self.left_out.values())
        lines = [f"{self.kind}: {len(self.records):,} figures read, {count:,} left out"]
        for reason, (place, count) in sorted(self.left_out.items(), key=lambda item: -item[1][1]):
            lines.append(f"  {count:,}  {reason} (first: {located([place])})")
        return "\n".join([*lines, *self.notices])


def located(places: Iterable[Place]) -> str:
    """Places in words.

    >>> located([Place("a.csv", 3, "PROD"), Place("a.csv", 4, "PROD")])
    'a.csv lines 3, 4, column PROD'
    """
    lines: dict[tuple[str, str], list[int]] = {}
    for place in dict.fromkeys(places):
        lines.setdefault((place.file, place.column), []).append(place.line)
    said = [
        f"{file} line{'s' if len(found) > 1 else ''} {', '.join(map(str, found[:12]))}"
        + (f", … ({len(found)} lines)" if len(found) > 12 else "")
        + (f", column {column}" if column else "")
        for (file, column), found in lines.items()
    ]
    return "; ".join(said[:4]) + ("; …" if len(said) > 4 else "")


def summed(records: list[Record]) -> Record:
    """One record for the sum of several: it is estimated where a part is, and a bound where parts bound it."""
    if len(records) == 1:
        return records[0]
    figures = [record.figure for record in records]
    words = {figure.qualifier for figure in figures}
    # What is bounded from above may be nothing.
    low = sum(0.0 if f.qualifier == "up_to" else f.value if math.isnan(f.low) else f.low for f in figures)
    high = sum(f.value if math.isnan(f.high) else f.high for f in figures)
    if "at_least" in words:
        figure = Figure(low, qualifier="at_least")
    elif "range" in words:
        figure = Figure(math.nan, low, high, "range")
    else:
        figure = Figure(high, qualifier="up_to" if "up_to" in words else "derived")
    places = tuple(place for record in records for place in record.places)
    quality = next(word for word in get_args(Quality) if word in {record.quality for record in records})
    notes = "; ".join(dict.fromkeys(record.note for record in records if record.note))
    return replace(records[0], places=places, figure=figure, quality=quality, note=notes, month=0)
