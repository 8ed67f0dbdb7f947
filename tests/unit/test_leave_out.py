"""Figures predicted by fits that have not seen them, their coverage, and the verdicts on it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import reeuncert as ree
from reeuncert.cli.app import app
from reeuncert.errors import ReeUncertError, SamplingError
from reeuncert.result.left_out import LeftOut, add_left_out, left_out_of
from reeuncert.studies.leave_out import leave_out
from reeuncert.testing import toy_posterior

SHORT = {"draws": 200, "tune": 300, "seed": 3, "progress": False}


@pytest.fixture(scope="module")
def case():
    return ree.read_case("small_metal")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def found(case, kept) -> LeftOut:
    return leave_out(case, cache=kept, **SHORT)


def test_finished_folds_are_kept_and_found_again(case, found, kept, monkeypatch):
    def nothing_to_fit(*_, **__):
        raise AssertionError("a kept fold was fitted again")

    monkeypatch.setattr("reeuncert.studies.refits.refit", nothing_to_fit)
    again = leave_out(case, cache=kept, **SHORT)
    pd.testing.assert_frame_equal(again.rows, found.rows)
    next(iter(sorted(kept.glob("*.nc")))).unlink()
    with pytest.raises(SamplingError, match=r"the fit without .* failed .*fitted again"):
        leave_out(case, cache=kept, **SHORT)


def rows_with(below, scheme="sources") -> pd.DataFrame:
    n = len(below)
    names = [f"r{i}" for i in range(n)]
    return pd.DataFrame(
        {
            "scheme": scheme,
            "fold": [f"f{i % 4}" for i in range(n)],
            "row": names,
            "source": [f"f{i % 4}" for i in range(n)],
            "lineage": [f"f{i % 4}" for i in range(n)],
            "below": below,
            "prior_below": 0.5,
            "r_hat": 1.0,
        }
    )


def test_every_figure_is_predicted_once_without_its_source(case, found):
    bounds = {row.id for row in case.evidence if row.qualifier in ("at_least", "up_to", "range", "zero")}
    assert sorted(found.rows["row"]) == sorted({row.id for row in case.evidence} - bounds)
    assert (found.rows["fold"] == found.rows["lineage"]).all()
    assert found.rows["below"].between(0, 1).all()


def test_a_wrong_figure_lies_outside_what_the_others_predict(case, found):
    first = case.evidence[0]
    wrong = dataclasses.replace(first, value=20 * first.value)
    spoilt = dataclasses.replace(case, evidence=(wrong, *case.evidence[1:]))
    assert 0.02 < found.rows.set_index("row").loc[first.id, "below"] < 0.98
    after = leave_out(spoilt, {row.id: str(row.id == first.id) for row in case.evidence}, cache=False, **SHORT)
    assert after.rows.set_index("row").loc[first.id, "below"] > 0.98
    assert set(after.rows["scheme"]) == {"2 folds"}


def test_coverage_counts_figures_inside_central_intervals():
    even = LeftOut(rows_with((np.arange(400) + 0.5) / 400))
    table = even.coverage()
    np.testing.assert_allclose(table["coverage"], [0.5, 0.8, 0.9, 0.95])
    assert table["prior_coverage"].tolist() == [1.0] * 4
    # Figures of one fold that miss together say less than as many that miss apart.
    below = np.where(np.arange(400) % 4 == 0, 0.999, 0.5)
    together = LeftOut(rows_with(below)).coverage().set_index("level").loc[0.9]
    apart = LeftOut(rows_with(below).assign(fold=np.arange(400).astype(str))).coverage().set_index("level").loc[0.9]
    assert together["coverage"] == apart["coverage"] == 0.75
    assert together["error"] > 5 * apart["error"]


def test_the_check_tells_coverage_and_fails_where_intervals_are_too_narrow(tmp_path):
    dt = toy_posterior(draws=50, years=2)
    silent = ree.check(dt, ["leave_out"])["left-out figures"]
    assert silent.status == "information"
    assert silent.message == (
        "No fit without part of the evidence was made: how well the rest predicts a figure is not known. Run "
        "`reeuncert leave-out` on the results."
    )
    good = add_left_out(dt, LeftOut(rows_with((np.arange(400) + 0.5) / 400)))
    said = ree.check(good, ["leave_out"])["left-out sources"]
    assert (said.status, said.value, said.threshold) == ("passed", pytest.approx(0.9), ">= 0.85")
    assert said.message == (
        "Of 400 figures, each predicted without its fold (4 folds), 50%, 80%, 90%, 95% fall in the central 50%, 80%, "
        "90%, 95% intervals (by the prior alone: 100%, 100%, 100%, 100%)."
    )
    narrow = np.tile([0.001, 0.5, 0.999], 100)
    bad = add_left_out(dt, LeftOut(rows_with(narrow, scheme="5 folds")))
    verdict = ree.check(bad, ["leave_out"])["left-out rows (5 folds)"]
    assert verdict.status == "failed"
    assert verdict.message.endswith("Intervals are too narrow: look at the sources at the top of the table.")
    assert list(verdict.table.columns) == ["source", "figures", "coverage", "mean_below"]
    # The group survives a file.
    ree.write_results(bad, tmp_path)
    kept = left_out_of(ree.read_results(tmp_path))
    pd.testing.assert_frame_equal(kept.coverage(), LeftOut(rows_with(narrow, scheme="5 folds")).coverage())


def test_folds_that_cannot_be_used_are_refused_before_anything_is_sampled(case):
    n = len(case.evidence)
    with pytest.raises(ReeUncertError) as caught:
        leave_out(case, 1)
    assert str(caught.value) == (
        f"folds is 1; give 'sources', a number from 2 to {n}, or a fold for the id of each row"
    )
    with pytest.raises(ReeUncertError) as caught:
        leave_out(dataclasses.replace(case, evidence=()))
    assert str(caught.value) == "case 'small_metal' has no evidence: there is nothing to leave out"


def test_the_command_asks_for_a_folder_of_results(tmp_path):
    done = CliRunner().invoke(app, ["leave-out", str(tmp_path / "nowhere")])
    assert done.exit_code == 2
    assert "nowhere' is no folder of results; give the folder that `reeuncert run` wrote" in " ".join(
        (done.output + done.stderr).split()
    ).replace("\n", "")
