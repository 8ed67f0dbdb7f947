"""Scenarios really fitted: one compilation for all that differ in numbers, and results that answer to the change."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reeuncert as ree
import studies
from reeuncert.inference import refit
from reeuncert.inference.shape import Shape
from reeuncert.studies import refits
from reeuncert.studies.cache import Kept
from reeuncert.studies.jobs import FitSettings, Job
from reeuncert.studies.sensitivity import plan_study, scenarios_asked
from reeuncert.studies.study import Study

CASE = ree.read_case("small_metal")
SCENARIOS = [
    {"name": "vague", "changes": [{"kind": "source_width", "error_class": "statistics+customs", "factor": 6}]},
    {"name": "no glass makers", "changes": [{"kind": "leave_out", "lineage": "association"}]},
]


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    settings = FitSettings(draws=250, tune=250)
    return plan_study(CASE, scenarios_asked(None, SCENARIOS), settings, ["mine_production", "end_use_consumption"])


@pytest.fixture(scope="module")
def pilots() -> list[str]:
    """One entry for each pilot run that was made."""
    return []


@pytest.fixture(scope="module")
def fitted(jobs: list[Job], pilots: list[str]) -> dict[str, Kept]:
    own = refit.pilot

    def counted(*arguments: Any) -> Shape:
        pilots.append("pilot")
        return own(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refits, "_models", [])
        patch.setattr(refit, "pilot", counted)
        return {job.name: refits.refit(job) for job in jobs}


def test_scenarios_that_differ_in_numbers_share_one_compiled_model(fitted: dict[str, Kept]):
    assert [result.about["compiled"] for result in fitted.values()] == [True, False, False]
    assert all(result.about["seconds"] > 0 for result in fitted.values())


def test_one_pilot_run_serves_all_that_differ_in_numbers(fitted: dict[str, Kept], pilots: list[str]):
    assert len(fitted) == 3
    assert pilots == ["pilot"]


def test_a_scenario_does_not_depend_on_which_were_fitted_before(
    jobs: list[Job], fitted: dict[str, Kept], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(refits, "_models", [])
    last = jobs[-1]
    alone = refits.refit(last)
    np.testing.assert_array_equal(alone.data["draws"]["value"], fitted[last.name].data["draws"]["value"])


def test_another_structure_learns_from_a_pilot_run_of_its_own(jobs: list[Job]):
    bare = {"name": "bare", "changes": [{"kind": "without_flows", "quantity": "stock+opening_stock"}]}
    found = plan_study(CASE, scenarios_asked(None, [bare]), FitSettings(), None)[-1]
    assert found.like_json == ""
    assert {job.like_json for job in jobs} == {jobs[0].case_json}


def test_vague_sources_widen_what_they_report(fitted: dict[str, Kept]):
    def width(name: str) -> float:
        mined = fitted[name].data["indicators"]["mine_production"].sel(region="South", year=2018)
        return float(mined.sel(quantile=0.95) - mined.sel(quantile=0.05))

    assert width("vague") > 2 * width("base")
    assert width("no glass makers") < 1.5 * width("base")


def test_a_source_left_out_no_longer_informs_what_it_spoke_of(fitted: dict[str, Kept]):
    row = next(row for row in CASE.evidence if row.lineage == "association")

    def width(name: str) -> float:
        used = fitted[name].data["indicators"]["end_use_consumption"].sel(region="North", year=row.years[0])
        used = used.sel(end_use=used["end_use"].values[0])
        return float((used.sel(quantile=0.95) - used.sel(quantile=0.05)) / used.sel(quantile=0.5))

    assert width("no glass makers") > width("base")


def test_every_fit_balances_and_is_judged(fitted: dict[str, Kept]):
    for result in fitted.values():
        status = result.tables["checks"].set_index("check")["status"]
        assert status["balance"] == "passed"
        assert status["divergences"] in ("passed", "failed")
        assert {"R-hat of flows", "bulk ESS of flows", "energy fraction"} <= set(status.index)


@pytest.mark.slow
def test_two_processes_fit_what_one_fits(fitted: dict[str, Kept]):
    found = ree.sensitivity(CASE, scenarios=SCENARIOS, draws=250, tune=250, jobs=2, cache=False, progress=False)
    assert_same_medians(found, fitted)


def assert_same_medians(found: Study, fitted: dict[str, Kept]) -> None:
    assert found.scenarios["status"].tolist() == ["fitted"] * 3
    for name, result in fitted.items():
        mine = result.tables["headlines"].iloc[1]
        theirs = found.headlines.loc[found.headlines["scenario"] == name].iloc[1]
        error = (mine["mcse_median"] ** 2 + theirs["mcse_median"] ** 2) ** 0.5
        assert abs(mine["median"] - theirs["median"]) < 5 * error


@pytest.mark.slow
def test_a_dask_cluster_fits_what_one_process_fits_though_a_worker_dies(fitted: dict[str, Kept], tmp_path: Path):
    killed: list[int] = []

    def kill_one_that_samples(client: Any) -> None:
        """Once a worker has finished a scenario, so that both have begun one."""
        while not list(tmp_path.rglob("*.nc")):
            time.sleep(0.1)
        killed.extend(list(client.run(os.getpid).values())[:1])
        os.kill(killed[0], signal.SIGKILL)

    with studies.two_workers() as client:
        killer = threading.Thread(target=kill_one_that_samples, args=(client,), daemon=True)
        killer.start()
        found = ree.sensitivity(
            CASE, scenarios=SCENARIOS, draws=250, tune=250, client=client, cache=tmp_path, progress=False
        )
        killer.join(timeout=60)
    assert killed
    assert_same_medians(found, fitted)
