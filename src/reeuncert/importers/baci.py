"""BACI of CEPII: one figure for importer and exporter, from the records of both."""

import re
from pathlib import Path

from reeuncert.importers.record import Download, Place, Record
from reeuncert.importers.sheets import header_of, read_table, rows_of

_COUNTRIES = ("country_code", "country_name")


def read(paths: list[Path], download: Download) -> None:
    """Read quantities in tonnes; the table of country codes beside them gives names to the codes."""
    for path in paths:
        countries = set(_COUNTRIES) <= set(header_of(path))
        release = f"V{found[1]}" if (found := re.search(r"V(\d{6})", path.name)) else ""
        for table in read_table(path, _COUNTRIES if countries else tuple("tijkvq"), download.kind):
            if countries:
                for _, row in rows_of(table):
                    download.describe("region", row["country_code"], row["country_name"])
                continue
            # Programs that read codes as numbers lose the zero before a chapter below 10.
            table["k"] = table["k"].str.zfill(6)
            for line, row in rows_of(download.wanted(table, "k", Place(path.name, 0, "q"))):
                place = (Place(path.name, line, "q"),)
                note = "one figure from the records of exporter and importer"
                year = download.year(row["t"], place[0], "t")
                like = Record(place, year, "export", row["k"], row["i"], row["j"], release=release, note=note)
                missing = "the quantity is missing, which is not zero" if row["q"] in ("", "NA") else ""
                download.take(like, row["q"], "t", missing, customs=True)
    download.settle()
