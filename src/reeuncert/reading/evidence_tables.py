"""Reading of the data folder: sources, classes, factors, offsets and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reeuncert.case.records import ErrorClass, Evidence, Factor, Offset, Source
from reeuncert.errors import Problem
from reeuncert.reading.evidence_rules import EVIDENCE_RULES, check_evidence_row
from reeuncert.reading.prior_tables import check_selector, selector_columns, selector_of
from reeuncert.reading.schema import (
    WIDEST,
    WIDEST_TEXT,
    Rules,
    above,
    at_least,
    between,
    check_rules,
    is_given,
    one_of,
    report_duplicates,
)
from reeuncert.reading.state import SOURCES, Reading
from reeuncert.reading.system_tables import SystemTables
from reeuncert.reading.tables import Column, Row, Table
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.words.cells import name_cell, names_cell, number_cell, plain, shown, text_cell, unknown, year_cell

CLASSES, FACTORS, OFFSETS, EVIDENCE = "classes.csv", "factors.csv", "offsets.csv", "evidence.csv"
EVIDENCE_FOLDER = "evidence"
CLASS_FAMILIES = ("student_t", "customs", "normal", "additive")
OFFSET_FAMILIES = ("normal", "student_t", "customs")
_NOT_WIDE = between(0, WIDEST, WIDEST_TEXT)


@dataclass(frozen=True)
class Lists:
    """The tables to which evidence refers."""

    sources: Mapping[str, Source]
    classes: Mapping[str, ErrorClass]
    factors: Mapping[str, Factor]
    offsets: Mapping[str, Offset]


def read_lists(reading: Reading, tables: SystemTables) -> Lists:
    """Read sources, classes, factors and offsets; problems go to ``reading``."""
    classes = _classes(reading)
    sources = _sources(reading, tuple(classes))
    factors = _factors(reading, tables, tuple(sources))
    return Lists(sources, classes, factors, _offsets(reading))


def _classes(reading: Reading) -> dict[str, ErrorClass]:
    columns = (
        Column("class", name_cell, required=True),
        Column("family", text_cell, required=True),
        Column("width", number_cell, required=True),
        Column("floor", number_cell),
        Column("learn", text_cell),
        Column("reason"),
    )
    rules: Rules = {
        "family": [one_of(*CLASS_FAMILIES, what="family")],
        "width": [above(0, "a width is the half-width of the central 68 %, which is more than zero")],
        "floor": [at_least(0, "a floor is zero or more")],
        "learn": [one_of("yes", "no")],
    }
    table = reading.read(CLASSES, columns, in_data=True)
    rows = reading.in_effect(table)
    check_rules(table, rules)
    report_duplicates(table, rows, ("class",), "the class")
    for row in rows:
        if row["family"] != "additive" and row["width"] > WIDEST and (row.line, "width") not in table.bad:
            table.report(row.line, "width", f"{row['width']:.15g} is not between 0 and {WIDEST:g}; {WIDEST_TEXT}")
        if row["floor"] > row["width"] and not table.bad.intersection({(row.line, "floor"), (row.line, "width")}):
            table.report(row.line, "floor", "the floor is above the width; a floor is the least that the width may be")
    reading.close(table)
    return {
        row["class"]: ErrorClass(
            row["class"],
            row["family"],
            row["width"],
            row["floor"] if is_given(row["floor"]) else 0.0,
            row["learn"] == "yes",
            row["reason"],
        )
        for row in rows
    }


def _sources(reading: Reading, classes: tuple[str, ...]) -> dict[str, Source]:
    texts = ("title", "publisher", "edition", "reference", "terms")
    fields = ("source_id", *texts, "lineage", "class", "note")
    columns = (
        Column("source_id", name_cell, required=True),
        *(Column(name) for name in texts),
        Column("lineage", name_cell),
        Column("class", name_cell, required=True),
        Column("note"),
    )
    table = reading.read(SOURCES, columns, in_data=True)
    rows = reading.in_effect(table)
    report_duplicates(table, rows, ("source_id",), "the source")
    for row in rows:
        if reading.is_whole(CLASSES):
            reading.check_known(table, row, "class", [row["class"]], classes, "class")
    reading.close(table)
    return {
        row["source_id"]: Source(*(row[name] or (row["source_id"] if name == "lineage" else "") for name in fields))
        for row in rows
    }


def _factors(reading: Reading, tables: SystemTables, sources: tuple[str, ...]) -> dict[str, Factor]:
    columns = (
        Column("product", name_cell, required=True),
        Column("factor", number_cell, required=True),
        Column("low", number_cell),
        Column("high", number_cell),
        Column("source_id", names_cell(";")),
        Column("note"),
    )
    positive = above(0, "a factor is tonnes of content per gross tonne, which is more than zero")
    table = reading.read(FACTORS, columns, in_data=True)
    rows = reading.in_effect(table)
    check_rules(table, {"factor": [positive], "low": [positive], "high": [positive]})
    report_duplicates(table, rows, ("product",), "the product")
    for row in rows:
        reading.check_known(table, row, "product", [row["product"]], tables.products, "product")
        reading.check_sources(table, row, row["source_id"], sources)
        if row["low"] > row["factor"]:
            table.report(row.line, "low", "the lower limit is above the factor; write low <= factor <= high")
        if row["high"] < row["factor"]:
            table.report(row.line, "high", "the upper limit is below the factor; write low <= factor <= high")
    reading.close(table)
    return {
        row["product"]: Factor(
            row["product"], row["factor"], row["low"], row["high"], ";".join(row["source_id"]), row["note"]
        )
        for row in rows
    }


def _offsets(reading: Reading) -> dict[str, Offset]:
    columns = (
        Column("offset", name_cell, required=True),
        Column("mean", number_cell),
        Column("sd", number_cell, required=True),
        Column("per", text_cell),
        Column("family", text_cell),
        Column("reason"),
    )
    rules: Rules = {
        "sd": [
            _NOT_WIDE,
            above(0, "a spread is more than zero (a plain factor belongs into factors.csv)"),
        ],
        "per": [one_of("all", "year")],
        "family": [one_of(*OFFSET_FAMILIES, what="family")],
    }
    table = reading.read(OFFSETS, columns, in_data=True)
    rows = reading.in_effect(table)
    check_rules(table, rules)
    report_duplicates(table, rows, ("offset",), "the offset")
    reading.close(table)
    return {
        row["offset"]: Offset(
            row["offset"],
            row["mean"] if is_given(row["mean"]) else 0.0,
            row["sd"],
            row["per"] or "all",
            row["family"] or "normal",
            row["reason"],
        )
        for row in rows
    }


def evidence_columns() -> tuple[Column, ...]:
    """Columns of an evidence table."""
    return (
        Column("id", name_cell, required=True),
        *selector_columns(),
        Column("year_from", year_cell, required=True),
        Column("year_to", year_cell),
        Column("span"),
        Column("relation"),
        *selector_columns("of_"),
        Column("reporter"),
        *(Column(name, number_cell) for name in ("value", "low", "high")),
        Column("unit", text_cell, required=True),
        Column("basis"),
        Column("qualifier"),
        *(Column(name, number_cell) for name in ("resolution", "width", "alternative", "alternative_weight")),
        Column("offsets", names_cell(";")),
        Column("source_id", name_cell, required=True),
        Column("lineage", name_cell),
        *(Column(name) for name in ("locator", "reason", "note")),
    )


def is_left_behind(name: str) -> bool:
    """Whether a file is of the system or of a spreadsheet program that has the true one open.

    >>> is_left_behind("._figures.csv"), is_left_behind("~$figures.xlsx"), is_left_behind("figures.csv")
    (True, True, False)
    """
    return name.startswith((".", "~$"))


def evidence_files(reading: Reading) -> list[str]:
    """Names of the evidence files of the data folder: ``evidence.csv`` and ``evidence/*.csv``, also in capitals."""
    inside = reading.data_folder.is_dir() and "data" not in reading.unclear
    single = sorted(p.name for p in reading.data_folder.iterdir() if p.name.lower() == EVIDENCE) if inside else []
    folder = reading.data_folder / EVIDENCE_FOLDER
    names = sorted(p.name for p in folder.iterdir() if p.suffix.lower() == ".csv") if inside and folder.is_dir() else []
    names = [name for name in names if not is_left_behind(name)]
    for name in names:
        if not name.isprintable():
            message = "the name of the file holds characters that cannot be seen; rename it"
            reading.problems.append(Problem(f"evidence/{plain(name)}", 0, "", message))
    return [*single, *(f"evidence/{name}" for name in names if name.isprintable())]


def read_evidence(reading: Reading, tables: SystemTables, lists: Lists) -> tuple[Evidence, ...]:
    """Read every evidence file; problems go to ``reading``."""
    evidence: list[Evidence] = []
    first: dict[str, str] = {}
    for file in evidence_files(reading):
        table = reading.read(file, evidence_columns(), in_data=True)
        rows = reading.in_effect(table)
        check_rules(table, EVIDENCE_RULES)
        for row in rows:
            _check_references(reading, table, row, tables, lists)
            source = lists.sources.get(row["source_id"])
            additive = source is not None and _is_additive(source, lists)
            check_evidence_row(table, row, reading.settings.content, additive=additive)
            if row["id"] and row["id"] in first:
                message = f"the id {shown(row['id'])} is given at {first[row['id']]} already; "
                table.report(row.line, "id", f"{message}delete one of the rows, or rename it")
            first.setdefault(row["id"], f"{file} line {row.line}")
            evidence.append(_evidence(row, file, source))
        reading.close(table)
    return tuple(evidence)


def _is_additive(source: Source, lists: Lists) -> bool:
    error_class = lists.classes.get(source.error_class)
    return error_class is not None and error_class.family == "additive"


def _check_references(reading: Reading, table: Table, row: Row, tables: SystemTables, lists: Lists) -> None:
    check_selector(reading, table, row, tables)
    check_selector(reading, table, row, tables, "of_")
    for column in ("year_from", "year_to"):
        reading.check_years_inside(table, row, column)
    reading.check_sources(table, row, [row["source_id"]], tuple(lists.sources))
    for name in row["offsets"]:
        if name not in lists.offsets and reading.is_whole(OFFSETS):
            table.report(row.line, "offsets", f"{unknown(name, tuple(lists.offsets), 'offset')} (named in {OFFSETS})")


def _evidence(row: Row, file: str, source: Source | None) -> Evidence:
    start, end = row["year_from"], row["year_to"] or row["year_from"]
    has_of = any(row["of_" + name] for name in FLOW_FIELDS)
    return Evidence(
        id=row["id"],
        selector=selector_of(row),
        years=tuple(range(start, end + 1)),
        relation=row["relation"] or "level",
        of=selector_of(row, "of_") if has_of else None,
        value=row["value"],
        low=row["low"],
        high=row["high"],
        unit=row["unit"],
        basis=row["basis"] or "n/a",
        qualifier=row["qualifier"] or "exact",
        source_id=row["source_id"],
        lineage=row["lineage"] or (source.lineage if source else ""),
        reporter=row["reporter"],
        span=row["span"] or "sum",
        resolution=row["resolution"],
        width=row["width"],
        alternative=row["alternative"],
        alternative_weight=row["alternative_weight"] if is_given(row["alternative_weight"]) else 0.0,
        offsets=row["offsets"],
        locator=row["locator"],
        reason=row["reason"],
        note=row["note"],
        file=file,
        line=row.line,
    )
