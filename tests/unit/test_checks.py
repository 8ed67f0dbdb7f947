"""Checks say what is wrong with a result, and nothing is wrong with a good one."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from reeuncert.checks import CHECKS, check
from reeuncert.checks.result import CheckResult, CheckTable, information, judged
from reeuncert.checks.run import largest_residual
from reeuncert.errors import ReeUncertError
from reeuncert.result.result import Result
from reeuncert.testing import toy_posterior, toy_terms


@pytest.fixture(scope="module")
def result():
    return toy_posterior(draws=600, years=3)


@pytest.fixture(scope="module")
def verdicts(result):
    return check(result)


def test_a_good_result_passes(verdicts):
    assert verdicts.passed, verdicts
    assert [r.name for r in verdicts] == [
        *("balance", "positive flows"),
        *("R-hat of flows", "bulk ESS of flows", "tail ESS of flows"),
        *("R-hat of indicators", "bulk ESS of indicators", "tail ESS of indicators"),
        *("divergences", "energy fraction"),
        *("interval ends of flows", "interval ends of headlines", "prior of flows", "prior of headlines"),
        *("priors and evidence", "figures and balance"),
        *("evidence rows", "readings and outliers", "pairs of records"),
        *("verdicts on headlines", "headlines over structures"),
        *("sensitivity to priors", "sensitivity to lineages"),
        *("left-out figures", "PSIS-LOO", "published values"),
    ]
    assert verdicts.verdict == "all 14 checks passed"
    assert verdicts["balance"].value < 1e-12
    assert verdicts["divergences"].message == "No draw diverged."


def test_a_flow_that_does_not_balance_is_named(result):
    broken = result.copy(deep=True)
    mass = broken["posterior"]["mass_flow"]
    mass.loc[{"flow": "feed_separation_North", "year": 2002, "chain": 1, "draw": 7}] *= 1.001
    found = check(broken, ["balance"])["balance"]
    assert found.status == "failed"
    assert 1e-5 < found.value < 2e-3
    assert "(process '" in found.message
    assert "2002)" in found.message
    assert found.message.endswith("Flows were changed after sampling, or the file is damaged.")


def test_balance_of_a_stock_by_hand():
    source = ["outside", "shop", "shop"]
    target = ["shop", "shop", "outside"]
    values = np.array([[10.0, 5.0], [4.0, 1.0], [6.0, 8.0]])  # in, kept, out: 10 = 4 + 6; 4 + 5 = 1 + 8
    mass = xr.DataArray(
        values[None, None],
        dims=("chain", "draw", "flow", "year"),
        coords={"year": [2000, 2001], "from_process": ("flow", source), "to_process": ("flow", target)},
    )
    assert largest_residual(mass) == (0.0, None)
    mass.values[0, 0, 2, 1] = 7.0  # 9 in, 8 out
    worst, where = largest_residual(mass)
    assert worst == pytest.approx(1 / 9)
    assert where == ("shop", 2001)


def test_a_negative_flow_fails(result):
    broken = result.copy(deep=True)
    broken["posterior"]["mass_flow"].values[0, 0, 0, 0] = -1.0
    assert check(broken, ["balance"])["positive flows"].status == "failed"


def test_chains_that_disagree_fail_and_the_worst_are_listed(result):
    broken = result.copy(deep=True)
    broken["posterior"]["mass_flow"].loc[{"flow": "ore_North", "year": 2001, "chain": 0}] *= 1.5
    found = check(broken, ["convergence"])["R-hat of flows"]
    assert found.status == "failed"
    assert found.threshold == "<= 1.01"
    assert found.table is not None
    assert found.table.iloc[0][["flow", "year"]].tolist() == ["ore_North", 2001]


def test_too_few_draws_fail():
    few = check(toy_posterior(draws=40, years=2), ["convergence"])
    assert few["bulk ESS of flows"].status == "failed"
    assert few["bulk ESS of flows"].value < 400


def test_tables_that_were_made_already_are_used(result):
    table = pd.DataFrame({"flow": ["a"], "ess_bulk": [9.0], "ess_tail": [999.0], "r_hat": [1.0]})
    known = Result(xr.DataTree.from_dict({"posterior": result["posterior"].to_dataset()}))
    vars(known)["flows"] = table
    found = {verdict.name: verdict for verdict in CHECKS["convergence"](known)}
    assert found["bulk ESS of flows"].value == 9
    asked = re.search(r"--draws (\d+)", found["bulk ESS of flows"].message)
    assert asked is not None
    needed = result["posterior"].sizes["draw"] * 1400 / 9
    assert needed <= int(asked[1]) < 1.1 * needed
    assert found["indicators"].status == "information"


def test_one_chain_gives_information_not_a_failure(result):
    one = result.copy(deep=True)
    one["posterior"] = xr.DataTree(one["posterior"].to_dataset().isel(chain=[0]))
    found = check(one, ["convergence"])["R-hat of flows"]
    assert found.status == "information"
    assert "a second chain" in found.message


def test_sampler_statistics(result):
    broken = result.copy(deep=True)
    stats = broken["sample_stats"]
    stats["diverging"].values[2, 5] = True
    stats["energy"].values[1] = np.cumsum(np.random.default_rng(1).normal(size=600))
    broken["sample_stats"] = xr.DataTree(
        broken["sample_stats"].to_dataset().assign(reached_max_treedepth=stats["diverging"] | True)
    )
    found = check(broken, ["geometry"])
    assert found["divergences"].message == (
        "1 of 2,400 draws diverged: intervals may be too narrow. Raise target_accept to 0.95; if they stay, "
        "a prior or the width of a source is extreme."
    )
    assert found["energy fraction"].status == "failed"
    assert found["tree depth"].value == 1.0
    assert len(found.failed) == 3


def test_preview_and_interruption_are_told_and_do_not_fail():
    dt = toy_posterior(draws=20, years=2)
    dt.attrs |= {"approximate": "yes", "complete": "no", "draws": 1000, "chains": 4}
    found = check(dt)
    assert found.passed
    assert found["quick look"].message == (
        "Approximate: a preview of 4 chains of 20 draws, not meant to converge; quote nothing of it."
    )
    assert found["interrupted"].message == (
        "The run was interrupted: it holds 4 chains of 20 draws where 4 chains of 1000 draws were asked for."
    )
    assert found["bulk ESS of flows"].status == "information"


def test_table_of_verdicts(verdicts):
    frame = verdicts.to_frame()
    assert frame.columns.tolist() == ["check", "status", "value", "threshold", "message"]
    assert len(frame) == len(verdicts) == 26
    assert repr(verdicts).splitlines()[0] == "all 14 checks passed"
    assert "<td>divergences</td>" in verdicts._repr_html_()
    bad = CheckTable([judged("<a>", 1.0, "<=", 0, "Bad.", "Do this."), information("b", "Only so.")])
    assert bad.verdict == "1 of 1 checks failed"
    assert bad["<a>"].message == "Bad. Do this."
    assert "&lt;a&gt;" in bad._repr_html_()
    assert CheckTable([information("b", "Only so.")]).verdict == "nothing was judged"
    with pytest.raises(KeyError, match="there is no check 'c'; there are: <a>, b"):
        bad["c"]


def test_a_status_follows_from_value_and_threshold(verdicts, result):
    """Of every check of a good, a small and a broken result, as the table that is written says it."""
    broken = toy_terms(toy_posterior(draws=40, years=2))
    broken["posterior"]["mass_flow"].values[0, 0, 0, 0] = -1.0
    compare = {"<=": np.less_equal, ">=": np.greater_equal, "<": np.less, ">": np.greater}
    seen = set()
    for table in (verdicts, check(broken)):
        for row in table.to_frame().itertuples():
            seen.add(row.status)
            if row.status in ("information", "not run"):
                assert row.threshold == ""
            else:
                relation, limit = row.threshold.split()
                assert (row.status == "passed") == bool(compare[relation](row.value, float(limit))), row
    assert {"passed", "failed", "warning", "information"} <= seen
    for status, value, threshold in (("passed", 2.0, "<= 1"), ("warning", 0.0, "<= 1"), ("passed", np.nan, "> 0")):
        with pytest.raises(ValueError, match="does not follow"):
            CheckResult("a", status, value, threshold, "")
    with pytest.raises(ValueError, match="a threshold goes with"):
        CheckResult("a", "information", 1.0, "<= 1", "")


def test_unknown_names(result):
    with pytest.raises(ReeUncertError, match=f"check 'x' is not known; use some of: {', '.join(CHECKS)}"):
        check(result, ["x"])
    with pytest.raises(
        ValueError, match="status 'good' is not known; use one of: passed, failed, warning, information"
    ):
        CheckResult("a", "good", 0.0, "", "")
    assert "this result holds no flows" in check(xr.DataTree())["balance"].message


def test_a_result_of_thinned_draws_is_judged_by_single_steps():
    dt = toy_posterior(chains=2, draws=50, years=2)
    stats = dt["sample_stats"].to_dataset()
    energy = stats["energy"]
    assert check(dt, ["geometry"])["energy fraction"].status == "passed"
    dt["sample_stats"] = stats.assign(energy_before=energy + 0.1 * float(energy.std()))
    found = check(dt, ["geometry"])["energy fraction"]
    assert found.status == "failed"
    assert found.value < 0.02
