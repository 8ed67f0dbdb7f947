"""USITC DataWeb: workbooks of a query, one sheet a measure, with years or months as columns."""

import re
from dataclasses import replace
from pathlib import Path

from reeuncert.errors import Problem
from reeuncert.importers.printed import month_of
from reeuncert.importers.record import EVERYONE, PART_OF_YEAR, THE_REPORTER, Direction, Download, Place, Record
from reeuncert.importers.sheets import Sheet, read_sheets
from reeuncert.words.qualifiers import Figure

_YEAR = re.compile(r"[0-9]{4}")
_NONE = ("", "0", "0.0")
_FLOWS: dict[str, Direction] = {"import": "import", "export": "export"}


def read(paths: list[Path], download: Download) -> None:
    """Read the sheet of the first unit of quantity; values, second units and years to date are left out."""
    sheets = [sheet for path in paths for sheet in read_sheets(path)]
    queries = {sheet.file: query for sheet in sheets if (query := _query(sheet))}
    beside = next(iter(queries.values())) if len(queries) == 1 else {}
    for sheet in sheets:
        if not _query(sheet):
            _read_sheet(sheet, queries.get(sheet.file, beside), download)
    download.settle(divided=True)


def _query(sheet: Sheet) -> dict[str, str]:
    """Parameters of the query, also under the name of their step; empty for other sheets."""
    step = ""
    found: dict[str, str] = {}
    for _, row in sheet.rows:
        if row[0].startswith("Step"):
            step = row[0].split(":")[-1].strip()
        elif len(row) > 1:
            found[row[0].strip()] = found[f"{step}/{row[0].strip()}"] = row[1].strip()
    return found if step else {}


def _read_sheet(sheet: Sheet, query: dict[str, str], download: Download) -> None:
    rows = sheet.rows
    start = next((i for i, (_, row) in enumerate(rows) if {"Data Type", "HTS Number"} <= {*row}), None)
    if start is None:
        message = "no row has the headings 'Data Type' and 'HTS Number': this is no sheet of DataWeb"
        download.problems.append(Problem(sheet.where, 0, "", message))
        return
    title = f"{rows[0][1][0] if start else ''} {query.get('Trade Flow', '')}".casefold()
    direction = next((way for word, way in _FLOWS.items() if word in title), None)
    if direction is None:
        message = "neither a title above the header nor a query sheet says whether these are imports or exports"
        remedy = "give the workbook as it was downloaded, or the file of the query parameters beside it"
        download.problems.append(Problem(sheet.where, rows[start][0], "", f"{message}; {remedy}"))
        return
    header = [cell.strip() for cell in rows[start][1]]
    filled = ((line, row) for line, row in rows[start + 1 :] if any(row) and not row[0].startswith("Total"))
    body = [(line, dict(zip(header, map(str.strip, row), strict=True))) for line, row in filled]
    released = query.get("Download Date", "")[:10]
    if any(row["Data Type"].casefold().startswith("first unit") for _, row in body):
        _tell_partners(download, query, {row.get("Country", "") for _, row in body})
    over = _incomplete(header, body, released)
    for line, row in body:
        code, partner, measure = row["HTS Number"], row.get("Country", EVERYONE), row["Data Type"]
        unit = row.get("Quantity Description", "")
        if row.get("Year"):
            row["Year"] = str(download.year(row["Year"], Place(sheet.where, line), "Year"))
        download.describe("product", code, row.get("Description", ""))
        for column in header:
            year, month = _time(column, row)
            if not year and not column.casefold().endswith("year_to_date"):
                continue
            why_not, note, figure = "", "", Figure(0.0)
            if not measure.casefold().startswith("first unit"):
                why_not = f"{measure}: not the first unit of quantity"
            elif "foreign exports" in title:
                why_not = "re-exports: goods that were imported before"
            elif not year:
                why_not = f"{PART_OF_YEAR} (year to date)"
            elif str(year) in over:
                why_not = f"the year was not over, or not yet booked, when the file was made ({year})"
            if (hidden := row.get(f"{column}_Suppressed", "")) not in _NONE:
                figure, note = Figure(0.0, qualifier="at_least"), f"{hidden} shipments are suppressed"
            place = Place(sheet.where, line, column)
            like = Record((place,), year, direction, code, THE_REPORTER, partner, release=released, note=note)
            like = replace(like, month=month, figure=figure)
            download.take(like, row[column], unit, why_not)


def _time(column: str, row: dict[str, str]) -> tuple[int, int]:
    """Year and month (0: all) of a column of figures; no year where it is not one."""
    year = row.get("Year", "")
    if _YEAR.fullmatch(column):
        return int(column), 0
    if _YEAR.fullmatch(year):
        if "Month" in row and column in ("Value", "Quantity", row["Data Type"]):
            return int(year), month_of(row["Month"])
        if month := month_of(column):
            return int(year), month
    return 0, 0


def _incomplete(header: list[str], body: list[tuple[int, dict[str, str]]], released: str) -> set[str]:
    """Years that were not over at the download, and years at the end in which no row has a figure."""
    years = sorted(name for name in header if _YEAR.fullmatch(name))
    last = max((year for year in years if any(row[year] not in _NONE for _, row in body)), default="")
    return {year for year in years if year > last or (released and year >= released[:4])}


def _tell_partners(download: Download, query: dict[str, str], found: set[str]) -> None:
    download.partial |= "individual" in query.get("Countries/Select Type", "").casefold()
    asked = [name.strip() for name in query.get("Country List", "").split(",") if name.strip()]
    silent = [name for name in asked if name not in found]
    notice = f"The query asked for {len(asked)} partners; all others are missing, so that sums are lower bounds."
    notice += f" Without any trade: {', '.join(silent)}." if silent else ""
    if asked and notice not in download.notices:
        download.notices.append(notice)
