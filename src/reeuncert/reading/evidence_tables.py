"""Reading of the data folder: sources, classes, factors, offsets and evidence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from reeuncert.case import rules
from reeuncert.case.records import Content, ErrorClass, Evidence, Factor, Offset, Source
from reeuncert.errors import Problem
from reeuncert.reading import state
from reeuncert.reading.case_tables import columns_of, filled, read_records, record_of, selector_columns, selector_of
from reeuncert.reading.state import CLASSES, CONTENTS, EVIDENCE, FACTORS, OFFSETS, SOURCES, TABLES, Reading
from reeuncert.reading.tables import Column, Row, Table
from reeuncert.reading.workbooks import ENDING, WorkbookError
from reeuncert.words.cells import CellError, name_cell, names_cell, printable, quoted, text_cell, unknown
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.qualifiers import figure_cell

EVIDENCE_FOLDER = "evidence"
IMPORTS_FOLDER = "imports"  # mapping tables of importers, and figures that later editions revised: not read by a model


@dataclass(frozen=True)
class Lists:
    """The tables to which evidence refers."""

    sources: Mapping[str, Source]
    classes: Mapping[str, ErrorClass]
    factors: Mapping[str, Factor]
    offsets: Mapping[str, Offset]
    contents: Mapping[str, Content]


def read_lists(reading: Reading) -> Lists:
    """Read sources, classes, factors, offsets and contents; problems go to ``reading``."""
    names = "class family width floor learn persistent eras reason"
    columns = columns_of(names, "class family width", eras=_eras_cell(*reading.settings.years))
    classes = read_records(reading, CLASSES, ErrorClass, columns, rules.class_problems)
    if reading.is_whole(CLASSES):
        reading.words["class"] = tuple(error.name for error in classes)
    sources = _sources(reading)
    if sources and reading.is_whole(SOURCES):
        reading.words["source_id"] = tuple(sources)
    columns = columns_of("product factor low high source_id note", "product factor")
    factors = read_records(reading, FACTORS, Factor, columns, rules.factor_problems)
    columns = columns_of("offset mean sd per family reason label", "offset sd", family=filled(text_cell, "normal"))
    offsets = read_records(reading, OFFSETS, Offset, columns, rules.offset_problems)
    columns = (
        *columns_of("content element", "content element"),
        *selector_columns(),
        *columns_of("years share sd per source_id reason", "share sd", years=reading.years_cell),
    )
    contents = read_records(reading, CONTENTS, Content, columns, rules.content_problems)
    return Lists(
        sources,
        {error.name: error for error in classes},
        {factor.product: factor for factor in factors},
        {offset.name: offset for offset in offsets},
        {content.name: content for content in contents},
    )


def _eras_cell(first: int, last: int) -> Callable[[str], tuple[int, ...]]:
    """Parser of the years in which new eras begin."""

    def parse(text: str) -> tuple[int, ...]:
        words = names_cell(";")(text)
        years = tuple(int(word) if word.isdecimal() else -1 for word in words)
        if any(not first < year <= last for year in years) or list(years) != sorted(set(years)):
            message = f"{quoted(';'.join(words))} are no years in which new eras begin"
            raise CellError(f"{message}; write years from {first + 1} to {last} in order, joined by ;")
        return years

    return parse


def _sources(reading: Reading) -> dict[str, Source]:
    columns = columns_of(" ".join(state.SOURCE_COLUMNS), "source_id class", source_id=name_cell)
    with reading.rows_of(SOURCES, columns, ("source_id",)) as (_, rows):
        found = [record_of(Source, row, error_class=row["class"]) for row in rows]
    return {source.source_id: replace(source, lineage=source.lineage or source.source_id) for source in found}


def evidence_columns() -> tuple[Column, ...]:
    """Columns of an evidence table."""
    figures = dict.fromkeys(("value", "low", "high"), figure_cell)
    return (
        *columns_of("id", "id"),
        *selector_columns(),
        *columns_of("element year_from year_to span relation", "year_from"),
        *selector_columns("of_"),
        *columns_of("of_year_from of_year_to reporter value low high unit basis qualifier", "unit", **figures),
        *columns_of("resolution width alternative alternative_weight offsets of_offsets print"),
        *columns_of("source_id lineage locator reason note", "source_id", source_id=name_cell),
    )


def is_left_behind(name: str) -> bool:
    """Whether a file is of the system or of a spreadsheet program that has the true one open.

    >>> is_left_behind("._figures.csv"), is_left_behind("~$figures.xlsx"), is_left_behind("figures.csv")
    (True, True, False)
    """
    return name.startswith((".", "~$"))


def evidence_files(reading: Reading) -> list[str]:
    """Names of the evidence files of the data folder: ``evidence.csv`` and ``evidence/*.csv``, or workbooks."""
    if not reading.data_folder.is_dir() or "data" in reading.unclear:
        return []
    folder = reading.data_folder / EVIDENCE_FOLDER
    single = sorted(p.name for p in reading.data_folder.iterdir() if p.stem.lower() == EVIDENCE_FOLDER)
    several = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    names = [*single, *(f"{EVIDENCE_FOLDER}/{name}" for name in several if not is_left_behind(name))]
    names = [name for name in names if name.lower().endswith((".csv", ENDING))]
    for name in names:
        if not name.isprintable():
            message = "the name of the file holds characters that cannot be seen; rename it"
            reading.problems.append(Problem(printable(name), 0, "", message))
    return [name for name in names if name.isprintable()]


def evidence_tables(reading: Reading) -> Iterator[Table]:
    """Every evidence table of the data folder, also sheets of workbooks, as it is written."""
    columns = evidence_columns()
    books = [name for name in evidence_files(reading) if name.lower().endswith(ENDING)]
    for name in evidence_files(reading):
        if name not in books:
            yield reading.read(name, columns)
    for name in [*books, f"{TABLES}{ENDING}"]:
        path = reading.data_folder / name
        try:
            sheets = reading.sheets(path) if path.is_file() else {}
        except WorkbookError as error:
            # That the shared workbook cannot be read is said of the tables that are looked for in it first.
            if name in books:
                reading.problems.append(Problem(name, 0, "", str(error)))
            continue
        for title, sheet in sheets.items():
            place = f"{name}, sheet {quoted(title)}"
            if name in books:
                yield reading.of_sheet(place, sheet, columns)
            elif title == EVIDENCE_FOLDER:
                reading.places[EVIDENCE] = place
                yield reading.of_sheet(EVIDENCE, sheet, columns)


def read_evidence(reading: Reading, lists: Lists) -> tuple[Evidence, ...]:
    """Read every evidence file; problems go to ``reading``."""
    evidence: list[Evidence] = []
    first: dict[str, str] = {}
    for table in evidence_tables(reading):
        file = table.file
        rows = reading.in_effect(table)
        for row in rows:
            _check_references(reading, table, row, lists)
            source = lists.sources.get(row["source_id"])
            record = _evidence(row, file, source)
            for column, message in rules.evidence_row_problems(record, reading.settings.unit, _is_plain(source, lists)):
                table.note(row.line, column, message)
            if row["id"] and row["id"] in first:
                message = f"the id {quoted(row['id'])} is given at {first[row['id']]} already; "
                table.report(row.line, "id", f"{message}delete one of the rows, or rename it")
            first.setdefault(row["id"], f"{file} line {row.line}")
            evidence.append(record)
        reading.close(table)
    return tuple(evidence)


def _is_plain(source: Source | None, lists: Lists) -> bool | None:
    """Whether the errors of a source are additive; None where its class is not known."""
    error_class = lists.classes.get(source.error_class) if source else None
    if error_class is None or error_class.family not in ERROR_LAWS:
        return None
    return ERROR_LAWS[error_class.family].plain


def _check_references(reading: Reading, table: Table, row: Row, lists: Lists) -> None:
    reading.check_names(table, row)
    reading.check_selector(table, row, "of_")
    for prefix in ("", "of_"):
        start, end = prefix + "year_from", prefix + "year_to"
        reading.check_years_inside(table, row, start)
        reading.check_years_inside(table, row, end)
        if row[end] and row[end] < row[start] and not any(table.is_bad(row.line, c) for c in (start, end)):
            table.report(row.line, end, f"the year {row[end]} is before {start}; write the earlier year first")
        elif row[end] and not row[start] and prefix:
            table.report(row.line, start, f"the cell is empty, but {end} is given; fill in both, or none")
    elements = sorted({content.element for content in lists.contents.values()})
    if row["element"] and row["element"] not in elements and reading.is_whole(CONTENTS):
        table.report(row.line, "element", f"{unknown(row['element'], elements, 'element')} (named in {CONTENTS})")
    for column in ("offsets", "of_offsets"):
        for name in row[column]:
            if name not in lists.offsets and reading.is_whole(OFFSETS):
                table.report(row.line, column, f"{unknown(name, tuple(lists.offsets), 'offset')} (named in {OFFSETS})")


def _evidence(row: Row, file: str, source: Source | None) -> Evidence:
    of, lineage = selector_of(row, "of_"), row["lineage"] or (source.lineage if source else "")
    spans = {"years": _span(row) or (0,), "of_years": _span(row, "of_")}
    return record_of(Evidence, row, of=of if of.fields else None, lineage=lineage, file=file, **spans)


def _span(row: Row, prefix: str = "") -> tuple[int, ...]:
    first = row[prefix + "year_from"]
    return tuple(range(first, (row[prefix + "year_to"] or first) + 1)) if first else ()
