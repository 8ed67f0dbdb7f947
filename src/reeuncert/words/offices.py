"""Kinds of files of statistical offices that can be imported, and what a source made of them is called.

To add a kind: a row of `IMPORTERS`, and a module of `reeuncert.importers` named as it (``_`` for ``-``) with a function
``read``, which takes files and a `reeuncert.importers.record.Download`. Then an example with its command, file and
mapping in ``docs/howto/import_offices.md``, which a test runs.
"""

from dataclasses import dataclass
from typing import Literal

Witness = Literal["publisher", "reporter", "both sides"]
"""Whose account a figure is: that of the publisher, of the country that reports it, or made of the records of both."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: title, publisher, reference and terms of the source, for ``sources.csv``; whose account it is."""

    title: str
    publisher: str
    reference: str
    terms: str
    witness: Witness = "publisher"  # ``reporter``: a lineage for each reporting country


_US = "US Government work, public domain"
_NMIC = "https://www.usgs.gov/centers/nmic"
_JAPAN = "Ministry of Finance (customs)"
_BGS = "British Geological Survey"
_CEPII = "https://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele.asp"
_COMTRADE = "https://comtradeplus.un.org"
_COMTRADE_TERMS = (
    "Terms of UN Comtrade: data are for internal use and may not be re-disseminated in bulk without permission; "
    "cite UN Comtrade, and leave the file out of what you publish."
)
_EUROSTAT = "https://ec.europa.eu/eurostat"
_UNREAD = "read the terms of the publisher before you publish"

IMPORTERS: dict[str, Kind] = {
    "usgs-mcs": Kind("Mineral Commodity Summaries, data release", "USGS", _NMIC, _US),
    "usgs-ds140": Kind("Historical statistics, Data Series 140", "USGS", _NMIC, _US),
    "usgs-yearbook": Kind("Minerals Yearbook, tables", "USGS", _NMIC, _US),
    "dataweb": Kind("DataWeb, query of the customs record", "USITC", "https://dataweb.usitc.gov", _US),
    "comtrade": Kind("UN Comtrade", "United Nations", _COMTRADE, _COMTRADE_TERMS, "reporter"),
    "baci": Kind("BACI", "CEPII", _CEPII, "Etalab Open Licence 2.0", "both sides"),
    "comext": Kind("Comext, detailed trade", "Eurostat", _EUROSTAT, "CC BY 4.0", "reporter"),
    "japan-customs": Kind("Trade statistics", _JAPAN, "https://www.e-stat.go.jp", _UNREAD),
    "bgs": Kind("World Mineral Statistics", _BGS, "https://www.bgs.ac.uk/mineralsuk", _UNREAD),
}
"""Kinds by the word of the command."""
