"""Small results in a folder, and whether its files belong together."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import xarray as xr

from reeuncert.indicators.stored import stage_results
from reeuncert.result.folder import output_folder
from reeuncert.result.io import PROVENANCE
from reeuncert.testing import toy_posterior


def small(draws: int) -> xr.DataTree:
    """A result without its indicators, which is written in no time."""
    dt = toy_posterior(chains=1, draws=draws, years=2)
    tree = xr.DataTree.from_dict({"posterior": dt["posterior"].to_dataset()})
    tree.attrs = dt.attrs
    return tree


def write(dt, folder, text="report") -> None:
    with output_folder(folder) as staging:
        tables = {"flows.csv": pd.DataFrame({"a": [1.0]}), "indicators.csv": pd.DataFrame({"b": [text]})}
        stage_results(staging, dt, tables, {"report.html": text})
        staging.commit()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def belongs_together(folder: Path) -> bool:
    """Whether the files are those whose hashes the provenance states."""
    stated = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["files_sha256"]
    return stated == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in stated}
