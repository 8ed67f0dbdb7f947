"""Two runs that compile into one folder, which is deleted again and again under them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

from reeuncert.indicators.stored import read_results
from reeuncert.machine import CACHE_VARIABLE

pytestmark = pytest.mark.slow

OPTIONS = ("--draws", "20", "--tune", "100", "--chains", "2", "--seed", "3")


def test_two_runs_share_a_cold_cache_while_it_is_deleted(tmp_path):
    cache = tmp_path / "cache"
    environment = {**os.environ, CACHE_VARIABLE: str(cache)}
    environment.pop("PYTENSOR_FLAGS", None)
    runs, logs = [], []
    for name in ("one", "two"):
        logs.append(tmp_path / f"{name}.log")
        command = [sys.executable, "-m", "reeuncert", "run", "small_metal", "--out", str(tmp_path / name), *OPTIONS]
        with logs[-1].open("w") as log:
            runs.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path))
    deleted = 0
    while any(run.poll() is None for run in runs):
        time.sleep(3.0)
        if (cache / "numba").is_dir():
            shutil.rmtree(cache, ignore_errors=True)
            deleted += 1
    said = [log.read_text() for log in logs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert not any("Traceback" in text for text in said), said
    assert deleted > 2
    first, second = (read_results(tmp_path / name)["posterior"]["mass_flow"].values for name in ("one", "two"))
    assert (first[first == first] == second[second == second]).all()
