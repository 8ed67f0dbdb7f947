"""The workbook of a result: labelled sheets, numbers with units, texts that are never formulas."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import openpyxl
import pytest

from foreign import CASES, result_of
from reeuncert.case.serial import case_to_json
from reeuncert.indicators.headlines import all_headlines
from reeuncert.report.workbook import workbook
from reeuncert.result.result import Result


def read(result: Result) -> dict[str, list[tuple]]:
    book = openpyxl.load_workbook(io.BytesIO(workbook(result)))
    return {sheet.title: [tuple(c.value for c in row) for row in sheet] for sheet in book}


def test_numbers_carry_their_units_and_labels():
    case = CASES["cobalt"]()
    first = replace(case.headlines[0], sentence="=1+1 {median} {unit} ({lower} to {upper})")
    dt = result_of(case)
    dt.attrs["case_json"] = case_to_json(replace(case, headlines=(first, *case.headlines[1:])))
    result = Result(dt)
    sheets = read(result)
    assert list(sheets) == ["About", "Answers", "Series", "Flows", "Evidence", "Checks", "Sources"]
    head, share, mass = sheets["Answers"]
    rows = [dict(zip(head, row, strict=True)) for row in (share, mass)]
    assert [row["Unit"] for row in rows] == ["%", "kt Co"]
    known = result.once(all_headlines)["median"].tolist()
    assert [row["Median"] for row in rows] == pytest.approx([100 * known[0], known[1]], rel=1e-4)
    assert rows[0]["Answer"].startswith("=1+1")
    book = openpyxl.load_workbook(io.BytesIO(workbook(result)))
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    assert len(sheets["Flows"]) == 1 + len(case.system.flows) * len(case.system.years)
    told = [str(cell) for name, rows in sheets.items() for row in rows for cell in row if name != "Evidence"]
    assert re.findall(r"\w+_\w+", " ".join(told)) == []


def test_a_case_without_roles_has_a_workbook():
    assert set(read(Result(result_of(CASES["network"]())))) == {"About", "Flows", "Evidence", "Checks", "Sources"}
