"""Importers: files of statistical offices, as they were downloaded, to evidence of a case.

>>> import reeuncert as ree
>>> sorted(ree.importers.IMPORTERS)[:3]
['baci', 'bgs', 'comext']
"""

from __future__ import annotations

from collections.abc import Sequence

from reeuncert.importers.record import Download as Download
from reeuncert.importers.record import Record as Record
from reeuncert.importers.registry import IMPORTERS as IMPORTERS
from reeuncert.importers.registry import Files, read_download
from reeuncert.importers.run import Imported as Imported
from reeuncert.importers.run import import_files as import_files


def read_usgs_mcs(files: Files, products: Sequence[str] = ()) -> Download:
    """Read Mineral Commodity Summaries (`read_download`)."""
    return read_download("usgs-mcs", files, products)


def read_usgs_ds140(files: Files, products: Sequence[str] = ()) -> Download:
    """Read workbooks of Data Series 140 (`read_download`)."""
    return read_download("usgs-ds140", files, products)


def read_usgs_yearbook(files: Files, products: Sequence[str] = ()) -> Download:
    """Read workbooks of the Minerals Yearbook (`read_download`)."""
    return read_download("usgs-yearbook", files, products)


def read_dataweb(files: Files, products: Sequence[str] = ()) -> Download:
    """Read queries of DataWeb (`read_download`)."""
    return read_download("dataweb", files, products)


def read_comtrade(files: Files, products: Sequence[str] = ()) -> Download:
    """Read CSV files of UN Comtrade (`read_download`)."""
    return read_download("comtrade", files, products)


def read_baci(files: Files, products: Sequence[str] = ()) -> Download:
    """Read BACI, and the table of its country codes (`read_download`)."""
    return read_download("baci", files, products)


def read_comext(files: Files, products: Sequence[str] = ()) -> Download:
    """Read bulk files of Comext (`read_download`)."""
    return read_download("comext", files, products)


def read_japan_customs(files: Files, products: Sequence[str] = ()) -> Download:
    """Read customs statistics of e-Stat (`read_download`)."""
    return read_download("japan-customs", files, products)


def read_bgs(files: Files, products: Sequence[str] = ()) -> Download:
    """Read World Mineral Statistics (`read_download`)."""
    return read_download("bgs", files, products)
