"""Trade statistics of the customs of Japan, from e-Stat: nine-digit codes, two quantities, months as columns."""

from __future__ import annotations

from pathlib import Path

from reeuncert.importers.printed import IS_ZERO, NO_FIGURE, Figure, mass, read_figure
from reeuncert.importers.record import EXPORT, IMPORT, THE_REPORTER, Download, Place, Record
from reeuncert.importers.sheets import read_table, rows_of

_FLOWS = {"1": EXPORT, "2": IMPORT}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NEEDED = ("Exp or Imp", "Year", "HS", "Country", "Unit1", "Unit2", "Quantity1-Year", "Quantity2-Year")


def read(paths: list[Path], download: Download) -> None:
    """Read the quantity that is a mass, summed over customs offices; a year whose last months are empty is left out."""
    for path in paths:
        last: dict[str, int] = {}
        for table in read_table(path, _NEEDED, download.kind):
            values = {f"Value-{month}": i for i, month in enumerate(_MONTHS, 1) if f"Value-{month}" in table.columns}
            for year, rows in table.groupby("Year"):
                booked = [month for name, month in values.items() if (~rows[name].isin(["", "0"])).any()]
                last[str(year)] = max(last.get(str(year), 0 if values else 12), *booked, 0)
        for table in read_table(path, _NEEDED, download.kind):
            for line, row in rows_of(table):
                _take(row, Place(path.name, line), last, download)
    download.merge()


def _take(row: dict[str, str], place: Place, last: dict[str, int], download: Download) -> None:
    code = row["HS"].strip("'").zfill(9)
    unit = next((n for n in ("1", "2") if mass(row[f"Unit{n}"]) is not None), "")
    if not download.wants(code):
        download.leave("another product than those asked for", place)
    elif last[row["Year"]] < 12:
        download.leave(f"part of a year, and a part is never a year ({last[row['Year']]} months)", place)
    elif not unit:
        download.leave(f"the units '{row['Unit1']}' and '{row['Unit2']}' are no masses", place)
    else:
        column = f"Quantity{unit}-Year"
        figure = read_figure(row[column])
        if isinstance(figure, str):
            download.leave("no weight: 0 or nothing" if figure in (IS_ZERO, NO_FIGURE) else figure, place)
            return
        scale = mass(row[f"Unit{unit}"])
        assert scale is not None
        where = Place(place.file, place.line, column)
        said = (code, THE_REPORTER, row["Country"].strip("'"), Figure(figure.value * scale[0]))
        download.records.append(Record((where,), int(row["Year"]), _FLOWS[row["Exp or Imp"]], *said))
