"""Importers: files of statistical offices, as they were downloaded, to evidence of a case.

>>> import reeuncert as ree
>>> sorted(ree.importers.IMPORTERS)[:3]
['baci', 'bgs', 'comext']
"""

from collections.abc import Callable
from functools import partial

from reeuncert.importers.record import Download as Download
from reeuncert.importers.record import Record as Record
from reeuncert.importers.run import Imported as Imported
from reeuncert.importers.run import import_files as import_files
from reeuncert.importers.run import read_download as read_download
from reeuncert.words.offices import IMPORTERS as IMPORTERS


def __getattr__(name: str) -> Callable[..., Download]:
    """`read_download` of each kind, e.g. ``read_usgs_mcs``."""
    kind = name.removeprefix("read_").replace("_", "-")
    if not name.startswith("read_") or kind not in IMPORTERS:
        raise AttributeError(f"module 'reeuncert.importers' has no attribute '{name}'")
    return partial(read_download, kind)
