"""Importers of trade statistics and of the BGS on small files in the true formats, with invented figures."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from downloads import COMEXT_18, comtrade, dataweb, left, plus, told, write
from reeuncert import importers
from reeuncert.errors import CaseError

LEGACY = (
    "Classification,Year,Period,Period Desc.,Aggregate Level,Is Leaf Code,Trade Flow Code,Trade Flow,Reporter Code,"
    "Reporter,Reporter ISO,Partner Code,Partner,Partner ISO,Commodity Code,Commodity,Qty Unit Code,Qty Unit,Qty,"
    "Netweight (kg),Trade Value (US$),Flag"
)


COMEXT_19 = (
    "DECLARANT,DECLARANT_ISO,PARTNER,PARTNER_ISO,TRADE_TYPE,PRODUCT_NC,PRODUCT_SITC,PRODUCT_CPA2002,PRODUCT_CPA2008,"
    "PRODUCT_CPA2_1,PRODUCT_BEC,PRODUCT_SECTION,FLOW,STAT_REGIME,SUPP_UNIT,PERIOD,VALUE_IN_EUROS,QUANTITY_IN_KG,"
    "SUP_QUANTITY"
)


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
    assert left(download, "the unit 'number' is not a mass")
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
                row.format("QA", "28469000", 1, 1, 201952, 3000),
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
        (2019, "import", "28469000", "DE", "QA"): 3.0,
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


@pytest.mark.parametrize(
    ("name", "says"), [("answer.json", r"download the query as CSV from comtradeplus\.un\.org"), ("a.zip", "unzip it")]
)
def test_what_has_to_be_downloaded_or_unzipped_first_is_refused(tmp_path: Path, name: str, says: str) -> None:
    path = write(tmp_path, name, "{}")
    if name == "a.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", "x")
    with pytest.raises(CaseError, match=says) as caught:
        importers.read_comtrade(path)
    assert [p.file for p in caught.value.problems] == [name]
