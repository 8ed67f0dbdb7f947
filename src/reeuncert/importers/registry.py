"""Kinds of files that can be imported. To add one, write a module with a function ``read`` and add a row.

Then its name in ``cli/options.py``, its public function in ``importers/__init__.py`` and its line in
``docs/howto/import.md``.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reeuncert.errors import CaseError, Problem
from reeuncert.importers import baci, bgs, comext, comtrade, dataweb, japan_customs, usgs_ds140, usgs_mcs, usgs_yearbook
from reeuncert.importers.record import Download
from reeuncert.importers.sheets import unpacked
from reeuncert.words.cells import printable, unknown

Files = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Kind:
    """A kind of file."""

    read: Callable[[list[Path], Download], None]  # reads files into a `Download`
    # Of the source, for ``sources.csv``
    title: str
    publisher: str
    reference: str
    terms: str


_US = "US Government work, public domain"
_NMIC = "https://www.usgs.gov/centers/nmic"
_JAPAN = "Ministry of Finance (customs)"
_BGS = "British Geological Survey"
_CEPII = "https://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele.asp"
_UNREAD = "read the terms of the publisher before you publish"

IMPORTERS: dict[str, Kind] = {
    "usgs-mcs": Kind(usgs_mcs.read, "Mineral Commodity Summaries, data release", "USGS", _NMIC, _US),
    "usgs-ds140": Kind(usgs_ds140.read, "Historical statistics, Data Series 140", "USGS", _NMIC, _US),
    "usgs-yearbook": Kind(usgs_yearbook.read, "Minerals Yearbook, tables", "USGS", _NMIC, _US),
    "dataweb": Kind(dataweb.read, "DataWeb, query of the customs record", "USITC", "https://dataweb.usitc.gov", _US),
    "comtrade": Kind(comtrade.read, "UN Comtrade", "United Nations", "https://comtradeplus.un.org", comtrade.TERMS),
    "baci": Kind(baci.read, "BACI", "CEPII", _CEPII, "Etalab Open Licence 2.0"),
    "comext": Kind(comext.read, "Comext, detailed trade", "Eurostat", "https://ec.europa.eu/eurostat", "CC BY 4.0"),
    "japan-customs": Kind(japan_customs.read, "Trade statistics", _JAPAN, "https://www.e-stat.go.jp", _UNREAD),
    "bgs": Kind(bgs.read, "World Mineral Statistics", _BGS, "https://www.bgs.ac.uk/mineralsuk", _UNREAD),
}
"""Kinds by the word of the command."""


def read_download(kind: str, files: Files, products: Sequence[str] = ()) -> Download:
    """Read files of one kind of `IMPORTERS`, e.g. ``"usgs-mcs"``; nothing is written.

    Several files are read together (releases, years, a query beside its table); a zip stands for what is in it.
    ``products``: read only these, by the beginning of a code or a part of a name. Raises `CaseError` if a file is
    missing, is not of the kind, or gives two figures for one key.
    """
    if kind not in IMPORTERS:
        raise CaseError([Problem("import", 0, "", unknown(kind, tuple(IMPORTERS), "kind"))])
    given = [files] if isinstance(files, str | Path) else list(files)
    paths = [Path(file).expanduser() for file in given]
    if not paths:
        raise CaseError([Problem("import", 0, "", "no file is given; name at least one")])
    download = Download(kind, tuple(products))
    with TemporaryDirectory() as folder:
        parts = [part for i, path in enumerate(paths) for part in unpacked(path, Path(folder, str(i)))]
        for name, count in Counter(part.name for part in parts).items():
            message = f"{count} files have this name, by which figures are located; give it once, or rename one"
            if not name.isprintable():
                message = "the name of the file holds characters that cannot be seen; rename it"
            if count > 1 or not name.isprintable():
                download.problems.append(Problem(printable(name), 0, "", message))
        if not download.problems:
            IMPORTERS[kind].read(parts, download)
    if download.problems:
        raise CaseError(download.problems)
    return download
