"""Reading of a whole case: every file validated together, every problem found before anything is built."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from reeuncert.case.records import Case, Evidence
from reeuncert.case.rules import record_problems
from reeuncert.errors import Problem
from reeuncert.likelihood.problems import evidence_problems
from reeuncert.priors.checks import coverage_problems, prior_warnings, row_problems
from reeuncert.reading.bundled import find_case, has_published_values
from reeuncert.reading.case_file import FILE, CaseText, read_case_file
from reeuncert.reading.evidence_tables import CLASSES, is_left_behind, read_evidence, read_lists
from reeuncert.reading.prior_tables import COVARIATES, PRIORS, read_constants, read_covariates, read_priors
from reeuncert.reading.state import SOURCES, Reading, choose_options, input_error
from reeuncert.reading.system_tables import FLOWS, PROCESSES, SystemTables, read_system
from reeuncert.system.checks import network_problems
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.validation.unread import unread_warnings
from reeuncert.validation.words_used import word_warnings

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
    """A case for a list of cases: its tables are checked, its headlines are not tried."""
    return _sound(load_case(folder, False))


def load_case(folder: Path, answers: bool = True, /, **options: str) -> CaseReading:
    """Read a case as far as possible; problems are returned, not raised (but for an unknown option). ``answers``:
    whether to try what is asked of a result (headlines, constants, published values).
    """
    hashes: dict[str, str] = {}
    found = read_case_file(folder / FILE, hashes)
    settings = found.settings
    chosen = choose_options(settings, {} if "options" in found.unclear else options)
    reading = Reading(folder, folder / settings.data, settings, chosen, list(found.problems), hashes=hashes)
    reading.unclear = found.unclear
    tables = read_system(reading)
    priors = read_priors(reading, tables)
    lists = read_lists(reading, tables)
    sources = tuple(lists.sources)
    case = Case(
        name=settings.name,
        title=settings.title,
        description=settings.description,
        system=tables.system,
        prior_measure=settings.prior_measure,
        regions=tables.regions,
        products=tables.products,
        priors=priors,
        evidence=read_evidence(reading, tables, lists),
        sources=lists.sources,
        classes=lists.classes,
        offsets=lists.offsets,
        factors=lists.factors,
        contents=lists.contents,
        covariates=read_covariates(reading, sources),
        errors=settings.errors.record(),
        constants=read_constants(reading, tables, sources),
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
    _check_together(reading, tables, case)
    if answers:
        _check_answers(reading, case, found)
    if all(table.whole for table in reading.tables.values()):
        reading.warnings.extend(word_warnings(reading, tables))
    return CaseReading(case, _told(reading), reading.placed(reading.warnings), tuple(unread))


def _check_answers(reading: Reading, case: Case, found: CaseText) -> None:
    """Try what will be asked of a result; indicators are loaded only where the case has something to try."""
    if case.constants:
        from reeuncert.validation.answers import constant_problems

        reading.problems.extend(constant_problems(reading))
    if not reading.problems and _has_answers(case):
        from reeuncert.validation.answers import answer_problems

        reading.problems.extend(answer_problems(case, found))


def _has_answers(case: Case) -> bool:
    return bool(case.headlines or case.indicators or case.constants or has_published_values(case.name, case.path))


def _told(reading: Reading) -> tuple[Problem, ...]:
    """All problems, except those that depend on an unreadable key of ``case.toml``."""
    waiting = "basis" if "unit" in reading.unclear else None
    return reading.placed(p for p in reading.problems if waiting is None or p.column != waiting)


def problems_of(case: Case) -> tuple[Problem, ...]:
    """Problems of a case that was made or changed in memory: of its balance, its priors, and its evidence."""
    lines = SystemTables(case.system, {}, {}, {}, case.regions, case.products, clean=True)
    problems = [*record_problems(case), *evidence_problems(case), *_network(lines)]
    if not _network(lines):
        rows = row_problems(case)
        problems += rows or coverage_problems(case)
    if not problems and _has_answers(case):
        from reeuncert.validation.answers import answer_problems

        problems = answer_problems(case)
    return tuple(sorted(problems))


def _check_together(reading: Reading, tables: SystemTables, case: Case) -> None:
    """Checks over several tables; invalid rows are skipped, so that no problem is reported twice."""
    if not tables.clean:
        return
    reading.problems.extend(evidence_problems(replace(case, evidence=_sound_evidence(reading, case))))
    network = _network(tables)
    reading.problems.extend(network)
    if network:
        return
    table = reading.tables[PRIORS]
    unclear = {line for line, column in table.bad if column in FLOW_FIELDS}
    found = [
        problem
        for problem in row_problems(case)
        if not table.is_bad(problem.line, problem.column)
        and (problem.column != "slope_on" or reading.is_whole(COVARIATES))
        and not (problem.line in unclear and problem.column in (*FLOW_FIELDS, "years", "mode", "kind"))
    ]
    reading.problems.extend(found)
    columns = {column for _, column in table.bad} | {problem.column for problem in found}
    if table.whole and columns.isdisjoint(("prior", "kind", "mode", "years", "when", *FLOW_FIELDS)):
        reading.problems.extend(coverage_problems(case))
    if not reading.problems:
        reading.warnings.extend(prior_warnings(case))


def _sound_evidence(reading: Reading, case: Case) -> tuple[Evidence, ...]:
    """The rows of evidence whose own cells, source and class are in order."""

    def with_problems(file: str, name: str) -> set[str]:
        table = reading.tables[file]
        return {row[name] for row in table.rows if row.line in table.lines_with_problems()}

    bad = {(file, line) for file, table in reading.tables.items() for line in table.lines_with_problems()}
    bad_classes = with_problems(CLASSES, "class")
    known = set(case.sources) - with_problems(SOURCES, "source_id")
    good = {name for name in known if case.sources[name].error_class in set(case.classes) - bad_classes}
    return tuple(row for row in case.evidence if (row.file, row.line) not in bad and row.source_id in good)


def _network(tables: SystemTables) -> list[Problem]:
    """Problems of the balance, on the line of the process or flow that they name."""
    problems = []
    for name, _, message in network_problems(tables.system):
        if name in tables.process_line:
            problems.append(Problem(PROCESSES, tables.process_line[name], "process", message))
        else:
            problems.append(Problem(FLOWS, tables.flow_line.get(name, 0), "flow", message))
    return problems
