"""UN Comtrade: CSV files of Comtrade Plus and of the earlier web site."""

from dataclasses import replace
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import month_of
from reeuncert.importers.record import Direction, Download, Place, Quality, Record
from reeuncert.importers.sheets import header_of, read_rows
from reeuncert.words.offices import IMPORTERS
from reeuncert.words.qualifiers import read_figure

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
"""Columns of the earlier web site, and their names today."""

_FLOWS: dict[str, Direction] = {"M": "import", "X": "export", "1": "import", "2": "export"}
_PARTS = {"RX": "re-exports", "RM": "re-imports", "DX": "domestic exports", "3": "re-exports", "4": "re-imports"}
_WHOLE = {"partner2Code": ("0", ""), "customsCode": ("C00", ""), "motCode": ("0", ""), "mosCode": ("0", "")}
"""Columns that divide a row further, and the codes of all; other rows are parts of one with these."""

_KILOGRAMS = "8"


def read(paths: list[Path], download: Download) -> None:
    """Read net weights; those that the UN estimated have a quality of their own."""
    download.notices.append(IMPORTERS[download.kind].terms)
    for path in paths:
        if path.suffix.lower() == ".json":
            message = "JSON of the service is not read; download the query as CSV from comtradeplus.un.org"
            raise CaseError([Problem(path.name, 0, "", message)])
        names = _LEGACY if "Trade Flow Code" in header_of(path) else {}
        for line, row in read_rows(path, tuple(_LEGACY.values()), download.kind, names):
            _take(row, Place(path.name, line, "netWgt"), download)
    _settle_classifications(download)
    download.settle()


def _take(row: dict[str, str], place: Place, download: Download) -> None:
    flow, code, period = row["flowCode"], row["cmdCode"], row["period"] or row["refYear"]
    divided = [name for name, codes in _WHOLE.items() if row.get(name, "") not in codes]
    why_not = f"part of a row of all ({', '.join(divided)})" if divided else ""
    if flow not in _FLOWS:
        why_not = f"{_PARTS.get(flow, f'flow {flow}')}: part of the imports or exports, or no trade"
    weight, quality = _weight(row)
    # A year has the month 52, or a period without a month.
    month = row.get("refMonth", "") or period[4:]
    original = row.get("isOriginalClassification", "").casefold() == "true"
    reporter, partner, year = row["reporterCode"], row["partnerCode"], download.year(row["refYear"], place, "refYear")
    note = f"classification {row['classificationCode']}{'' if original else ', converted'}"
    like = Record((place,), year, _FLOWS.get(flow, ""), code, reporter, partner, quality=quality, note=note)
    like = replace(like, month=month_of(month))
    download.describe("product", code, row["cmdDesc"])
    for side in ("reporter", "partner"):
        # Descriptions may be left out of a download.
        download.describe("region", row[f"{side}Code"], row[f"{side}Desc"] or row.get(f"{side}ISO", ""))
    download.take(like, weight, "kg", why_not, customs=True)


def _weight(row: dict[str, str]) -> tuple[str, Quality]:
    """Net weight and its quality; where it is 0, the quantity if that is in kilograms.

    Of the flags, 4 and 6 say that the net weight is estimated, 2 and 6 that the quantity is.
    """
    flags, name, estimated = ("4", "6"), "netWgt", "isNetWgtEstimated"
    if isinstance(read_figure(row["netWgt"]), str) and row["qtyUnitCode"] == _KILOGRAMS:
        flags, name, estimated = ("2", "6"), "qty", "isQtyEstimated"
    is_estimated = row.get(estimated, "").casefold() == "true" or row["legacyEstimationFlag"] in flags
    return row[name], "estimated" if is_estimated else "reported"


def _settle_classifications(download: Download) -> None:
    """One trade may be told in two editions of the Harmonized System: the one that the country reported stands."""
    editions: dict[tuple[str | int, ...], set[str]] = {}
    for record in download.records:
        editions.setdefault((*record.key, record.month), set()).add(record.note)
    kept = []
    for record in download.records:
        notes = editions[*record.key, record.month]
        stands = min(notes, key=lambda note: ("converted" in note, note))
        if record.note == stands:
            kept.append(record)
        else:
            download.leave(f"told in {stands.removeprefix('classification ')} already", record.places[0])
    download.records = kept
