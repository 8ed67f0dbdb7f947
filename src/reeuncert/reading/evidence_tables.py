"""Reading of the data folder: sources, classes, factors, offsets and evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reeuncert.case import rules
from reeuncert.case.records import Content, ErrorClass, Evidence, Factor, Offset, Source
from reeuncert.errors import Problem
from reeuncert.reading.case_tables import SystemTables, check_selector, columns_of, selector_columns, selector_of
from reeuncert.reading.state import SOURCES, TABLES, Reading
from reeuncert.reading.tables import Column, Row, Table, is_given
from reeuncert.reading.workbooks import ENDING, WorkbookError
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.words.cells import name_cell, printable, quoted, unknown
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.qualifiers import figure_cell

CLASSES, FACTORS, OFFSETS, EVIDENCE = "classes.csv", "factors.csv", "offsets.csv", "evidence.csv"
CONTENTS = "contents.csv"
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


def read_lists(reading: Reading, tables: SystemTables) -> Lists:
    """Read sources, classes, factors, offsets and contents; problems go to ``reading``."""
    classes = _classes(reading)
    sources = _sources(reading, tuple(classes))
    factors = _factors(reading, tables, tuple(sources))
    return Lists(sources, classes, factors, _offsets(reading), _contents(reading, tables, tuple(sources)))


def _classes(reading: Reading) -> dict[str, ErrorClass]:
    columns = columns_of("class family width floor learn persistent eras reason", "class family width")
    with reading.rows_of(CLASSES, columns, ("class",), in_data=True) as (table, rows):
        for row in table.rows:
            reading.check_record(table, row, rules.class_problems(_class(row)))
            if row["learn"] not in ("", "yes", "no"):
                table.report(row.line, "learn", unknown(row["learn"], ("yes", "no"), "").lstrip())
            first, last = reading.settings.years
            years = [int(word) if word.isdecimal() else -1 for word in row["eras"]]
            if any(not first < year <= last for year in years) or years != sorted(set(years)):
                message = f"{quoted(';'.join(row['eras']))} are no years in which new eras begin"
                message += f"; write years from {first + 1} to {last} in order, joined by ;"
                reading.check_record(table, row, [("eras", message)])
    return {row["class"]: _class(row) for row in rows}


def _class(row: Row) -> ErrorClass:
    floor, persistent = (row[name] if is_given(row[name]) else 0.0 for name in ("floor", "persistent"))
    eras = tuple(int(year) for year in row["eras"] if year.isdecimal())
    learn = row["learn"] == "yes"
    return ErrorClass(row["class"], row["family"], row["width"], floor, learn, row["reason"], persistent, eras)


def _sources(reading: Reading, classes: tuple[str, ...]) -> dict[str, Source]:
    fields = ("source_id", "title", "publisher", "edition", "reference", "terms", "lineage", "class", "note")
    columns = columns_of(" ".join(fields), "source_id class", source_id=name_cell)
    with reading.rows_of(SOURCES, columns, ("source_id",), in_data=True) as (table, rows):
        for row in rows:
            if reading.is_whole(CLASSES):
                reading.check_known(table, row, "class", [row["class"]], classes, "class")
    return {
        row["source_id"]: Source(*(row[name] or (row["source_id"] if name == "lineage" else "") for name in fields))
        for row in rows
    }


def _factors(reading: Reading, tables: SystemTables, sources: tuple[str, ...]) -> dict[str, Factor]:
    columns = columns_of("product factor low high source_id note", "product factor")
    with reading.rows_of(FACTORS, columns, ("product",), in_data=True) as (table, rows):
        for row in rows:
            reading.check_known(table, row, "product", [row["product"]], tables.products, "product")
            reading.check_sources(table, row, row["source_id"], sources)
        for row in table.rows:
            reading.check_record(table, row, rules.factor_problems(_factor(row)))
    return {row["product"]: _factor(row) for row in rows}


def _factor(row: Row) -> Factor:
    sources = ";".join(row["source_id"])
    return Factor(row["product"], row["factor"], row["low"], row["high"], sources, row["note"])


def _offsets(reading: Reading) -> dict[str, Offset]:
    columns = columns_of("offset mean sd per family reason label", "offset sd")
    with reading.rows_of(OFFSETS, columns, ("offset",), in_data=True) as (table, rows):
        for row in table.rows:
            reading.check_record(table, row, rules.offset_problems(_offset(row)))
    return {row["offset"]: _offset(row) for row in rows}


def _offset(row: Row) -> Offset:
    mean = row["mean"] if is_given(row["mean"]) else 0.0
    laws = row["per"] or "all", row["family"] or "normal"
    return Offset(row["offset"], mean, row["sd"], *laws, row["reason"], row["label"], row.line)


def _contents(reading: Reading, tables: SystemTables, sources: tuple[str, ...]) -> dict[str, Content]:
    columns = (
        *columns_of("content element", "content element"),
        *selector_columns(),
        *columns_of("years share sd per source_id reason", "share sd", years=reading.years_cell),
    )
    with reading.rows_of(CONTENTS, columns, ("content",), in_data=True) as (table, rows):
        for row in rows:
            check_selector(reading, table, row, tables)
            reading.check_sources(table, row, row["source_id"], sources)
        for row in table.rows:
            reading.check_record(table, row, rules.content_problems(_content(row)))
    return {row["content"]: _content(row) for row in rows}


def _content(row: Row) -> Content:
    per, sources = row["per"] or "all", ";".join(row["source_id"])
    of = row["content"], row["element"], selector_of(row)
    return Content(*of, row["share"], row["sd"], per, row["years"], sources, row["reason"])


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
            yield reading.read(name, columns, in_data=True)
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


def read_evidence(reading: Reading, tables: SystemTables, lists: Lists) -> tuple[Evidence, ...]:
    """Read every evidence file; problems go to ``reading``."""
    evidence: list[Evidence] = []
    first: dict[str, str] = {}
    for table in evidence_tables(reading):
        file = table.file
        rows = reading.in_effect(table)
        for row in rows:
            _check_references(reading, table, row, tables, lists)
            source = lists.sources.get(row["source_id"])
            record = _evidence(row, file, source)
            found = rules.evidence_row_problems(record, reading.settings.unit, _is_plain(source, lists))
            reading.check_record(table, row, found)
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


def _check_references(reading: Reading, table: Table, row: Row, tables: SystemTables, lists: Lists) -> None:
    check_selector(reading, table, row, tables)
    check_selector(reading, table, row, tables, "of_")
    for prefix in ("", "of_"):
        start, end = prefix + "year_from", prefix + "year_to"
        reading.check_years_inside(table, row, start)
        reading.check_years_inside(table, row, end)
        if row[end] and row[end] < row[start] and not any(table.is_bad(row.line, c) for c in (start, end)):
            table.report(row.line, end, f"the year {row[end]} is before {start}; write the earlier year first")
        elif row[end] and not row[start] and prefix:
            table.report(row.line, start, f"the cell is empty, but {end} is given; fill in both, or none")
    reading.check_sources(table, row, [row["source_id"]], tuple(lists.sources))
    elements = sorted({content.element for content in lists.contents.values()})
    if row["element"] and row["element"] not in elements and reading.is_whole(CONTENTS):
        table.report(row.line, "element", f"{unknown(row['element'], elements, 'element')} (named in {CONTENTS})")
    for column in ("offsets", "of_offsets"):
        for name in row[column]:
            if name not in lists.offsets and reading.is_whole(OFFSETS):
                table.report(row.line, column, f"{unknown(name, tuple(lists.offsets), 'offset')} (named in {OFFSETS})")


def _evidence(row: Row, file: str, source: Source | None) -> Evidence:
    years = {
        prefix: tuple(range(row[prefix + "year_from"], (row[prefix + "year_to"] or row[prefix + "year_from"]) + 1))
        for prefix in ("", "of_")
        if row[prefix + "year_from"]
    }
    numbers = ("value", "low", "high", "resolution", "width", "alternative")
    texts = ("id", "unit", "source_id", "reporter", "print", "element", "locator", "reason", "note")
    return Evidence(
        **{name: row[name] for name in (*numbers, *texts, "offsets", "of_offsets")},
        selector=selector_of(row),
        years=years.get("", (0,)),
        relation=row["relation"] or "level",
        of=selector_of(row, "of_") if any(row["of_" + name] for name in FLOW_FIELDS) else None,
        of_years=years.get("of_", ()),
        basis=row["basis"] or "n/a",
        qualifier=row["qualifier"] or "exact",
        lineage=row["lineage"] or (source.lineage if source else ""),
        span=row["span"] or "sum",
        alternative_weight=row["alternative_weight"] if is_given(row["alternative_weight"]) else 0.0,
        file=file,
        line=row.line,
    )
