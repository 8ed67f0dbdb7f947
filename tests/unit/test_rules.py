"""The rules of records: a case changed in memory has the problems that the same change in its tables has."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from case_files import FILES, write_case
from reeuncert.case.records import Case
from reeuncert.reading.bundled import new_case
from reeuncert.validation.reader import load_case, problems_of, read_case
from reeuncert.validation.report import check_case
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.prior_families import PRIOR_FAMILIES
from reeuncert.words.qualifiers import QUALIFIERS
from reeuncert.words.units import RELATION_UNITS

COLUMNS = {file: FILES[file].splitlines()[0].split(",") for file in ("priors.csv", "evidence.csv")}


def with_cell(file: str, row: int, column: str, value: str) -> str:
    """A table with one cell changed; ``row`` counts from the first below the header."""
    lines = FILES[file].splitlines()
    cells = lines[row + 1].split(",")
    cells[COLUMNS[file].index(column)] = value
    lines[row + 1] = ",".join(cells)
    return "\n".join(lines) + "\n"


def changed(case: Case, table: str, row: int, **fields: Any) -> Case:
    """A case with one record changed."""
    records = list(getattr(case, table))
    records[row] = dataclasses.replace(records[row], **fields)
    return dataclasses.replace(case, **{table: tuple(records)})


@pytest.mark.parametrize(
    ("file", "column", "value"),
    [
        ("evidence.csv", "basis", "gros"),
        ("evidence.csv", "unit", "oz"),
        ("evidence.csv", "qualifier", "circa"),
        ("evidence.csv", "relation", "part"),
        ("evidence.csv", "span", "total"),
        ("evidence.csv", "resolution", -1.0),
        ("evidence.csv", "value", -14.0),
        ("priors.csv", "median", -1.0),
        ("priors.csv", "level_sd", -0.5),
        ("priors.csv", "year_sd", 20.0),
        ("priors.csv", "correlation", 1.5),
        ("priors.csv", "slope_sd", -1.0),
        ("priors.csv", "kind", "inptu"),
        ("priors.csv", "mode", "all"),
        ("priors.csv", "family", "normal"),
    ],
)
def test_a_change_in_memory_is_judged_as_in_the_table(tmp_path: Path, file: str, column: str, value: Any) -> None:
    table = file.removesuffix(".csv")
    text = f"{value:g}" if isinstance(value, float) else value
    written = load_case(write_case(tmp_path / "changed", **{f"{table}_csv": with_cell(file, 0, column, text)})).problems
    case = changed(read_case(write_case(tmp_path / "whole")), table, 0, **{column: value})
    assert written
    assert set(problems_of(case)) == set(written)
    assert set(check_case(case).errors) == set(written)


def test_tails_of_errors_are_judged_in_memory(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path))
    errors = dataclasses.replace(case.errors, outlier_share=1.0, degrees_of_freedom=float("inf"))
    problems = problems_of(dataclasses.replace(case, errors=errors))
    assert [p.column for p in problems if p.file == "case.toml"] == ["degrees_of_freedom", "outlier_share"]


@pytest.mark.parametrize(
    ("table", "name", "field", "value"),
    [
        ("classes", "", "width", -0.2),
        ("classes", "", "family", "t"),
        ("offsets", "", "sd", -0.1),
        ("offsets", "", "per", "month"),
        ("factors", "", "factor", 0.0),
    ],
)
def test_other_records_are_judged_by_the_rules_of_their_tables(
    tmp_path: Path, table: str, name: str, field: str, value: Any
) -> None:
    case = read_case(write_case(tmp_path))
    records = dict(getattr(case, table))
    name = name or next(iter(records))
    records[name] = dataclasses.replace(records[name], **{field: value})
    problems = problems_of(dataclasses.replace(case, **{table: records}))
    assert [p.column for p in problems if p.file == f"{table}.csv"][:1] == [field]


def test_every_word_of_a_table_is_explained_where_a_user_looks(tmp_path: Path) -> None:
    readme = (new_case(tmp_path / "tiny") / "README.md").read_text("utf-8")
    words = [*PRIOR_FAMILIES, *ERROR_LAWS, *QUALIFIERS, *RELATION_UNITS]
    assert [word for word in words if word not in readme] == []
    docs = Path(__file__).parents[2] / "docs" / "method"
    priors, evidence = ((docs / f"{page}.md").read_text("utf-8") for page in ("priors", "evidence"))
    assert [word for word in PRIOR_FAMILIES if word not in priors] == []
    assert [word for word in ERROR_LAWS if word not in evidence] == []
