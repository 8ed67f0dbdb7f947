"""Excel workbooks as tables: every cell as the text that a CSV file would hold."""

import datetime
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from reeuncert.words.cells import quoted

ENDING = ".xlsx"
MOST_UNPACKED = 200_000_000  # bytes of a workbook once it is unpacked: a small file can hold gigabytes of one letter
Sheet = list[tuple[int, list[str]]]  # rows that are not empty, each with its number in the sheet
_DAMAGED: tuple[type[Exception], ...] = (zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, AttributeError)
_DAMAGED += (ValueError, TypeError, OSError, RuntimeError)
"""Errors of zipfile, of the XML parser and of openpyxl for a file that is damaged or no workbook."""


class WorkbookError(ValueError):
    """A workbook cannot be read; the message says why, and the remedy."""


def sheets_of(content: bytes, report: Callable[[str, int, str], None]) -> dict[str, Sheet]:
    """The sheets of a workbook that hold anything, by name; ``report`` receives sheet, row and message of each cell
    that cannot be taken as it is. Raises `WorkbookError` when the file is no workbook.
    """
    formulas, values = (open_workbook(content, data_only=stored) for stored in (False, True))
    found = {s.title: list(_rows(s, formulas[s.title], partial(report, s.title))) for s in values.worksheets}
    return {title: rows for title, rows in found.items() if rows}


def open_workbook(content: bytes, **options: bool) -> Any:
    """A workbook of openpyxl. Raises `WorkbookError` when the file is no workbook."""
    # Here, since most cases have no workbook and the import takes a quarter of a second.
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size <= MOST_UNPACKED:
            with warnings.catch_warnings():
                # openpyxl warns of styles and print areas that it does not know.
                warnings.simplefilter("ignore", UserWarning)
                return load_workbook(io.BytesIO(content), **options)
    except _DAMAGED as error:
        message = "the file is no Excel workbook (.xlsx), or is damaged or locked by a password; save it again"
        raise WorkbookError(message) from error
    raise WorkbookError(f"the workbook unpacks to {size:,} bytes; at most {MOST_UNPACKED:,} are read: split it")


def _rows(values: Any, formulas: Any, report: Callable[[int, str], None]) -> Iterator[tuple[int, list[str]]]:
    for merged in values.merged_cells.ranges:
        report(merged.min_row, f"the cells {merged.coord} are merged; split them, and fill in each")
    for number, (cells, written) in enumerate(zip(values.iter_rows(), formulas.iter_rows(), strict=True), 1):
        texts = []
        for cell, source in zip(cells, written, strict=True):
            if source.data_type == "f" and cell.value is None:
                report(number, f"the formula in {cell.coordinate} has no stored value; open the file and save it again")
            texts.append(_text(cell))
        if any(texts):
            yield number, texts


def _text(cell: Any) -> str:
    value = cell.value
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).upper()
    if isinstance(value, int | float):
        # 15 digits are what the program shows and what it can hold; 0.1 + 0.2 is 0.3 there.
        return f"{value * 100:.15g}%" if "%" in cell.number_format else f"{value:.15g}"
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    return str(value).strip()


def one_sheet(sheets: dict[str, Sheet], name: str) -> Sheet:
    """The sheet of a workbook that holds one table: its only one, or the one of that name. Raises `WorkbookError` when
    it is not clear which.
    """
    if name in sheets:
        return sheets[name]
    if len(sheets) != 1:
        found = ", ".join(quoted(sheet) for sheet in sheets) or "none"
        raise WorkbookError(f"the table is one sheet of the workbook (sheets: {found}); name it {quoted(name)}")
    return next(iter(sheets.values()))
