"""Importers of the U.S. Geological Survey on small files in the true formats: facts of a US agency, or invented."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

import reeuncert as ree
from downloads import DS140, MCS_2026, ROOT, evidence, fill, left, told, write
from reeuncert import importers
from reeuncert.errors import CaseError


@pytest.fixture
def my_case(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "models" / "small_metal", tmp_path / "my_case"))


MCS_2025 = """\
SOURCE,COMMODITY,COUNTRY,TYPE,UNIT_MEAS,PROD_2023,PROD_EST_ 2024,PROD_NOTES,CAP_2023,RESERVES_2024,,,
MCS2025,Rare earths,United States,"Mine production, rare-earth-oxide equivalent",metric tons,41600,"45,000",,,1900000,,,
MCS2025,Rare earths,Burma,"Mine production, rare-earth-oxide equivalent",metric tons,43000,31000,"Estimated from
imports.",,,,,
MCS2025,Rare earths,China,"Mine production, rare-earth-oxide equivalent",metric tons,255000,270000,Quota.,,,,,
MCS2025,Nickel,New Caledonia11,"Mine production",metric tons,231000,E,,,,,,
MCS2025,Nickel,Congo (Kinshasa),Mine production,thousand metric tons,0.5,W,,,,,,
MCS2025,Nickel,Other countries,Mine production,metric tons,>95,--,,,,,,
MCS2025,Nickel,World total (rounded),Mine production,metric tons,XX,NA,,,,,,
"""


def yearbook(path: Path) -> Path:
    """A workbook as the Minerals Yearbook has it: superscripts in names, marks of footnotes in cells of their own."""
    up = InlineFont(vertAlign="superscript")
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "T6"
    for row in (
        ["TABLE 6"],
        ["U.S. IMPORTS FOR CONSUMPTION OF RARE-EARTH COMPOUNDS, BY COUNTRY OR LOCALITY1"],
        [],
        [None, None, None, None, "2021", None, None, None, "2022"],
        [None, None, None, None, "Gross weight", None, None, None, "Gross weight"],
        [
            "Category and country",
            None,
            "HTS code2",
            None,
            "(kilograms)",
            None,
            "Value",
            None,
            "(kilograms)",
            None,
            "Value",
        ],
        ["Cerium oxides:", None, "2846.10.0010"],
        ["China ", None, None, None, 334000, None, 1990000, None, 209000, None, 1700000],
        ["Other", None, None, None, 32300, "r", 991000, None, "--", None, "--"],
        ["Total", None, None, None, 366000, None, 2981000, None, 209000, None, 1700000],
        ["Total estimated REO equivalent content", None, None, None, 366000, None, "XX", None, 209000, None, "XX"],
        ["Scandium or yttrium chloride mixtures, Russia", None, "2846.90.2082", None, 35, None, 39000],
        ["Ferrocerium:", None, "3606.90.3010,"],
        [None, None, "3606.90.3090"],
        ["Austria", None, None, None, 50900, None, 534000],
        ["rRevised.  XX Not applicable.  -- Zero."],
    ):
        sheet.append(row)
    world = book.create_sheet("T8")
    for row in (
        ["TABLE 8"],
        ["RARE EARTHS: WORLD MINE PRODUCTION, BY COUNTRY OR LOCALITY1"],
        [None, None, None, "(Metric tons, rare-earth oxide equivalent)"],
        ["Country or locality2", None, 2021, None, 2022],
        ["Australia", None, 24000, None, 18000],
        ["China", None, 168000, None, 210000, "e"],
        ["Burundi", None, 180, "e", "--"],
        ["Total", None, 192000, "r", 228000],
        ["eEstimated.  rRevised.  -- Zero."],
        ["3Official production quota. Illegal production could not be quantified."],
    ):
        world.append(row)
    world["A5"] = CellRichText("Australia", TextBlock(up, "e"))
    world["A6"] = CellRichText("China", TextBlock(up, "3"))
    book.save(path)
    return path


def test_a_wide_table_of_the_summaries_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "MCS2025_World_Data.csv", MCS_2025, "utf-8-sig")
    download = importers.read_usgs_mcs(path)
    found = told(download)
    ore, nickel = "Rare earths: Mine production", "Nickel: Mine production"
    assert found[2024, "output", ore, "United States", ""] == 45000
    assert found[2023, "output", nickel, "New Caledonia", ""] == 231000
    assert found[2023, "output", nickel, "Congo (Kinshasa)", ""] == 500
    assert len(found) == 9
    by = {(r.year, r.reporter): r for r in download.records}
    assert by[2024, "United States"].quality == "estimated"
    assert by[2023, "United States"].quality == "reported"
    assert by[2023, "Burma"].quality == "estimated"
    assert by[2023, "China"].quality == "quota"
    assert by[2023, "Other countries"].figure.qualifier == "at_least"
    assert by[2023, "China"].basis == "rare-earth-oxide equivalent"
    assert by[2023, "China"].release == "2025"
    # The note of the row above goes over two lines.
    assert by[2024, "China"].places[0] == importers.record.Place("MCS2025_World_Data.csv", 5, "PROD_EST_ 2024")
    for word in ("W: ", "E: ", "XX", "NA: ", "zero"):
        assert left(download, word) == 1
    assert left(download, "reserves") == left(download, "capacity") == 7
    assert len(importers.read_usgs_mcs(path, products=["nick"]).records) == 3


def test_tables_of_one_commodity_have_the_unit_in_the_name_of_the_column(tmp_path: Path) -> None:
    world = write(
        tmp_path,
        "mcs2023-lithi_world.csv",
        "Source,Country,Type,Prod_kt_2021,Prod_t_est_2022,Prod_notes,Reserves_t,Reserves_notes\n"
        'MCS2023,Chile,"Mine production, contained lithium",28.3,"39,000",,9300000,\n',
    )
    salient = write(
        tmp_path,
        "mcs2023-lithi_salient.csv",
        "DataSource,Commodity,Year,USprod_t,Imports_kt,Exports_t,Consump_t,Price_dt,NIR_pct\n"
        "MCS2023,Lithium,2021,W,2.64,1870,2000,17000,>25\n",
    )
    download = importers.read_usgs_mcs([world, salient])
    assert told(download) == {
        (2021, "output", "lithi: Mine production", "Chile", ""): 28300,
        (2022, "output", "lithi: Mine production", "Chile", ""): 39000,
        (2021, "import", "Lithium: Imports", "(reporting country)", "*"): 2640,
        (2021, "export", "Lithium: Exports", "(reporting country)", "*"): 1870,
        (2021, "use", "Lithium: Consump", "(reporting country)", ""): 2000,
    }
    assert left(download, "no flow") == 3
    assert left(download, "withheld") == 1


def test_the_long_table_of_a_later_release_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "commodities.csv", MCS_2026, "cp1252")
    download = importers.read_usgs_mcs(path)
    ore = "Rare Earths: Mine production"
    assert told(download) == {
        (2021, "import", "Rare Earths: Imports: Compounds", "United States", "*"): 7730,
        (2023, "output", ore, "Burma", ""): 42000,
        (2025, "output", ore, "China", ""): 270000,
        (2025, "output", ore, "World total", ""): 390000,
    }
    assert [r.quality for r in download.records] == ["estimated", "reported", "quota", "reported"]
    assert download.records[0].basis == "rare-earth-oxide (REO) equivalent"
    assert {r.release for r in download.records} == {"2026"}
    assert left(download, "no flow") == 2


def test_a_later_release_revises_and_both_are_kept(my_case: Path, tmp_path: Path) -> None:
    header = "Source,Country,Type,Prod_t_2019,Prod_t_est_2020,Prod_notes\n"
    earlier = write(tmp_path, "mcs2021-x_world.csv", f"{header}MCS2021,Southland,Mine production,24000,43000,\n")
    later = write(
        tmp_path,
        "mcs2022-x_world.csv",
        "Source,Country,Type,Prod_t_2020,Prod_t_est_2021,Prod_notes\nMCS2022,Southland,Mine production,42000,1,\n",
    )
    first = importers.import_files("usgs-mcs", earlier, my_case)
    assert "x: Mine production" in first.unmapped
    assert "regions of the case: South, North" in str(first)
    assert not (my_case / "evidence").exists()
    fill(
        first.mapping,
        {
            "x: Mine production": "concentrate",
            "Southland": "South",
            "gross": "Li",
            "reported": "statistics",
            "estimated": "estimate",
        },
        "mine_production",
    )
    assert len(importers.import_files("usgs-mcs", earlier, my_case).new) == 2
    rows = evidence(my_case, "usgs-mcs")
    by_hand = my_case / "evidence" / "usgs-mcs.csv"
    with by_hand.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "width"])
        writer.writeheader()
        writer.writerows({**row, "width": "0.07"} for row in rows)
    done = importers.import_files("usgs-mcs", later, my_case)
    assert len(done.revised) == 1
    assert "43000" in done.revised[0]
    assert "42000" in done.revised[0]
    rows = evidence(my_case, "usgs-mcs")
    assert [(row["year_from"], row["value"], row["width"]) for row in rows] == [
        ("2019", "24000", "0.07"),
        ("2020", "42000", "0.07"),
    ]
    for _ in range(2):
        again = importers.import_files("usgs-mcs", earlier, my_case)
        assert (len(again.same), len(again.earlier)) == (1, 1)
    assert evidence(my_case, "usgs-mcs") == rows
    kept = (my_case / "imports" / "usgs-mcs_superseded.csv").read_text(encoding="utf-8").splitlines()
    assert len(kept) == 2
    assert "43000" in kept[1]
    report = ree.check_case(my_case)
    assert report.passed, str(report)
    assert not [w for w in report.warnings if "not read" in w.message]


def test_a_series_of_one_commodity_is_read(tmp_path: Path) -> None:
    download = importers.read_usgs_ds140(write(tmp_path, "ds140.csv", DS140))
    found = told(download)
    assert found[2018, "output", "Lithium: production", "(reporting country)", ""] == 14000
    assert found[2019, "import", "Lithium: imports", "(reporting country)", "*"] == 13300
    assert found[2019, "output", "Lithium: world production", "World", ""] == 219000
    assert len(found) == 5
    assert {(r.release, r.basis) for r in download.records} == {("2023-09-27", "rare-earth oxide equivalent")}
    assert left(download, "formula") == left(download, "W: ") == left(download, "NA: ") == 1
    with pytest.raises(CaseError, match="Data Series 140"):
        importers.read_usgs_ds140(write(tmp_path, "other.csv", MCS_2026))


def test_a_workbook_made_for_print_is_read(tmp_path: Path) -> None:
    download = importers.read_usgs_yearbook(yearbook(tmp_path / "myb.xlsx"))
    here = "(reporting country)"
    assert told(download) == {
        (2021, "import", "2846.10.0010", here, "China"): 334,
        (2022, "import", "2846.10.0010", here, "China"): 209,
        (2021, "import", "2846.10.0010", here, "Other"): 32.3,
        (2021, "import", "2846.90.2082", here, "Russia"): 0.035,
        (2021, "import", "3606.90.3010+3606.90.3090", here, "Austria"): 50.9,
        (2021, "output", "Rare earths: world mine production", "Australia", ""): 24000,
        (2022, "output", "Rare earths: world mine production", "Australia", ""): 18000,
        (2021, "output", "Rare earths: world mine production", "China", ""): 168000,
        (2022, "output", "Rare earths: world mine production", "China", ""): 210000,
        (2021, "output", "Rare earths: world mine production", "Burundi", ""): 180,
        (2021, "output", "Rare earths: world mine production", "World total", ""): 192000,
        (2022, "output", "Rare earths: world mine production", "World total", ""): 228000,
    }
    by = {(r.year, r.product[:4], r.reporter + r.partner): r for r in download.records}
    assert by[2021, "2846", f"{here}Other"].figure.qualifier == "revised"
    assert by[2021, "Rare", "Australia"].quality == by[2021, "Rare", "Burundi"].quality == "estimated"
    assert by[2021, "Rare", "China"].quality == "quota"
    assert by[2021, "Rare", "China"].basis == "rare-earth oxide equivalent"
    assert left(download, "total of the rows") == 4
    assert left(download, "zero") == 2
