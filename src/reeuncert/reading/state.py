"""What is carried from table to table while a case is read: the case file, the options chosen, and all problems."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reeuncert.errors import CaseError, EvidenceError, InputError, Problem
from reeuncert.reading.tables import Column, Row, Table, read_table
from reeuncert.reading.toml import CaseFile
from reeuncert.words.cells import parse_years, shown, unknown, when_cell

CASE_FILES = ("case.toml", "processes.csv", "flows.csv", "priors.csv", "covariates.csv", "constants.csv")
SOURCES = "sources.csv"
DATA_FILES = (SOURCES, "classes.csv", "factors.csv", "offsets.csv", "evidence.csv")
MOST_PROBLEMS = 100
"""Problems listed of one file; the rest are counted."""


@dataclass
class Reading:
    """One case in the course of being read.

    Parameters
    ----------
    folder, data_folder
        Where the tables of the case and of its evidence lie.
    options
        Chosen value of every option of the case.
    problems, warnings
        What was found so far, in any order.
    hashes
        File name → SHA-256 of every file read.
    cited
        Sources that some row names.
    tables
        The tables that were read and checked, by file name.
    unclear
        Keys of ``case.toml`` that cannot be read: checks that depend on them are skipped.
    """

    folder: Path
    data_folder: Path
    settings: CaseFile
    options: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    cited: set[str] = field(default_factory=set)
    unclear: frozenset[str] = frozenset()
    tables: dict[str, Table] = field(default_factory=dict)

    def years_cell(self, text: str) -> tuple[int, ...]:
        """Parser of a ``years`` column of this case."""
        return parse_years(text, self.settings.first_year, self.settings.last_year)

    def read(self, file: str, columns: Sequence[Column], *, in_data: bool = False, needed: bool = False) -> Table:
        """Read one table; an optional file that is not there is an empty table."""
        path = (self.data_folder if in_data else self.folder) / file
        if not needed and not path.exists():
            return Table(file)
        return read_table(path, file, [*columns, Column("when", when_cell)], self.hashes, rows_needed=needed)

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

    def check_record(self, table: Table, row: Row, problems: Iterable[tuple[str, str]]) -> None:
        """Report problems of the record of a row, but for cells that have a problem already."""
        for column, message in problems:
            if (row.line, column) not in table.bad:
                table.report(row.line, column, message)

    def check_known(
        self, table: Table, row: Row, column: str, words: Sequence[str], known: Sequence[str], what: str
    ) -> None:
        """Report the words of a cell that are not among those known."""
        for word in words:
            if word and word not in known and (row.line, column) not in table.bad:
                table.report(row.line, column, unknown(word, known, what))

    def check_sources(self, table: Table, row: Row, words: Sequence[str], known: Sequence[str]) -> None:
        """Report the sources that are not in the table of sources, unless that table as a whole has a problem."""
        self.cited.update(words)
        if known and self.is_whole(SOURCES):
            self.check_known(table, row, "source_id", words, known, "source")

    def check_sources_table(self) -> None:
        """Report that the table of sources is missing or has no row, where a row cites one."""
        cited = sorted(self.cited - {""})
        table = self.tables.get(SOURCES)
        if not cited or "data" in self.unclear:
            return
        if not (self.data_folder / SOURCES).exists():
            message = f"the file is missing, but rows cite sources such as {shown(cited[0])}; add it to the data folder"
            self.problems.append(Problem(SOURCES, 0, "", f"{message} {shown(self.settings.data)}"))
        elif table is not None and table.clean and not self.in_effect(table):
            message = f"no row is in effect, but rows cite sources such as {shown(cited[0])}; add a row for each"
            self.problems.append(Problem(SOURCES, 0, "", message))

    def check_years_inside(self, table: Table, row: Row, column: str) -> None:
        """Report a year outside the case."""
        first, last = self.settings.first_year, self.settings.last_year
        year = row[column]
        if year and not first <= year <= last and (row.line, column) not in table.bad:
            table.report(row.line, column, f"the year {year} is outside the case, which covers {first}-{last}")

    def is_whole(self, file: str) -> bool:
        """Whether a table that was read is complete, so that a name which is not in it is really missing."""
        return file not in self.tables or self.tables[file].whole

    def close(self, table: Table) -> None:
        """Take over the problems of a table that was checked."""
        self.problems.extend(table.problems)
        self.tables[table.file] = table


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
    for problem in sorted(set(problems)):
        by_file.setdefault(problem.file, []).append(problem)
    kept: list[Problem] = []
    for file, found in by_file.items():
        kept.extend(found[:MOST_PROBLEMS])
        if len(found) > MOST_PROBLEMS:
            rest = len(found) - MOST_PROBLEMS
            message = f"{rest} more problems from here on are not listed; mend those above first"
            kept.append(Problem(file, found[MOST_PROBLEMS].line, "", message))
    evidence_only = all(f in DATA_FILES or f.lower().startswith("evidence") for f in by_file)
    return EvidenceError(kept) if evidence_only else CaseError(kept)
