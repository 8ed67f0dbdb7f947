"""Strict reading of user files as data only: every problem of a file is found, with its line and column."""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from reeuncert.errors import CaseError, Problem
from reeuncert.words.cells import CellError, did_you_mean, listed, printable, quoted, text_cell

MOST_BYTES = 20_000_000
MOST_CELL = 5_000
MOST_COLUMNS = 200
MELT, MELTED = "#melt", ("year_from", "value")
"""First line of a table with one column a year, and the columns of which such a table has none."""

Record = tuple[int, list[str]]  # a row as text, with the line on which it begins
_YEAR_NAME = re.compile(r"\d{4}(\.0)?", re.ASCII)


@dataclass(frozen=True)
class Column:
    """A column that a table may have; ``parse`` turns the stripped text of a cell into a value or raises `CellError`; a
    required one must be in the header and have no empty cell. ``instead``: columns that may be filled in instead.
    """

    name: str
    parse: Callable[[str], Any] = text_cell
    required: bool = False
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One record of a table: parsed cells by column, and the line on which it begins."""

    line: int
    cells: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]


@dataclass
class Table:
    """A table as it was read."""

    file: str  # e.g. ``flows.csv``
    # Every row of the right length; a cell that could not be parsed holds the value of an empty one
    rows: list[Row] = field(default_factory=list)
    # ``(line, column)`` of the cells with a problem; column is empty where the whole row or header is meant
    bad: set[tuple[int, str]] = field(default_factory=set)
    # Columns that the header lacks and a problem names: nothing is said of their cells
    lost: set[str] = field(default_factory=set)
    # Columns that the header lacks: a problem of their cells is a problem of the header
    absent: set[str] = field(default_factory=set)
    header_line: int = 1  # line of the header
    problems: list[Problem] = field(default_factory=list)
    # Whether the header and the name in every row could be read, so that a name which is not here is really missing
    whole: bool = True

    @property
    def clean(self) -> bool:
        return not self.problems

    def report(self, line: int, column: str, message: str) -> None:
        """Note a problem of this table; of a column that it lacks, once that it lacks it."""
        found = self.at_header(Problem(self.file, line, printable(column), message))
        if column in self.absent:
            if column in self.lost:
                return
            self.lost.add(column)
        self.bad.add((found.line, column))
        self.problems.append(found)

    def note(self, line: int, column: str, message: str) -> None:
        """Report a problem of a cell that has none yet."""
        if not self.is_bad(line, column):
            self.report(line, column, message)

    def at_header(self, problem: Problem) -> Problem:
        """The cause of a problem: where the header lacks its column, that it does."""
        if problem.column not in self.absent:
            return problem
        message = f"the column '{problem.column}' is missing; add it to the header"
        return Problem(problem.file, self.header_line, problem.column, message)

    def unreadable(self, line: int, message: str) -> None:
        """Note that the file as a whole cannot be read."""
        self.bad.add((0, ""))
        self.problems.append(Problem(self.file, line, "", message))
        self.whole = False

    @classmethod
    def unread(cls, file: str, message: str) -> Self:
        """A table that as a whole cannot be read."""
        table = cls(file)
        table.unreadable(0, message)
        return table

    def is_bad(self, line: int, column: str) -> bool:
        """Whether a cell has a problem already, or none of its column could be read."""
        return column in self.lost or (line, column) in self.bad

    def lines_with_problems(self) -> set[int]:
        """Lines of which a cell, or a whole column, has a problem."""
        return {line for line, _ in self.bad} | {row.line for row in self.rows if self.lost}


def read_bytes(path: Path, file: str, most: int = MOST_BYTES) -> bytes | Problem:
    """Content of a regular file no larger than a limit, or the problem with it."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is missing"
            return Problem(file, 0, "", f"the file {what}; it was looked for at {quoted(path, 300)}")
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


def read_table(path: Path, file: str, columns: Sequence[Column], hashes: MutableMapping[str, str]) -> Table:
    """Read a CSV file: UTF-8, comma, a header, one record a row.

    Optional columns that it lacks are read as empty. Problems are listed, never raised: the caller gathers those of all
    files. The SHA-256 of the file is added to ``hashes``.
    """
    table = Table(file)
    text = read_text(path, file, hashes)
    if isinstance(text, Problem):
        table.unreadable(text.line, text.message)
    else:
        fill(table, _records(text, table), columns)
    return table


def fill(table: Table, records: Iterable[Record], columns: Sequence[Column]) -> None:
    """Parse records, each with the line on which it begins, into the rows of a table; the first is the header.

    A first record that is ``# melt`` alone says that columns named by a year hold the values of that year: each such
    cell that is not empty becomes a row of its own.
    """
    kept = list(records)
    melt = bool(kept) and kept[0][1][0].replace(" ", "").casefold() == MELT and not any(kept[0][1][1:])
    line, header = next(iter(kept[melt:]), (0, []))
    if header:
        rows = kept[melt + 1 :]
        years = _years(header, columns, line, table, melt=melt)
        positions = _header(header, line, columns, table, rows, years)
        table.whole = table.clean
        _rows(rows, len(header), positions, columns, table, years if melt else {})
    elif table.clean:
        required = ",".join(c.name for c in columns if c.required)
        table.whole = False
        table.report(0, "", f"the file is empty; its first line must be a header with at least: {required}")


def _years(header: list[str], columns: Sequence[Column], line: int, table: Table, *, melt: bool) -> dict[int, str]:
    """Position and year of every column that is named by a year."""
    if not {c.name for c in columns}.issuperset(MELTED):
        return {}
    years = {i: name.removesuffix(".0") for i, name in enumerate(header) if _YEAR_NAME.fullmatch(name)}
    if years and not melt:
        message = f"the columns {listed(years.values())} are years; write {MELT.replace('#', '# ')} alone on a line "
        table.report(line, "", f"{message}above the header for one row a year, or give each year its own row")
        table.lost.update(c.name for c in columns)
    return years


def read_texts(path: Path, file: str, needed: Sequence[str]) -> list[Row]:
    """Read a CSV file that may have any columns, every cell as text. Problems of the file are raised, all at once."""
    table = Table(file)
    text = read_text(path, file, {})
    if isinstance(text, Problem):
        raise CaseError([text])
    records = list(_records(text, table))
    line, header = records[0] if records else (1, [])
    rows = records[1:]
    columns = [Column(name) for name in dict.fromkeys([*header, *needed]) if name]
    positions = _header(header, line, columns, table, rows, {}) if header else {}
    for name in needed:
        if name not in positions and table.clean:
            table.absent.add(name)
            table.report(line, name, "")
    _rows(rows, len(header), positions, columns, table, {})
    if table.problems:
        raise CaseError(table.problems)
    return table.rows


def _records(text: str, table: Table) -> Iterator[Record]:
    """Records with the line on which each begins; stops at the first that is no CSV."""
    separated = _other_separator(text)
    if separated:
        table.unreadable(1, separated)
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            table.whole = False
            remedy = 'a cell with a comma or a quotation mark stands in quotes, with the mark inside doubled: "a ""b"""'
            if "field larger" in str(error):
                remedy = f"a cell may have {MOST_CELL:,} characters: is a quotation mark left open here?"
            table.report(line, "", f"the rest of the file cannot be read as CSV ({error}); {remedy}")
            return
        if any(record):
            yield line, record


def _other_separator(text: str) -> str:
    """What is wrong with a file whose cells are not separated by commas, and what to do; empty where they are."""
    first = text.lstrip().partition("\n")[0]
    said = first.strip().lower().removeprefix("sep=") if first.lower().startswith("sep=") else ""
    if said == "," or ("," in first and not said):
        return ""
    mark = said if said in (";", "\t", "|") else next((s for s in (";", "\t", "|") if s in first), "")
    if not mark:
        return ""
    name = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}[mark]
    comma = bool(re.search(rf"(^|{re.escape(mark)})[+-]?\d+,\d+({re.escape(mark)}|\r?$)", text, re.MULTILINE))
    also = " and numbers have a decimal comma" if comma else ""
    # Beside a decimal comma, a point before three digits groups thousands: pandas would take it for a decimal point.
    grouped = comma and re.search(rf"(^|{re.escape(mark)})[+-]?[1-9]\d{{0,2}}(\.\d{{3}})+[,{mark}\r\n]", text)
    thousands = ", thousands='.'" if grouped else ""
    decimal = f", decimal=','{thousands}" if comma else ", dtype=str"
    skip = ", skiprows=1" if first.lower().startswith("sep=") else ""
    code = f"pandas.read_csv(file, sep={mark!r}{decimal}{skip}).to_csv(file, index=False)"
    return f"the columns are separated by {name}{also}; save the file with commas and decimal points, e.g. by {code}"


def _header(
    header: list[str], line: int, columns: Sequence[Column], table: Table, rows: list[Record], years: dict[int, str]
) -> dict[str, int]:
    """Position of every known column; problems of the header go to the table."""
    known = [c.name for c in columns]
    if len(header) > MOST_COLUMNS:
        table.report(line, "", f"the header has {len(header)} columns; at most {MOST_COLUMNS} are read")
        table.lost.update(known)
        return {}
    positions: dict[str, int] = {}
    counted = [record[0] for _, record in rows if record] == [str(n) for n in range(len(rows))]
    for i, name in enumerate(header):
        if name in known and name not in positions:
            positions[name] = i
        elif i in years or (not name and not any(record[i : i + 1] != [""] for _, record in rows)):
            continue
        elif i == 0 and name in ("", "Unnamed: 0", "index") and counted:
            message = "the first column is the index of pandas; write with to_csv(file, index=False)"
            table.report(line, printable(name), message)
        elif not name:
            table.report(line, "", f"column {i + 1} has no name; name it, or delete the column")
        elif name in positions:
            table.report(line, name, f"the header has the column {quoted(name)} twice; keep one of them")
        else:
            hint = did_you_mean(name, [k for k in known if k not in header])
            table.lost.update(k for k in known if hint.endswith(f"did you mean {quoted(k)}?"))
            table.report(line, name, f"the column {quoted(name)} is not known; allowed are: {listed(known, 40)}{hint}")
    there = positions.keys() | (MELTED if years else ())
    table.header_line = line
    table.absent = {c.name for c in columns if there.isdisjoint((c.name, *c.instead))}
    for column in columns:
        if column.required and column.name in table.absent:
            table.report(line, column.name, "")
    return positions


def _rows(
    rows: list[Record], width: int, at: dict[str, int], columns: Sequence[Column], table: Table, years: dict[int, str]
) -> None:
    """Parse records into the rows of a table; ``at``: position of each column."""
    header_is_good = table.clean
    empty = {c.name: c.parse("") for c in columns}
    there = [(column, at[column.name]) for column in columns if column.name in at]
    by_name = {column.name: column for column in columns}
    # Text → value: most cells of a long table are empty or repeat another.
    parsed: dict[str, dict[str, Any]] = {column.name: {} for column in columns}

    def put(cells: dict[str, Any], line: int, column: Column, text: str, of: str = "") -> None:
        known = parsed[column.name]
        try:
            if text not in known:
                known[text] = _cell(text, column)
            cells[column.name] = known[text]
        except CellError as error:
            table.report(line, column.name, f"{of}{error}")

    for line, record in rows:
        if len(record) != width:
            if header_is_good:
                message = f"the row has {len(record)} cells where the header has {width}; "
                table.report(line, "", f"{message}is a comma inside a text not quoted, or a cell left out?")
            table.whole = False
            continue
        cells = dict(empty)
        for column, position in there:
            put(cells, line, column, record[position])
        if not years:
            table.rows.append(Row(line, cells))
        for position, year in years.items():
            if record[position]:
                melted = dict(cells)
                put(melted, line, by_name["year_from"], year)
                put(melted, line, by_name["value"], record[position], f"column {year}: ")
                melted["id"] = f"{cells['id']}-{year}" if cells.get("id") else cells.get("id")
                table.rows.append(Row(line, melted))


def _cell(text: str, column: Column) -> Any:
    if len(text) > MOST_CELL:
        raise CellError(f"the cell has {len(text):,} characters; at most {MOST_CELL:,} are read: shorten it")
    if column.required and not text:
        raise CellError("the cell is empty; fill it in, or delete the row")
    return column.parse(text_cell(text))


def report_duplicates(table: Table, rows: Iterable[Row], key: Sequence[str], what: str) -> None:
    """Report every row whose key an earlier row has already. Its true name, and one that cannot be read, may be any."""
    first: dict[tuple[object, ...], int] = {}
    absent = [k for k in key if k in table.absent]
    remedy = f", or add the column {' or '.join(map(quoted, absent))}" if absent else ""
    for row in rows:
        values = tuple(row[k] for k in key)
        if any(table.is_bad(row.line, k) for k in key):
            table.whole = False
        elif not any(values):
            continue
        elif values in first:
            table.whole = False
            name = listed(quoted(v) for v in values if v)
            message = f"{what} {name} is given on line {first[values]} already; delete one of the rows, or rename it"
            table.report(row.line, key[0], message + remedy)
        else:
            first[values] = row.line
