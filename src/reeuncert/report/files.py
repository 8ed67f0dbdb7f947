"""Writes the files of a run atomically."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from operator import attrgetter
from pathlib import Path

import pandas as pd
import xarray as xr

from reeuncert.checks import CHECKS, check_table
from reeuncert.checks.evidence import mixture_table
from reeuncert.checks.headlines import assumption, structures
from reeuncert.errors import OutputError
from reeuncert.indicators.compute import with_indicators
from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.stored import read_results, stage_results
from reeuncert.indicators.summary import all_indicators
from reeuncert.parts import Failed, collecting
from reeuncert.report.page import render
from reeuncert.report.sections import SECTIONS
from reeuncert.report.sections.learned import overviews
from reeuncert.report.workbook import workbook
from reeuncert.result.folder import Staging, output_folder
from reeuncert.result.result import Result


def write_results(dt: xr.DataTree, folder: str | Path) -> tuple[Path, ...]:
    """Write ``posterior.nc``, ``flows.csv``, ``indicators.csv``, ``headlines.csv``, ``mixtures.csv``, ``checks.csv``,
    ``provenance.json``, ``results.xlsx`` (with labels and units) and ``report.html``.

    A table, check, section or figure that cannot be made is left out and named, with its reason, in ``checks.csv`` and
    the report. All or nothing: until every file has been written and flushed, an earlier result in the folder stays
    as it was.

    Parameters
    ----------
    dt
        From `reeuncert.sample`; indicators are added if it has none.
    folder
        Made if need be.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    OutputError
        When they cannot be written, or another run is writing there; says why, and the remedy.
    """
    with output_folder(folder) as staging:
        return commit_results(with_indicators(dt), staging)


def revise_results(folder: str | Path, change: Callable[[xr.DataTree], xr.DataTree]) -> Result:
    """Read a result, change it and write its files again; the folder is locked meanwhile.

    An unwritable folder is reported before ``change`` runs, which may take hours.
    """
    if not os.path.isdir(folder):
        raise OutputError(f"'{folder}' is no folder of results; give the folder that `reeuncert run` wrote")
    with output_folder(folder) as staging:
        result = with_indicators(change(read_results(folder)))
        commit_results(result, staging)
    return result


_TABLES: Mapping[str, Callable[[Result], pd.DataFrame]] = {
    "flows.csv": attrgetter("flows"),
    "indicators.csv": all_indicators,
}
"""Tables that do not depend on rival structures."""

_OF_ITS_OWN = (
    *_TABLES.values(), overviews,
    *(check for check in CHECKS.values() if check not in (assumption, structures)),
    *(section.content for section in SECTIONS if not section.averages),
)  # fmt: skip
"""What is made of a result without its headlines, which are averages over structures."""


def begin_results(result: Result, staging: Staging) -> None:
    """Make and stage what needs no other structures, while these are waited for; `commit_results` takes it."""
    with result.shared(), collecting(result.failed):
        for function in _OF_ITS_OWN:
            with suppress(Exception):  # it fails again where it is needed, and is named there
                result.once(function)
        try:
            stage_results(staging, result.dt, {name: result.once(make) for name, make in _TABLES.items()})
        except Exception:  # noqa: BLE001  # as above; what is staged has been written whole
            for file in staging.place.iterdir():
                file.unlink()


def commit_results(result: Result, staging: Staging) -> tuple[Path, ...]:
    """Write all files into a folder that is held, and put them in place; what cannot be made is named in its checks."""
    with result.shared():
        made: dict[str, str | pd.DataFrame | Failed] = {
            name: result.part(name, partial(result.once, make))
            for name, make in _TABLES.items()
            if not (staging.place / name).exists()
        }
        made["report.html"] = result.part("report.html", lambda: render(result))
        made["headlines.csv"] = result.part("headlines.csv", lambda: result.once(all_headlines))
        made["mixtures.csv"] = result.part("mixtures.csv", lambda: result.once(mixture_table))
        book = result.part("results.xlsx", lambda: workbook(result))
        if isinstance(book, bytes):
            (staging.place / "results.xlsx").write_bytes(book)
    texts = {name: one for name, one in made.items() if isinstance(one, str)}
    tables = {name: one for name, one in made.items() if isinstance(one, pd.DataFrame)}
    stage_results(staging, result.dt, tables | {"checks.csv": check_table(result).to_frame()}, texts)
    return staging.commit()
