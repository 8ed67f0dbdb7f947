"""Files as tables of text: CSV in the encodings that offices use, and Excel workbooks."""

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from reeuncert.errors import CaseError, Problem
from reeuncert.files import first_line
from reeuncert.reading.workbooks import WorkbookError, open_workbook
from reeuncert.words.cells import listed, quoted

EXCEL = (".xlsx", ".xlsm")
ZIP = b"PK\x03\x04"  # how a zip begins, and a workbook
MARK = 6  # longest text of a cell that is a footnote mark when it is raised: whole footnotes are raised too


@dataclass(frozen=True)
class Sheet:
    """One sheet, or a CSV file: rows with their lines, cells as text; raised marks by row and column."""

    file: str
    name: str
    rows: list[tuple[int, list[str]]]
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.file} sheet {self.name}" if self.name else self.file


def _missing(path: Path) -> None:
    if not path.is_file():
        message = f"the file is {'a folder' if path.is_dir() else 'missing'}; it was looked for at {quoted(path, 300)}"
        raise CaseError([Problem(path.name, 0, "", message)])


def read_sheets(path: Path) -> list[Sheet]:
    """Every sheet of a workbook, or the one table of a CSV file, without a header."""
    if path.suffix.lower() in EXCEL:
        return _workbook(path)
    rows = list(_lines(path))
    width = max([1, *(len(row) for _, row in rows)])  # every row has a first cell, also a blank one
    return [Sheet(path.name, "", [(line, row + [""] * (width - len(row))) for line, row in rows])]


def read_rows(
    path: Path, needed: Sequence[str], asked_by: str, names: Mapping[str, str] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Every row under the header of a table, with its line: cells stripped, without columns that have no name.

    ``names``: columns of the file that get another name; ``needed``: columns that it must have, under their new names;
    ``asked_by``: the kind, for messages.
    """
    given = dict(names or {})
    printed = {new: old for old, new in given.items()}
    rows = _lines(path)
    header = [given.get(name, name) for name in _names(next(rows, (0, []))[1])]
    absent = [quoted(printed.get(name, name)) for name in needed if name not in header]
    if absent:
        message = f"the file has no column {listed(absent)}, which {asked_by} needs"
        remedy = "is it another kind of file, or a table made from one? Give the file as it was downloaded"
        raise CaseError([Problem(path.name, 1, "", f"{message}; {remedy}")])
    for name in needed:
        if header.count(name) > 1:
            message = f"the column {quoted(printed.get(name, name))} is there twice; give the file as it was downloaded"
            raise CaseError([Problem(path.name, 1, "", message)])
    width = len(header)
    for line, row in rows:
        if len(row) > width + 1:  # some files end every row, but not the header, with a comma
            raise _no_csv(path, f"line {line} has {len(row)} cells, and the header {width}")
        cells = dict(zip(header, map(str.strip, row + [""] * (width - len(row))), strict=False))
        cells.pop("", None)
        if any(cells.values()):
            yield line, cells


def header_of(path: Path) -> list[str]:
    """Names of the columns of a table."""
    return _names(next(_lines(path), (0, []))[1])


def _names(header: list[str]) -> list[str]:
    return [" ".join(name.split()) for name in header]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Every row of a CSV file, or of the first sheet of a workbook, with the line on which it begins."""
    if path.suffix.lower() in EXCEL:
        yield from _workbook(path)[0].rows
        return
    encoding, separator = _dialect(path)
    line, end = 1, ["\0"]  # after the last row: a quotation mark that is left open swallows it
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(chain(file, end), delimiter=separator)
        try:
            for row in reader:
                if row == end:
                    return
                if separator == ";" and any(re.fullmatch(r"\d+,\d+", cell) for cell in row):
                    raise _no_csv(path, f"line {line} has decimal commas, which are thousands elsewhere")
                yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            raise _no_csv(path, first_line(error)) from error
    raise _no_csv(path, "a quotation mark is left open")


def _no_csv(path: Path, why: str) -> CaseError:
    message = f"the file cannot be read as CSV ({why}); is a text with a comma in it not quoted, or was it saved again?"
    return CaseError([Problem(path.name, 0, "", message)])


def _dialect(path: Path) -> tuple[str, str]:
    """Encoding and separator of a CSV file: UTF-8 or Windows-1252; comma, semicolon or tab."""
    _missing(path)
    with path.open("rb") as raw:
        first = raw.read(len(ZIP))
    if first == ZIP:
        message = "the file is a zip: unzip it, and give what you need of it (the name of a workbook ends in .xlsx)"
        raise CaseError([Problem(path.name, 0, "", message)])
    for encoding in ("utf-16",) if first.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeError), path.open(encoding=encoding) as file:
            head = file.readline()
            file.seek(0)
            if not any("\0" in part for part in iter(partial(file.read, 1 << 20), "")):
                return encoding, max(",;\t", key=head.count)
    message = "the file is neither text nor a workbook (.xlsx); give it as it was downloaded, or save an .xls as .xlsx"
    raise CaseError([Problem(path.name, 0, "", message)])


def _workbook(path: Path) -> list[Sheet]:
    _missing(path)
    # Not read_only: some workbooks declare dimensions that are too small, and lose rows.
    try:
        book = open_workbook(path.read_bytes(), data_only=True, rich_text=True)
    except WorkbookError as error:
        raise CaseError([Problem(path.name, 0, "", str(error))]) from error
    sheets = []
    for sheet in book.worksheets:
        marks: dict[tuple[int, int], str] = {}
        rows = [[_text(cell, marks) for cell in row] for row in sheet.iter_rows()]
        sheets.append(Sheet(path.name, sheet.title, list(enumerate(rows, 1)), marks))
    return sheets


def _text(cell: Any, marks: dict[tuple[int, int], str]) -> str:
    """Text of a cell; what is raised in it goes to the marks."""
    from openpyxl.cell.rich_text import CellRichText, TextBlock

    value, place = cell.value, (cell.row, cell.column - 1)
    if isinstance(value, CellRichText):
        up = [isinstance(run, TextBlock) and run.font.vertAlign == "superscript" for run in value]
        if any(up):
            marks[place] = " ".join(str(run) for run, raised in zip(value, up, strict=True) if raised)
        text = "".join(str(run) for run, raised in zip(value, up, strict=True) if not raised)
    else:
        text = "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)
    if text and len(text) <= MARK and cell.font.vertAlign == "superscript":
        marks[place] = text
        return ""
    return text
