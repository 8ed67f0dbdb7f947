"""Files as tables of text: CSV in the encodings that offices use, Excel workbooks, and what lies in a zip."""

import csv
import shutil
import warnings
import zipfile
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from reeuncert.errors import CaseError, Problem
from reeuncert.files import first_line
from reeuncert.reading.evidence_tables import is_left_behind
from reeuncert.reading.workbooks import WorkbookError, open_workbook
from reeuncert.words.cells import listed, quoted

EXCEL = (".xlsx", ".xlsm")
READ = (*EXCEL, ".csv", ".dat", ".json", ".tsv")  # files that are read out of a zip
CHUNK = 200_000
MARK = 6  # longest text of a cell that is a footnote mark when it is raised: whole footnotes are raised too


@dataclass(frozen=True)
class Sheet:
    """One sheet, or a CSV file: cells as text, without the superscripts, which stand in ``marks`` by row and column."""

    file: str
    name: str
    cells: pd.DataFrame
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.file} sheet {self.name}" if self.name else self.file

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row with its line."""
        for line, row in zip(self.cells.index, self.cells.itertuples(index=False), strict=True):
            yield line, list(row)


def _missing(path: Path) -> None:
    if not path.is_file():
        message = f"the file is {'a folder' if path.is_dir() else 'missing'}; it was looked for at {quoted(path, 300)}"
        raise CaseError([Problem(path.name, 0, "", message)])


def unpacked(path: Path, folder: Path) -> list[Path]:
    """A file itself, or the files of a zip, which are put into a folder."""
    if path.suffix.lower() != ".zip" or not path.is_file():
        return [path]
    found: list[Path] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = Path(member.filename).name
                if member.is_dir() or is_left_behind(name) or Path(name).suffix.lower() not in READ:
                    continue
                found.append(folder / str(len(found)) / name)
                found[-1].parent.mkdir(parents=True)
                with archive.open(member) as source, found[-1].open("wb") as target:
                    shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        message = f"the zip is damaged or locked by a password ({first_line(error)}); download it again"
        raise CaseError([Problem(path.name, 0, "", message)]) from error
    if not found:
        raise CaseError([Problem(path.name, 0, "", f"the zip holds no file that ends in {listed(READ)}")])
    return found


def read_sheets(path: Path) -> list[Sheet]:
    """Every sheet of a workbook, or the one table of a CSV file, without a header."""
    _missing(path)
    if path.suffix.lower() not in EXCEL:
        encoding, separator = _dialect(path)
        width = max(map(len, _csv_rows(path, encoding, separator)), default=1)
        with _explained(path):
            cells = pd.read_csv(path, names=range(width), **_as_text(encoding, separator)).fillna("")
        return [Sheet(path.name, "", _by_line(cells, 1))]
    return _workbook(path)


def read_table(
    path: Path, needed: Sequence[str], asked_by: str, names: Mapping[str, str] | None = None
) -> Iterator[pd.DataFrame]:
    """Parts of a table with a header: cells stripped, nameless columns dropped, the index is the line.

    ``names``: columns of the file that get another name; ``needed``: columns that it must have, under their new names;
    ``asked_by``: the kind, for messages.
    """
    given = dict(names or {})
    header = [given.get(name, name) for name in header_of(path)]
    printed = {new: old for old, new in given.items()}
    absent = [quoted(printed.get(name, name)) for name in needed if name not in header]
    if absent:
        message = f"the file has no column {listed(absent)}, which {asked_by} needs"
        remedy = "is it another kind of file, or a table made from one? Give the file as it was downloaded"
        raise CaseError([Problem(path.name, 1, "", f"{message}; {remedy}")])
    named = {i: name for i, name in enumerate(header) if name}
    for name in needed:
        if header.count(name) > 1:
            message = f"the column {quoted(printed.get(name, name))} is there twice; give the file as it was downloaded"
            raise CaseError([Problem(path.name, 1, "", message)])
    for part in _parts(path, len(header)):
        cells = part[list(named)].rename(columns=named).fillna("").map(str.strip)
        yield cells[(cells != "").any(axis=1)]


def rows_of(table: pd.DataFrame) -> Iterator[tuple[int, dict[str, str]]]:
    """Every row of a part of a table, with its line."""
    names = [str(name) for name in table.columns]
    for line, *cells in table.itertuples(name=None):
        yield int(line), dict(zip(names, cells, strict=True))


def read_rows(
    path: Path, needed: Sequence[str], asked_by: str, names: Mapping[str, str] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Every row of a table, as `read_table` reads it."""
    for table in read_table(path, needed, asked_by, names):
        yield from rows_of(table)


def header_of(path: Path) -> list[str]:
    """Names of the columns of a table."""
    _missing(path)
    if path.suffix.lower() in EXCEL:
        cells = _workbook(path)[0].cells
        header = [str(name) for name in cells.iloc[0]] if len(cells) else []
    else:
        header = next(_csv_rows(path, *_dialect(path)), [])
    return [" ".join(name.split()) for name in header]


def _parts(path: Path, width: int) -> Iterator[pd.DataFrame]:
    """Parts of the rows under the header, by position and line."""
    if path.suffix.lower() in EXCEL:
        yield _workbook(path)[0].cells.iloc[1:]
        return
    # One column more than the header: some files end every row, but not the header, with a comma.
    options = _as_text(*_dialect(path)) | {"names": range(width + 1), "skiprows": 1, "chunksize": CHUNK}
    line = 2
    with _explained(path), pd.read_csv(path, **options) as reader:
        for part in reader:
            if len(part):
                numbered = _by_line(part.fillna(""), line)
                yield numbered
                line = int(numbered.index[-1]) + 1 + sum(str(cell).count("\n") for cell in numbered.iloc[-1])


def _as_text(encoding: str, separator: str) -> dict[str, Any]:
    plain = {"header": None, "dtype": str, "keep_default_na": False, "skip_blank_lines": False, "index_col": False}
    return plain | {"encoding": encoding, "sep": separator}


def _dialect(path: Path) -> tuple[str, str]:
    """Encoding and separator of a CSV file: UTF-8 or Windows-1252; comma, semicolon or tab."""
    with path.open("rb") as raw:
        first = raw.read(2)
    for encoding in ("utf-16",) if first in (BOM_UTF16_LE, BOM_UTF16_BE) else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeError), path.open(encoding=encoding) as file:
            head = file.readline()
            file.seek(0)
            if not any("\0" in part for part in iter(partial(file.read, 1 << 20), "")):
                return encoding, max(",;\t", key=head.count)
    message = "the file is neither text nor a workbook (.xlsx); give it as it was downloaded, or save an .xls as .xlsx"
    raise CaseError([Problem(path.name, 0, "", message)])


def _csv_rows(path: Path, encoding: str, separator: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, newline="") as file, _explained(path):
        yield from csv.reader(file, delimiter=separator)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Errors of a CSV reader, and a row with more cells than the header, of which pandas only warns."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except (csv.Error, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        message = f"the file cannot be read as CSV ({first_line(error)}); is a text with a comma in it not quoted?"
        raise CaseError([Problem(path.name, 0, "", message)]) from error


def _by_line(cells: pd.DataFrame, first: int) -> pd.DataFrame:
    """Index rows by the line on which each begins: a quoted cell may go over several lines."""
    breaks = cells.apply(lambda column: column.str.count("\n")).sum(axis=1).astype(int)
    starts = first + pd.RangeIndex(len(cells)) + breaks.cumsum().shift(fill_value=0).to_numpy()
    return cells.set_axis(starts, axis=0)


def _workbook(path: Path) -> list[Sheet]:
    # Not read_only: some workbooks declare dimensions that are too small, and lose rows.
    try:
        book = open_workbook(path.read_bytes(), data_only=True, rich_text=True)
    except WorkbookError as error:
        raise CaseError([Problem(path.name, 0, "", str(error))]) from error
    sheets = []
    for sheet in book.worksheets:
        marks: dict[tuple[int, int], str] = {}
        rows = [[_text(cell, marks) for cell in row] for row in sheet.iter_rows()]
        cells = pd.DataFrame(rows, dtype=str).set_axis(range(1, len(rows) + 1))
        sheets.append(Sheet(path.name, sheet.title, cells, marks))
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
