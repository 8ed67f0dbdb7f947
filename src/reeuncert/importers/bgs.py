"""World Mineral Statistics of the British Geological Survey, as its service exports them."""

from dataclasses import replace
from pathlib import Path

from reeuncert.importers.printed import basis_of
from reeuncert.importers.record import EVERYONE, Direction, Download, Place, Quality, Record
from reeuncert.importers.sheets import read_rows

_STATISTICS: dict[str, Direction] = {"Production": "output", "Imports": "import", "Exports": "export"}
_NEEDED = ("country_trans", "year", "bgs_commodity_trans", "bgs_statistic_type_trans", "quantity", "units")


def read(paths: list[Path], download: Download) -> None:
    """Read production, imports and exports; an empty quantity is missing, not zero."""
    for path in paths:
        for line, row in read_rows(path, _NEEDED, download.kind):
            statistic, kind = row["bgs_statistic_type_trans"], row.get("bgs_sub_commodity_trans", "")
            direction = _STATISTICS.get(statistic, "")
            notes = dict.fromkeys(row.get(f"concat_{what}_notes_text", "") for what in ("table", "figure"))
            note = "; ".join(filter(None, notes))
            estimated = "estimate" in f"{note} {row.get('data_precision_description', '')}".casefold()
            product = f"{row['bgs_commodity_trans']}: {kind}" if kind else row["bgs_commodity_trans"]
            partner = EVERYONE if direction in ("import", "export") else ""
            quality: Quality = "estimated" if estimated else "reported"
            place = Place(path.name, line, "quantity")
            # Years are written as the first moment of the year.
            year = download.year(row["year"], place, "year")
            like = Record((place,), year, direction, product, row["country_trans"], partner, basis_of(note), quality)
            like = replace(like, note=note)
            why_not = "" if direction else f"{statistic or 'no statistic'}: no flow"
            download.take(like, row["quantity"], row["units"], why_not)
    download.settle()
