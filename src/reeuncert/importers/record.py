"""What an importer finds in a file: figures of one reporter and year, and what was left out and why."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from reeuncert.errors import Problem
from reeuncert.importers.printed import Figure, mass, read_figure

IMPORT, EXPORT, OUTPUT, USE = "import", "export", "output", "use"
"""Directions of a figure: to its reporter, from it, made there, used there."""

REPORTED, ESTIMATED, QUOTA = "reported", "estimated", "quota"
"""Qualities of a figure, each with a class of its own."""

EVERYONE = "*"
"""Partner of a figure that covers all of them."""

THE_REPORTER = "(reporting country)"
"""Stands for a reporter that the file does not name."""


@dataclass(frozen=True)
class Place:
    """Where a figure stands: file (with sheet), line, column."""

    file: str
    line: int
    column: str = ""


@dataclass(frozen=True)
class Record:
    """One figure, in tonnes, in the words of its file.

    Parameters
    ----------
    places
        Where it stands; several where a file divides it (months, customs offices).
    direction
        ``import``, ``export``, ``output`` or ``use``.
    product, reporter, partner
        Codes where the file has them, else names; `EVERYONE` as partner stands for all.
    basis
        ``gross``, or the content as the file describes it.
    quality
        ``reported``, ``estimated`` or ``quota``.
    release
        Edition of the file, which sorts as text; empty where it has none.
    month
        1 to 12 for a part of a year, else 0.
    """

    places: tuple[Place, ...]
    year: int
    direction: str
    product: str
    reporter: str
    partner: str
    figure: Figure
    basis: str = "gross"
    quality: str = REPORTED
    release: str = ""
    note: str = ""
    month: int = 0

    @property
    def key(self) -> tuple[str | int, ...]:
        """What the figure is about, but for the month."""
        return (self.release, self.year, self.direction, self.product, self.reporter, self.partner, self.basis)


@dataclass
class Download:
    """What was read from the files of one kind.

    Parameters
    ----------
    kind
        Name in the registry.
    asked
        Products asked for: beginnings of codes, or parts of names. Empty means every product.
    records
        One for each figure read.
    left_out
        Reason → where each figure stands that was left out for it.
    printed
        Kind of word and word → its description in the file.
    notices
        What a reader of the figures must know.
    partial
        Whether the query named single partners, so that others are missing.
    """

    kind: str
    asked: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)
    left_out: dict[str, list[Place]] = field(default_factory=dict)
    printed: dict[tuple[str, str], str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    partial: bool = False

    def wants(self, *names: str) -> bool:
        """Whether a product was asked for, by the beginning of a code or a part of a name."""
        words = [name.replace(".", "").casefold() for name in names]
        asked = [text.replace(".", "").casefold() for text in self.asked]
        return not asked or any(w.startswith(a) or (not a.isdigit() and a in w) for w in words for a in asked)

    def leave(self, reason: str, *places: Place) -> None:
        """Note figures that are not read."""
        self.left_out.setdefault(reason, []).extend(places)

    def describe(self, what: str, word: str, text: str) -> None:
        """Keep the description of a code."""
        if text.strip() and text.strip() != word:
            self.printed.setdefault((what, word), " ".join(text.split()))

    def figure(self, text: str, unit: str, place: Place) -> tuple[Figure, str] | None:
        """A printed mass in tonnes, and its basis where the unit says it; None where it is left out."""
        scale = mass(unit)
        if scale is None:
            self.leave(f"the unit '{unit}' is not a mass" if unit else "no unit is given", place)
            return None
        figure = read_figure(text)
        if isinstance(figure, str):
            self.leave(figure, place)
            return None
        return figure.times(scale[0]), scale[1]

    def merge(self) -> None:
        """Sum months to years, and parts of a year's figure (customs offices, procedures) to one."""
        groups: dict[tuple[str | int, ...], list[Record]] = {}
        for record in self.records:
            groups.setdefault(record.key, []).append(record)
        self.records = []
        for found in groups.values():
            whole = [record for record in found if not record.month]
            if whole:
                parts = whole
                self.leave("months of a year that is given whole", *_places(r for r in found if r.month))
            elif len({record.month for record in found}) < 12:
                count = len({record.month for record in found})
                reason = "part of a year, and a part is never a year"
                self.leave(f"{reason} ({count} month{'s' if count > 1 else ''})", *_places(found))
                continue
            else:
                parts = found
            self.records.append(summed(parts) if len(parts) > 1 else parts[0])

    def drop_repeats(self) -> None:
        """Keep one of records that tell the same figure twice; two different ones for one key are a problem."""
        kept: dict[tuple[str | int, ...], Record] = {}
        for record in self.records:
            first = kept.setdefault((*record.key, record.month), record)
            if first is record:
                continue
            if first.figure == record.figure:
                self.leave("the same figure again", *record.places)
            else:
                place, earlier = record.places[0], first.places[0]
                message = f"another figure for the same key stands at {earlier.file} line {earlier.line}"
                self.problems.append(Problem(place.file, place.line, place.column, f"{message}; keep one of them"))
        self.records = list(kept.values())

    def frame(self) -> pd.DataFrame:
        """The records as a table, in tonnes."""
        rows = [
            {
                **{n: getattr(r, n) for n in ("release", "year", "direction", "product", "reporter", "partner")},
                **{n: getattr(r.figure, n) for n in ("value", "low", "high", "qualifier", "resolution")},
                **{n: getattr(r, n) for n in ("basis", "quality", "note")},
                "locator": located(r.places),
            }
            for r in self.records
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        count = sum(len(places) for places in self.left_out.values())
        lines = [f"{self.kind}: {len(self.records):,} figures read, {count:,} left out"]
        for reason, places in sorted(self.left_out.items(), key=lambda item: -len(item[1])):
            if places:
                lines.append(f"  {len(places):,}  {reason} (first: {located(places[:1])})")
        return "\n".join([*lines, *self.notices])


def _places(records: Iterable[Record]) -> tuple[Place, ...]:
    return tuple(place for record in records for place in record.places)


def located(places: Iterable[Place]) -> str:
    """Places in words.

    Examples
    --------
    >>> located([Place("a.csv", 3, "PROD"), Place("a.csv", 4, "PROD")])
    'a.csv lines 3, 4, column PROD'
    """
    by_column: dict[tuple[str, str], list[int]] = {}
    for place in places:
        lines = by_column.setdefault((place.file, place.column), [])
        if place.line not in lines:
            lines.append(place.line)
    said = []
    for (file, column), lines in by_column.items():
        shown = ", ".join(map(str, lines[:12])) + (f", … ({len(lines)} lines)" if len(lines) > 12 else "")
        ending = f", column {column}" if column else ""
        said.append(f"{file} line{'s' if len(lines) > 1 else ''} {shown}{ending}")
    return "; ".join(said[:4]) + ("; …" if len(said) > 4 else "")


def summed(records: list[Record]) -> Record:
    """One record for the sum of several: it is estimated where a part is, and a bound where parts bound it."""
    figures = [record.figure for record in records]
    words = {figure.qualifier for figure in figures}
    low = sum(f.low if not math.isnan(f.low) else f.value for f in figures)
    high = sum(f.high if not math.isnan(f.high) else f.value for f in figures)
    if "range" in words or {"at_least", "up_to"} <= words:
        # An open end of a part is an open end of the sum.
        low = 0.0 if "up_to" in words else low
        bounded = Figure(math.nan, low, high, "range")
        figure = Figure(low, qualifier="at_least") if "at_least" in words else bounded
    else:
        bound = next((word for word in ("at_least", "up_to") if word in words), "derived")
        figure = Figure(sum(f.value for f in figures), qualifier=bound)
    qualities = [record.quality for record in records]
    quality = next(word for word in (QUOTA, ESTIMATED, REPORTED) if word in qualities)
    notes = "; ".join(dict.fromkeys(record.note for record in records if record.note))
    return replace(records[0], places=_places(records), figure=figure, quality=quality, note=notes, month=0)
