"""Files of statistical offices in their true formats, and what importers make of them."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl

from reeuncert.importers.record import Download

ROOT = Path(__file__).parents[1]


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


COMEXT_18 = (
    "REPORTER,PARTNER,TRADE_TYPE,PRODUCT_NC,PRODUCT_SITC,PRODUCT_CPA21,PRODUCT_CPA22,PRODUCT_BEC,PRODUCT_BEC5,"
    "PRODUCT_SECTION,FLOW,STAT_PROCEDURE,SUPPL_UNIT,PERIOD,VALUE_EUR,VALUE_NAC,QUANTITY_KG,QUANTITY_SUPPL_UNIT"
)
