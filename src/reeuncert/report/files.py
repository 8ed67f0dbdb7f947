"""Writes the files of a run atomically."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import xarray as xr

from reeuncert.errors import OutputError
from reeuncert.parts import Failed
from reeuncert.report.findings import Findings
from reeuncert.report.page import render
from reeuncert.result.folder import Staging, output_folder
from reeuncert.result.io import read_results, stage_results


def write_results(dt: xr.DataTree, folder: str | Path) -> tuple[Path, ...]:
    """Write ``posterior.nc``, ``flows.csv``, ``indicators.csv``, ``checks.csv``, ``provenance.json``, ``report.html``.

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
        return commit_results(Findings(dt), staging)


def revise_results(folder: str | Path, change: Callable[[xr.DataTree], xr.DataTree]) -> tuple[Path, ...]:
    """Read a result, change it and write its files again; the folder is locked meanwhile.

    An unwritable folder is reported before ``change`` runs.

    Parameters
    ----------
    folder
        Of a run.
    change
        Function from result to result; may take hours.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    OutputError
        When the folder holds no result, cannot be written, or another run is writing there.
    """
    if not os.path.isdir(folder):
        raise OutputError(f"'{folder}' is no folder of results; give the folder that `reeuncert run` wrote")
    with output_folder(folder) as staging:
        return commit_results(Findings(change(read_results(folder))), staging)


def commit_results(findings: Findings, staging: Staging) -> tuple[Path, ...]:
    """Write all files into a locked folder, and put them in place.

    A file that cannot be made is left out, and named in ``findings.failed`` and ``checks.csv``.
    """
    texts = {"report.html": findings.part("report.html", lambda: render(findings))}
    tables = {f"{name}.csv": table for name, table in findings.tables.items()} | {
        "checks.csv": findings.told.to_frame()
    }
    stage_results(staging, findings.dt, tables, {n: t for n, t in texts.items() if not isinstance(t, Failed)})
    return staging.commit()
