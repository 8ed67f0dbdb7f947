"""Tables as people have them: workbooks, one column a year, other separators, marks around numbers, office habits."""

from __future__ import annotations

import csv
import datetime
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from tests.case_files import FILES, changed, problems_in, write_case

import reeuncert as ree
from reeuncert.case.records import Case
from reeuncert.errors import InputError
from reeuncert.reading.workbooks import WorkbookError, sheets_of
from reeuncert.validation.report import check_case
from reeuncert.words.cells import CellError
from reeuncert.words.qualifiers import figure_cell
from reeuncert.words.units import unit_factor


def content(text: str) -> list[list[Any]]:
    """Cells of a CSV text as a spreadsheet program would hold them: numbers as numbers."""

    def value(cell: str) -> Any:
        try:
            return float(cell)
        except ValueError:
            return cell or None

    return [[value(cell) for cell in row] for row in csv.reader(io.StringIO(text))]


def write_book(path: Path, sheets: dict[str, list[list[Any]]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return book


def same(case: Case, other: Case) -> bool:
    """Whether two cases are equal but for the places of their files."""

    def bare(c: Case) -> Case:
        evidence = tuple(replace(row, file="", line=0) for row in c.evidence)
        return replace(c, evidence=evidence, hashes={}, path="")

    return repr(bare(case)) == repr(bare(other))


TABLES = [name for name in FILES if name.endswith(".csv")]


def test_workbooks_read_as_the_csv_files_do(tmp_path: Path) -> None:
    wanted = ree.read_case(write_case(tmp_path / "csv"))
    one = write_case(tmp_path / "one", **{name.replace(".", "_"): None for name in TABLES})
    write_book(one / "tables.xlsx", {name[:-4]: content(FILES[name]) for name in TABLES})
    each = write_case(tmp_path / "each", **{name.replace(".", "_"): None for name in TABLES})
    for name in TABLES:
        place = "evidence/mines.xlsx" if name == "evidence.csv" else f"{name[:-4]}.xlsx"
        write_book(each / place, {"Sheet1": content(FILES[name])})
    for folder in (one, each):
        case = ree.read_case(folder)
        assert same(case, wanted)
        assert check_case(folder).warnings == check_case(tmp_path / "csv").warnings
        assert any(name.endswith(".xlsx") for name in case.hashes)


def test_workbooks_of_one_name_in_two_folders_have_a_hash_each(tmp_path: Path) -> None:
    text = FILES["case.toml"].replace("regions =", 'data = "data"\nregions =')
    folder = write_case(tmp_path, case_toml=text, priors_csv=None, sources_csv=None)
    for name in ("classes.csv", "factors.csv", "offsets.csv", "contents.csv", "evidence.csv"):
        if (folder / name).exists():
            (folder / "data").mkdir(exist_ok=True)
            (folder / name).rename(folder / "data" / name)
    write_book(folder / "tables.xlsx", {"priors": content(FILES["priors.csv"])})
    write_book(folder / "data" / "tables.xlsx", {"sources": content(FILES["sources.csv"])})
    hashes = ree.read_case(folder).hashes
    assert hashes["tables.xlsx"] != hashes["data/tables.xlsx"]


def test_a_problem_in_a_workbook_names_book_sheet_and_row(tmp_path: Path) -> None:
    folder = write_case(tmp_path, evidence_csv=None, flows_csv=None)
    rows = content(FILES["evidence.csv"])
    value = rows[0].index("value")
    rows[1][value], rows[2][value] = datetime.datetime(2018, 5, 1), "=1+1"
    flows = content(FILES["flows.csv"])
    flows[2][0] = "output/all"
    write_book(folder / "tables.xlsx", {"flows": flows, "Flow": [["a"], ["b"]]})
    book = write_book(folder / "evidence" / "mines.xlsx", {"North": rows})
    book["North"].merge_cells("A4:B4")
    book.save(folder / "evidence" / "mines.xlsx")
    said = problems_in(folder)
    assert any(p.startswith("evidence/mines.xlsx, sheet 'North' line 2, column 'value': '2018-05-01'") for p in said)
    assert any("sheet 'North' line 3" in p and "no stored value" in p for p in said)
    assert any("sheet 'North' line 4" in p and "merged" in p for p in said)
    assert any(p.startswith("tables.xlsx, sheet 'flows' line 3, column 'flow'") for p in said)


def test_a_table_stands_in_one_place(tmp_path: Path) -> None:
    folder = write_case(tmp_path)
    write_book(folder / "priors.xlsx", {"Sheet1": content(FILES["priors.csv"])})
    assert problems_in(folder) == [
        "priors.csv: the table is there more than once: priors.csv, priors.xlsx; keep one of them"
    ]


def test_what_is_no_workbook_is_said(tmp_path: Path) -> None:
    folder = write_case(tmp_path)
    (folder / "evidence").mkdir()
    (folder / "evidence" / "a.xlsx").write_bytes(b"id,value")
    (said,) = problems_in(folder)
    assert said.startswith("evidence/a.xlsx: the file is no Excel workbook")
    with pytest.raises(WorkbookError, match="no Excel workbook"):
        sheets_of(b"", lambda *_: None)


def test_per_cent_cells_are_not_taken_for_their_hidden_share(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"] = 0.12, 0.1 + 0.2
    book.active["A1"].number_format = "0%"
    book.save(tmp_path / "a.xlsx")
    sheets = sheets_of((tmp_path / "a.xlsx").read_bytes(), lambda *_: None)
    assert list(sheets.values()) == [[(1, ["12%", "0.3"])]]


WIDE = "id,quantity,product,2000,2001.0,2002,unit,basis,resolution,source_id,locator\n"


def test_one_column_a_year_is_melted_where_the_table_says_so(tmp_path: Path) -> None:
    rows = "W,mine_production,oxide,14,,15.5,kt,REO,0.1,survey,p. 1\n"
    folder = write_case(tmp_path / "a", evidence_csv=f"# melt,,,\n{WIDE}{rows}")
    found = [(row.id, row.years, row.value, row.line) for row in ree.read_case(folder).evidence]
    assert found == [("W-2000", (2000,), 14.0, 3), ("W-2002", (2002,), 15.5, 3)]
    (said,) = problems_in(write_case(tmp_path / "b", evidence_csv=f"{WIDE}{rows}"))
    assert said.startswith("evidence.csv line 1: the columns 2000, 2001, 2002 are years; write # melt alone on a line")
    bad = problems_in(write_case(tmp_path / "c", evidence_csv=f"# melt\n{WIDE}{rows.replace('14,', 'W,')}"))
    assert bad == [
        "evidence.csv line 3, column 'value': column 2000: 'W' is no number; nothing was reported, or it was withheld: "
        "delete the row (missing is not zero)"
    ]


@pytest.mark.parametrize(
    ("first", "large", "meant"), [("", "14,5", 14.5), ("sep=;\n", "1.014,5", 1014.5), ("", "1.014", 1014)]
)
def test_semicolons_and_decimal_commas_are_one_problem_with_a_remedy_that_works(
    tmp_path: Path, first: str, large: str, meant: float
) -> None:
    table = pd.read_csv(io.StringIO(FILES["evidence.csv"]))
    table["value"] += 0.5
    text = first + table.to_csv(index=False, sep=";", decimal=",")
    text = text.replace("14,5;", f"{large};")
    folder = write_case(tmp_path, evidence_csv=None)
    (folder / "evidence.csv").write_text(text, encoding="utf-8-sig")
    (said,) = problems_in(folder)
    assert "semicolons and numbers have a decimal comma" in said
    code = said.partition("e.g. by ")[2]
    exec(code, {"pandas": pd, "file": folder / "evidence.csv"})
    assert ree.read_case(folder).evidence[0].value == meant


def test_a_missing_column_is_one_problem_not_one_a_row(tmp_path: Path) -> None:
    folder = write_case(tmp_path, evidence_csv=changed("evidence.csv", ",unit,", ",untis,"))
    assert [p.partition(":")[0] for p in problems_in(folder)] == ["evidence.csv line 1, column 'untis'"]


def test_what_pandas_and_spreadsheets_leave_is_read_or_named(tmp_path: Path) -> None:
    wanted = ree.read_case(write_case(tmp_path / "a"))
    lines = FILES["evidence.csv"].splitlines()
    assert same(
        ree.read_case(write_case(tmp_path / "b", evidence_csv="\n".join(f"{line},,," for line in lines))), wanted
    )
    table = pd.read_csv(io.StringIO(FILES["evidence.csv"]))
    years = table.assign(year_from=table["year_from"].astype(float)).to_csv(index=False)
    assert ".0," in years
    assert same(ree.read_case(write_case(tmp_path / "c", evidence_csv=years)), wanted)
    (said,) = problems_in(write_case(tmp_path / "d", evidence_csv=table.to_csv()))
    assert "index=False" in said


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("1,045", "write 1045 or 1.045"),
        ("0,123", "write 0.123"),
        ("1.045,5", "write 1045.5"),
        ("12,045,111", "write 12045111"),
        ("W", "delete the row"),
        ("NA", "delete the row"),
        ("--", "qualifier zero"),
        (">95", "write 95, with the qualifier at_least"),
        ("<0.5", "write 0.5, with the qualifier up_to"),
        ("~100", "write 100, with the qualifier about"),
        ("104 (e)", "write 104, with the qualifier estimate"),
        ("104r", "write 104, with the qualifier revised"),
        ("90-95", "write 90 into low, write 95 into high, with the qualifier range"),
        ("≥95", "write 95, with the qualifier at_least"),
        ("c. 100", "write 100, with the qualifier about"),
        ("104 ()", "write digits with a decimal point"),
        ("12+", "write 12, with the qualifier at_least"),
        ("1e3-2e3", "write 1e3 into low, write 2e3 into high, with the qualifier range"),
        ("1,045 (e)", "write 1045 or 1.045, whichever the source means, with the qualifier estimate"),
    ],
)
def test_marks_around_a_number_point_to_what_says_them(cell: str, advice: str) -> None:
    with pytest.raises(CellError, match="is no number") as caught:
        figure_cell(cell)
    assert advice in str(caught.value)


def test_units_may_be_spelt_out(tmp_path: Path) -> None:
    folder = write_case(tmp_path, evidence_csv=changed("evidence.csv", "14,,,kt", "31,,,million pounds"))
    with (folder / "constants.csv").open("a", encoding="utf-8") as file:
        file.write("separation_quota,North,oxide,2001,12,thousand tonnes,,,\n")
    case = ree.read_case(folder)
    assert case.constants[-1].unit == "kt"
    row = case.evidence[0]
    assert row.unit == "Mlb"
    assert unit_factor(row.unit, "level", "kt REO") * 31 == pytest.approx(14.0614, rel=1e-5)
    with pytest.raises(InputError, match="metric tons are 't'"):
        ree.read_case(write_case(tmp_path, evidence_csv=changed("evidence.csv", "14,,,kt", "14,,,tons")))


def test_a_scrap_loop_after_consumption_is_named(tmp_path: Path) -> None:
    folder = ree.new_case(tmp_path / "loop")
    before = check_case(folder)
    assert dict(before.information)["apparent consumption is the sum of"]
    flows = pd.read_csv(folder / "flows.csv", dtype=str)
    used = flows[flows["quantity"] == "apparent_consumption"].iloc[0]
    market = flows[flows["flow"] == used["flow"]]["from_process"].iloc[0]
    loop = used.copy()
    loop["flow"], loop["from_process"], loop["to_process"] = "scrap", used["to_process"], market
    loop["quantity"] = "recycling"
    pd.concat([flows, loop.to_frame().T]).to_csv(folder / "flows.csv", index=False)
    priors = (folder / "priors.csv").read_text()
    columns = priors.splitlines()[0].split(",")
    row = {"prior": "scrap", "group": "s", "kind": "share", "flow": "scrap", "mode": "each", "median": "0.1"}
    row |= {"level_sd": "0.5", "reason": "toy"}
    (folder / "priors.csv").write_text(priors.rstrip("\n") + "\n" + ",".join(row.get(c, "") for c in columns) + "\n")
    found = check_case(folder)
    assert any("is part of apparent consumption and of no end use" in w.message for w in found.warnings), found


def test_written_tables_read_back_the_same(tmp_path: Path) -> None:
    case = ree.read_case("small_metal")
    result = ree.run(case, out=tmp_path / "out", draws=20, tune=50, chains=2, seed=1, quiet=True)
    for path in sorted((tmp_path / "out").glob("*.csv")):
        plain = pd.read_csv(path)
        text = pd.read_csv(path, dtype=str, keep_default_na=False)
        words = [c for c in text if plain[c].dtype.kind not in "fiub"]
        for column in words:
            lost = plain[column].isna() & (text[column] != "")
            assert not lost.any(), (path.name, column, text[column][lost].unique())
    assert result is not None
