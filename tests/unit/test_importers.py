"""Importers in general: rows in a case, mirrors, mappings, damaged files, and the registry."""

from __future__ import annotations

import csv
import shutil
from importlib import import_module
from pathlib import Path

import openpyxl
import pytest

import reeuncert as ree
from downloads import COMEXT_18, DS140, MCS_2026, PLUS, ROOT, comtrade, evidence, fill, left, plus, told, write
from reeuncert import importers
from reeuncert.errors import CaseError


@pytest.fixture
def my_case(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "models" / "small_metal", tmp_path / "my_case"))


JAPAN = "Exp or Imp,Year,HS,Country,Unit1,Unit2,Quantity1-Year,Quantity2-Year\n2,{},'010121100,105,,KG,0,700\n"


BGS = "country_trans,year,bgs_commodity_trans,bgs_statistic_type_trans,quantity,units\nS,{},ore,Production,9,tonnes\n"


SALIENT = "DataSource,Commodity,Year,USprod_t\nMCS2023,Lithium,{},20\n"


QUERY_BY_YEAR = (
    "Imports\nData Type,HTS Number,Country,Quantity Description,Year,Value\nFirst Unit,28,J,kilograms,{},7\n"
)


def test_countries_of_one_region_are_summed_and_mirrors_are_named(my_case: Path, tmp_path: Path) -> None:
    path = comtrade(
        tmp_path,
        plus(reporterCode=900, partnerCode=901, netWgt=9_000_000),
        plus(reporterCode=900, partnerCode=902, netWgt=5_000_000, isNetWgtEstimated=True),
        plus(reporterCode=900, partnerCode=0, netWgt=14_000_000),
        plus(reporterCode=901, partnerCode=900, flowCode="X", netWgt=8_000_000),
        plus(reporterCode=901, partnerCode=902, flowCode="X", netWgt=1),
        plus(reporterCode=900, partnerCode=903),
        plus(refYear=1999, period=1999),
    )
    mapping = importers.import_files("comtrade", path, my_case).mapping
    to = {"900": "North", "901": "South", "902": "South", "0": "*", "903": "-", "010121": "salt", "gross": "Li"}
    fill(mapping, to | {"reported": "customs", "estimated": "estimate"}, "trade")
    done = importers.import_files("comtrade", path, my_case)
    rows = evidence(my_case, "comtrade")
    assert [(r["value"], r["qualifier"], r["origin"], r["destination"], r["source_id"]) for r in rows] == [
        ("8000", "at_least", "South", "North", "comtrade"),
        ("14000", "derived", "South", "North", "comtrade-estimated"),
    ]
    assert [r["lineage"] for r in rows] == ["comtrade-901", "comtrade-900"]
    assert "lines 2, 3" in rows[1]["locator"]
    assert len(done.mirrors) == 1
    for word in ("2018 salt", "8,000 t (901)", "1.4e+04 t (900)", "1.41e+04 t (South)"):
        assert word in done.mirrors[0]
    for word in ("within one region", "left out by", "outside the years", "a total whose parts"):
        assert left(done.download, word) == 1
    report = ree.check_case(my_case)
    assert report.passed, str(report)


def test_a_figure_is_no_witness_of_two_rows(my_case: Path, tmp_path: Path) -> None:
    path = comtrade(tmp_path, plus(reporterCode=900, partnerCode=901, netWgt=9_000_000))
    mapping = importers.import_files("comtrade", path, my_case).mapping
    fill(mapping, {"900": "North", "901": "South", "010121": "salt", "gross": "gross", "reported": "customs"}, "trade")
    importers.import_files("comtrade", path, my_case)
    mapping.write_text(mapping.read_text("utf-8").replace("basis,gross,,gross", "basis,gross,,Li"), "utf-8")
    before = evidence(my_case, "comtrade")
    with pytest.raises(CaseError, match=r"_import_gross' has the figure that is now '.*_import_Li': the mapping has"):
        importers.import_files("comtrade", path, my_case)
    assert evidence(my_case, "comtrade") == before
    (my_case / "evidence" / "comtrade.csv").unlink()
    importers.import_files("comtrade", path, my_case)
    assert [row["basis"] for row in evidence(my_case, "comtrade")] == ["Li"]


def test_a_figure_that_a_later_edition_repeats_is_not_revised(my_case: Path, tmp_path: Path) -> None:
    text = "t,i,j,k,v,q\n2019,901,900,283691,1,14600\n"
    early, late = (write(tmp_path, f"BACI_HS17_Y2019_V20{n}01.csv", text) for n in (26, 27))
    mapping = importers.import_files("baci", early, my_case).mapping
    fill(mapping, {"900": "North", "901": "South", "283691": "salt", "gross": "Li", "reported": "customs"}, "trade")
    importers.import_files("baci", early, my_case)
    done = importers.import_files("baci", late, my_case)
    assert (len(done.same), done.revised) == (1, [])
    row = evidence(my_case, "baci")[0]
    assert (row["source_id"], row["locator"]) == ("baci-V202701", f"{late.name} line 2, column q")
    write(tmp_path, early.name, text.replace("14600", "9"))
    assert len(importers.import_files("baci", early, my_case).earlier) == 1
    assert evidence(my_case, "baci")[0] == row


def test_mirrors_are_also_found_in_workbooks(my_case: Path, tmp_path: Path) -> None:
    """Rows in the unit and for the years that a sheet says; of several years, and on another basis, they are none."""
    table = (my_case / "evidence.csv").read_text(encoding="utf-8")
    (my_case / "evidence.csv").unlink()
    book = openpyxl.Workbook()
    for row in csv.reader(
        table.replace("2018,2018,,level,,,,South,14.1,,,kt", "2018.0,,,,,,,South,14.1,,,Gg").splitlines()
    ):
        book.active.append(row)
    book.save(my_case / "evidence.xlsx")
    path = comtrade(
        tmp_path,
        *(plus(reporterCode=900, refYear=year, period=year, netWgt=9_000_000) for year in (2016, 2018, 2019)),
    )
    mapping = importers.import_files("comtrade", path, my_case).mapping
    to = {"900": "North", "901": "South", "010121": "salt", "gross": "Li", "reported": "customs"}
    fill(mapping, to, "trade")
    done = importers.import_files("comtrade", path, my_case)
    assert [pair.split(", ratio")[0].split(": ")[1] for pair in done.mirrors] == [
        "9,000 t (900), 9,600 t (South)",
        "9,000 t (900), 1.41e+04 t (South), 1.54e+04 t (North)",
    ]
    fill(mapping, to | {"gross": "gross"}, "trade")
    done.evidence.unlink()
    assert not importers.import_files("comtrade", path, my_case).mirrors


def test_a_file_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    text = "\n".join([COMEXT_18, "DE,CN,E,01012100,5,2,2,2,3,06,2,1,NO_SU,202252,1,1,7000,0"])
    world = "Source,Country,Type,Prod_t_2018\nMCS2020,Southland,Mine production,{}\n"
    customs = (f"{JAPAN}{JAPAN.splitlines()[1]}\n").replace("{}", "2022")
    for kind, name, content, other in (
        ("comext", "full.dat", text, text.replace(",7000,", ",8000,")),
        ("japan-customs", "customs.csv", customs, customs.replace("700", "800")),
        ("usgs-mcs", "mcs2020-x_world.csv", world.format(5), world.format(6)),
        ("usgs-ds140", "ds140.csv", DS140, DS140.replace("190000", "180000")),
    ):
        path = write(tmp_path, name, content)
        once = told(importers.run.read_download(kind, path))
        again = write(tmp_path, f"copy-{name}" if kind != "usgs-mcs" else "mcs2020-x_world(1).csv", content)
        assert told(importers.run.read_download(kind, [path, again])) == once
        write(tmp_path, again.name, other)
        with pytest.raises(CaseError, match="another figure for the same key"):
            importers.run.read_download(kind, [path, again])
        with pytest.raises(CaseError, match="2 files have this name"):
            importers.run.read_download(kind, [path, write(tmp_path / "copies", name, other)])


def test_a_table_in_a_workbook_is_not_doubled(my_case: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    with (my_case / "sources.csv").open(encoding="utf-8", newline="") as file:
        for cells in csv.reader(file):
            book.active.append(cells)
    book.save(my_case / "sources.xlsx")
    (my_case / "sources.csv").unlink()
    with pytest.raises(CaseError, match="this table is in a workbook") as caught:
        importers.import_files("comtrade", comtrade(tmp_path, plus()), my_case)
    assert caught.value.problems[0].file == "sources.xlsx"
    assert not (my_case / "imports").exists()


def test_a_heading_and_a_code_inside_it_are_not_added(my_case: Path, tmp_path: Path) -> None:
    path = comtrade(tmp_path, plus(cmdCode="2836"), plus(cmdCode="283691"))
    mapping = importers.import_files("comtrade", path, my_case).mapping
    to = {"900": "North", "901": "South", "2836": "salt", "283691": "salt", "gross": "Li", "reported": "customs"}
    fill(mapping, to, "trade")
    with pytest.raises(CaseError, match="'2836' holds '283691'"):
        importers.import_files("comtrade", path, my_case)
    assert not (my_case / "evidence").exists()


def test_a_mapping_to_unknown_words_is_told_the_known_ones(my_case: Path, tmp_path: Path) -> None:
    path = comtrade(tmp_path, plus())
    mapping = importers.import_files("comtrade", path, my_case).mapping
    fill(mapping, {"900": "Nroth", "901": "South", "010121": "salt", "reported": "custom"}, "trades")
    with pytest.raises(CaseError) as caught:
        importers.import_files("comtrade", path, my_case)
    assert [problem.column for problem in caught.value.problems] == ["quantity", "to", "to"]
    assert "did you mean 'North'" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name", "text", "line"),
    [
        ("usgs-mcs", "mcs2023-lithi_salient.csv", SALIENT, 2),
        ("usgs-mcs", "long.csv", MCS_2026.replace("2023", "{}"), 3),
        ("usgs-mcs", "mcs2023-x_world.csv", "Country,Type,Prod_t_{}\nS,Mine,5\n", 1),
        ("usgs-ds140", "ds.csv", DS140.replace("2019", "{}"), 7),
        ("dataweb", "query.csv", QUERY_BY_YEAR, 3),
        ("comtrade", "comtrade.csv", f"{PLUS}\n{plus(refYear='{}')}\n", 2),
        ("baci", "baci.csv", "t,i,j,k,v,q\n{},276,842,10121,1.5,2\n", 2),
        ("comext", "c.dat", f"{COMEXT_18}\nDE,CN,E,01012100,5,2,2,2,3,06,2,1,NO_SU,{{}},1,1,7,0\n", 2),
        ("japan-customs", "customs.csv", JAPAN, 2),
        ("bgs", "bgs.csv", BGS, 2),
    ],
)
def test_a_damaged_year_is_told_with_its_line(kind: str, name: str, text: str, line: int, tmp_path: Path) -> None:
    for year in ("2O19", "²019", "12019", ""):
        if year or name not in ("mcs2023-lithi_salient.csv", "query.csv"):  # rows of notes have no year there
            path = write(tmp_path, name, text.replace("{}", year))
            with pytest.raises(CaseError) as caught:
                importers.run.read_download(kind, path)
            assert {(p.file, p.line) for p in caught.value.problems} == {(name, line)}


@pytest.mark.parametrize(
    ("row", "why"),
    [('"2020,276,842,10121,1.5,2', "a quotation mark is left open"), ("2020,276,842,10121,1.5,2,,", "has 8 cells")],
)
def test_what_is_no_csv_is_told(row: str, why: str, tmp_path: Path) -> None:
    path = write(tmp_path, "baci.csv", f"t,i,j,k,v,q\n2019,276,842,10121,1.5,2,\n{row}\n2021,276,842,10121,1.5,2\n")
    with pytest.raises(CaseError, match=why):
        importers.read_baci(path)


def test_decimal_commas_are_no_thousands(tmp_path: Path) -> None:
    path = write(tmp_path, "baci.csv", "t;i;j;k;v;q\n2019;276;842;010121;1,5;600,123\n")
    with pytest.raises(CaseError, match="line 2 has decimal commas"):
        importers.read_baci(path)


@pytest.mark.parametrize("kind", importers.IMPORTERS)
def test_a_file_of_another_kind_is_refused_with_what_is_missing(kind: str, tmp_path: Path) -> None:
    other = write(tmp_path, "other.csv", "a,b\n1,2\n")
    with pytest.raises(CaseError) as caught:
        importers.run.read_download(kind, other)
    assert caught.value.problems[0].file == "other.csv"
    with pytest.raises(CaseError):
        importers.run.read_download(kind, write(tmp_path, "blank.csv", "\n\n"))
    with pytest.raises(CaseError, match="looked for"):
        importers.run.read_download(kind, tmp_path / "absent.csv")
    with pytest.raises(CaseError, match="no Excel workbook"):
        importers.run.read_download(kind, write(tmp_path, "other.xlsx", "a,b"))


def test_every_row_of_the_registry_has_its_module_and_its_function() -> None:
    for kind in importers.IMPORTERS:
        name = kind.replace("-", "_")
        assert callable(import_module(f"reeuncert.importers.{name}").read)
        assert getattr(importers, f"read_{name}").args == (kind,)
    assert not any(hasattr(importers, name) for name in ("read_nothing", "usgs_mcs_", "baci2"))
