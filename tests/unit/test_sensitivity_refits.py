"""Scenarios really fitted: one compilation for all that differ in numbers, and results that answer to the change."""

import pytest

import reeuncert as ree
from reeuncert.sensitivity import refits
from reeuncert.sensitivity.fitted import Fitted
from reeuncert.sensitivity.jobs import FitSettings
from reeuncert.sensitivity.plan import plan_study, scenarios_asked

CASE = ree.read_case("small_metal")
SCENARIOS = [
    {"name": "vague", "changes": [{"kind": "source_width", "error_class": "statistics+customs", "factor": 6}]},
    {"name": "no glass makers", "changes": [{"kind": "leave_out", "lineage": "association"}]},
]


@pytest.fixture(scope="module")
def fitted() -> dict[str, Fitted]:
    settings = FitSettings(draws=250, tune=250)
    plan = plan_study(CASE, scenarios_asked(None, SCENARIOS), settings, ["mine_production", "end_use_consumption"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refits, "_models", [])
        return {job.name: refits.refit(job) for job in plan.jobs}


def test_scenarios_that_differ_in_numbers_share_one_compiled_model(fitted: dict[str, Fitted]):
    assert [result.about["compiled"] for result in fitted.values()] == [True, False, False]
    assert all(result.about["seconds"] > 0 for result in fitted.values())


def test_vague_sources_widen_what_they_report(fitted: dict[str, Fitted]):
    def width(name: str) -> float:
        mined = fitted[name].indicators["mine_production"].sel(region="South", year=2018)
        return float(mined.sel(quantile=0.95) - mined.sel(quantile=0.05))

    assert width("vague") > 2 * width("base")
    assert width("no glass makers") < 1.5 * width("base")


def test_a_source_left_out_no_longer_informs_what_it_spoke_of(fitted: dict[str, Fitted]):
    row = next(row for row in CASE.evidence if row.lineage == "association")

    def width(name: str) -> float:
        used = fitted[name].indicators["end_use_consumption"].sel(region="North", year=row.years[0])
        used = used.sel(end_use=used["end_use"].values[0])
        return float((used.sel(quantile=0.95) - used.sel(quantile=0.05)) / used.sel(quantile=0.5))

    assert width("no glass makers") > width("base")


def test_every_fit_balances_and_is_judged(fitted: dict[str, Fitted]):
    for result in fitted.values():
        status = result.checks.set_index("check")["status"]
        assert status["balance"] == "passed"
        assert status["divergences"] in ("passed", "failed")
        assert {"R-hat of flows", "bulk ESS of flows", "energy fraction"} <= set(status.index)


@pytest.mark.slow
def test_two_processes_fit_what_one_fits(fitted: dict[str, Fitted]):
    found = ree.sensitivity(CASE, scenarios=SCENARIOS, draws=250, tune=250, jobs=2, cache=False, progress=False)
    assert found.scenarios["status"].tolist() == ["fitted"] * 3
    for name, result in fitted.items():
        mine = result.headlines.iloc[1]
        theirs = found.headlines.loc[found.headlines["scenario"] == name].iloc[1]
        error = (mine["mcse_median"] ** 2 + theirs["mcse_median"] ** 2) ** 0.5
        assert abs(mine["median"] - theirs["median"]) < 5 * error
