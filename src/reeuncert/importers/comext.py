"""Comext of Eurostat: the bulk files of detailed trade, in the earlier form of 19 columns and the present one of 18."""

from __future__ import annotations

import re
from pathlib import Path

from reeuncert.importers.printed import Figure, read_figure
from reeuncert.importers.record import EXPORT, IMPORT, Download, Place, Record
from reeuncert.importers.sheets import header_of, read_table, rows_of

_FLOWS = {"1": IMPORT, "2": EXPORT}
_PRESENT = {
    "REPORTER": "DECLARANT_ISO",
    "PARTNER": "PARTNER_ISO",
    "STAT_PROCEDURE": "STAT_REGIME",
    "QUANTITY_KG": "QUANTITY_IN_KG",
}
_NEEDED = ("DECLARANT_ISO", "PARTNER_ISO", "PRODUCT_NC", "FLOW", "STAT_REGIME", "PERIOD", "QUANTITY_IN_KG")
_UNDISCLOSED = re.compile(r"Q[A-Z]|09[5-9]\d|9[5-9]\d")
"""Partners that stand for stores and provisions, and for countries that are secret or not specified."""

_ALL_PROCEDURES = "4"


def read(paths: list[Path], download: Download) -> None:
    """Read weights in kilograms, summed over procedures, and over the months of a year."""
    for path in paths:
        earlier = "DECLARANT_ISO" in header_of(path)
        names = {} if earlier else _PRESENT
        back = {new: old for old, new in names.items()}
        for table in read_table(path, [back.get(name, name) for name in _NEEDED], download.kind):
            if earlier:
                for what in ("DECLARANT", "PARTNER"):
                    for code, iso in table[[what, f"{what}_ISO"]].drop_duplicates().itertuples(index=False):
                        download.describe("region", iso, f"{what.lower()} code {code}" if iso else "")
                table.loc[table["DECLARANT_ISO"] == "", "DECLARANT_ISO"] = table["DECLARANT"]
                table.loc[table["PARTNER_ISO"] == "", "PARTNER_ISO"] = table["PARTNER"]
            rows = table.rename(columns=names)
            wanted = rows["PRODUCT_NC"].map({code: download.wants(code) for code in rows["PRODUCT_NC"].unique()})
            lines = (Place(path.name, int(str(line)), "QUANTITY_IN_KG") for line in rows.index[~wanted])
            download.leave("another product than those asked for", *lines)
            for line, row in rows_of(rows[wanted]):
                _take(row, Place(path.name, line, "QUANTITY_IN_KG"), download)
    download.merge()


def _take(row: dict[str, str], place: Place, download: Download) -> None:
    code, period = row["PRODUCT_NC"], row["PERIOD"]
    if not re.fullmatch(r"\d{8}", code):
        download.leave("a code of the statistics, not of goods (totals, confidential trade)", place)
    elif row["FLOW"] not in _FLOWS:
        download.leave(f"flow {row['FLOW']}: neither import nor export", place)
    elif row["STAT_REGIME"] == _ALL_PROCEDURES:
        download.leave("the sum over procedures, which are read one by one", place)
    elif _UNDISCLOSED.fullmatch(row["PARTNER_ISO"]):
        download.leave("the partner is confidential, or not a country", place)
    else:
        figure = read_figure(row["QUANTITY_IN_KG"])
        if isinstance(figure, str):
            download.leave("no weight: 0 or nothing, which means not reported", place)
            return
        # The month 52 stands for the year.
        month = int(period[4:]) if period[4:] and int(period[4:]) <= 12 else 0
        said = (row["DECLARANT_ISO"], row["PARTNER_ISO"], Figure(figure.value / 1000))
        download.records.append(Record((place,), int(period[:4]), _FLOWS[row["FLOW"]], code, *said, month=month))
