"""Strict reading of user files as data only: every problem of a file is found, with its line and column."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reeuncert.errors import CaseError, Problem
from reeuncert.words.cells import CellError, did_you_mean, listed, plain, shown, text_cell

MOST_BYTES = 20_000_000
MOST_CELL = 5_000
MOST_COLUMNS = 200


@dataclass(frozen=True)
class Column:
    """A column that a table may have; ``parse`` turns the stripped text of a cell into a value or raises `CellError`; a
    required one must be in the header and have no empty cell.
    """

    name: str
    parse: Callable[[str], Any] = text_cell
    required: bool = False


@dataclass(frozen=True)
class Row:
    """One record of a table: parsed cells by column, and the line on which it begins."""

    line: int
    cells: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]


@dataclass
class Table:
    """A table as it was read.

    Parameters
    ----------
    file
        Name for messages.
    rows
        Every row of the right length; a cell that could not be parsed holds the value of an empty one.
    bad
        ``(line, column)`` of the cells with a problem; column is empty where the whole row or header is meant.
    whole
        Whether the header and every row could be read, so that a name which is not here is really missing.
    """

    file: str
    columns: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    bad: set[tuple[int, str]] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True

    @property
    def clean(self) -> bool:
        return not self.problems

    def report(self, line: int, column: str, message: str) -> None:
        """Note a problem of this table."""
        self.bad.add((line, column))
        self.problems.append(Problem(self.file, line, plain(column), message))

    def lines_with_problems(self) -> set[int]:
        return {line for line, _ in self.bad}


def read_bytes(path: Path, file: str, most: int = MOST_BYTES) -> bytes | Problem:
    """Content of a regular file no larger than a limit, or the problem with it."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is missing"
            return Problem(file, 0, "", f"the file {what}; it was looked for at {shown(path, 300)}")
        size = path.stat().st_size
        if size > most:
            return Problem(file, 0, "", f"the file has {size:,} bytes; at most {most:,} are read: split it")
        return path.read_bytes()
    except OSError as error:
        return Problem(file, 0, "", f"the file cannot be opened ({error.strerror or error}); check its permissions")


def decode(content: bytes, file: str) -> str | Problem:
    """Text of a UTF-8 file (a byte-order mark is allowed), composed (NFC), or the problem with it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(file, 1, "", "the file is UTF-16, not UTF-8; save it as 'CSV UTF-8'")
    try:
        return unicodedata.normalize("NFC", content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        return Problem(file, line, "", f"byte 0x{byte:02X} is not UTF-8; save the file with the encoding UTF-8")


def read_text(path: Path, file: str, hashes: MutableMapping[str, str], most: int = MOST_BYTES) -> str | Problem:
    """Text of a file, its SHA-256 noted in ``hashes``; or the problem with it."""
    content = read_bytes(path, file, most)
    if isinstance(content, Problem):
        return content
    hashes[file] = hashlib.sha256(content).hexdigest()
    return decode(content, file)


def read_table(
    path: Path, file: str, columns: Sequence[Column], hashes: MutableMapping[str, str], *, rows_needed: bool = False
) -> Table:
    """Read a CSV file: UTF-8, comma, a header, one record a row.

    Optional columns that it lacks are read as empty. Problems are listed, never raised: the caller gathers those of all
    files. The SHA-256 of the file is added to ``hashes``.
    """
    table = Table(file, tuple(c.name for c in columns))
    text = read_text(path, file, hashes)
    if isinstance(text, Problem):
        table.bad.add((0, ""))
        table.problems.append(text)
        table.whole = False
        return table
    records = _records(text, table)
    line, header = next(records, (0, []))
    if header:
        positions = _header(header, line, columns, table)
        table.whole = table.clean
        _rows(records, len(header), positions, columns, table)
        if rows_needed and not table.rows and table.clean:
            table.report(0, "", "the file has a header and no rows; add at least one row")
    elif table.clean:
        required = ",".join(c.name for c in columns if c.required)
        table.whole = False
        table.report(0, "", f"the file is empty; its first line must be a header with at least: {required}")
    return table


def read_texts(path: Path, file: str, needed: Sequence[str]) -> list[Row]:
    """Read a CSV file that may have any columns, every cell as text. Problems of the file are raised, all at once."""
    table = Table(file)
    text = read_text(path, file, {})
    if isinstance(text, Problem):
        raise CaseError([text])
    records = _records(text, table)
    line, header = next(records, (1, []))
    columns = [Column(name) for name in dict.fromkeys([*header, *needed]) if name]
    positions = _header(header, line, columns, table) if header else {}
    for name in needed:
        if name not in positions and table.clean:
            table.report(line, name, f"the column '{name}' is missing; add it to the header")
    _rows(records, len(header), positions, columns, table)
    if table.problems:
        raise CaseError(table.problems)
    return table.rows


def _records(text: str, table: Table) -> Iterator[tuple[int, list[str]]]:
    """Records with the line on which each begins; stops at the first that is no CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            table.whole = False
            table.report(line, "", f"the rest of the file cannot be read as CSV ({error}); {_csv_remedy(str(error))}")
            return
        if any(record):
            yield line, record


def _csv_remedy(error: str) -> str:
    if "field larger" in error:
        return f"a cell may have {MOST_CELL:,} characters: is a quotation mark left open here?"
    return 'a cell with a comma or a quotation mark stands in quotes, with the mark inside doubled: "a ""b"""'


def _header(header: list[str], line: int, columns: Sequence[Column], table: Table) -> dict[str, int]:
    """Position of every known column; problems of the header go to the table."""
    known = [c.name for c in columns]
    if len(header) > MOST_COLUMNS:
        table.report(line, "", f"the header has {len(header)} columns; at most {MOST_COLUMNS} are read")
        return {}
    other = next((s for s in (";", "\t") if len(header) == 1 and s in header[0]), None)
    if other:
        name = "semicolons" if other == ";" else "tabs"
        table.report(line, "", f"the columns are separated by {name}; save the file with commas")
        return {}
    positions: dict[str, int] = {}
    misspelt: set[str] = set()
    for i, name in enumerate(header):
        if not name:
            table.report(line, "", f"column {i + 1} has no name; name it, or delete the column")
        elif name in positions:
            table.report(line, name, f"the header has the column {shown(name)} twice; keep one of them")
        elif name in known:
            positions[name] = i
        else:
            hint = did_you_mean(name, [k for k in known if k not in header])
            misspelt.update(k for k in known if hint.endswith(f"did you mean {shown(k)}?"))
            table.report(line, name, f"the column {shown(name)} is not known; allowed are: {listed(known, 40)}{hint}")
    for column in columns:
        if column.required and column.name not in positions and column.name not in misspelt:
            table.report(line, column.name, f"the column '{column.name}' is missing; add it to the header")
    return positions


def _rows(
    records: Iterator[tuple[int, list[str]]],
    width: int,
    positions: dict[str, int],
    columns: Sequence[Column],
    table: Table,
) -> None:
    header_is_good = table.clean
    empty = {c.name: c.parse("") for c in columns}
    there = [(column, positions[column.name]) for column in columns if column.name in positions]
    # Text → value: most cells of a long table are empty or repeat another.
    parsed: dict[str, dict[str, Any]] = {column.name: {} for column in columns}
    for line, record in records:
        if len(record) != width:
            if header_is_good:
                message = f"the row has {len(record)} cells where the header has {width}; "
                table.report(line, "", f"{message}is a comma inside a text not quoted, or a cell left out?")
            table.whole = False
            continue
        cells = dict(empty)
        for column, position in there:
            text, known = record[position], parsed[column.name]
            try:
                if text not in known:
                    known[text] = _cell(text, column)
                cells[column.name] = known[text]
            except CellError as error:
                table.report(line, column.name, str(error))
        table.rows.append(Row(line, cells))


def _cell(text: str, column: Column) -> Any:
    if len(text) > MOST_CELL:
        raise CellError(f"the cell has {len(text):,} characters; at most {MOST_CELL:,} are read: shorten it")
    if column.required and not text:
        raise CellError("the cell is empty; fill it in, or delete the row")
    return column.parse(text_cell(text))


def report_duplicates(table: Table, rows: Iterable[Row], key: Sequence[str], what: str) -> None:
    """Report every row whose key an earlier row has already."""
    first: dict[tuple[object, ...], int] = {}
    for row in rows:
        values = tuple(row[k] for k in key)
        if not any(values) or any((row.line, k) in table.bad for k in key):
            continue
        if values in first:
            name = listed(shown(v) for v in values)
            table.report(
                row.line,
                key[0],
                f"{what} {name} is given on line {first[values]} already; delete one of the rows, or rename it",
            )
        else:
            first[values] = row.line


def is_given(number: float) -> bool:
    """Whether a number cell was filled in."""
    return not math.isnan(number)
