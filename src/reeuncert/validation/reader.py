"""Reading of a whole case: every file validated together, every problem found before anything is built."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from reeuncert.case.records import Case, Evidence
from reeuncert.case.rules import record_problems
from reeuncert.errors import Problem
from reeuncert.likelihood.problems import evidence_problems
from reeuncert.priors.checks import coverage_problems, prior_warnings, row_problems
from reeuncert.reading import case_tables, evidence_tables, state
from reeuncert.reading.bundled import find_case, has_published_values
from reeuncert.reading.case_file import FILE, read_case_file
from reeuncert.reading.case_tables import SystemTables
from reeuncert.reading.evidence_tables import evidence_files, is_left_behind
from reeuncert.reading.state import CASE_FILES, DATA_FILES, SOURCES, Reading, choose_options, input_error
from reeuncert.reading.state import TABLES as SHARED
from reeuncert.reading.workbooks import ENDING
from reeuncert.system.checks import network_problems
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.validation.words_used import word_warnings
from reeuncert.words.cells import did_you_mean, printable, quoted

TABLES = (".csv", ".tsv", ".tab", ".txt", ".xls", ".xlsx", ".xlsm", ".ods", ".numbers", ".gz", ".zip", ".bz2", ".xz")
TABLES_BINARY = (".parquet", ".feather", ".json", ".jsonl", ".dta", ".sav", ".rds")
PROSE = ("readme.txt", "license.txt", "licence.txt", "notes.txt", "todo.txt")
BESIDE = ("left_out.csv",)  # tables of a data folder that are read by others than a model
OF_A_RESULT = "provenance.json"
READ_LATER = ("reference", "outlook", evidence_tables.IMPORTS_FOLDER)
"""Folders of tables that are read by others than a model."""


def unread_warnings(reading: Reading) -> list[Problem]:
    """Every file in the folders of a case that looks like a table and is not read."""
    known = {reading.folder / name for name in CASE_FILES}
    known |= {reading.data_folder / name for name in (*DATA_FILES, *BESIDE, *evidence_files(reading))}
    known |= {path.with_suffix(ENDING) for path in known} | {path.parent / f"{SHARED}{ENDING}" for path in known}
    absent = [path.name for path in known if not path.exists() and path.suffix != ENDING]
    found = []
    for root in dict.fromkeys((reading.folder, reading.data_folder)):
        if root.is_dir() and "data" not in reading.unclear:
            found += [_warning(path, root, absent) for path in _files(root) if not _is_known(path, known)]
    return [*found, *_unread_sheets(reading)]


def _is_known(path: Path, known: set[Path]) -> bool:
    """Whether a file is read, also under a name in other letters, as macOS and Windows allow."""
    alike = (other for other in known if other.name.casefold() == path.name.casefold() and other.exists())
    return path in known or any(other.samefile(path) for other in alike)


def _unread_sheets(reading: Reading) -> Iterator[Problem]:
    known = [Path(name).stem for name in (*CASE_FILES[1:], *DATA_FILES)]
    for path, sheets in reading.workbooks.items():
        for title in sheets if path.stem == SHARED else ():
            if title not in known:
                message = f"the sheet {quoted(title)} is not read{did_you_mean(title, known)}; sheets are named as "
                yield Problem(path.name, 0, "", f"{message}tables: {', '.join(known)}")


def _files(root: Path) -> Iterator[Path]:
    """Files that look like tables, in a folder and the folders in it; not those of results or of other cases."""
    for path in sorted(root.iterdir()):
        if is_left_behind(path.name) and path.suffix.lower() in TABLES:
            yield path
        elif path.name.startswith("."):
            continue
        elif path.is_dir():
            if path.name in READ_LATER or (path / OF_A_RESULT).exists() or (path / CASE_FILES[0]).exists():
                continue
            yield from _files(path)
        elif path.suffix.lower() in (*TABLES, *TABLES_BINARY) and path.name.casefold() not in PROSE:
            yield path


def _warning(path: Path, root: Path, absent: list[str]) -> Problem:
    name = path.relative_to(root).as_posix()
    if is_left_behind(path.name):
        message = "the file was left behind by the system or a spreadsheet program and is ignored; delete it"
    else:
        hint = did_you_mean(path.name, absent)
        message = f"the file is not read{hint}"
        if not hint:
            where = f"evidence.csv or {evidence_tables.EVIDENCE_FOLDER}/NAME.csv (CSV UTF-8) or the same with .xlsx"
            message += f"; evidence is read from {where}, other tables by their own names"
    return Problem(printable(name, 200), 0, "", message)


HARMLESS = frozenset({"name", "title", "description", "indicator", "headline", "prior_measure"})
"""Keys of ``case.toml`` without which the tables can still be checked against each other."""


@dataclass(frozen=True)
class CaseReading:
    """A case as far as it could be read (None when the files are not even well formed), its errors, and the warnings
    that an analyst should look at before using a result; ``unread``: those of files that are not read.
    """

    case: Case | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    unread: tuple[Problem, ...] = ()


def read_case(name_or_path: str | Path, /, **options: str) -> Case:
    """Read a case and validate all of it.

    Parameters
    ----------
    name_or_path
        Name of a bundled case (`bundled_cases`), or the folder of a case.
    **options
        Choices for the switches that the case declares in ``case.toml``; each has a default.

    Returns
    -------
    Case

    Raises
    ------
    CaseError, EvidenceError
        One error that lists every problem with file, line and column.

    Warns
    -----
    UserWarning
        Of each file that is not read.
    """
    reading = load_case(find_case(name_or_path), **options)
    case = _sound(reading)
    for problem in reading.unread:
        if not is_left_behind(Path(problem.file).name):
            warnings.warn(str(problem), UserWarning, stacklevel=3)
    return case


def _sound(reading: CaseReading) -> Case:
    if reading.problems or reading.case is None:
        raise input_error(reading.problems)
    return reading.case


def list_case(folder: Path) -> Case:
    """A case for a list of cases: each table is checked, but not with the others, and no headline is tried."""
    return _sound(load_case(folder, False))


def load_case(folder: Path, whole: bool = True, /, **options: str) -> CaseReading:
    """Read a case as far as possible; problems are returned, not raised (but for an unknown option). ``whole``:
    whether to check the tables together, and to try what is asked of a result (headlines, constants, published values).
    """
    hashes: dict[str, str] = {}
    found = read_case_file(folder / FILE, hashes)
    settings = found.settings
    chosen = choose_options(settings, {} if "options" in found.unclear else options)
    reading = Reading(folder, folder / settings.data, settings, chosen, list(found.problems), hashes=hashes)
    reading.unclear = found.unclear
    tables = case_tables.read_system(reading)
    priors = case_tables.read_priors(reading)
    lists = evidence_tables.read_lists(reading)
    case = Case(
        name=settings.name,
        title=settings.title,
        description=settings.description,
        system=tables.system,
        prior_measure=settings.prior_measure,
        regions=reading.words["region"],
        products=reading.words["product"],
        priors=priors,
        evidence=evidence_tables.read_evidence(reading, lists),
        **vars(lists),
        covariates=case_tables.read_covariates(reading),
        errors=settings.errors.record(),
        constants=case_tables.read_constants(reading),
        indicators=tuple(entry.record() for entry in settings.indicator),
        headlines=tuple(entry.record() for entry in settings.headline),
        options=chosen,
        option_choices={name: tuple(entry.choices) for name, entry in settings.options.items()},
        compare=tuple(name for name, entry in settings.options.items() if entry.compare),
        hashes=dict(sorted(hashes.items())),
        path=str(folder),
        glossary=dict(settings.glossary),
    )
    reading.check_sources_table()
    unread = unread_warnings(reading)
    reading.warnings.extend(unread)
    if found.unclear - HARMLESS:
        return CaseReading(None, _told(reading), reading.placed(reading.warnings))
    if not whole:
        return CaseReading(case, _told(reading), ())
    _check_together(reading, tables, case)
    if case.constants:  # indicators are loaded only where the case has something to try
        from reeuncert.validation.answers import constant_problems

        reading.problems.extend(constant_problems(reading))
    if not reading.problems and _has_answers(case):
        from reeuncert.validation.answers import answer_problems

        reading.problems.extend(answer_problems(case, found))
    if all(table.whole for table in reading.tables.values()):
        reading.warnings.extend(word_warnings(reading, tables))
    return CaseReading(case, _told(reading), reading.placed(reading.warnings), tuple(unread))


def _has_answers(case: Case) -> bool:
    return bool(case.headlines or case.indicators or case.constants or has_published_values(case.name, case.path))


def _told(reading: Reading) -> tuple[Problem, ...]:
    """All problems, except those that depend on an unreadable key of ``case.toml``."""
    waits = "unit" in reading.unclear
    return reading.placed(reading.cause(p) for p in reading.problems if not (waits and p.column == "basis"))


def problems_of(case: Case) -> tuple[Problem, ...]:
    """Problems of a case that was made or changed in memory: of its balance, its priors, and its evidence."""
    lines = SystemTables(case.system, {}, {}, clean=True)
    network = _network(lines)
    problems = [*record_problems(case), *evidence_problems(case), *network]
    if not network:
        problems += row_problems(case) or coverage_problems(case)
    if not problems and _has_answers(case):
        from reeuncert.validation.answers import answer_problems

        problems = answer_problems(case)
    return tuple(sorted(problems))


_NAMED = {state.OFFSETS: ("offsets", "of_offsets"), state.FACTORS: ("basis",), state.CONTENTS: ("element",)}
"""Tables → columns of evidence that need what they name."""


def _check_together(reading: Reading, tables: SystemTables, case: Case) -> None:
    """Checks over several tables; invalid rows are skipped, so that no problem is reported twice."""
    if not tables.clean or any("when" in table.lost for table in reading.tables.values()):
        return
    unclear_columns = {column for file, names in _NAMED.items() if not reading.is_whole(file) for column in names}
    found = evidence_problems(replace(case, evidence=_sound_evidence(reading, case)))
    reading.problems.extend(problem for problem in found if problem.column not in unclear_columns)
    network = _network(tables)
    reading.problems.extend(network)
    if network:
        return
    table = reading.tables[state.PRIORS]
    unclear = {line for line, column in table.bad if column in FLOW_FIELDS}
    years_known = "year" not in {column for _, column in reading.tables[state.COVARIATES].bad}
    found = [
        problem
        for problem in row_problems(case)
        if not table.is_bad(problem.line, problem.column)
        and (problem.column != "slope_on" or (reading.is_whole(state.COVARIATES) and years_known))
        and not (problem.line in unclear and problem.column in (*FLOW_FIELDS, "years", "mode", "kind"))
    ]
    reading.problems.extend(found)
    columns = {column for _, column in table.bad} | {problem.column for problem in found}
    needed = ("prior", "kind", "mode", "years", "when", "family", "a", "b", "c", *FLOW_FIELDS)
    if table.whole and columns.isdisjoint(needed):
        reading.problems.extend(coverage_problems(case))
    if not reading.problems:
        reading.warnings.extend(prior_warnings(case))


def _sound_evidence(reading: Reading, case: Case) -> tuple[Evidence, ...]:
    """The rows of evidence whose own cells, source and class are in order."""

    def with_problems(file: str, name: str) -> set[str]:
        table = reading.tables[file]
        return {row[name] for row in table.rows if row.line in table.lines_with_problems()}

    bad = {(file, line) for file, table in reading.tables.items() for line in table.lines_with_problems()}
    bad_classes = with_problems(state.CLASSES, "class")
    known = set(case.sources) - with_problems(SOURCES, "source_id")
    good = {name for name in known if case.sources[name].error_class in set(case.classes) - bad_classes}
    return tuple(row for row in case.evidence if (row.file, row.line) not in bad and row.source_id in good)


def _network(tables: SystemTables) -> list[Problem]:
    """Problems of the balance, on the line of the process or flow that they name."""
    problems = []
    for name, _, message, column in network_problems(tables.system):
        flow = Problem(state.FLOWS, tables.flow_line.get(name, 0), "flow", message)
        process = tables.process_line.get(name)
        problems.append(flow if process is None else Problem(state.PROCESSES, process, column, message))
    return problems
