"""Studies with a stand-in for the sampler: results stacked, kept, found again, resumed, and failures reported."""

import errno
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import reeuncert as ree
import studies
from reeuncert.case.serial import without_folder
from reeuncert.errors import OutputError, ReeUncertError, SamplingError
from reeuncert.studies.cache import Cache, Kept
from reeuncert.studies.jobs import FitSettings
from reeuncert.studies.sensitivity import sensitivity
from reeuncert.studies.study import CHANGES, FAILED, FINISHED, HOLDS, KEPT, NOT_ASKED

CASE = ree.read_case("small_metal")
ORE = {"kind": "prior_median", "prior": "ore of South", "factor": 3}
BARE = {"kind": "without_flows", "quantity": "stock+opening_stock"}
LESS = {"kind": "leave_out", "lineage": "association"}
LIST = [
    {"name": "more ore", "why": "A rich mine.", "changes": [ORE]},
    {"name": "no stocks", "changes": [BARE]},
    {"name": "no association", "changes": [LESS]},
]


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    monkeypatch.setenv(studies.MARKS, str(folder))
    return folder


def study(cache: Path | bool = False, scenarios=LIST, fit=studies.toy_fit, **more) -> ree.Study:
    settings = {"draws": 40, "jobs": 1, "progress": False, **more}
    return ree.sensitivity(CASE, scenarios=scenarios, cache=cache, fit=fit, **settings)


def fits(marks: Path) -> int:
    return len(list(marks.iterdir()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ree.Study:
    folder = tmp_path_factory.mktemp("marks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(studies.MARKS, str(folder))
        return study(indicators=["mine_production"])


def test_results_are_stacked_along_scenarios(made: ree.Study):
    assert made.data["scenario"].values.tolist() == ["base", "more ore", "no stocks", "no association"]
    for name, variable in made.data.data_vars.items():
        assert variable.dims[:2] == ("scenario", "quantile"), name
        assert variable.attrs["units"]
    assert {"import_dependence", "mine_production", "mine_production_cumulated"} <= set(made.data.data_vars)
    ratio = made.data["mine_production"].sel(scenario="more ore") / made.data["mine_production"].sel(scenario="base")
    np.testing.assert_allclose(ratio.values[np.isfinite(ratio.values)], 3, rtol=1e-5)
    assert made.draws["value"].dims == ("scenario", "headline", "sample")
    assert made.draws["value"].shape == (4, len(CASE.headlines), 40 * FitSettings.chains)


def test_quantiles_and_headlines_are_those_of_the_draws(made: ree.Study):
    row = made.headlines.loc[(made.headlines["scenario"] == "base")].iloc[1]
    value = made.draws["value"].sel(scenario="base", headline=1).values
    assert row["median"] == pytest.approx(np.median(value), rel=1e-6)
    assert row["eti90_lb"] == pytest.approx(np.quantile(value, 0.05), rel=1e-6)
    place = {"region": row["region"], "product": row["product"], "year": row["year"], "scenario": "base"}
    kept = made.data[row["indicator"]].sel(place)
    assert float(kept.sel(quantile=0.5)) == pytest.approx(row["median"], rel=1e-5)
    assert row["mcse_median"] > 0


def test_the_table_is_tidy_and_names_its_intervals(made: ree.Study):
    table = made.table("mine_production", region="South", year=[2019, 2020])
    assert list(table) == [
        "scenario", "indicator", "region", "partner", "product", "end_use", "year", "unit", "median", "eti50_lb",
        "eti50_ub", "eti90_lb", "eti90_ub",
    ]  # fmt: skip
    assert table["scenario"].tolist() == [n for n in made.data["scenario"].values for _ in range(2)]
    assert (table["eti90_lb"] <= table["eti50_lb"]).all()
    assert (table["eti50_ub"] <= table["eti90_ub"]).all()
    assert len(made.table()) > len(made.table("mine_production"))


def test_what_the_table_does_not_hold_is_told(made: ree.Study):
    with pytest.raises(ReeUncertError, match=r"indicator 'mine_prodction' is not known; use one of: .*; did you mean"):
        made.table("mine_prodction")
    with pytest.raises(ReeUncertError, match="indicator 'mine_production' has no dim 'partner'; its dims: scenario,"):
        made.table("mine_production", partner="North")
    with pytest.raises(ReeUncertError, match=r"'worse' is no scenario of indicator '.*'; there are: "):
        made.table("mine_production", scenario="worse")


def test_conclusions_say_which_headlines_change(made: ree.Study):
    found = made.conclusions()
    assert len(found) == 3 * len(CASE.headlines)
    mass = found.loc[(found["scenario"] == "more ore") & (found["indicator"] == "apparent_consumption")].iloc[0]
    assert mass["verdict"] == CHANGES
    assert mass["median"] == pytest.approx(3 * mass["base_median"], rel=1e-5)
    assert mass["width_ratio"] == pytest.approx(3, rel=1e-5)
    same = found.loc[found["scenario"] == "no association"]
    assert set(same["verdict"]) == {HOLDS}
    assert same["shift"].fillna(0).tolist() == [0] * len(CASE.headlines)
    assert "more ore" in repr(made)
    assert "headlines that change" in made._repr_html_()


def test_the_checks_of_each_fit_are_there(made: ree.Study):
    assert set(made.checks["scenario"]) == set(made.data["scenario"].values)
    assert {"balance", "divergences", "R-hat of flows"} <= set(made.checks["check"])
    assert made.checks.loc[made.checks["check"] == "balance", "status"].unique().tolist() == ["passed"]


def test_a_study_is_written_and_read_back(made: ree.Study, tmp_path: Path):
    back = ree.read_study(made.write(tmp_path / "study.nc"))
    xr.testing.assert_identical(back.data, made.data)
    xr.testing.assert_identical(back.draws, made.draws)
    for name in ("scenarios", "headlines", "checks"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(made, name), check_dtype=False)
    assert back.about == {**made.about, "case_json": without_folder(made.about["case_json"])}


def test_a_file_that_is_no_study_is_refused(made: ree.Study, tmp_path: Path):
    with pytest.raises(OutputError, match="there is no study at "):
        ree.read_study(tmp_path / "absent.nc")
    whole = made.write(tmp_path / "study.nc").read_bytes()
    cut = tmp_path / "cut.nc"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OutputError, match=r"cut\.nc'"):
        ree.read_study(cut)


def test_finished_scenarios_are_found_again(tmp_path: Path, marks: Path):
    first = study(tmp_path / "kept")
    assert fits(marks) == 4
    assert first.scenarios["status"].tolist() == [FINISHED] * 4
    again = study(tmp_path / "kept")
    assert fits(marks) == 4
    assert again.scenarios["status"].tolist() == [KEPT] * 4
    xr.testing.assert_identical(again.data, first.data)
    pd.testing.assert_frame_equal(again.headlines, first.headlines)


def test_only_what_is_new_is_fitted(tmp_path: Path, marks: Path):
    study(tmp_path / "kept", LIST[:1])
    renamed = [{"name": "rich mine", "changes": [ORE]}, LIST[1]]
    found = study(tmp_path / "kept", renamed)
    assert fits(marks) == 3
    assert found.scenarios["status"].tolist() == [KEPT, KEPT, FINISHED]
    study(tmp_path / "kept", renamed, seed=2)
    assert fits(marks) == 6


def test_the_same_thing_under_two_names_is_fitted_once(marks: Path):
    found = study(scenarios=[LIST[0], {"name": "again", "changes": [ORE]}])
    assert fits(marks) == 2
    xr.testing.assert_equal(found.data.sel(scenario="again", drop=True), found.data.sel(scenario="more ore", drop=True))


def test_results_of_another_version_stay_and_are_made_again(tmp_path: Path, marks: Path, capsys):
    folder = tmp_path / "kept"
    study(folder, LIST[:1])
    for path in list(folder.glob("*.nc")):
        path.rename(path.with_name(path.name.replace(f"-{Cache(folder).release}", "-0.0.1")))
    found = study(folder, LIST[:1], progress=True)
    assert fits(marks) == 4
    assert found.scenarios["status"].tolist() == [FINISHED] * 2
    release = Cache(folder).release
    assert found.about["notes"] == [
        f"the kept result of '{name}' is of version 0.0.1 and this is {release}; it is made again, and the older one "
        "stays"
        for name in ("base", "more ore")
    ]
    assert "is of version 0.0.1" in capsys.readouterr().err
    assert len(list(folder.glob("*.nc"))) == 4


def test_a_damaged_result_is_made_again(tmp_path: Path, marks: Path):
    folder = tmp_path / "kept"
    study(folder, LIST[:1])
    path = sorted(folder.glob("*.nc"))[0]
    path.write_bytes(path.read_bytes()[:300])
    found = study(folder, LIST[:1])
    assert fits(marks) == 3
    assert sorted(found.scenarios["status"]) == [FINISHED, KEPT]
    assert "cannot be used and is made again" in found.about["notes"][0]
    assert study(folder, LIST[:1]).scenarios["status"].tolist() == [KEPT, KEPT]


def test_a_study_that_was_interrupted_goes_on(tmp_path: Path, marks: Path):
    scenarios = [*LIST[:1], {"name": "stop here", "changes": [LESS]}]
    with pytest.raises(KeyboardInterrupt) as caught:
        study(tmp_path / "kept", scenarios, fit=studies.interrupted_fit)
    assert str(caught.value) == "2 of 3 fits are finished and are kept: asked again, the study goes on from there"
    assert fits(marks) == 2
    found = study(tmp_path / "kept", scenarios)
    assert fits(marks) == 3
    assert found.scenarios["status"].tolist() == [KEPT, KEPT, FINISHED]
    assert not list((tmp_path / "kept").glob(".writing*"))


def test_a_failed_scenario_is_reported_and_loses_no_other(tmp_path: Path, marks: Path, capsys):
    scenarios = [{"name": "fails", "changes": [LESS]}, *LIST[:1]]
    found = study(tmp_path / "kept", scenarios, fit=studies.failing_fit, progress=True)
    assert found.scenarios["status"].tolist() == [FINISHED, FAILED, FINISHED]
    assert found.failed["reason"].tolist() == ["SamplingError: the sampler could not start"]
    assert "failing_fit" in found.failed["trace"][0]
    assert found.data["scenario"].values.tolist() == ["base", "more ore"]
    assert not found.passed
    assert "failed: fails (SamplingError: the sampler could not start)" in repr(found)
    assert "fails: failed: SamplingError" in capsys.readouterr().err
    study(tmp_path / "kept", scenarios, fit=studies.toy_fit)
    assert fits(marks) == 4


def test_when_all_fail_there_is_no_study(marks: Path):
    with pytest.raises(
        SamplingError, match="none of 2 scenarios could be fitted: base: SamplingError: no; more ore: S"
    ):
        study(scenarios=LIST[:1], fit=lambda job: (_ for _ in ()).throw(SamplingError("no")))


def test_a_headline_without_its_flows_is_told_apart(marks: Path):
    found = study(scenarios=[{"name": "no exports", "changes": [{"kind": "without_flows", "flow": "salt_to_north"}]}])
    assert found.failed.empty
    verdicts = found.conclusions().set_index("indicator")["verdict"]
    assert verdicts["import_dependence"] == NOT_ASKED
    assert "have no such flow)" in repr(found)


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_fitted(tmp_path: Path, marks: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"cannot keep finished fits in '.*file/kept'"):
        study(tmp_path / "file" / "kept")
    assert fits(marks) == 0


def test_a_usual_folder_that_cannot_be_written_is_done_without(tmp_path: Path, marks: Path, monkeypatch, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("REEUNCERT_CACHE_DIR", str(tmp_path / "file"))
    found = study(True, LIST[:1], progress=True)
    assert found.scenarios["status"].tolist() == [FINISHED] * 2
    assert "the study goes on without" in found.about["notes"][0]
    assert "the study goes on without" in capsys.readouterr().err


def test_a_disk_that_fills_up_in_a_study_costs_only_what_would_be_kept(tmp_path: Path, marks: Path, monkeypatch):
    real = studies.toy_fit

    def filling(job):
        if job.name == "more ore":
            monkeypatch.setattr("reeuncert.studies.cache.write_whole", full)
        return real(job)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    found = study(tmp_path / "kept", LIST, fit=filling)
    assert found.scenarios["status"].tolist() == [FINISHED] * 4
    assert found.about["notes"] == [
        f"finished fits cannot be kept in '{tmp_path / 'kept'}' (the disk is full); the study goes on without"
    ]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_the_usual_folder_is_named_by_the_environment(tmp_path: Path, marks: Path, monkeypatch):
    monkeypatch.setenv("REEUNCERT_CACHE_DIR", str(tmp_path / "mine"))
    study(True, LIST[:1])
    assert len(list((tmp_path / "mine" / "fits").glob("*.nc"))) == 2


def test_impossible_places_to_run(marks: Path):
    with pytest.raises(SamplingError, match="jobs is 0; "):
        study(jobs=0)
    with pytest.raises(SamplingError, match="jobs is for this machine and client for a cluster; give one of them"):
        study(jobs=2, client="tcp://127.0.0.1:1")


def test_nothing_of_a_study_is_left_beside_the_results(tmp_path: Path, marks: Path):
    study(tmp_path / "kept", LIST[:1])
    assert {p.suffix for p in (tmp_path / "kept").iterdir()} == {".nc"}
    shutil.rmtree(tmp_path / "kept")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"drws": 20}, "a study has no option 'drws'; did you mean 'draws'?"),
        ({"jobs": -1}, "jobs is -1; it must be at least 1"),
    ],
)
def test_options_are_checked_where_no_guard_stands_before(wrong: dict, message: str) -> None:
    with pytest.raises(ReeUncertError, match=re.escape(message)):
        sensitivity(CASE, scenarios=LIST, fit=studies.toy_fit, progress=False, **wrong)


def test_a_case_without_headlines_has_a_study_of_indicators(tmp_path: Path, marks: Path):
    found = ree.sensitivity(
        replace(CASE, headlines=()),
        scenarios=LIST[:1],
        indicators=["mine_production"],
        draws=40,
        jobs=1,
        progress=False,
        cache=False,
        fit=studies.toy_fit,
    )
    assert found.failed.empty
    assert found.has_base
    for one in (found, ree.read_study(found.write(tmp_path / "study.nc"))):
        assert one.conclusions().empty
        assert "more ore" in repr(one)
        assert one.table("mine_production", region="South", year=2018)["median"].nunique() == 2


def test_a_table_of_a_fit_holds_numbers_without_end(tmp_path: Path):
    table = pd.DataFrame({"log_score": [-np.inf, np.nan, 1.0]})
    Kept(tables={"predicted": table}).to_netcdf(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(Kept.read(tmp_path / "fit.nc").tables["predicted"], table)
