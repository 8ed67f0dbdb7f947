"""Reading of the tables in the folder of a case: processes, flows, priors, covariates and constants."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reeuncert.case.records import Constant, Prior
from reeuncert.case.rules import prior_problems
from reeuncert.errors import Problem
from reeuncert.reading.state import Reading
from reeuncert.reading.tables import Column, Row, Table, is_given, report_duplicates
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE, Flow, Process, Selector, SystemDefinition
from reeuncert.words.cells import name_cell, names_cell, number_cell, text_cell, unknown, year_cell
from reeuncert.words.units import unit_cell

PROCESSES, FLOWS = "processes.csv", "flows.csv"


@dataclass(frozen=True)
class SystemTables:
    """A system, with the lines on which its parts stand.

    ``words``: flow attribute → every value in ``flows.csv``, rows that are not in effect included: what a selector may
    name. ``clean``: both tables were free of problems, so that they can be checked together.
    """

    system: SystemDefinition
    process_line: Mapping[str, int]
    flow_line: Mapping[str, int]
    words: Mapping[str, tuple[str, ...]]
    regions: tuple[str, ...]
    products: tuple[str, ...]
    clean: bool


def read_system(reading: Reading) -> SystemTables:
    """Read processes and flows, and check each against the other; problems go to ``reading``."""
    needed = ("flow", "from_process", "to_process", "quantity")
    names = tuple(Column(field, name_cell, required=field in needed) for field in FLOW_FIELDS)
    columns = (*names, *columns_of("years note label", years=reading.years_cell))
    columns_of_process = columns_of("process region stage reference_outflow note label", "process")
    processes = reading.read(PROCESSES, columns_of_process, needed=True)
    flows = reading.read(FLOWS, columns, needed=True)
    process_rows, flow_rows = reading.in_effect(processes), reading.in_effect(flows)
    report_duplicates(processes, process_rows, ("process",), "the process")
    report_duplicates(flows, flow_rows, ("flow",), "the flow")
    regions = (
        tuple(reading.settings.regions)
        or ("regions" not in reading.unclear and _values(process_rows, ["region"]))
        or _values([*process_rows, *flow_rows], ["region", "origin", "destination"])
    )
    products = tuple(reading.settings.products) or _values(flow_rows, ["product"])
    _check_processes(reading, processes, process_rows, flows, regions)
    known = [row["process"] for row in process_rows if row["process"]] if processes.whole else []
    for row in flow_rows:
        _check_flow(reading, flows, row, known, regions, products)
    reading.close(processes)
    reading.close(flows)
    in_effect = {row["flow"] for row in flow_rows}
    system = SystemDefinition(
        tuple(_process(row, in_effect) for row in process_rows),
        tuple(Flow(*(row[name] for name in (*FLOW_FIELDS, "years", "note", "label"))) for row in flow_rows),
        tuple(range(reading.settings.years[0], reading.settings.years[1] + 1)),
        reading.settings.unit,
    )
    return SystemTables(
        system,
        {row["process"]: row.line for row in process_rows},
        {row["flow"]: row.line for row in flow_rows},
        {field: _values(flows.rows, [field]) for field in FLOW_FIELDS},
        regions,
        products,
        processes.clean and flows.clean,
    )


def _values(rows: list[Row], columns: list[str]) -> tuple[str, ...]:
    """Values that occur, in order of appearance."""
    return tuple(dict.fromkeys(row[c] for row in rows for c in columns if row.cells.get(c)))


def _process(row: Row, flows: set[str]) -> Process:
    # A reference may name flows of other options, too: only those in effect are kept.
    references = tuple(name for name in row["reference_outflow"] if name in flows)
    return Process(row["process"], row["region"], row["stage"], references, row["note"], row["label"])


def _check_processes(reading: Reading, table: Table, rows: list[Row], flows: Table, regions: tuple[str, ...]) -> None:
    leaving: dict[str, list[str]] = {}
    for flow in flows.rows:
        leaving.setdefault(flow["from_process"], []).append(flow["flow"])
    ends = {flow[end] for flow in flows.rows for end in ("from_process", "to_process")}
    whole = flows.whole and not any(c in ("flow", "from_process", "to_process") for _, c in flows.bad)
    for row in rows:
        name = row["process"]
        if name == OUTSIDE:
            table.report(row.line, "process", f"'{OUTSIDE}' stands for everything beyond the boundary; delete the row")
        elif whole and name not in ends and name:
            table.report(row.line, "process", f"no flow begins or ends at process '{name}'; add its flows to {FLOWS}")
        reading.check_known(table, row, "region", [row["region"]], regions, "region")
        if whole and name:
            own = leaving.get(name, [])
            what = f"for process '{name}' the outflow"
            reading.check_known(table, row, "reference_outflow", row["reference_outflow"], own, what)


def _check_flow(
    reading: Reading, table: Table, row: Row, processes: list[str], regions: tuple[str, ...], products: tuple[str, ...]
) -> None:
    start, end = row["from_process"], row["to_process"]
    if processes:
        for column in ("from_process", "to_process"):
            if row[column] and row[column] not in (OUTSIDE, *processes) and not table.is_bad(row.line, column):
                message = unknown(row[column], [*processes, OUTSIDE], "process")
                table.report(row.line, column, f"{message} (processes are named in {PROCESSES})")
    if start == end == OUTSIDE:
        table.report(row.line, "to_process", "the flow begins and ends outside; name a process of the case")
    reading.check_known(table, row, "product", [row["product"]], products, "product")
    for column in ("origin", "destination"):
        reading.check_known(table, row, column, [row[column]], regions, "region")


PRIORS, COVARIATES, CONSTANTS = "priors.csv", "covariates.csv", "constants.csv"

_NUMBERS = ("median", "median_to", "level_sd", "year_sd", "correlation", "split_sd", "slope", "slope_sd", "a", "b", "c")
_WITHOUT_DEFAULT = ("median", "median_to", "a", "b", "c")


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("process", "region", "stage", "class", "product", "offset", "content", "element"), name_cell),
    **dict.fromkeys(("prior", "group", "slope_on", "shared", "covariate", "constant", "lineage", "print"), name_cell),
    **dict.fromkeys(("width", "floor", "persistent", "factor", "low", "high", "mean", "sd", "share"), number_cell),
    **dict.fromkeys(("value", "resolution", "alternative", "alternative_weight"), number_cell),
    **dict.fromkeys(("year", "year_from", "year_to", "of_year_from", "of_year_to"), year_cell),
    **dict.fromkeys(("source_id", "eras", "offsets", "of_offsets"), names_cell(";")),
    "reference_outflow": names_cell("|"),
    "unit": unit_cell,
    "id": name_cell,
}
"""Parsers of columns that are no plain text."""


def columns_of(names: str, required: str = "", **parsers: Callable[[str], Any]) -> tuple[Column, ...]:
    """Columns by their names, in order; those with a parser of their own are given with it."""
    known = {**_PARSERS, **parsers}
    return tuple(Column(n, known.get(n, text_cell), required=n in required.split()) for n in names.split())


def selector_columns(prefix: str = "") -> tuple[Column, ...]:
    """The columns by which a row chooses flows; alternatives are joined by ``+``."""
    names = tuple(prefix + field for field in FLOW_FIELDS)
    return tuple(Column(name, names_cell("+"), instead=names) for name in names)


def selector_of(row: Row, prefix: str = "") -> Selector:
    """The selector that a row spells out."""
    return Selector({f: row[prefix + f] for f in FLOW_FIELDS if row[prefix + f]})


def check_selector(reading: Reading, table: Table, row: Row, tables: SystemTables, prefix: str = "") -> None:
    """Report every word of a selector that no flow of ``flows.csv`` has."""
    flows = reading.tables[FLOWS]
    if not flows.whole:
        return
    for field in FLOW_FIELDS:
        if not row[prefix + field]:
            continue
        known: Sequence[str] = tables.words[field]
        what = "region" if field in ("origin", "destination") else field
        if field in ("from_process", "to_process"):
            what, known = "process", [*(n for n in known if n != OUTSIDE), OUTSIDE]
        column = prefix + field
        if field in flows.absent and not table.is_bad(row.line, column):
            reading.problems.append(flows.at_header(Problem(FLOWS, 0, field, "")))
            table.bad.add((row.line, column))
        for word in row[column]:
            if known and word not in known and not table.is_bad(row.line, column):
                table.report(row.line, column, f"{unknown(word, known, what)} (no row of flows.csv has it)")


def read_priors(reading: Reading, tables: SystemTables) -> tuple[Prior, ...]:
    """Read the priors in effect; problems go to ``reading``."""
    columns = (
        *columns_of("prior group kind", "prior kind"),
        *selector_columns(),
        *columns_of("years mode", years=reading.years_cell),
        *(Column(name, number_cell) for name in _NUMBERS),
        *columns_of("slope_on shared family reason"),
    )
    with reading.rows_of(PRIORS, columns, ("prior",), needed=True) as (table, rows):
        for row in rows:
            check_selector(reading, table, row, tables)
        for row in table.rows:
            if reading.settings.prior_measure == "coordinates" and not is_given(row["level_sd"]):
                message = "the cell is empty; give the spread of the level, or 0 where only the years vary"
                reading.check_record(table, row, [("level_sd", message)])
            reading.check_record(table, row, prior_problems(_prior(row)))
    return tuple(_prior(row) for row in rows)


def _prior(row: Row) -> Prior:
    same = ("kind", "years", "mode", "slope_on", "shared", "family", "reason", *_WITHOUT_DEFAULT)
    cells = {name: row[name] for name in same}
    cells |= {n: 0.0 if math.isnan(row[n]) else row[n] for n in _NUMBERS if n not in _WITHOUT_DEFAULT}
    names = {"name": row["prior"], "group": row["group"] or row["kind"]}
    return Prior(**names, selector=selector_of(row), line=row.line, **cells)


def read_covariates(reading: Reading, sources: Sequence[str]) -> dict[str, dict[int, float]]:
    """Read the covariates: name → year → value; problems go to ``reading``."""
    columns = columns_of("covariate year value source_id reason", "covariate year value")
    with reading.rows_of(COVARIATES, columns, ("covariate", "year")) as (table, rows):
        values: dict[str, dict[int, float]] = {}
        for row in rows:
            reading.check_years_inside(table, row, "year")
            reading.check_sources(table, row, row["source_id"], sources)
            values.setdefault(row["covariate"], {})[row["year"]] = row["value"]
    return values


def read_constants(reading: Reading, tables: SystemTables, sources: Sequence[str]) -> tuple[Constant, ...]:
    """Read the constants that indicators need; problems go to ``reading``."""
    columns = columns_of("constant region product year value unit source_id locator note", "constant value")
    with reading.rows_of(CONSTANTS, columns, ("constant", "region", "product", "year")) as (table, rows):
        for row in rows:
            reading.check_years_inside(table, row, "year")
            reading.check_known(table, row, "region", [row["region"]], tables.regions, "region")
            reading.check_known(table, row, "product", [row["product"]], tables.products, "product")
            reading.check_sources(table, row, row["source_id"], sources)
    same = ("region", "product", "year", "value", "unit", "note")
    return tuple(
        Constant(name=row["constant"], source_id=";".join(row["source_id"]), **{name: row[name] for name in same})
        for row in rows
    )
