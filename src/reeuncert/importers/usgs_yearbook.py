"""Workbooks of the Minerals Yearbook of the USGS: tables made for print, with footnotes in cells of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import Figure, basis_of, plain_name
from reeuncert.importers.record import (
    ESTIMATED,
    EVERYONE,
    EXPORT,
    IMPORT,
    OUTPUT,
    QUOTA,
    REPORTED,
    THE_REPORTER,
    Download,
    Place,
    Record,
)
from reeuncert.importers.sheets import Sheet, read_sheets

_YEAR = re.compile(r"(\d{4})(r|e)?")
_NOTE = re.compile(r"(\d+|[a-z])(?=[A-Z])")
_CODE = re.compile(r"\d{4}(\.\d+)*,?")
_NOTHING = Figure(0.0)


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
    tables = 0
    for path in paths:
        sheets = read_sheets(path)
        text = " ".join(" ".join(row) for sheet in sheets[:1] for _, row in sheet.rows())
        found = re.search(r"Posted: +(\w+ \d+, \d{4})", text)
        release = _iso(found[1]) if found else ""
        for sheet in sheets:
            head = _head(sheet)
            if head:
                tables += 1
                _read_table(sheet, head, release, download)
    if not tables:
        message = "no sheet begins with 'TABLE n': this is no workbook of the Minerals Yearbook"
        raise CaseError([Problem(paths[0].name, 0, "", message)])


def _iso(text: str) -> str:
    return datetime.strptime(text, "%B %d, %Y").date().isoformat()


def _head(sheet: Sheet) -> _Head | None:
    rows = list(sheet.rows())
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
        if current:
            years[column] = current
    first = at + 1
    measures = dict.fromkeys(years, "")
    for _, row in rows[at + 1 : at + 4]:
        texts = {c: row[c].strip() for c in years if row[c].strip()}
        if not texts or any(re.fullmatch(r"[\d,.]+|--|NA|W|XX", text) for text in texts.values()):
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
    flow = next((way for word, way in (("import", IMPORT), ("export", EXPORT)) if word in title), None)
    if flow and "by country" in title:
        _trade(sheet, head, flow, release, download)
    elif "production" in title and "by country" in title:
        _world(sheet, head, release, download)
    elif "salient" in title:
        _salient(sheet, head, release, download)
    else:
        for line, row in sheet.rows():
            places = [Place(sheet.where, line) for cell in row[1:] if re.fullmatch(r"<?\d[\d,.]*", cell)]
            if places:
                download.leave(f"no table of flows: {head.title[:60]}", *places)


def _body(sheet: Sheet, head: _Head) -> list[tuple[int, list[str]]]:
    """Rows from the first of the table to its footnotes."""
    rows = list(sheet.rows())[head.first :]
    end = next((i for i, (_, row) in enumerate(rows) if re.match(r"([a-z]|XX|--|NA) ?[A-Z].*\.", row[0])), len(rows))
    return rows[:end]


def _columns(row: list[str], head: _Head) -> list[int]:
    """Columns with a figure, without those of footnote marks."""
    return [c for c in head.years if c < len(row) and re.fullmatch(r"[<>]?\d[\d,.]*|--|W|NA|XX", row[c].strip())]


def _marks(sheet: Sheet, line: int, row: list[str], column: int) -> set[str]:
    """Footnote marks of a figure: those of its row, of its cell, and of the cell after it."""
    beside = row[column + 1].strip() if column + 1 < len(row) else ""
    said = [sheet.marks.get((line, c), "") for c in (0, column, column + 1)]
    said += [beside] if re.fullmatch(r"[a-z]|\d", beside) and column + 1 < len(row) else []
    return {mark for text in said for mark in re.findall(r"\d+|[a-z]", text)}


def _add(
    sheet: Sheet, line: int, row: list[str], column: int, unit: str, like: Record, head: _Head, download: Download
) -> None:
    place = Place(sheet.where, line, str(head.years[column]))
    found = download.figure(row[column].strip(), unit, place)
    if found is None:
        return
    marks = _marks(sheet, line, row, column)
    note = "; ".join(head.notes[m] for m in sorted(marks) if m in head.notes and m.isdigit())
    quality = QUOTA if "quota" in note else ESTIMATED if "e" in marks or like.quality == ESTIMATED else REPORTED
    figure = replace(found[0], qualifier="revised") if "r" in marks and found[0].qualifier == "exact" else found[0]
    year = head.years[column]
    download.records.append(replace(like, places=(place,), year=year, figure=figure, quality=quality, note=note))


def _trade(sheet: Sheet, head: _Head, flow: str, release: str, download: Download) -> None:
    code = ""
    for line, row in _body(sheet, head):
        name, given = plain_name(row[0]), row[2].strip() if len(row) > 2 else ""
        columns = _columns(row, head)
        if _CODE.fullmatch(given) and 2 not in head.measures:
            again = not row[0].strip()
            code = f"{code}+{given.strip(',')}" if again else given.strip(",")
            download.describe("product", code, name)
        for column in columns:
            place = Place(sheet.where, line, str(head.years[column]))
            measure = head.measures[column].casefold()
            if not download.wants(code):
                download.leave("another product than those asked for", place)
            elif "weight" not in measure:
                download.leave("value: no flow", place)
            elif re.match(r"(grand )?total", name, re.IGNORECASE):
                download.leave("a total of the rows above it", place)
            else:
                # A category with one partner has it on its own line.
                partner = name.rpartition(", ")[2] if given else name
                unit = found[1] if (found := re.search(r"\((.+)\)", measure)) else ""
                like = Record((place,), 0, flow, code, THE_REPORTER, partner, _NOTHING, release=release)
                _add(sheet, line, row, column, unit, like, head, download)


def _world(sheet: Sheet, head: _Head, release: str, download: Download) -> None:
    title, _, unit = head.title.partition(" (")
    product = re.sub(r", by country.*", "", plain_name(title), flags=re.IGNORECASE).capitalize()
    for line, row in _body(sheet, head):
        name = plain_name(row[0])
        for column in _columns(row, head):
            place = Place(sheet.where, line, str(head.years[column]))
            if not download.wants(product):
                download.leave("another product than those asked for", place)
                continue
            reporter = "World total" if name == "Total" else name
            like = Record((place,), 0, OUTPUT, product, reporter, "", _NOTHING, basis_of(unit), release=release)
            _add(sheet, line, row, column, unit.split(",")[0].rstrip(")").casefold(), like, head, download)


def _salient(sheet: Sheet, head: _Head, release: str, download: Download) -> None:
    flow, heading, group, unit = "", "", "", ""
    estimated = False
    first = min(head.years, default=0)
    for line, row in _body(sheet, head):
        name = plain_name(row[0])
        given = next((row[c].strip() for c in range(1, first) if row[c].strip()), "")
        unit = unit if given in ("", "do.") else given
        columns = _columns(row, head)
        begins = re.match(r"(world )?(production|exports|imports|prices)", name, re.IGNORECASE)
        if begins:
            flow, heading, group = begins[2].casefold(), name, ""
            estimated = "e" in sheet.marks.get((line, 0), "")
        elif not columns:
            group = f"{name}: "
        for column in columns:
            place = Place(sheet.where, line, str(head.years[column]))
            direction = {"production": OUTPUT, "exports": EXPORT, "imports": IMPORT}.get(flow)
            product = name if begins else f"{heading.split(',')[0]}: {group}{name}"
            if direction is None:
                download.leave(f"{heading}: no flow", place)
            elif not download.wants(product, head.title):
                download.leave("another product than those asked for", place)
            else:
                reporter = "World total" if begins and begins[1] else THE_REPORTER
                partner = EVERYONE if direction != OUTPUT else ""
                quality = ESTIMATED if estimated else REPORTED
                like = Record((place,), 0, direction, product, reporter, partner, _NOTHING, basis_of(heading), quality)
                _add(sheet, line, row, column, unit, replace(like, release=release), head, download)
