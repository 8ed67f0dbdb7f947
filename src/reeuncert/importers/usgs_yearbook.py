"""Workbooks of the Minerals Yearbook of the USGS: tables made for print, with footnotes in cells of their own."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import basis_of, iso_date, plain_name
from reeuncert.importers.record import EVERYONE, THE_REPORTER, Direction, Download, Place, Quality, Record
from reeuncert.importers.sheets import Sheet, read_sheets
from reeuncert.words.qualifiers import NOTHING

_YEAR = re.compile(r"(\d{4})(r|e)?")
_NOTE = re.compile(r"(\d+|[a-z])(?=[A-Z])")
_CODE = re.compile(r"\d{4}(\.\d+)*,?")
_FIGURE = re.compile(r"[<>]?\d[\d,.]*|--|W|NA|XX")


@dataclass(frozen=True)
class _Head:
    """What the lines above a table say: its title, and the year and measure of every column."""

    title: str
    years: dict[int, int]
    measures: dict[int, str]
    notes: dict[str, str]
    first: int
    """Position of the first row of the table."""


def read(paths: list[Path], download: Download) -> None:
    """Read tables of trade by country, of world production, and of salient statistics."""
    for path in paths:
        sheets = read_sheets(path)
        release = iso_date(" ".join(" ".join(row) for _, row in sheets[0].rows), "Posted:")
        heads = [(sheet, head) for sheet in sheets if (head := _head(sheet, download))]
        if not heads:
            message = "no sheet begins with 'TABLE n': this is no workbook of the Minerals Yearbook"
            raise CaseError([Problem(path.name, 0, "", message)])
        for sheet, head in heads:
            _read_table(sheet, head, release, download)
    download.settle()


def _head(sheet: Sheet, download: Download) -> _Head | None:
    rows = sheet.rows
    if not rows or not rows[0][1][0].startswith("TABLE"):
        return None
    title = next((row[0] for _, row in rows[1:3] if row[0]), "")
    at = next((i for i, (_, row) in enumerate(rows) if any(_YEAR.fullmatch(c.strip()) for c in row[1:])), None)
    if at is None:
        return _Head(title, {}, {}, {}, len(rows))
    years: dict[int, int] = {}
    current = 0
    for column, cell in enumerate(rows[at][1]):
        found = _YEAR.fullmatch(cell.strip()) if column else None
        current = int(found[1]) if found else current
        if current and cell.strip() and not found:
            download.year(cell, Place(sheet.where, rows[at][0]), "")
        if current:
            years[column] = current
    first = at + 1
    measures = dict.fromkeys(years, "")
    for _, row in rows[at + 1 : at + 4]:
        texts = {c: row[c].strip() for c in years if row[c].strip()}
        if not texts or any(map(_FIGURE.fullmatch, texts.values())):
            break
        first += 1
        for column, text in texts.items():
            measures[column] = f"{measures[column]} {text}".strip()
    unit = next((row[c] for _, row in rows[2:first] for c in range(len(row)) if row[c].startswith("(Metric")), "")
    title = f"{title} {unit}".strip()
    notes = {m[0]: row[0][m.end() :] for _, row in rows[first:] if (m := _NOTE.match(row[0]))}
    return _Head(title, years, measures, notes, first)


def _read_table(sheet: Sheet, head: _Head, release: str, download: Download) -> None:
    title = head.title.casefold()
    flows: tuple[Direction, ...] = ("import", "export")
    flow = next((way for way in flows if way in title), None)
    by_country = re.search(r"\bby\b.*\bcountry\b", title) is not None
    if flow and by_country:
        _trade(sheet, head, flow, release, download)
    elif "production" in title and by_country:
        _world(sheet, head, release, download)
    elif "salient" in title:
        _salient(sheet, head, release, download)
    else:
        figures = [line for line, row in sheet.rows for cell in row[1:] if _FIGURE.fullmatch(cell)]
        if figures:
            download.leave(f"no table of flows: {head.title[:60]}", Place(sheet.where, figures[0]), len(figures))


def _body(sheet: Sheet, head: _Head) -> list[tuple[int, list[str]]]:
    """Rows from the first of the table to its footnotes."""
    rows = sheet.rows[head.first :]
    end = next((i for i, (_, row) in enumerate(rows) if re.match(r"([a-z]|XX|--|NA) ?[A-Z].*\.", row[0])), len(rows))
    return rows[:end]


def _columns(row: list[str], head: _Head) -> list[int]:
    """Columns with a figure, without those of footnote marks."""
    return [c for c in head.years if c < len(row) and _FIGURE.fullmatch(row[c].strip())]


def _marks(sheet: Sheet, line: int, row: list[str], column: int) -> set[str]:
    """Footnote marks of a figure: those of its row, of its cell, and of the cell after it."""
    beside = row[column + 1].strip() if column + 1 < len(row) else ""
    said = [sheet.marks.get((line, c), "") for c in (0, column, column + 1)]
    said += [beside] if re.fullmatch(r"[a-z]|\d", beside) and column + 1 < len(row) else []
    return {mark for text in said for mark in re.findall(r"\d+|[a-z]", text)}


def _add(
    sheet: Sheet, line: int, row: list[str], unit: str, like: Record, head: _Head, download: Download, why_not: str = ""
) -> None:
    """Take every figure of a row, with what its marks say."""
    for column in _columns(row, head):
        marks = _marks(sheet, line, row, column)
        note = "; ".join(head.notes[m] for m in sorted(marks) if m in head.notes and m.isdigit())
        measure = head.measures[column].casefold()
        place = Place(sheet.where, line, str(head.years[column]))
        quality: Quality = "quota" if "quota" in note else "estimated" if "e" in marks else like.quality
        figure = replace(NOTHING, qualifier="revised") if "r" in marks else NOTHING
        record = replace(like, places=(place,), year=head.years[column], quality=quality, note=note, figure=figure)
        printed = found[1] if (found := re.search(r"\((.+)\)", measure)) else unit
        value = "value: no flow" if measure and "weight" not in measure else ""
        download.take(record, row[column].strip(), printed, value or why_not)


def _trade(sheet: Sheet, head: _Head, flow: Direction, release: str, download: Download) -> None:
    code = ""
    for line, row in _body(sheet, head):
        name, given = plain_name(row[0]), row[2].strip() if len(row) > 2 else ""
        if _CODE.fullmatch(given) and 2 not in head.measures:
            # A list of codes goes on under the first.
            code = given.strip(",") if row[0].strip() else f"{code}+{given.strip(',')}"
            download.describe("product", code, name)
        # A category with one partner has it on its own line.
        partner = name.rpartition(", ")[2] if given else name
        why_not = "a total of the rows above it" if re.match(r"(grand )?total", name, re.IGNORECASE) else ""
        like = Record((), 0, flow, code, THE_REPORTER, partner, release=release)
        _add(sheet, line, row, "", like, head, download, why_not)


def _world(sheet: Sheet, head: _Head, release: str, download: Download) -> None:
    title, _, unit = head.title.partition(" (")
    product = re.sub(r", by country.*", "", plain_name(title), flags=re.IGNORECASE).capitalize()
    for line, row in _body(sheet, head):
        reporter = "World total" if (name := plain_name(row[0])) == "Total" else name
        like = Record((), 0, "output", product, reporter, "", basis_of(unit), release=release)
        _add(sheet, line, row, unit.split(",")[0].rstrip(")").casefold(), like, head, download)


def _salient(sheet: Sheet, head: _Head, release: str, download: Download) -> None:
    flows: dict[str, Direction] = {"production": "output", "exports": "export", "imports": "import", "prices": ""}
    flow: Direction = ""
    heading, group, unit, estimated = "", "", "", False
    for line, row in _body(sheet, head):
        name = plain_name(row[0])
        given = next((text for cell in row[1 : min(head.years, default=0)] if (text := cell.strip())), "")
        unit = unit if given in ("", "do.") else given
        begins = re.match(r"(world )?(production|exports|imports|prices)", name, re.IGNORECASE)
        if begins:
            flow, heading, group = flows[begins[2].casefold()], name, ""
            estimated = "e" in sheet.marks.get((line, 0), "")
        elif not _columns(row, head):
            group = f"{name}: "
        product = name if begins else f"{heading.split(',')[0]}: {group}{name}"
        reporter = "World total" if begins and begins[1] else THE_REPORTER
        partner = EVERYONE if flow in ("import", "export") else ""
        quality: Quality = "estimated" if estimated else "reported"
        like = Record((), 0, flow, product, reporter, partner, basis_of(heading), quality, release)
        _add(sheet, line, row, unit, like, head, download, "" if flow else f"{heading}: no flow")
