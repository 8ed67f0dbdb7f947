"""Comext of Eurostat: bulk files of detailed trade, in the earlier form of 19 columns and the present one of 18."""

import re
from pathlib import Path

from reeuncert.importers.printed import month_of
from reeuncert.importers.record import Direction, Download, Place, Record
from reeuncert.importers.sheets import header_of, read_rows

_FLOWS: dict[str, Direction] = {"1": "import", "2": "export"}
_EARLIER = {"DECLARANT_ISO": "REPORTER", "PARTNER_ISO": "PARTNER", "PARTNER": "PARTNER_CODE"}
_EARLIER |= {"STAT_REGIME": "STAT_PROCEDURE", "QUANTITY_IN_KG": "QUANTITY_KG"}
"""Columns of the earlier form, and their names today."""

_NEEDED = ("REPORTER", "PARTNER", "PRODUCT_NC", "FLOW", "STAT_PROCEDURE", "PERIOD", "QUANTITY_KG")
_UNDISCLOSED = re.compile(r"Q[M-Z]|0?9[5-9]\d")
"""Partners that stand for stores and provisions, and for countries that are secret or not specified (QA is Qatar)."""

_ALL_PROCEDURES = "4"


def read(paths: list[Path], download: Download) -> None:
    """Read weights in kilograms, summed over procedures, and over the months of a year."""
    for path in paths:
        names = _EARLIER if "DECLARANT_ISO" in header_of(path) else {}
        for line, row in read_rows(path, _NEEDED, download.kind, names):
            place = Place(path.name, line, "QUANTITY_KG")
            if not download.skips(row["PRODUCT_NC"], place):
                _take(row, place, download)
    download.settle(divided=True)


def _take(row: dict[str, str], place: Place, download: Download) -> None:
    # Some rows have the number of a country and no letters.
    reporter, partner = row["REPORTER"] or row.get("DECLARANT", ""), row["PARTNER"] or row.get("PARTNER_CODE", "")
    why_not = ""
    if not re.fullmatch(r"\d{8}", row["PRODUCT_NC"]):
        why_not = "a code of the statistics, not of goods (totals, confidential trade)"
    elif row["FLOW"] not in _FLOWS:
        why_not = f"flow {row['FLOW']}: neither import nor export"
    elif row["STAT_PROCEDURE"] == _ALL_PROCEDURES:
        why_not = "the sum over procedures, which are read one by one"
    elif _UNDISCLOSED.fullmatch(partner):
        why_not = "the partner is confidential, or not a country"
    for what, word in (("DECLARANT", reporter), ("PARTNER_CODE", partner)):
        download.describe("region", word, f"code {row[what]}" if row.get(what) else "")
    # The month 52 stands for the year.
    year, month = download.year(row["PERIOD"], place, "PERIOD"), month_of(row["PERIOD"][4:])
    like = Record((place,), year, _FLOWS.get(row["FLOW"], ""), row["PRODUCT_NC"], reporter, partner, month=month)
    download.take(like, row["QUANTITY_KG"], "kg", why_not, customs=True)
