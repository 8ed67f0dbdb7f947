"""The rules of records: a case changed in memory has the problems that the same change in its tables has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from case_files import FILES, write_case
from reeuncert.case.records import Case
from reeuncert.reading.bundled import new_case
from reeuncert.validation.reader import load_case, problems_of, read_case
from reeuncert.validation.report import check_case
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.prior_families import PRIOR_FAMILIES, families_of
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


DENSITIES = {
    "coordinates": FILES["priors.csv"].replace("\n", ",,,\n").replace("reason,,,", "reason,a,b,c"),
    "mass": "prior,group,kind,flow,mode,family,a,b,c,median,level_sd\n"
    "all,flows,flow,ore+output+tailings+opening+stock+imports+use,each,lognormal,5,0.5,,,\n",
    "shares": "prior,group,kind,flow,mode,family,a,b,c\n"
    "inputs,inputs,input,ore+opening+imports,each,lognormal,5,0.5,\n"
    "parts,yields,share,output+tailings,each,dirichlet,2,,\nrest,stocks,share,use+stock,each,dirichlet,1,,\n",
}


@pytest.mark.parametrize(
    ("measure", "old", "new", "column"),
    [
        ("mass", "lognormal", "lognormla", "family"),
        ("mass", "lognormal", "beta", "family"),
        ("mass", "lognormal,5,0.5", ",,", "family"),
        ("mass", "flow,ore", "share,ore", "kind"),
        ("mass", "0.5,", ",", "b"),
        ("mass", ",5,", ",-5,", "a"),
        ("mass", "0.5,", "0.5,1", "c"),
        ("mass", "lognormal", "exponential", "b"),
        ("mass", "0.5,,,", "0.5,,3,", "median"),
        ("mass", "0.5,,,", "0.5,,,0.2", "level_sd"),
        ("shares", "lognormal", "lognormla", "family"),
        ("shares", "lognormal,5,0.5", "dirichlet,5,", "family"),
        ("shares", "dirichlet,2,", "dirichlet,2,3", "b"),
        ("shares", "tailings,each", "tailings,total", "mode"),
        ("shares", "input,ore", "share,ore", "kind"),
        ("shares", "share,use+stock", "input,use+stock", "kind"),
        ("coordinates", ",,a round number,,", "lognormal,,a round number,5,0.5", "family"),
        ("coordinates", "number,,,", "number,,0.5,", "b"),
    ],
)
def test_one_wrong_cell_of_a_density_is_one_problem(
    tmp_path: Path, measure: str, old: str, new: str, column: str
) -> None:
    toml = FILES["case.toml"].replace("regions =", f'prior_measure = "{measure}"\nregions =')
    assert not load_case(write_case(tmp_path / "whole", case_toml=toml, priors_csv=DENSITIES[measure])).problems
    wrong = DENSITIES[measure].replace(old, new, 1)
    found = load_case(write_case(tmp_path / "wrong", case_toml=toml, priors_csv=wrong))
    assert [(p.file, p.column) for p in found.problems] == [("priors.csv", column)]
    assert found.case
    assert problems_of(found.case) == found.problems


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


def tables_of(page: str) -> list[list[list[str]]]:
    """The tables of a page, as rows of cells; the first row is the header."""
    blocks = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    split = re.compile(r"(?<!\\)\|")
    return [[[c.strip() for c in split.split(row)[1:-1]] for row in block.splitlines()] for block in blocks]


def terms(cell: str) -> set[str]:
    """The words in code of a cell; without code, the cell as a whole."""
    return set(re.findall(r"`(\w+)`", cell)) or {cell}


def first_terms(page: Path, header: str) -> list[set[str]]:
    """Of each table of a page under a header, the terms of the column."""
    found = [(table[0].index(header), table[2:]) for table in tables_of(page.read_text("utf-8")) if header in table[0]]
    return [set().union(*(terms(row[at]) for row in rows)) for at, rows in found]


def test_every_word_of_a_table_is_explained_where_a_user_looks(tmp_path: Path) -> None:
    readme = (new_case(tmp_path / "tiny") / "README.md").read_text("utf-8")
    meaning = {table[2][0]: dict(row[:2] for row in table[2:]) for table in tables_of(readme)}
    assert set(PRIOR_FAMILIES) <= terms(meaning["`prior`"]["`family`, `a`, `b`, `c`"])
    assert set(ERROR_LAWS) <= terms(meaning["`class`"]["`family`"])
    assert set(QUALIFIERS) <= terms(meaning["`id`"]["`qualifier`"])
    assert set(RELATION_UNITS) <= terms(meaning["`id`"]["`relation`"])
    docs = Path(__file__).parents[2] / "docs"
    of_kinds = [set(families_of(kind)) for kind in ("flow", "share")]
    assert first_terms(docs / "method" / "priors.md", "family") == of_kinds
    assert first_terms(docs / "method" / "evidence.md", "family") == [set(ERROR_LAWS)]
    assert first_terms(docs / "method" / "evidence.md", "relation") == [set(RELATION_UNITS)]
    assert first_terms(docs / "howto" / "source.md", "family") == [set(ERROR_LAWS)]
    assert set(QUALIFIERS) <= first_terms(docs / "howto" / "source.md", "qualifier")[0]
