"""Importers: files of statistical offices, as they were downloaded, to evidence of a case.

>>> import reeuncert as ree
>>> sorted(ree.importers.IMPORTERS)[:3]
['baci', 'bgs', 'comext']
"""

from functools import partial

from reeuncert.importers.record import Download as Download
from reeuncert.importers.record import Record as Record
from reeuncert.importers.run import IMPORTERS as IMPORTERS
from reeuncert.importers.run import Imported as Imported
from reeuncert.importers.run import import_files as import_files
from reeuncert.importers.run import read_download as read_download

read_usgs_mcs = partial(read_download, "usgs-mcs")
read_usgs_ds140 = partial(read_download, "usgs-ds140")
read_usgs_yearbook = partial(read_download, "usgs-yearbook")
read_dataweb = partial(read_download, "dataweb")
read_comtrade = partial(read_download, "comtrade")
read_baci = partial(read_download, "baci")
read_comext = partial(read_download, "comext")
read_japan_customs = partial(read_download, "japan-customs")
read_bgs = partial(read_download, "bgs")
