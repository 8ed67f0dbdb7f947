"""BACI of CEPII: one figure for importer and exporter, from the records of both."""

from __future__ import annotations

import re
from pathlib import Path

from reeuncert.importers.printed import Figure, read_figure
from reeuncert.importers.record import EXPORT, Download, Place, Record
from reeuncert.importers.sheets import header_of, read_table

_COLUMNS = ("t", "i", "j", "k", "v", "q")
_COUNTRIES = ("country_code", "country_name")


def read(paths: list[Path], download: Download) -> None:
    """Read quantities in tonnes; the table of country codes beside them gives names to the codes."""
    for path in paths:
        if set(_COUNTRIES) <= set(header_of(path)):
            for table in read_table(path, _COUNTRIES, download.kind):
                for code, name in zip(table[_COUNTRIES[0]], table[_COUNTRIES[1]], strict=True):
                    download.describe("region", str(code), str(name))
            continue
        for table in read_table(path, _COLUMNS, download.kind):
            found = re.search(r"V(\d{6})", path.name)
            # Programs that read codes as numbers lose the zero before a chapter below 10.
            codes = table["k"].str.zfill(6)
            wanted = codes.map({code: download.wants(code) for code in codes.unique()})
            others = (Place(path.name, int(line), "q") for line in table.index[~wanted])
            download.leave("another product than those asked for", *others)
            for line, year, seller, buyer, quantity in table[wanted][["t", "i", "j", "q"]].itertuples():
                place = Place(path.name, int(line), "q")
                figure = read_figure(quantity)
                if isinstance(figure, str):
                    # Its files say NA, or nothing.
                    download.leave("the quantity is missing, which is not zero", place)
                    continue
                release = f"V{found[1]}" if found else ""
                note = "one figure from the records of exporter and importer"
                said = ((place,), int(year), EXPORT, codes[line], seller, buyer, Figure(figure.value))
                download.records.append(Record(*said, release=release, note=note))
    download.drop_repeats()
