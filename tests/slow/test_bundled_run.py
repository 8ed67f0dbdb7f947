"""The bundled case as a user runs it: converged, balanced, and its files whole."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow


def test_the_main_job_converges_and_writes_its_files(tmp_path: Path):
    out = tmp_path / "result"
    command = [sys.executable, "-m", "reeuncert", "run", "--seed", "1", "--quiet", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in out.iterdir()}
    assert {"posterior.nc", "flows.csv", "indicators.csv", "checks.csv", "provenance.json", "report.html"} <= names
    flows, indicators = pd.read_csv(out / "flows.csv"), pd.read_csv(out / "indicators.csv")
    for table in (flows, indicators):
        assert table["r_hat"].max() <= 1.01
        assert table["ess_bulk"].min() >= 400
        assert table["ess_tail"].min() >= 400
    checks = pd.read_csv(out / "checks.csv").set_index("check")
    assert (checks.loc[checks.index.str.contains("balance"), "status"] == "passed").all()
    assert checks.loc["divergences", "value"] == 0
