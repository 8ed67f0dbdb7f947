"""Stand-ins for a fit: what studies do with processes, caches and failures can be tested without a sampler.

They are functions of a module, so that other processes find them.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.errors import SamplingError
from reeuncert.studies.cache import Kept
from reeuncert.studies.jobs import Job
from reeuncert.testing import flow_dataset, toy_flows

MARKS = "REEUNCERT_TEST_MARKS"
"""Environment variable: a folder in which every fit leaves a file, so that fits can be counted over processes."""

_kept: list[np.ndarray] = []


def toy_fit(job: Job) -> Kept:
    """Balanced flows that no sampler made: as large as the median of the first prior says, scaled by its spread."""
    _mark(job)
    case = case_from_json(job.case_json)
    first = case.priors[0]
    rng = np.random.default_rng(job.settings.seed)
    chains, draws = job.settings.chains, job.settings.draws
    mass = toy_flows(case.system, 0.2 * max(first.level_sd, 0.1), rng, chains * draws) * first.median
    stats = {
        "diverging": np.zeros((chains, draws), dtype=bool),
        "energy": rng.normal(size=(chains, draws)),
        "reached_max_treedepth": np.zeros((chains, draws), dtype=bool),
    }
    dt = xr.DataTree.from_dict(
        {
            "posterior": flow_dataset(case.system, mass.reshape(chains, draws, *mass.shape[1:])),
            "sample_stats": xr.Dataset({k: (("chain", "draw"), v) for k, v in stats.items()}),
        }
    )
    dt.attrs = {"case_json": case_to_json(case), "case_name": case.name}
    kept = job.keep(dt, case, ())
    return replace(kept, about={**kept.about, "process": os.getpid(), "left_out": len(job.left_out)})


def failing_fit(job: Job) -> Kept:
    """Fails where the name of the scenario says so."""
    if "fails" in job.name:
        _mark(job)
        raise SamplingError("the sampler could not start\nat all")
    return toy_fit(job)


def dying_fit(job: Job) -> Kept:
    """Ends its process: once where the name says "dies once", always where it says "dies"."""
    before = _marks(job)
    if "dies" in job.name and ("once" not in job.name or not before):
        _mark(job)
        os._exit(3)
    return toy_fit(job)


def process_that_grows(_: Job) -> int:
    """Keeps 400 MB more, as a compiled model and its draws do; longer apart than loky's looks at the memory."""
    _kept.append(np.ones(50_000_000))
    time.sleep(1.1)
    return os.getpid()


def slow_fit(job: Job) -> Kept:
    """Leaves its mark at once and takes a while, so that its process can be killed in between."""
    if not _marks(job):
        _mark(job)
        time.sleep(3.0)
    return toy_fit(job)


def interrupted_fit(job: Job) -> Kept:
    """As when a user presses Ctrl-C in the third scenario."""
    if "stop" in job.name and len(list(Path(os.environ[MARKS]).iterdir())) < 4:
        raise KeyboardInterrupt
    return toy_fit(job)


def never(*_: object) -> None:
    """Stands in for fits that take longer than anybody waits for."""
    time.sleep(600.0)


def _mark(job: Job) -> None:
    folder = Path(os.environ[MARKS])
    (folder / f"{job.key} {os.getpid()} {time.monotonic_ns()}").touch()


def _marks(job: Job) -> list[Path]:
    return list(Path(os.environ[MARKS]).glob(f"{job.key} *"))


@contextmanager
def two_workers() -> Iterator[Any]:
    """A client of a Dask cluster on this machine: two processes of one thread."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=logging.CRITICAL
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
