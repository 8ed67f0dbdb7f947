"""USITC DataWeb: workbooks of a query, one sheet a measure, with years or months as columns."""

from __future__ import annotations

import calendar
import re
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import mass
from reeuncert.importers.record import EXPORT, IMPORT, THE_REPORTER, Download, Place, Record
from reeuncert.importers.sheets import Sheet, read_sheets

_MONTHS = {name.casefold(): i for names in (calendar.month_name, calendar.month_abbr) for i, name in enumerate(names)}
_YEAR = re.compile(r"\d{4}")
_NOTHING = ("", "0", "0.0")
_FLOWS = {"import": IMPORT, "export": EXPORT}


def read(paths: list[Path], download: Download) -> None:
    """Read the sheet of the first unit of quantity; values, second units and years to date are left out."""
    sheets = [sheet for path in paths for sheet in read_sheets(path)]
    queries = {sheet.file: _query(sheet) for sheet in sheets if any("Step 1" in row[0] for _, row in sheet.rows())}
    beside = next(iter(queries.values()), {}) if len(queries) == 1 else {}
    problems = []
    for sheet in sheets:
        if any("Step 1" in row[0] for _, row in sheet.rows()):
            continue
        problem = _read_sheet(sheet, queries.get(sheet.file, beside), download)
        problems += [problem] if problem else []
    if problems:
        raise CaseError(problems)
    download.merge()


def _query(sheet: Sheet) -> dict[str, str]:
    """Parameters of the query, those of a repeated name under that of their step."""
    step, found = "", {}
    for _, row in sheet.rows():
        if row[0].startswith("Step"):
            step = row[0].split(":")[-1].strip()
        elif len(row) > 1:
            found[row[0].strip()] = found[f"{step}/{row[0].strip()}"] = row[1].strip()
    return found


def _read_sheet(sheet: Sheet, query: dict[str, str], download: Download) -> Problem | None:
    rows = list(sheet.rows())
    start = next((i for i, (_, row) in enumerate(rows) if {"Data Type", "HTS Number"} & set(row[:6])), None)
    if start is None:
        message = "no row has the headings 'Data Type' and 'HTS Number': this is no sheet of DataWeb"
        return Problem(sheet.where, 0, "", message)
    title = f"{rows[0][1][0]} {query.get('Trade Flow', '')}".casefold() if start else query.get("Trade Flow", "")
    direction = next((way for word, way in _FLOWS.items() if word in title.casefold()), None)
    if direction is None:
        message = "neither a title above the header nor a query sheet says whether these are imports or exports"
        remedy = "give the workbook as it was downloaded, or the file of the query parameters beside it"
        return Problem(sheet.where, rows[start][0], "", f"{message}; {remedy}")
    again = "foreign exports" in title.casefold()
    header = [cell.strip() for cell in rows[start][1]]
    at = {name: i for i, name in enumerate(header)}
    asked = [name.strip() for name in query.get("Country List", "").split(",") if name.strip()]
    body = [(line, row) for line, row in rows[start + 1 :] if not row[0].startswith("Total") and any(row)]
    download.partial = download.partial or "individual" in query.get("Countries/Select Type", "").casefold()
    if any(row[0].casefold().startswith("first unit") for _, row in body):
        _tell_partners(download, asked, {row[at["Country"]] for _, row in body if "Country" in at})
    downloaded = query.get("Download Date", "")[:10]
    incomplete = _incomplete(header, body, downloaded)
    elsewhere = _counted_otherwise(header, body, at)
    for line, row in body:
        code = row[at["HTS Number"]].strip()
        partner = row[at["Country"]].strip() if "Country" in at else "*"
        unit = row[at["Quantity Description"]].strip() if "Quantity Description" in at else ""
        measure = row[at["Data Type"]].strip() if "Data Type" in at else sheet.name
        download.describe("product", code, row[at["Description"]] if "Description" in at else "")
        for column, cell in zip(header, row, strict=True):
            year, month = _time(column, row, at)
            if not year and not column.casefold().endswith("year_to_date"):
                continue
            place = Place(sheet.where, line, column)
            suppressed = row[at[f"{column}_Suppressed"]] if f"{column}_Suppressed" in at else "0"
            if not download.wants(code):
                download.leave("another product than those asked for", place)
            elif not measure.casefold().startswith("first unit"):
                download.leave(f"{measure}: not the first unit of quantity", place)
            elif again:
                download.leave("re-exports: goods that were imported before", place)
            elif not year or "_" in column:
                download.leave("part of a year, and a part is never a year (year to date)", place)
            elif str(year) in incomplete:
                download.leave(f"the year was not over, or not yet booked, when the file was made ({year})", place)
            elif (found := download.figure(cell, unit, place)) is not None:
                figure, notes = found[0], []
                if suppressed not in _NOTHING:
                    figure = type(figure)(figure.value, qualifier="at_least")
                    notes.append(f"{suppressed} shipments are suppressed")
                if (code, partner, column) in elsewhere:
                    notes.append("a part of the heading is counted in another unit than mass")
                note = "; ".join(notes)
                basis = found[1] or "gross"
                download.records.append(
                    Record(
                        *((place,), year, direction, code, THE_REPORTER, partner, figure, basis),
                        release=downloaded,
                        note=note,
                        month=month,
                    )
                )
    return None


def _time(column: str, row: list[str], at: dict[str, int]) -> tuple[int, int]:
    """Year and month (0: all) of a column of figures; no year where it is not one."""
    if _YEAR.fullmatch(column):
        return int(column), 0
    year = row[at["Year"]] if "Year" in at else ""
    if _YEAR.fullmatch(year):
        month = _MONTHS.get(column.strip(". ").casefold(), 0)
        if month:
            return int(year), month
        if "Month" in at and column in ("Value", "Quantity", "First Unit of Quantity"):
            text = row[at["Month"]].strip(". ").casefold()
            return int(year), int(text) if text.isdigit() else _MONTHS.get(text, 0)
    return 0, 0


def _incomplete(header: list[str], body: list[tuple[int, list[str]]], downloaded: str) -> set[str]:
    """Years that were not over at the download, and years at the end in which no row has a figure."""
    years = sorted(name for name in header if _YEAR.fullmatch(name))
    over = {year for year in years if downloaded and year >= downloaded[:4]}
    for year in reversed(years):
        if any(row[header.index(year)] not in _NOTHING for _, row in body):
            break
        over.add(year)
    return over


def _counted_otherwise(
    header: list[str], body: list[tuple[int, list[str]]], at: dict[str, int]
) -> set[tuple[str, str, str]]:
    """Code, partner and column of which a part is counted in another unit than mass."""
    if "Quantity Description" not in at:
        return set()
    return {
        (row[at["HTS Number"]].strip(), row[at["Country"]].strip() if "Country" in at else "*", column)
        for _, row in body
        if mass(row[at["Quantity Description"]]) is None
        for column, cell in zip(header, row, strict=True)
        if _YEAR.fullmatch(column) and cell not in _NOTHING
    }


def _tell_partners(download: Download, asked: list[str], found: set[str]) -> None:
    if not asked:
        return
    silent = [name for name in asked if name not in found]
    notice = f"The query asked for {len(asked)} partners; all others are missing, so that sums are lower bounds."
    if silent:
        notice += f" Without any trade: {', '.join(silent)}."
    if notice not in download.notices:
        download.notices.append(notice)
