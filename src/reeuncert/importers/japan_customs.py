"""Trade statistics of the customs of Japan, from e-Stat: nine-digit codes, two quantities, months as columns."""

from pathlib import Path

from reeuncert.importers.printed import mass, month_of
from reeuncert.importers.record import PART_OF_YEAR, THE_REPORTER, Direction, Download, Place, Record
from reeuncert.importers.sheets import read_rows

_FLOWS: dict[str, Direction] = {"1": "export", "2": "import"}
_NEEDED = ("Exp or Imp", "Year", "HS", "Country", "Unit1", "Unit2", "Quantity1-Year", "Quantity2-Year")


def read(paths: list[Path], download: Download) -> None:
    """Read the quantity that is a mass, summed over customs offices; a year whose last months are empty is left out."""
    for path in paths:
        last: dict[str, int] = {}
        rows = list(read_rows(path, _NEEDED, download.kind))
        for _, row in rows:
            values = {month_of(name[6:]): text for name, text in row.items() if name.startswith("Value-")}
            booked = [month for month, value in values.items() if month and value not in ("", "0")] if values else [12]
            last[row["Year"]] = max(last.get(row["Year"], 0), *booked, 0)
        for line, row in rows:
            unit = next((n for n in ("1", "2") if mass(row[f"Unit{n}"]) is not None), "")
            column = f"Quantity{unit or 1}-Year"
            why_not = "" if unit else f"the units '{row['Unit1']}' and '{row['Unit2']}' are no masses"
            if last[row["Year"]] < 12:
                why_not = f"{PART_OF_YEAR} ({last[row['Year']]} of 12 months)"
            flow, code = _FLOWS.get(row["Exp or Imp"], ""), row["HS"].strip("'").zfill(9)
            place, partner = Place(path.name, line, column), row["Country"].strip("'")
            like = Record((place,), download.year(row["Year"], place, "Year"), flow, code, THE_REPORTER, partner)
            download.take(like, row[column], row[f"Unit{unit or 1}"], why_not, customs=True)
    download.settle(divided=True)
