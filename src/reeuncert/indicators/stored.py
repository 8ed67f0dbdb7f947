"""Result files: the draws without the indicators, which are computed again when a file is read."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from reeuncert.files import explained, whole
from reeuncert.indicators.compute import GROUPS, add_indicators
from reeuncert.indicators.registry import CUMULATED, choose
from reeuncert.result.folder import Staging
from reeuncert.result.io import POSTERIOR, PROVENANCE, csv_text, provenance, read_draws, sha256, write_draws
from reeuncert.result.result import Result

STORED = "indicators"
"""Attribute of the file of a result that names its indicators."""


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
    tree = read_draws(path, variables)
    if variables is not None or STORED not in tree.attrs:
        return tree
    return add_indicators(tree, str(tree.attrs.pop(STORED)).split())


def write_netcdf(dt: xr.DataTree, path: str | Path) -> None:
    """Write a result as netCDF-4, lightly compressed, without the indicators that `read_results` can compute. Flows are
    held to a relative 4.7e-10, those of the prior to 1.2e-4, standard coordinates to 2e-3, offsets to 8e-6, log
    densities to 3e-5.
    """
    with explained(f"cannot write '{path}'"), whole(Path(path)) as beside:
        write_draws(_without_indicators(dt), beside)


def stage_results(
    staging: Staging, dt: xr.DataTree, tables: Mapping[str, pd.DataFrame], texts: Mapping[str, str] | None = None
) -> None:
    """Write the files of a result into a staging folder; ``staging.commit()`` moves them into place. Tables (written as
    CSV) and texts are by file name. What was staged before stays, with further tables, texts and groups of draws.
    """
    with explained(f"cannot write results to '{staging.target}'"):
        held = _without_indicators(dt)
        write_draws(held, staging.place / POSTERIOR)
        written = {name: csv_text(table) for name, table in tables.items()} | dict(texts or {})
        for name, text in written.items():
            (staging.place / name).write_text(text, encoding="utf-8", newline="")
        hashes = {p.name: sha256(p) for p in sorted(staging.place.iterdir())}
        content = json.dumps(provenance(held) | {"files_sha256": hashes}, indent=2, ensure_ascii=False)
        (staging.place / PROVENANCE).write_text(content + "\n", encoding="utf-8", newline="")


def _without_indicators(dt: xr.DataTree) -> xr.DataTree:
    """A result as its file holds it: instead of the draws of indicators their names, in the attribute `STORED`.

    What cannot be computed again, since its flows are not there or no indicator has its name, stays.
    """
    if "case_json" not in dt.attrs or any(
        derived in dt.children and (group not in dt.children or "mass_flow" not in dt[group].data_vars)
        for group, derived in GROUPS.items()
    ):
        return dt
    out = dt.copy(deep=False)
    records = choose(None, Result(dt).case)
    again = {name: record.name for record in records for name in (record.name, record.name + CUMULATED)}
    names: dict[str, None] = {}
    for derived in GROUPS.values():
        if derived in dt.children:
            held = dt[derived].to_dataset()
            names |= {again[str(name)]: None for name in held.data_vars if name in again}
            kept = held.drop_vars([name for name in held.data_vars if name in again])
            out[derived] = xr.DataTree(kept)
            if not kept.data_vars:
                del out[derived]
    if names:
        out.attrs = {**dt.attrs, STORED: " ".join(names)}
    return out
