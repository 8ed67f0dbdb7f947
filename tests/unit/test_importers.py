"""Importers on small files in the true formats: facts of US agencies, or invented figures."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from pathlib import Path
from typing import get_args

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

import reeuncert as ree
from reeuncert import importers
from reeuncert.errors import CaseError
from reeuncert.importers.record import Download

ROOT = Path(__file__).parents[2]


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def told(download: Download) -> dict[tuple[object, ...], float]:
    """Year, direction, product, reporter and partner → tonnes."""
    return {(r.year, r.direction, r.product, r.reporter, r.partner): r.figure.value for r in download.records}


def reasons(download: Download) -> dict[str, int]:
    return {reason: count for reason, (_, count) in download.left_out.items()}


def left(download: Download, word: str) -> int:
    """Figures left out for reasons with a word."""
    return sum(count for reason, count in reasons(download).items() if word in reason)


@pytest.fixture
def my_case(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "models" / "small_metal", tmp_path / "my_case"))


def fill(path: Path, to: dict[str, str], quantity: str = "") -> None:
    """Fill the draft of a mapping."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["to"] = to.get(row["word"], row["to"]) if row["what"] != "lineage" else ""
        row["quantity"] = quantity if row["what"] == "product" and row["to"] else ""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def evidence(case: Path, kind: str) -> list[dict[str, str]]:
    with (case / "evidence" / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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


MCS_2026 = """\
MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,\
Is critical mineral,Other notes
RARE EARTHS,Salient Statistics—United States,Rare Earths,United States,Import,Imports: Compounds,metric tons,2021,\
"7,730",Estimated. -- From shipping records.,Yes,"(Data in metric tons, rare-earth-oxide (REO) equivalent, unless said)"
RARE EARTHS,World,Rare Earths,Burma,Production,Mine production,metric tons,2023,"42,000",,Yes,
RARE EARTHS,World,Rare Earths,China,Production,Mine production,metric tons,2025,"270,000",\
Estimated. -- Production quota; does not include undocumented production.,Yes,
RARE EARTHS,World,Rare Earths,World total,Production,Mine production: rounded,metric tons,2025,"390,000",,Yes,
RARE EARTHS,World,Rare Earths,World total,Reserves,Reserves: rounded,metric tons,2025,">85,000,000",,Yes,
RARE EARTHS,Import Sources,Rare Earths,China,Import sources 2021-24,All,percent,2021-24,71,,Yes,
"""


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
    assert len(importers.import_files("usgs-mcs", earlier, my_case).changes.new) == 2
    rows = evidence(my_case, "usgs-mcs")
    by_hand = my_case / "evidence" / "usgs-mcs.csv"
    with by_hand.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "width"])
        writer.writeheader()
        writer.writerows({**row, "width": "0.07"} for row in rows)
    done = importers.import_files("usgs-mcs", later, my_case)
    assert len(done.changes.revised) == 1
    assert "43000" in done.changes.revised[0]
    assert "42000" in done.changes.revised[0]
    rows = evidence(my_case, "usgs-mcs")
    assert [(row["year_from"], row["value"], row["width"]) for row in rows] == [
        ("2019", "24000", "0.07"),
        ("2020", "42000", "0.07"),
    ]
    for _ in range(2):
        again = importers.import_files("usgs-mcs", earlier, my_case)
        assert (len(again.changes.same), len(again.changes.earlier)) == (1, 1)
    assert evidence(my_case, "usgs-mcs") == rows
    kept = (my_case / "imports" / "usgs-mcs_superseded.csv").read_text(encoding="utf-8").splitlines()
    assert len(kept) == 2
    assert "43000" in kept[1]
    report = ree.check_case(my_case)
    assert report.passed, str(report)
    assert not [w for w in report.warnings if "not read" in w.message]


DS140 = """\
LITHIUM STATISTICS1,,,,,
U.S. GEOLOGICAL SURVEY,,,,,
[All quantities in metric tons (t) rare-earth oxide equivalent unless otherwise noted],,,,,
"Last modification: September 27, 2023",,,,,
Year,Production,Imports,Apparent consumption,Unit value ($/t),World production
2018,14000,11700,=(B6+C6),8860,190000
2019,W,13300,NA,6080,219000
NA Not available.,,,,,
"""


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


DATAWEB = (
    ["Imports For Consumption|Annual + Year-To-Date Data from Jan - Apr"],
    ["Data Row Count", 4],
    [
        "Data Type",
        "Country",
        "HTS Number",
        "Description",
        "Quantity Description",
        "2023",
        "2024",
        "2025",
        "2023_Suppressed",
    ],
    ["First Unit of Quantity", "Canada", "2846", "COMPOUNDS", "kilograms", 215.0, 11455.0, 0.0, 0.0],
    ["First Unit of Quantity", "China", "2846", "COMPOUNDS", "kilograms", 10999920.0, 0.0, 0.0, 28.0],
    ["First Unit of Quantity", "China", "2846", "COMPOUNDS", "number", 4.0, 0.0, 0.0, 0.0],
    ["First Unit of Quantity", "China", "2846", "COMPOUNDS", "metric tons", 1.0, 0.0, 0.0, 0.0],
)
QUERY = (
    ["Download Date", "2025-07-10 16:57:38"],
    ["Step 1: Trade Flow and Classification System", None],
    ["Trade Flow", "Imports For Consumption"],
    ["Step 2: Data and Years", None],
    ["Select Type", "Full Years"],
    ["Step 3: Countries", None],
    ["Select Type", "Select Individual Countries"],
    ["Country List", "Canada, China, Chile"],
)


def dataweb(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Query Parameters"
    for row in QUERY:
        sheet.append(row)
    for name, head in (
        ("First Unit of Quantity", ""),
        ("First Unit of Quantity YTD", "_Year_to_date"),
        ("FAS Value", ""),
    ):
        sheet = book.create_sheet(name)
        for i, row in enumerate(DATAWEB):
            cells = [f"{str(c)[:4]}{head}{str(c)[4:]}" if i == 2 and str(c)[:2] == "20" else c for c in row]
            sheet.append([name, *cells[1:]] if i > 2 and "Value" in name else cells)
    book.save(path)
    return path


def test_a_query_of_dataweb_is_read(tmp_path: Path) -> None:
    download = importers.read_dataweb(dataweb(tmp_path / "query.xlsx"))
    here = "(reporting country)"
    assert told(download) == {
        (2023, "import", "2846", here, "Canada"): 0.215,
        (2024, "import", "2846", here, "Canada"): 11.455,
        (2023, "import", "2846", here, "China"): 11000.92 - 0.0,
    }
    china = next(r for r in download.records if r.partner == "China")
    assert china.figure.qualifier == "at_least"
    assert "another unit" in china.note
    assert download.partial
    assert "Chile" in download.notices[0]
    assert left(download, "not over") == 4
    assert left(download, "year to date") == left(download, "first unit") == 12
    assert left(download, "zero") == 2
    assert {r.release for r in download.records} == {"2025-07-10"}


def test_months_make_a_year_only_if_all_are_there(tmp_path: Path) -> None:
    months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"]
    text = "Domestic Exports\nData Row Count,2\nData Type,HTS Number,Country,Quantity Description,Year,"
    text += ",".join([*months, "November", "December"]) + "\n"
    for year, count in ((2022, 12), (2023, 5)):
        cells = ["1000"] * count + [""] * (12 - count)
        text += f"First Unit of Quantity,2846,Japan,kilograms,{year},{','.join(cells)}\n"
    download = importers.read_dataweb(write(tmp_path, "months.csv", text))
    assert told(download) == {(2022, "export", "2846", "(reporting country)", "Japan"): 12.0}
    assert left(download, "part of a year") == 5


PLUS = (
    "typeCode,freqCode,refPeriodId,refYear,refMonth,period,reporterCode,reporterISO,reporterDesc,flowCode,flowDesc,"
    "partnerCode,partnerISO,partnerDesc,partner2Code,partner2ISO,partner2Desc,classificationCode,"
    "classificationSearchCode,isOriginalClassification,cmdCode,cmdDesc,aggrLevel,isLeaf,customsCode,customsDesc,mosCode,"
    "motCode,motDesc,qtyUnitCode,qtyUnitAbbr,qty,isQtyEstimated,altQtyUnitCode,altQtyUnitAbbr,altQty,"
    "isAltQtyEstimated,netWgt,isNetWgtEstimated,grossWgt,isGrossWgtEstimated,cifvalue,fobvalue,primaryValue,"
    "legacyEstimationFlag,isReported,isAggregate"
)


def plus(**given: object) -> str:
    """One row of Comtrade Plus, with invented figures; it ends with a comma that the header lacks."""
    usual: dict[str, object] = {
        "typeCode": "C",
        "freqCode": "A",
        "refYear": 2018,
        "refMonth": 52,
        "period": 2018,
        "reporterCode": 900,
        "flowCode": "M",
        "partnerCode": 901,
        "partner2Code": 0,
        "classificationCode": "H5",
        "isOriginalClassification": True,
        "cmdCode": "010121",
        "customsCode": "C00",
        "mosCode": 0,
        "motCode": 0,
        "qtyUnitCode": 8,
        "qty": 5000,
        "isQtyEstimated": False,
        "netWgt": 4000,
        "isNetWgtEstimated": False,
        "legacyEstimationFlag": 0,
    }
    return ",".join(str((usual | given).get(name, "")) for name in PLUS.split(",")) + ","


def comtrade(folder: Path, *rows: str, header: str = PLUS) -> Path:
    return write(folder, "comtrade.csv", "\n".join([header, *rows]) + "\n")


def test_rows_of_comtrade_are_read_once(tmp_path: Path) -> None:
    path = comtrade(
        tmp_path,
        plus(),
        plus(),
        plus(partnerCode=0, netWgt=9000),
        plus(partnerCode=899, partnerDesc='"Areas, nes"', netWgt=7, isNetWgtEstimated=True, legacyEstimationFlag=6),
        plus(partnerCode=842, netWgt="0.0", isNetWgtEstimated=True, qty=3200000),
        plus(partnerCode=156, netWgt="0.0", isNetWgtEstimated=True, qty=0),
        plus(partner2Code=104),
        plus(customsCode="C01"),
        plus(motCode=2100),
        plus(flowCode="RX"),
        plus(classificationCode="H6", isOriginalClassification=False, netWgt=4100),
        plus(refYear=2019, classificationCode="H5", isOriginalClassification=False, period=2019, netWgt=1),
        plus(refYear=2019, classificationCode="H6", period=2019),
        *(plus(refMonth=m, period=f"2020{m:02}", refYear=2020, netWgt=1000) for m in range(1, 13)),
        plus(refMonth=1, period="202101", refYear=2021),
    )
    download = importers.read_comtrade(path)
    found = {(year, partner): tonnes for (year, _, _, _, partner), tonnes in told(download).items()}
    assert found == {
        (2018, "901"): 4.0,
        (2018, "0"): 9.0,
        (2018, "899"): 0.007,
        (2018, "842"): 3200.0,
        (2019, "901"): 4.0,
        (2020, "901"): 12.0,
    }
    assert {r.product for r in download.records} == {"010121"}
    quality = {(r.year, r.partner): r.quality for r in download.records}
    assert quality[2018, "899"] == "estimated"
    assert quality[2018, "842"] == "reported"
    assert next(r for r in download.records if r.year == 2019).note == "classification H6"
    assert left(download, "again") == 1
    assert left(download, "part of a row of all") == 3
    assert left(download, "re-exports") == left(download, "not reported") == 1
    assert left(download, "told in") == 2
    assert left(download, "part of a year") == 1
    assert "Terms" in str(download)
    with pytest.raises(CaseError, match="another figure"):
        importers.read_comtrade(comtrade(tmp_path, plus(), plus(netWgt=1)))


LEGACY = (
    "Classification,Year,Period,Period Desc.,Aggregate Level,Is Leaf Code,Trade Flow Code,Trade Flow,Reporter Code,"
    "Reporter,Reporter ISO,Partner Code,Partner,Partner ISO,Commodity Code,Commodity,Qty Unit Code,Qty Unit,Qty,"
    "Netweight (kg),Trade Value (US$),Flag"
)


def test_the_earlier_form_of_comtrade_is_read(tmp_path: Path) -> None:
    row = "H4,2016,2016,2016,6,1,{},Import,900,Northland,NOR,901,Southland,SOU,283691,Carbonate,8,kg,5,{},9,{}"
    rows = [row.format(1, 4000, 0), row.format(2, 2000, 4), row.format(3, 1000, 0)]
    download = importers.read_comtrade(comtrade(tmp_path, *rows, header=LEGACY))
    assert told(download) == {
        (2016, "import", "283691", "900", "901"): 4.0,
        (2016, "export", "283691", "900", "901"): 2.0,
    }
    assert [r.quality for r in download.records] == ["reported", "estimated"]
    assert left(download, "re-exports") == 1
    assert download.printed["region", "901"] == "Southland"


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
        once = told(importers.registry.read_download(kind, path))
        again = write(tmp_path, f"copy-{name}" if kind != "usgs-mcs" else "mcs2020-x_world(1).csv", content)
        assert told(importers.registry.read_download(kind, [path, again])) == once
        write(tmp_path, again.name, other)
        with pytest.raises(CaseError, match="another figure for the same key"):
            importers.registry.read_download(kind, [path, again])
        with pytest.raises(CaseError, match="2 files have this name"):
            importers.registry.read_download(kind, [path, write(tmp_path / "copies", name, other)])


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


def test_baci_is_read_with_its_country_codes(tmp_path: Path) -> None:
    table = write(
        tmp_path,
        "BACI_HS17_Y2024_V202601.csv",
        "t,i,j,k,v,q\n2024,276,842,10121,1.5,   2.000\n2024,280,842,10121,1.5,\n2024,280,276,10121,1.5,NA\n"
        "2024,156,842,850511,1.5,7\n",
    )
    codes = write(
        tmp_path,
        "country_codes.csv",
        "country_code,country_name,country_iso2,country_iso3\n276,Germany,DE,DEU\n280,Fed. Rep. (...1990),DE,DEU\n",
    )
    download = importers.read_baci([table, codes], products=["0101"])
    assert told(download) == {(2024, "export", "010121", "276", "842"): 2.0}
    assert download.printed["region", "280"] == "Fed. Rep. (...1990)"
    assert download.records[0].release == "V202601"
    assert left(download, "another product") == 1
    assert left(download, "missing, which is not zero") == 2


COMEXT_19 = (
    "DECLARANT,DECLARANT_ISO,PARTNER,PARTNER_ISO,TRADE_TYPE,PRODUCT_NC,PRODUCT_SITC,PRODUCT_CPA2002,PRODUCT_CPA2008,"
    "PRODUCT_CPA2_1,PRODUCT_BEC,PRODUCT_SECTION,FLOW,STAT_REGIME,SUPP_UNIT,PERIOD,VALUE_IN_EUROS,QUANTITY_IN_KG,"
    "SUP_QUANTITY"
)
COMEXT_18 = (
    "REPORTER,PARTNER,TRADE_TYPE,PRODUCT_NC,PRODUCT_SITC,PRODUCT_CPA21,PRODUCT_CPA22,PRODUCT_BEC,PRODUCT_BEC5,"
    "PRODUCT_SECTION,FLOW,STAT_PROCEDURE,SUPPL_UNIT,PERIOD,VALUE_EUR,VALUE_NAC,QUANTITY_KG,QUANTITY_SUPPL_UNIT"
)


def test_both_forms_of_comext_are_read(tmp_path: Path) -> None:
    row = "004,DE,0720,{},E,{},5,0,2,2,1,06,{},{},A,{},10,{},0"
    earlier = write(
        tmp_path,
        "full201952.dat",
        "\n".join(
            [
                COMEXT_19,
                row.format("CN", "28469000", 1, 1, 201952, 600),
                row.format("CN", "28469000", 1, 2, 201952, 400),
                row.format("CN", "28469000", 1, 4, 201952, 1000),
                row.format("CN", "99RRR100", 1, 1, 201952, 600),
                row.format("CN", "TOTAL", 1, 1, 201952, 600),
                row.format("QZ", "28469000", 1, 1, 201952, 600),
                row.format("CN", "28469000", 2, 1, 201952, 0),
                row.format("CN", "28469000", 2, 1, 201801, 5),
            ]
        ),
    )
    present = write(
        tmp_path, "full_v2_202252.dat", f"{COMEXT_18}\nDE,CN,E,01012100,5,2,2,2,3,06,2,1,NO_SU,202252,1,1,7,0\n"
    )
    assert len(COMEXT_19.split(",")) == 19
    download = importers.read_comext([earlier, present])
    assert told(download) == {
        (2019, "import", "28469000", "DE", "CN"): 1.0,
        (2022, "export", "01012100", "DE", "CN"): 0.007,
    }
    assert left(download, "a code of the statistics") == 2
    for word in ("sum over procedures", "partner is confidential", "not reported", "part of a year"):
        assert left(download, word) == 1


def test_customs_offices_are_summed(tmp_path: Path) -> None:
    header = "Exp or Imp,Year,Custom,HS,Country,Unit1,Unit2,Quantity1-Year,Quantity2-Year,Value-Year"
    header += "".join(f",Quantity1-{m},Quantity2-{m},Value-{m}" for m in ("Jan", "Dec"))
    row = "{},{},{},{},105,{},{},{},{},9,0,1,1,0,1,{}"
    rows = [
        row.format(2, 2022, 100, "'010121100", "  ", "KG", 0, 700, 1),
        row.format(2, 2022, 200, "10121100", "  ", "KG", 0, 300, 1),
        row.format(1, 2022, 100, "'284690000", "MT", "KG", 2, 2000, 1),
        row.format(1, 2022, 100, "'850511000", "  ", "NO", 0, 3, 1),
        row.format(1, 2022, 100, "'284610000", "  ", "KG", 0, 0, 1),
        row.format(2, 2023, 100, "'010121100", "  ", "KG", 0, 700, 0),
    ]
    download = importers.read_japan_customs(write(tmp_path, "customs.csv", "\n".join([header, *rows])))
    here = "(reporting country)"
    assert told(download) == {
        (2022, "import", "010121100", here, "105"): 1.0,
        (2022, "export", "284690000", here, "105"): 2.0,
    }
    for word in ("no masses", "no weight", "part of a year"):
        assert left(download, word) == 1


def test_an_export_of_bgs_is_read(tmp_path: Path) -> None:
    header = (
        "country_iso3_code,units,year,concat_table_notes_text,quantity,bgs_statistic_type_trans,bgs_commodity_trans,"
    )
    header += "concat_figure_notes_text,country_trans,bgs_sub_commodity_trans"
    row = "SOU,tonnes (metric),{}-01-01 00:00:00,REO content.,{},{},lithium minerals,{},Southland,{}"
    path = write(
        tmp_path,
        "bgs.csv",
        "\n".join(
            [
                header,
                row.format(2018, 900, "Production", "Estimates.", "Spodumene"),
                row.format(2019, "", "Production", "", ""),
                row.format(2020, 40, "Imports", "", ""),
                row.format(2021, 40, "Reserves", "", ""),
            ]
        ),
    )
    download = importers.read_bgs(path)
    assert told(download) == {
        (2018, "output", "lithium minerals: Spodumene", "Southland", ""): 900,
        (2020, "import", "lithium minerals", "Southland", "*"): 40,
    }
    assert [(r.quality, r.basis) for r in download.records] == [
        ("estimated", "REO content"),
        ("reported", "REO content"),
    ]
    assert left(download, "no figure") == left(download, "no flow") == 1


JAPAN = "Exp or Imp,Year,HS,Country,Unit1,Unit2,Quantity1-Year,Quantity2-Year\n2,{},'010121100,105,,KG,0,700\n"
BGS = "country_trans,year,bgs_commodity_trans,bgs_statistic_type_trans,quantity,units\nS,{},ore,Production,9,tonnes\n"
SALIENT = "DataSource,Commodity,Year,USprod_t\nMCS2023,Lithium,{},20\n"
QUERY_BY_YEAR = (
    "Imports\nData Type,HTS Number,Country,Quantity Description,Year,Value\nFirst Unit,28,J,kilograms,{},7\n"
)


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
                importers.registry.read_download(kind, path)
            assert {(p.file, p.line) for p in caught.value.problems} == {(name, line)}


def test_answers_of_the_service_of_comtrade_and_zips_are_read(tmp_path: Path) -> None:
    def answer(*rows: str, error: str = "") -> str:
        cells = [dict(zip(PLUS.split(","), row.split(","), strict=False)) for row in rows]
        return json.dumps(
            {"count": len(rows), "data": [c | {"netWgt": float(c["netWgt"])} for c in cells], "error": error}
        )

    path = write(tmp_path, "answer.json", answer(plus(), plus(partnerCode=842, netWgt="1e16")))
    with zipfile.ZipFile(tmp_path / "answer.zip", "w") as archive:
        archive.write(path, "comtrade/answer.json")
        archive.writestr("__MACOSX/._answer.json", "x")
        archive.writestr("readme.txt", "x")
    for given in (path, tmp_path / "answer.zip"):
        download = importers.read_comtrade(given)
        assert {(r.partner, r.figure.value) for r in download.records} == {("901", 4.0), ("842", 1e13)}
        assert download.records[0].places[0].file == "answer.json"
    assert "preview" in str(importers.read_comtrade(write(tmp_path, "most.json", answer(*[plus()] * 500))))
    write(tmp_path, "cut.zip", "PK\x03\x04")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.pdf", "x")
    write(tmp_path, "cut.json", path.read_text()[:-30])
    write(tmp_path, "error.json", answer(plus(), error="quota"))
    for name in ("cut.zip", "other.zip", "cut.json", "error.json"):
        with pytest.raises(CaseError) as caught:
            importers.read_comtrade(tmp_path / name)
        assert caught.value.problems[0].file == name


@pytest.mark.parametrize("kind", importers.IMPORTERS)
def test_a_file_of_another_kind_is_refused_with_what_is_missing(kind: str, tmp_path: Path) -> None:
    other = write(tmp_path, "other.csv", "a,b\n1,2\n")
    with pytest.raises(CaseError) as caught:
        importers.registry.read_download(kind, other)
    assert caught.value.problems[0].file == "other.csv"
    with pytest.raises(CaseError, match="looked for"):
        importers.registry.read_download(kind, tmp_path / "absent.csv")
    with pytest.raises(CaseError, match="no Excel workbook"):
        importers.registry.read_download(kind, write(tmp_path, "other.xlsx", "a,b"))


def test_every_row_of_the_registry_is_a_function_and_a_choice_of_the_command() -> None:
    from reeuncert.cli.options import ImporterName

    for kind in importers.IMPORTERS:
        assert callable(getattr(importers, f"read_{kind.replace('-', '_')}"))
    assert get_args(ImporterName) == tuple(importers.IMPORTERS)
