"""Reading of ``priors.csv``, ``covariates.csv`` and ``constants.csv``."""

import math
from collections.abc import Sequence

from reeuncert.case.records import Constant, Prior
from reeuncert.case.rules import prior_problems
from reeuncert.errors import Problem
from reeuncert.reading.state import Reading
from reeuncert.reading.system_tables import FLOWS, SystemTables
from reeuncert.reading.tables import Column, Row, Table, is_given
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE, Selector
from reeuncert.words.cells import name_cell, names_cell, number_cell, text_cell, unknown, year_cell
from reeuncert.words.units import unit_cell

PRIORS, COVARIATES, CONSTANTS = "priors.csv", "covariates.csv", "constants.csv"

_NUMBERS = ("median", "median_to", "level_sd", "year_sd", "correlation", "split_sd", "slope", "slope_sd", "a", "b", "c")
_WITHOUT_DEFAULT = ("median", "median_to", "a", "b", "c")


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
        Column("prior", name_cell, required=True),
        Column("group", name_cell),
        Column("kind", text_cell, required=True),
        *selector_columns(),
        Column("years", reading.years_cell),
        Column("mode"),
        *(Column(name, number_cell) for name in _NUMBERS),
        Column("slope_on", name_cell),
        Column("shared", name_cell),
        Column("family"),
        Column("reason"),
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
    return Prior(
        name=row["prior"], group=row["group"] or row["kind"], selector=selector_of(row), line=row.line, **cells
    )


def read_covariates(reading: Reading, sources: Sequence[str]) -> dict[str, dict[int, float]]:
    """Read the covariates: name → year → value; problems go to ``reading``."""
    columns = (
        Column("covariate", name_cell, required=True),
        Column("year", year_cell, required=True),
        Column("value", number_cell, required=True),
        Column("source_id", names_cell(";")),
        Column("reason"),
    )
    with reading.rows_of(COVARIATES, columns, ("covariate", "year")) as (table, rows):
        values: dict[str, dict[int, float]] = {}
        for row in rows:
            reading.check_years_inside(table, row, "year")
            reading.check_sources(table, row, row["source_id"], sources)
            values.setdefault(row["covariate"], {})[row["year"]] = row["value"]
    return values


def read_constants(reading: Reading, tables: SystemTables, sources: Sequence[str]) -> tuple[Constant, ...]:
    """Read the constants that indicators need; problems go to ``reading``."""
    columns = (
        Column("constant", name_cell, required=True),
        Column("region", name_cell),
        Column("product", name_cell),
        Column("year", year_cell),
        Column("value", number_cell, required=True),
        Column("unit", unit_cell),
        Column("source_id", names_cell(";")),
        Column("locator"),
        Column("note"),
    )
    with reading.rows_of(CONSTANTS, columns, ("constant", "region", "product", "year")) as (table, rows):
        for row in rows:
            reading.check_years_inside(table, row, "year")
            reading.check_known(table, row, "region", [row["region"]], tables.regions, "region")
            reading.check_known(table, row, "product", [row["product"]], tables.products, "product")
            reading.check_sources(table, row, row["source_id"], sources)
    return tuple(_constant(row) for row in rows)


def _constant(row: Row) -> Constant:
    cells = {name: row[name] for name in ("region", "product", "year", "value", "unit", "note")}
    return Constant(name=row["constant"], source_id=";".join(row["source_id"]), **cells)
