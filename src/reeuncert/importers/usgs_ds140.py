"""Data Series 140 of the USGS: one commodity a workbook, one year a row."""

import re
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import basis_of, iso_date
from reeuncert.importers.record import EVERYONE, THE_REPORTER, Direction, Download, Place, Record
from reeuncert.importers.sheets import Sheet, read_sheets

_COLUMNS: dict[str, tuple[Direction, str, str]] = {
    "value": ("", "", ""),
    "world": ("output", "World", ""),
    "import": ("import", THE_REPORTER, EVERYONE),
    "export": ("export", THE_REPORTER, EVERYONE),
    "consumption": ("use", THE_REPORTER, ""),
    "production": ("output", THE_REPORTER, ""),
}
"""Words of a column, of which the first counts → direction, reporter, partner."""


def read(paths: list[Path], download: Download) -> None:
    """Read the table under its lines of head."""
    for path in paths:
        for sheet in read_sheets(path):
            _read_sheet(sheet, download)
    download.settle()


def _read_sheet(sheet: Sheet, download: Download) -> None:
    rows = sheet.rows
    start = next((i for i, (_, row) in enumerate(rows) if row[0].strip().casefold() == "year"), None)
    if start is None:
        message = "no row begins with 'Year': this is no workbook of Data Series 140; give it as it was downloaded"
        raise CaseError([Problem(sheet.where, 0, "", message)])
    head = " ".join(row[0].strip() for _, row in rows[:start])
    title = re.sub(r"(?i) statistics\d*$", "", rows[0][1][0].strip()).capitalize()
    basis = basis_of(head.replace(" (t) ", ", "))
    release = iso_date(head, "Last modification:")
    unit = found[1] if (found := re.search(r"All quantities in (.+?) \(", head)) else "metric tons"
    header = [re.sub(r"(?<=[a-z])\d+$", "", cell.strip()) for cell in rows[start][1]]
    for line, row in rows[start + 1 :]:
        if not any(map(str.strip, row[1:])):  # a footnote
            continue
        year = download.year(row[0], Place(sheet.where, line), header[0])
        for column, cell in list(zip(header, row, strict=True))[1:]:
            if not column:
                continue
            found_column = next((said for word, said in _COLUMNS.items() if word in column.casefold()), ("", "", ""))
            direction, reporter, partner = found_column
            note = "computed by its author from the other columns" if direction == "use" else ""
            place, product = Place(sheet.where, line, column), f"{title}: {column.lower()}"
            like = Record((place,), year, direction, product, reporter, partner, basis, release=release, note=note)
            formula = "a formula without a stored value; open the workbook and save it" if cell.startswith("=") else ""
            download.take(like, cell, unit, formula if direction else f"{column}: no flow")
