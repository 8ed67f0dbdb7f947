"""What is carried from table to table while a case is read: the case file, the options chosen, and all problems."""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from reeuncert.errors import CaseError, EvidenceError, InputError, Problem
from reeuncert.reading.case_file import FILE, CaseFile
from reeuncert.reading.tables import Column, Row, Table, fill, read_bytes, read_table, report_duplicates
from reeuncert.reading.workbooks import ENDING, Sheet, WorkbookError, one_sheet, sheets_of
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE
from reeuncert.words.cells import listed, parse_years, quoted, unknown, when_cell

PROCESSES, FLOWS, PRIORS = "processes.csv", "flows.csv", "priors.csv"
COVARIATES, CONSTANTS = "covariates.csv", "constants.csv"
NEEDED = (PROCESSES, FLOWS, PRIORS)
CASE_FILES = (FILE, PROCESSES, FLOWS, PRIORS, COVARIATES, CONSTANTS)
SOURCES, CLASSES, FACTORS = "sources.csv", "classes.csv", "factors.csv"
OFFSETS, CONTENTS, EVIDENCE = "offsets.csv", "contents.csv", "evidence.csv"
DATA_FILES = (SOURCES, CLASSES, FACTORS, OFFSETS, CONTENTS, EVIDENCE)
SOURCE_COLUMNS = ("source_id", "title", "publisher", "edition", "reference", "terms", "lineage", "class", "note")
TABLES = "tables"  # name of a workbook with one sheet for each table
WHEN = Column("when", when_cell)
MOST_PROBLEMS = 100  # problems listed of one file; the rest are counted


@dataclass
class Reading:
    """A case while it is read."""

    # Where the tables of the case and of its evidence lie
    folder: Path
    data_folder: Path
    settings: CaseFile
    options: dict[str, str]  # chosen value of every option of the case
    # What was found so far, in any order
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)  # file name → SHA-256 of every file read
    # Keys of ``case.toml`` that cannot be read: checks that depend on them are skipped
    unclear: frozenset[str] = frozenset()
    tables: dict[str, Table] = field(default_factory=dict)  # the tables that were read and checked, by file name
    # The sheets of the workbooks that were opened
    workbooks: dict[Path, dict[str, Sheet]] = field(default_factory=dict)
    # Name of a table → the workbook and sheet that hold it, where that is no CSV file
    places: dict[str, str] = field(default_factory=dict)
    # Column → the words that its cells may hold, as far as they are known yet
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # Attribute of flows → every value in ``flows.csv``, rows that are not in effect included: what a selector may name
    flow_words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def years_cell(self, text: str) -> tuple[int, ...]:
        """Parser of a ``years`` column of this case."""
        return parse_years(text, *self.settings.years)

    def read(self, file: str, columns: Sequence[Column]) -> Table:
        """Read one table: the CSV file, the workbook of its name, or its sheet in ``tables.xlsx``.

        A table that is nowhere is empty, if it is not `NEEDED`.
        """
        folder = self.folder if file in CASE_FILES else self.data_folder
        stem = file.removesuffix(".csv")
        own, shared = folder / f"{stem}{ENDING}", folder / f"{TABLES}{ENDING}"
        found: list[tuple[str, Sheet]] = []
        try:
            if own.is_file():
                found.append((own.name, one_sheet(self.sheets(own), stem)))
            if shared.is_file() and stem in self.sheets(shared):
                found.append((f"{shared.name}, sheet {quoted(stem)}", self.sheets(shared)[stem]))
        except WorkbookError as error:
            return Table.unread(file, str(error))
        path = folder / file
        places = [*([file] if path.exists() else []), *(name for name, _ in found)]
        if len(places) > 1:
            return Table.unread(file, f"the table is there more than once: {listed(places)}; keep one of them")
        table = Table(file)
        if found:
            self.places[file] = places[0]
            table = self.of_sheet(file, found[0][1], columns)
        elif places or file in NEEDED:
            table = read_table(path, file, [*columns, WHEN], self.hashes)
        if file in NEEDED and table.clean and not table.rows:
            table.report(0, "", "the file has a header and no rows; add at least one row")
        return table

    @contextmanager
    def rows_of(self, file: str, columns: Sequence[Column], key: Sequence[str]) -> Iterator[tuple[Table, list[Row]]]:
        """A table as `read` finds it, and its rows in effect. Reported are rows with the `key` of an earlier one and
        names that the case does not have; at the end the problems of the table are taken over.
        """
        table = self.read(file, columns)
        rows = self.in_effect(table)
        report_duplicates(table, rows, key, f"the {key[0].removesuffix('_id')}")
        for row in rows:
            self.check_names(table, row)
        yield table, rows
        self.close(table)

    def of_sheet(self, file: str, sheet: Sheet, columns: Sequence[Column]) -> Table:
        """The table that a sheet of a workbook holds."""
        table = Table(file)
        fill(table, sheet, [*columns, WHEN])
        return table

    def sheets(self, path: Path) -> dict[str, Sheet]:
        """The sheets of a workbook; cells that cannot be taken as they are go to ``problems``. Raises `WorkbookError`
        when it cannot be read.
        """
        if path not in self.workbooks:
            name = path.relative_to(path.parents[1] if path.parent.name == "evidence" else path.parent).as_posix()
            content = read_bytes(path, name)
            if isinstance(content, Problem):
                raise WorkbookError(content.message)
            other = f"{self.settings.data}/{name}"  # both folders may have a workbook of the tables
            self.hashes[other if name in self.hashes else name] = hashlib.sha256(content).hexdigest()

            def report(sheet: str, row: int, message: str) -> None:
                self.problems.append(Problem(f"{name}, sheet {quoted(sheet)}", row, "", message))

            self.workbooks[path] = sheets_of(content, report)
        return self.workbooks[path]

    def placed(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Problems in the order of the files, with the workbook and sheet in which a table was found."""
        files = (*CASE_FILES, *DATA_FILES)  # tables which others refer to come first
        place = {file: k for k, file in enumerate(files)}
        order = sorted(set(problems), key=lambda p: (place.get(p.file, len(files)), p))
        return tuple(replace(p, file=self.places.get(p.file, p.file)) for p in order)

    def cause(self, problem: Problem) -> Problem:
        """The problem of the header to which a problem of a table is due, if there is one."""
        table = self.tables.get(problem.file)
        return table.at_header(problem) if table else problem

    def in_effect(self, table: Table) -> list[Row]:
        """The rows whose ``when`` holds under the chosen options; unknown options and choices are reported."""
        return [row for row in table.rows if self._holds(row, table)]

    def _holds(self, row: Row, table: Table) -> bool:
        holds = True
        for option, choices in row["when"]:
            entry = self.settings.options.get(option)
            if entry is None and "options" in self.unclear:
                holds = holds and self.options.setdefault(option, choices[0]) in choices
                continue
            if entry is None:
                known = list(self.settings.options)
                table.report(row.line, "when", f"{unknown(option, known, 'option')} (declared in case.toml)")
                continue
            for choice in choices:
                if choice not in entry.choices:
                    what = f"for option '{option}' the choice"
                    table.report(row.line, "when", unknown(choice, entry.choices, what))
            holds = holds and self.options[option] in choices
        return holds

    def check_known(
        self, table: Table, row: Row, column: str, words: Sequence[str], known: Sequence[str], what: str
    ) -> None:
        """Report the words of a cell that are not among those known."""
        for word in words:
            if word and word not in known:
                table.note(row.line, column, unknown(word, known, what))

    def check_names(self, table: Table, row: Row) -> None:
        """Report what a row names and the case does not have: words, selected flows, a year."""
        selects = "flow" in row.cells
        if selects:
            self.check_selector(table, row)
        for column, words in self.words.items():
            if column in row.cells and not (selects and column in FLOW_FIELDS):
                self.check_known(table, row, column, _several(row[column]), words, column.removesuffix("_id"))
        if "year" in row.cells:
            self.check_years_inside(table, row, "year")

    def check_selector(self, table: Table, row: Row, prefix: str = "") -> None:
        """Report every word of a selector that no flow of ``flows.csv`` has."""
        flows = self.tables[FLOWS]
        for name in FLOW_FIELDS if flows.whole else ():
            column, known = prefix + name, self.flow_words[name]
            if not row[column]:
                continue
            what = "region" if name in ("origin", "destination") else name
            if name in ("from_process", "to_process"):
                what, known = "process", [*(n for n in known if n != OUTSIDE), OUTSIDE]
            if name in flows.absent and not table.is_bad(row.line, column):
                self.problems.append(flows.at_header(Problem(FLOWS, 0, name, "")))
                table.bad.add((row.line, column))
            for word in row[column]:
                if known and word not in known:
                    table.note(row.line, column, f"{unknown(word, known, what)} (no row of flows.csv has it)")

    def check_sources_table(self) -> None:
        """Report that the table of sources is missing or has no row, where a row cites one."""
        citing = (table for file, table in self.tables.items() if file != SOURCES)
        rows = (row.cells.get("source_id", "") for table in citing for row in self.in_effect(table))
        cited = sorted({source for cell in rows for source in _several(cell)} - {""})
        table = self.tables.get(SOURCES)
        if not cited or "data" in self.unclear:
            return
        if SOURCES not in self.places and not (self.data_folder / SOURCES).exists():
            message = f"the file is missing, but rows cite sources such as {quoted(cited[0])}; add it to the data "
            self.problems.append(Problem(SOURCES, 0, "", f"{message}folder {quoted(self.settings.data)}"))
        elif table is not None and table.clean and not self.in_effect(table):
            message = f"no row is in effect, but rows cite sources such as {quoted(cited[0])}; add a row for each"
            self.problems.append(Problem(SOURCES, 0, "", message))

    def check_years_inside(self, table: Table, row: Row, column: str) -> None:
        """Report a year outside the case."""
        first, last = self.settings.years
        year = row[column]
        if year and not first <= year <= last:
            message = f"the year {year} is outside the case, which covers {first}-{last}; "
            table.note(row.line, column, f"{message}correct it, or widen `years` in case.toml")

    def is_whole(self, file: str) -> bool:
        """Whether a table that was read is complete, so that a name which is not in it is really missing."""
        return file not in self.tables or self.tables[file].whole

    def close(self, table: Table) -> None:
        """Take over the problems of a table that was checked."""
        self.problems.extend(table.problems)
        self.tables[table.file] = table


def _several(cell: str | Sequence[str]) -> Sequence[str]:
    return [cell] if isinstance(cell, str) else cell


def choose_options(settings: CaseFile, asked: Mapping[str, object]) -> dict[str, str]:
    """Value of every option: what was asked, else its default."""
    chosen = {name: entry.default for name, entry in settings.options.items()}
    problems = []
    for name, value in asked.items():
        value = unicodedata.normalize("NFC", value) if isinstance(value, str) else value
        entry = settings.options.get(name)
        if entry is None:
            message = f"{unknown(name, list(settings.options), 'option')} (options of this case)"
            problems.append(Problem("case.toml", 0, "options", message))
        elif value not in entry.choices:
            message = unknown(str(value), entry.choices, f"for option '{name}' the choice")
            problems.append(Problem("case.toml", 0, f"options.{name}", message))
        else:
            chosen[name] = str(value)
    if problems:
        raise CaseError(problems)
    return chosen


def input_error(problems: Sequence[Problem]) -> InputError:
    """The error that lists problems: an `EvidenceError` when all lie in the evidence, else a `CaseError`."""
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        by_file.setdefault(problem.file, []).append(problem)
    kept: list[Problem] = []
    for file, every in by_file.items():
        found = sorted(set(every))
        kept.extend(found[:MOST_PROBLEMS])
        if len(found) > MOST_PROBLEMS:
            rest = len(found) - MOST_PROBLEMS
            message = f"{rest} more problems from here on are not listed; mend those above first"
            kept.append(Problem(file, found[MOST_PROBLEMS].line, "", message))
    stems = {name.partition(".")[0] for name in DATA_FILES}
    evidence_only = all(f.partition(".")[0] in stems or f.lower().startswith("evidence") for f in by_file)
    return EvidenceError(kept) if evidence_only else CaseError(kept)
