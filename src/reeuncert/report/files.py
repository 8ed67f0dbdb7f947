"""Writes the files of a run atomically."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

import pandas as pd
import xarray as xr

from reeuncert.checks.evidence import leave_one_out, mixture_table, reconciliation
from reeuncert.checks.predictive import posterior_predictive, record_pairs
from reeuncert.checks.registry import check_table
from reeuncert.errors import OutputError
from reeuncert.indicators.compute import with_indicators
from reeuncert.indicators.headlines import all_headlines, all_scaled
from reeuncert.indicators.stored import read_results, stage_results
from reeuncert.indicators.summary import all_indicators
from reeuncert.parts import collecting
from reeuncert.report.page import render
from reeuncert.report.sections import flows, no_trade
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


_OF_ITS_OWN = (
    attrgetter("flows"), all_indicators, all_scaled, mixture_table, reconciliation, posterior_predictive, record_pairs,
    leave_one_out, flows.content, no_trade.content,
)  # fmt: skip
"""What takes longest of all that is made of a result without its headlines, which are averages over structures."""


def begin_results(result: Result) -> None:
    """Make what needs no structures but those of the result, while these are waited for; `commit_results` takes it."""
    with result.shared(), collecting(result.failed):
        for function in _OF_ITS_OWN:
            with suppress(Exception):  # it fails again where it is needed, and is named there
                result.once(function)


def commit_results(result: Result, staging: Staging) -> tuple[Path, ...]:
    """Write all files into a folder that is held already, and put them in place.

    A file that cannot be made is left out, and named in ``result.failed`` and ``checks.csv``.
    """
    with result.shared():
        made = {
            "flows.csv": result.part("flows.csv", lambda: result.flows),
            "indicators.csv": result.part("indicators.csv", lambda: result.once(all_indicators)),
            "report.html": result.part("report.html", lambda: render(result)),
        }
        if result.has_case:
            made["headlines.csv"] = result.part("headlines.csv", lambda: result.once(all_headlines))
            made["mixtures.csv"] = result.part("mixtures.csv", lambda: result.once(mixture_table))
            book = result.part("results.xlsx", lambda: workbook(result))
            if isinstance(book, bytes):
                (staging.place / "results.xlsx").write_bytes(book)
    texts = {name: one for name, one in made.items() if isinstance(one, str)}
    tables = {name: one for name, one in made.items() if isinstance(one, pd.DataFrame)}
    stage_results(staging, result.dt, tables | {"checks.csv": check_table(result).to_frame()}, texts)
    return staging.commit()
