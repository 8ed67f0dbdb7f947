"""Result files: the draws without the indicators, which are computed again when a file is read."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from reeuncert.indicators.compute import with_stored_indicators, without_indicators
from reeuncert.result.folder import Staging
from reeuncert.result.io import read_draws, stage_draws, write_draws


def read_results(path: str | Path, *, variables: Mapping[str, Iterable[str]] | None = None) -> xr.DataTree:
    """Read a result back into memory.

    Parameters
    ----------
    path
        ``posterior.nc``, or the folder that holds it.
    variables
        Group → variables to read, e.g. ``{"posterior": ["mass_flow"]}``; all by default.

    Returns
    -------
    DataTree
        As it was written, to the precision of `write_netcdf`; with the indicators that it had, unless `variables` is
        given.

    Raises
    ------
    OutputError
        If the file is missing, truncated, or not a result of this package; for a folder, also if ``posterior.nc`` does
        not match its ``provenance.json``. A changed table is a warning.
    """
    tree = read_draws(path, variables=variables)
    return tree if variables is not None else with_stored_indicators(tree)


def write_netcdf(dt: xr.DataTree, path: str | Path) -> None:
    """Write a result as netCDF-4, without the indicators that `read_results` can compute; see `write_draws`."""
    write_draws(without_indicators(dt), path)


def stage_results(
    staging: Staging, dt: xr.DataTree, tables: Mapping[str, pd.DataFrame], texts: Mapping[str, str] | None = None
) -> None:
    """Write the files of a result into a staging folder, without the indicators that can be computed again."""
    stage_draws(staging, without_indicators(dt), tables, texts)
