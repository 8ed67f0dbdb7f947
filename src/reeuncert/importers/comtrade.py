"""UN Comtrade: CSV files of Comtrade Plus and of the earlier web site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reeuncert.importers.printed import Figure, read_figure
from reeuncert.importers.record import ESTIMATED, EXPORT, IMPORT, REPORTED, Download, Place, Record
from reeuncert.importers.sheets import header_of, read_table, rows_of

TERMS = (
    "Terms of UN Comtrade: data are for internal use and may not be re-disseminated in bulk without permission; "
    "cite UN Comtrade, and leave the file out of what you publish."
)

_LEGACY = {
    "Classification": "classificationCode",
    "Year": "refYear",
    "Period": "period",
    "Trade Flow Code": "flowCode",
    "Reporter Code": "reporterCode",
    "Reporter": "reporterDesc",
    "Partner Code": "partnerCode",
    "Partner": "partnerDesc",
    "Commodity Code": "cmdCode",
    "Commodity": "cmdDesc",
    "Qty Unit Code": "qtyUnitCode",
    "Qty": "qty",
    "Netweight (kg)": "netWgt",
    "Flag": "legacyEstimationFlag",
}
_FLOWS = {"M": IMPORT, "X": EXPORT, "1": IMPORT, "2": EXPORT}
_AGAIN = {"RX": "re-exports", "RM": "re-imports", "3": "re-exports", "4": "re-imports"}
_WHOLE = {"partner2Code": ("0", ""), "customsCode": ("C00", ""), "motCode": ("0", ""), "mosCode": ("0", "")}
"""Columns that divide a row further, and the codes of all; other rows are parts of one with these."""

_KILOGRAMS = "8"
_FLAGS_OF_WEIGHT = ("4", "6")
"""Estimation flags that say the net weight is estimated (6: the quantity too)."""


def read(paths: list[Path], download: Download) -> None:
    """Read net weights; those that the UN estimated have a quality of their own."""
    download.notices.append(TERMS)
    classifications: dict[tuple[object, ...], str] = {}
    for path in paths:
        legacy = "Trade Flow Code" in header_of(path)
        needed = [old if legacy else new for old, new in _LEGACY.items()]
        for table in read_table(path, needed, download.kind):
            for line, row in rows_of(table.rename(columns=_LEGACY if legacy else {})):
                _take(row, Place(path.name, line, "netWgt"), download, classifications)
    download.drop_repeats()
    download.merge()


def _take(
    row: Mapping[str, str], place: Place, download: Download, classifications: dict[tuple[object, ...], str]
) -> None:
    flow, code = row["flowCode"], row["cmdCode"]
    divided = [name for name, codes in _WHOLE.items() if row.get(name, "") not in codes]
    if not download.wants(code):
        download.leave("another product than those asked for", place)
        return
    if flow not in _FLOWS:
        download.leave(f"{_AGAIN.get(flow, f'flow {flow}')}: part of the imports or exports, or no trade", place)
        return
    if divided:
        download.leave(f"part of a row of all ({', '.join(divided)})", place)
        return
    found = _weight(row)
    if isinstance(found, str):
        download.leave(found, place)
        return
    figure, quality = found
    year, month = _time(row)
    record = Record(
        *((place,), year, _FLOWS[flow], code, row["reporterCode"], row["partnerCode"], figure),
        quality=quality,
        note=f"classification {row['classificationCode']}",
        month=month,
    )
    # One trade may be told in two editions of the Harmonized System: the one that the country reported stands.
    key = (*record.key, month)
    known = classifications.setdefault(key, row["classificationCode"])
    if known != row["classificationCode"]:
        message = f"told in {known} already (this row: {row['classificationCode']})"
        if row.get("isOriginalClassification", "").casefold() != "true":
            download.leave(message, place)
            return
        before = next(r for r in download.records if (*r.key, r.month) == key)
        download.records.remove(before)
        download.leave(f"told in {row['classificationCode']}, as the country reported it", *before.places)
        classifications[key] = row["classificationCode"]
    download.describe("product", code, row["cmdDesc"])
    download.describe("region", row["reporterCode"], row["reporterDesc"])
    download.describe("region", row["partnerCode"], row["partnerDesc"])
    download.records.append(record)


def _weight(row: Mapping[str, str]) -> tuple[Figure, str] | str:
    """Net weight in tonnes and its quality; where it is 0, the quantity if that is in kilograms."""
    flag = row["legacyEstimationFlag"]
    estimated = row.get("isNetWgtEstimated", "").casefold() == "true" or flag in _FLAGS_OF_WEIGHT
    weight = read_figure(row["netWgt"])
    if isinstance(weight, str) and row["qtyUnitCode"] == _KILOGRAMS:
        estimated = row.get("isQtyEstimated", "").casefold() == "true" or flag in ("2", "6")
        weight = read_figure(row["qty"])
    if isinstance(weight, str):
        return "no weight: 0 or nothing, which means not reported"
    # Kilograms are counted one by one: trailing zeros are no rounding.
    return Figure(weight.value / 1000), ESTIMATED if estimated else REPORTED


def _time(row: Mapping[str, str]) -> tuple[int, int]:
    """Year and month; a year has the month 52, or a period without a month."""
    period = row["period"] or row["refYear"]
    month = row.get("refMonth", "") or period[4:]
    return int(row["refYear"]), int(month) if month.isdigit() and 1 <= int(month) <= 12 else 0
