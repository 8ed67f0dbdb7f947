"""BACI of CEPII: one figure for importer and exporter, from the records of both."""

import re
from pathlib import Path

from reeuncert.importers.record import Download, Place, Record
from reeuncert.importers.sheets import header_of, read_rows

_COUNTRIES = ("country_code", "country_name")


def read(paths: list[Path], download: Download) -> None:
    """Read quantities in tonnes; the table of country codes beside them gives names to the codes."""
    for path in paths:
        countries = set(_COUNTRIES) <= set(header_of(path))
        release = f"V{found[1]}" if (found := re.search(r"V(\d{6})", path.name)) else ""
        for line, row in read_rows(path, _COUNTRIES if countries else tuple("tijkvq"), download.kind):
            if countries:
                download.describe("region", row["country_code"], row["country_name"])
                continue
            # Programs that read codes as numbers lose the zero before a chapter below 10.
            place, code = Place(path.name, line, "q"), row["k"].zfill(6)
            if download.skips(code, place):
                continue
            note = "one figure from the records of exporter and importer"
            year = download.year(row["t"], place, "t")
            like = Record((place,), year, "export", code, row["i"], row["j"], release=release, note=note)
            missing = "the quantity is missing, which is not zero" if row["q"] in ("", "NA") else ""
            download.take(like, row["q"], "t", missing, customs=True)
    download.settle()
