"""Strict reading of tables: cells, headers, lines; and no input that ends in anything but a problem in words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reeuncert.reading.tables import Column, Table, read_table
from reeuncert.words.cells import (
    CellError,
    condensed,
    did_you_mean,
    name_cell,
    number_cell,
    parse_years,
    quoted,
    text_cell,
    when_cell,
    year_cell,
)

COLUMNS = (Column("name", name_cell, required=True), Column("value", number_cell), Column("note"))


def read(folder: Path, content: str | bytes) -> Table:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, "t.csv", COLUMNS, {})


def said(table: Table) -> list[str]:
    return [str(p) for p in table.problems]


def test_values_are_parsed_and_absent_columns_are_empty(tmp_path: Path) -> None:
    table = read(tmp_path, "name,value\n a , 1.5 \nb,\n")
    assert said(table) == []
    assert [(r.line, r["name"], r["note"]) for r in table.rows] == [(2, "a", ""), (3, "b", "")]
    assert table.rows[0]["value"] == 1.5
    assert math.isnan(table.rows[1]["value"])


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    table = read(tmp_path, b"\xef\xbb\xbfname,value\r\na,1\r\n")
    assert said(table) == []
    assert table.rows[0].line == 2


def test_lines_are_those_of_the_file_also_after_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    table = read(tmp_path, 'name,value,note\na,1,"two\nlines"\n\n,,\nb,x,"three\n\nlines"\nc,y,\n')
    assert said(table) == [
        "t.csv line 6, column 'value': 'x' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3",
        "t.csv line 9, column 'value': 'y' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3",
    ]
    assert table.rows[0]["note"] == "two\nlines"


def test_names_in_decomposed_unicode_are_the_same_names(tmp_path: Path) -> None:
    table = read(tmp_path, "name\ncafe\u0301\ncaf\u00e9\n")
    assert len({row["name"] for row in table.rows}) == 1


def test_every_problem_of_a_table_is_listed(tmp_path: Path) -> None:
    table = read(tmp_path, "nmae,value,value,,note\na,1,1,x,\n")
    assert said(table) == [
        "t.csv line 1, column 'nmae': the column 'nmae' is not known; allowed are: name, value, note; "
        "did you mean 'name'?",
        "t.csv line 1, column 'value': the header has the column 'value' twice; keep one of them",
        "t.csv line 1: column 4 has no name; name it, or delete the column",
    ]
    assert not table.whole


def test_a_header_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    table = read(tmp_path, "name,\x1b[31mred\na,1\n")
    assert said(table)[0].startswith("t.csv line 1, column '\\x1b[31mred': the column '\\x1b[31mred' is not known;")


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    table = read(tmp_path, ",".join(f"c{i}" for i in range(201)) + "\n")
    assert said(table) == ["t.csv line 1: the header has 201 columns; at most 200 are read"]


def test_a_cell_above_the_limit_of_the_csv_reader_is_refused_in_words(tmp_path: Path) -> None:
    table = read(tmp_path, f"name,value\n{'x' * 200_000},1\n")
    assert said(table) == [
        "t.csv line 2: the rest of the file cannot be read as CSV (field larger than field limit (131072)); a cell may "
        "have 5,000 characters: is a quotation mark left open here?"
    ]


def test_the_hash_of_a_file_is_noted(tmp_path: Path) -> None:
    hashes: dict[str, str] = {}
    (tmp_path / "t.csv").write_bytes(b"name\na\n")
    read_table(tmp_path / "t.csv", "t.csv", COLUMNS, hashes)
    assert hashes == {"t.csv": "6e823acf26f8eea539f8a8c81a662c6179fcbbde3696542ef9087443644de67e"}


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("-1.5", -1.5), ("+.5", 0.5), ("2.", 2.0), ("1e-3", 0.001), ("0e999", 0.0)]
)
def test_numbers_that_are_read(text: str, value: float) -> None:
    assert number_cell(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inf", "'inf' is no number; leave the cell empty where nothing is known"),
        ("-NaN", "'-NaN' is no number; leave the cell empty where nothing is known"),
        ("1_000", "'1_000' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3"),
        ("１２", "'１２' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3"),
        ("0x10", "'0x10' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3"),
        ("1 234.5", "'1 234.5' is no number; write 1234.5 (a decimal point, no separators of thousands)"),
        ("1e400", "'1e400' is out of range; numbers are 0 or between 1e-30 and 1e+30 in size: check the exponent"),
        ("1e-310", "'1e-310' is out of range; numbers are 0 or between 1e-30 and 1e+30 in size: check the exponent"),
        ("1e-999", "'1e-999' is out of range; numbers are 0 or between 1e-30 and 1e+30 in size: check the exponent"),
    ],
)
def test_numbers_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(CellError) as error:
        number_cell(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("+x", "the name '+x' starts with '+', which spreadsheets run as a formula; begin it with a letter or a digit"),
        ("@x", "the name '@x' starts with '@', which spreadsheets run as a formula; begin it with a letter or a digit"),
        ("-x", "the name '-x' starts with '-', which spreadsheets run as a formula; begin it with a letter or a digit"),
        ("../x", "the name '../x' holds '/', which joins names or makes paths; use a space, '_' or '-'"),
        ("a\\b", "the name 'a\\b' holds '\\', which joins names or makes paths; use a space, '_' or '-'"),
        ("a|b", "the name 'a|b' holds '|', which joins names or makes paths; use a space, '_' or '-'"),
        ("a\nb", "the name 'a\\nb' holds the character U+000A, which cannot be seen; delete it"),
        ("a\u200fb", "the name 'a\\u200fb' holds the character U+200F, which cannot be seen; delete it"),
        ("a\u00a0b", "the name 'a\\xa0b' holds the character U+00A0, which cannot be seen; delete it"),
        ("x" * 201, f"the name '{'x' * 60}…' has 201 characters; 200 are allowed: put the rest in a note"),
    ],
)
def test_names_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(CellError) as error:
        name_cell(text)
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["铁矿", "minería", "κ (share)", "Nd2O3, 99 %", 'O\'Neil "x"'])
def test_names_in_any_language_are_accepted(text: str) -> None:
    assert name_cell(text) == text


def test_free_text_may_break_lines_but_not_turn_direction() -> None:
    assert text_cell("two\nlines\tand a tab") == "two\nlines\tand a tab"
    with pytest.raises(CellError, match=r"^the text holds the character U\+0000, which cannot be seen; delete it$"):
        text_cell("a\0b")
    with pytest.raises(CellError, match=r"U\+202E"):
        text_cell("a\u202eb")


def test_years() -> None:
    assert parse_years("", 2000, 2002) == (2000, 2001, 2002)
    assert parse_years("2002; 2000 - 2001", 2000, 2002) == (2000, 2001, 2002)
    assert condensed([2005, 2000, 2001]) == "2000-2001, 2005"
    assert (year_cell(""), year_cell("2010")) == (0, 2010)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2002-2000", "the years '2002-2000' run backwards; write the earlier first: 2000-2002"),
        ("2000,2001", "'2000,2001' are no years; write 2000-2005, 2010 or 2000-2005;2010"),
        (
            "1990-2001",
            "the years '1990-2001' are outside the case, which covers 2000-2002; correct them, or widen "
            "`years` in case.toml",
        ),
        ("0-99999999", "'0-99999999' are no years; write 2000-2005, 2010 or 2000-2005;2010"),
    ],
)
def test_years_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(CellError) as error:
        parse_years(text, 2000, 2002)
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["scope", "scope=", "=wide", "scope=a||b"])
def test_conditions_that_are_refused(text: str) -> None:
    with pytest.raises(CellError) as error:
        when_cell(text)
    assert str(error.value) == f"'{text}' is no condition; write option=value or option=value|other value"


def test_suggestions_are_near_and_shown_text_is_short() -> None:
    assert did_you_mean("UNITED STATES", ["United States", "RoW"]) == "; did you mean 'United States'?"
    assert did_you_mean("Mars", ["United States"]) == ""
    assert len(quoted("x" * 10_000)) < 70


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda t: t.encode("utf-8", "replace"))))
def test_any_bytes_give_a_table_or_problems_in_words(tmp_path: Path, content: bytes) -> None:
    table = read(tmp_path, content)
    assert table.rows or table.problems or b"name" in content
    assert all(problem.message and problem.file == "t.csv" for problem in table.problems)


CELLS = st.text(alphabet=st.sampled_from('ab1.,;"\n\r\t=+-@|\\/\u202e\u00a0é '), max_size=8)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=5), quote=st.booleans())
def test_any_rows_under_a_header_give_rows_or_problems(tmp_path: Path, rows: list[list[str]], quote: bool) -> None:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quote else text

    content = "name,value,note\n" + "".join(",".join(map(cell, row)) + "\n" for row in rows)
    table = read(tmp_path, content)
    for row in table.rows:
        good = not {column for line, column in table.bad if line == row.line}
        assert not good or (name_cell(row["name"]) == row["name"] != "")
        assert isinstance(row["value"], float)
