"""One run for several notebooks: `result_of(case)` samples a case once and keeps the result on disk.

A kept result is used again only for the same case, settings and code; nothing here is stored in the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import xarray as xr

import reeuncert as ree
from reeuncert.case.serial import case_to_json
from reeuncert.indicators.stored import stage_results
from reeuncert.result.folder import output_folder
from reeuncert.result.io import POSTERIOR

YEARS = range(2008, 2023)

PARTS = (
    "*.py",
    *(f"{part}/**/*.py" for part in ("balance", "case", "system", "priors", "likelihood", "inference", "indicators")),
)
"""Modules that a result depends on; figures and studies may change without a new run."""


def shared_case() -> ree.Case:
    """The bundled case on fifteen of its years: from the export quotas to the reopened mine, and much faster."""
    return ree.restrict(ree.read_case("china_us_row"), YEARS)


def result_of(case: ree.Case, *, draws: int = 500, tune: int = 200, chains: int = 2, seed: int = 1) -> xr.DataTree:
    """Sample a case, or read the result that an earlier notebook kept.

    It is ``ree.add_indicators(ree.sample(ree.build_model(case), …))`` in either case. The folder is
    ``docs/notebooks/_runs``, or the one named by the environment variable REEUNCERT_NOTEBOOK_RUNS.
    """
    folder = runs_folder() / f"{case.name}-{_key(case, draws, tune, chains, seed)}"
    # Whoever comes second waits for nobody: the folder is refused while another notebook writes in it.
    if (folder / POSTERIOR).is_file():
        return ree.read_results(folder)
    with output_folder(folder) as staging:
        model = ree.build_model(case)
        dt = ree.sample(model, draws=draws, tune=tune, chains=chains, seed=seed, progressbar=False, quiet=True)
        dt = ree.add_indicators(dt)
        stage_results(staging, dt, {})
        staging.commit()
    return dt


def runs_folder() -> Path:
    """Where results of the notebooks are kept."""
    return Path(os.environ.get("REEUNCERT_NOTEBOOK_RUNS", Path(__file__).parent / "_runs"))


def _key(case: ree.Case, *settings: int) -> str:
    code = hashlib.sha256()
    package = Path(str(ree.__file__)).parent
    for file in sorted(file for part in PARTS for file in package.glob(part)):
        code.update(file.read_bytes())
    content = json.dumps([case_to_json(case), settings, code.hexdigest()])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
