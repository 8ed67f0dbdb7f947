"""World Mineral Statistics of the British Geological Survey, as its service exports them."""

from __future__ import annotations

from pathlib import Path

from reeuncert.importers.printed import basis_of
from reeuncert.importers.record import ESTIMATED, EVERYONE, EXPORT, IMPORT, OUTPUT, REPORTED, Download, Place, Record
from reeuncert.importers.sheets import read_table, rows_of

_STATISTICS = {"Production": OUTPUT, "Imports": IMPORT, "Exports": EXPORT}
_NEEDED = ("country_trans", "year", "bgs_commodity_trans", "bgs_statistic_type_trans", "quantity", "units")


def read(paths: list[Path], download: Download) -> None:
    """Read production, imports and exports; an empty quantity is missing, not zero."""
    for path in paths:
        for table in read_table(path, _NEEDED, download.kind):
            for line, row in rows_of(table):
                _take(row, Place(path.name, line, "quantity"), download)
    download.drop_repeats()


def _take(row: dict[str, str], place: Place, download: Download) -> None:
    commodity, kind = row["bgs_commodity_trans"], row.get("bgs_sub_commodity_trans", "")
    direction = _STATISTICS.get(row["bgs_statistic_type_trans"])
    if not download.wants(commodity, kind):
        download.leave("another product than those asked for", place)
    elif direction is None:
        download.leave(f"{row['bgs_statistic_type_trans'] or 'no statistic'}: no flow", place)
    elif (found := download.figure(row["quantity"], row["units"], place)) is not None:
        texts = (row.get(f"concat_{what}_notes_text", "") for what in ("table", "figure"))
        note = "; ".join(dict.fromkeys(text for text in texts if text))
        estimated = "estimate" in f"{note} {row.get('data_precision_description', '')}".casefold()
        product = f"{commodity}: {kind}" if kind else commodity
        partner = EVERYONE if direction in (IMPORT, EXPORT) else ""
        # Years are written as the first moment of the year.
        said = (int(row["year"][:4]), direction, product, row["country_trans"], partner, found[0])
        quality = ESTIMATED if estimated else REPORTED
        download.records.append(Record((place,), *said, basis_of(note), quality, note=note))
