"""Reading of ``processes.csv`` and ``flows.csv`` into a `SystemDefinition`."""

from collections.abc import Mapping
from dataclasses import dataclass

from reeuncert.reading.state import Reading
from reeuncert.reading.tables import Column, Row, Table, report_duplicates
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE, Flow, Process, SystemDefinition
from reeuncert.words.cells import name_cell, names_cell, text_cell, unknown

PROCESSES, FLOWS = "processes.csv", "flows.csv"

PROCESS_COLUMNS = (
    Column("process", name_cell, required=True),
    Column("region", name_cell),
    Column("stage", name_cell),
    Column("reference_outflow", names_cell("|")),
    Column("note"),
    Column("label", text_cell),
)


def flow_columns(reading: Reading) -> tuple[Column, ...]:
    """Columns of ``flows.csv`` for the years of a case."""
    needed = ("flow", "from_process", "to_process", "quantity")
    names = tuple(Column(field, name_cell, required=field in needed) for field in FLOW_FIELDS)
    return (*names, Column("years", reading.years_cell), Column("note"), Column("label", text_cell))


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
    processes = reading.read(PROCESSES, PROCESS_COLUMNS, needed=True)
    flows = reading.read(FLOWS, flow_columns(reading), needed=True)
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
        tuple(_flow(row) for row in flow_rows),
        tuple(range(reading.settings.first_year, reading.settings.last_year + 1)),
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


def _flow(row: Row) -> Flow:
    return Flow(*(row[field] for field in (*FLOW_FIELDS, "years", "note", "label")))


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
