"""Reading of the tables in the folder of a case: processes, flows, priors, covariates and constants."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from reeuncert.case.records import Constant, Prior
from reeuncert.case.rules import prior_problems
from reeuncert.reading.state import CONSTANTS, COVARIATES, FLOWS, PRIORS, PROCESSES, Reading
from reeuncert.reading.tables import Column, Row, Table, report_duplicates
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE, Flow, Process, Selector, SystemDefinition
from reeuncert.words.cells import CellError, name_cell, names_cell, number_cell, text_cell, unknown, year_cell
from reeuncert.words.units import unit_cell


@dataclass(frozen=True)
class SystemTables:
    """A system, with the lines on which its parts stand; ``clean``: its tables had no problem, so that they can be
    checked together.
    """

    system: SystemDefinition
    process_line: Mapping[str, int]
    flow_line: Mapping[str, int]
    clean: bool


def read_system(reading: Reading) -> SystemTables:
    """Read processes and flows, and check each against the other; problems go to ``reading``."""
    needed = ("flow", "from_process", "to_process", "quantity")
    names = tuple(Column(field, name_cell, required=field in needed) for field in FLOW_FIELDS)
    columns = (*names, *columns_of("years note label", years=reading.years_cell))
    columns_of_process = columns_of("process region stage reference_outflow note label", "process")
    processes = reading.read(PROCESSES, columns_of_process)
    flows = reading.read(FLOWS, columns)
    process_rows, flow_rows = reading.in_effect(processes), reading.in_effect(flows)
    report_duplicates(processes, process_rows, ("process",), "the process")
    report_duplicates(flows, flow_rows, ("flow",), "the flow")
    reading.words["region"] = (
        tuple(reading.settings.regions)
        or ("regions" not in reading.unclear and _values(process_rows, ["region"]))
        or _values([*process_rows, *flow_rows], ["region", "origin", "destination"])
    )
    reading.words["product"] = tuple(reading.settings.products) or _values(flow_rows, ["product"])
    reading.flow_words = {field: _values(flows.rows, [field]) for field in FLOW_FIELDS}
    _check_processes(reading, processes, process_rows, flows)
    known = [row["process"] for row in process_rows if row["process"]] if processes.whole else []
    for row in flow_rows:
        _check_flow(reading, flows, row, known)
    reading.close(processes)
    reading.close(flows)
    in_effect = {row["flow"] for row in flow_rows}
    system = SystemDefinition(
        tuple(_process(row, in_effect) for row in process_rows),
        tuple(record_of(Flow, row) for row in flow_rows),
        tuple(range(reading.settings.years[0], reading.settings.years[1] + 1)),
        reading.settings.unit,
    )
    return SystemTables(
        system,
        {row["process"]: row.line for row in process_rows},
        {row["flow"]: row.line for row in flow_rows},
        processes.clean and flows.clean,
    )


def _values(rows: list[Row], columns: list[str]) -> tuple[str, ...]:
    """Values that occur, in order of appearance."""
    return tuple(dict.fromkeys(row[c] for row in rows for c in columns if row.cells.get(c)))


def _process(row: Row, flows: set[str]) -> Process:
    # A reference may name flows of other options, too: only those in effect are kept.
    references = tuple(name for name in row["reference_outflow"] if name in flows)
    return record_of(Process, row, reference_outflow=references)


def _check_processes(reading: Reading, table: Table, rows: list[Row], flows: Table) -> None:
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
        reading.check_names(table, row)
        if whole and name:
            own = leaving.get(name, [])
            what = f"for process '{name}' the outflow"
            reading.check_known(table, row, "reference_outflow", row["reference_outflow"], own, what)


def _check_flow(reading: Reading, table: Table, row: Row, processes: list[str]) -> None:
    start, end = row["from_process"], row["to_process"]
    if processes:
        for column in ("from_process", "to_process"):
            if row[column] and row[column] not in (OUTSIDE, *processes):
                message = unknown(row[column], [*processes, OUTSIDE], "process")
                table.note(row.line, column, f"{message} (processes are named in {PROCESSES})")
    if start == end == OUTSIDE:
        table.report(row.line, "to_process", "the flow begins and ends outside; name a process of the case")
    for column, what in (("product", "product"), ("origin", "region"), ("destination", "region")):
        reading.check_known(table, row, column, [row[column]], reading.words[what], what)


def filled(parse: Callable[[str], Any], empty: object) -> Callable[[str], Any]:
    """A parser that gives a value to an empty cell."""
    return lambda text: parse(text) if text else empty


def _yes(text: str) -> bool:
    if text not in ("", "yes", "no"):
        raise CellError(unknown(text, ("yes", "no"), "").lstrip())
    return text == "yes"


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("process", "region", "stage", "class", "product", "offset", "content", "element"), name_cell),
    **dict.fromkeys(("prior", "group", "slope_on", "shared", "covariate", "constant", "lineage", "print"), name_cell),
    **dict.fromkeys(("width", "factor", "low", "high", "sd", "share", "value", "resolution"), number_cell),
    **dict.fromkeys(("alternative", "median", "median_to", "level_sd", "a", "b", "c"), number_cell),
    **dict.fromkeys(("floor", "persistent", "mean", "alternative_weight"), filled(number_cell, 0.0)),
    **dict.fromkeys(("year_sd", "correlation", "split_sd", "slope", "slope_sd"), filled(number_cell, 0.0)),
    **dict.fromkeys(("year", "year_from", "year_to", "of_year_from", "of_year_to"), year_cell),
    **dict.fromkeys(("source_id", "eras", "offsets", "of_offsets"), names_cell(";")),
    "reference_outflow": names_cell("|"),
    "unit": unit_cell,
    "id": name_cell,
    "learn": _yes,
    "per": filled(text_cell, "all"),
    "span": filled(text_cell, "sum"),
    "relation": filled(text_cell, "level"),
    "basis": filled(text_cell, "n/a"),
    "qualifier": filled(text_cell, "exact"),
}
"""Parsers of columns that are no plain text, or whose empty cells say something."""


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


def record_of[R](kind: type[R], row: Row, **given: object) -> R:
    """A record of the cells whose columns are named as its fields. Its name is the first cell of the row; several
    sources are joined; ``given``: other fields.
    """
    cells = {"name": next(iter(row.cells.values())), "line": row.line, **row.cells, **given}
    if isinstance(cells.get("source_id"), tuple):
        cells["source_id"] = ";".join(cells["source_id"])
    names = [field.name for field in fields(cast(Any, kind))]
    if "selector" in names:
        cells["selector"] = selector_of(row)
    return kind(**{name: cells[name] for name in names if name in cells})


def read_records[R](
    reading: Reading,
    file: str,
    kind: type[R],
    columns: Sequence[Column],
    problems: Callable[[R], Iterable[tuple[str, str]]],
) -> list[R]:
    """Records of the rows in effect of a table whose first column names them; problems go to ``reading``, those of a
    record by itself for every row.
    """
    with reading.rows_of(file, columns, (columns[0].name,)) as (table, rows):
        for row in table.rows:
            for column, message in problems(record_of(kind, row)):
                table.note(row.line, column, message)
        return [record_of(kind, row) for row in rows]


def read_priors(reading: Reading) -> tuple[Prior, ...]:
    """Read the priors in effect; problems go to ``reading``."""
    columns = (
        *columns_of("prior group kind", "prior kind"),
        *selector_columns(),
        *columns_of("years mode median median_to level_sd year_sd correlation", years=reading.years_cell),
        *columns_of("split_sd slope slope_sd a b c slope_on shared family reason"),
    )

    def problems(prior: Prior) -> Iterator[tuple[str, str]]:
        if reading.settings.prior_measure == "coordinates" and math.isnan(prior.level_sd):
            yield "level_sd", "the cell is empty; give the spread of the level, or 0 where only the years vary"
        yield from prior_problems(prior)

    found = read_records(reading, PRIORS, Prior, columns, problems)
    given = (0.0 if math.isnan(prior.level_sd) else prior.level_sd for prior in found)
    return tuple(replace(p, group=p.group or p.kind, level_sd=sd) for p, sd in zip(found, given, strict=True))


def read_covariates(reading: Reading) -> dict[str, dict[int, float]]:
    """Read the covariates: name → year → value; problems go to ``reading``."""
    columns = columns_of("covariate year value source_id reason", "covariate year value")
    values: dict[str, dict[int, float]] = {}
    with reading.rows_of(COVARIATES, columns, ("covariate", "year")) as (_, rows):
        for row in rows:
            values.setdefault(row["covariate"], {})[row["year"]] = row["value"]
    return values


def read_constants(reading: Reading) -> tuple[Constant, ...]:
    """Read the constants that indicators need; problems go to ``reading``."""
    columns = columns_of("constant region product year value unit source_id locator note", "constant value")
    with reading.rows_of(CONSTANTS, columns, ("constant", "region", "product", "year")) as (_, rows):
        return tuple(record_of(Constant, row) for row in rows)
