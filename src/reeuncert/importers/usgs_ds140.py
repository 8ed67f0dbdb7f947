"""Data Series 140 of the USGS: one commodity a workbook, one year a row."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import basis_of
from reeuncert.importers.record import EVERYONE, EXPORT, IMPORT, OUTPUT, THE_REPORTER, USE, Download, Place, Record
from reeuncert.importers.sheets import Sheet, read_sheets

_COLUMNS = {
    "world": (OUTPUT, "World", ""),
    "import": (IMPORT, THE_REPORTER, EVERYONE),
    "export": (EXPORT, THE_REPORTER, EVERYONE),
    "consumption": (USE, THE_REPORTER, ""),
    "production": (OUTPUT, THE_REPORTER, ""),
}
"""Words of a column that is a flow → direction, reporter, partner."""


def read(paths: list[Path], download: Download) -> None:
    """Read the table under its five lines of head, to the first row that is not a year."""
    for path in paths:
        for sheet in read_sheets(path):
            _read_sheet(sheet, download)


def _read_sheet(sheet: Sheet, download: Download) -> None:
    head = ""
    header: list[str] = []
    title, release, basis = "", "", "gross"
    unit = "metric tons"
    for line, row in sheet.rows():
        text = row[0].strip()
        if not header:
            head += f"{text} "
            title = title or re.sub(r"(?i) statistics\d*$", "", text).capitalize()
            if text.casefold() == "year":
                header = [cell.strip() for cell in row]
                basis = basis_of(head.replace(" (t) ", ", "))
                found = re.search(r"Last modification: (\w+ \d+, \d{4})", head)
                release = datetime.strptime(found[1], "%B %d, %Y").date().isoformat() if found else ""
                unit = found[1] if (found := re.search(r"All quantities in (.+?) \(", head)) else unit
            continue
        if not re.fullmatch(r"\d{4}", text):
            continue
        for column, cell in list(zip(header, row, strict=True))[1:]:
            if column:
                _take(Place(sheet.where, line, column), int(text), cell, (title, unit, basis, release), download)
    if not header:
        message = "no row begins with 'Year': this is no workbook of Data Series 140; give it as it was downloaded"
        raise CaseError([Problem(sheet.where, 0, "", message)])


def _take(place: Place, year: int, cell: str, said: tuple[str, str, str, str], download: Download) -> None:
    title, unit, basis, release = said
    column = re.sub(r"\d+$", "", place.column).casefold()
    found = next((way for word, way in _COLUMNS.items() if word in column), None)
    if not download.wants(title):
        download.leave("another product than those asked for", place)
    elif found is None or "value" in column:
        download.leave(f"{place.column}: no flow", place)
    elif cell.startswith("="):
        download.leave("a formula without a stored value; open the workbook and save it", place)
    elif (figure := download.figure(cell, unit, place)) is not None:
        note = "computed by its author from the other columns" if found[0] == USE else ""
        product = f"{title}: {column}"
        record = Record((place,), year, *found[:1], product, *found[1:], figure[0], basis, release=release, note=note)
        download.records.append(record)
