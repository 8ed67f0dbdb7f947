"""Figures predicted by fits that have not seen them, their coverage, and the verdicts on it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

import reeuncert as ree
from reeuncert.case.records import Offset
from reeuncert.cli.app import app
from reeuncert.cli.studies import left_out_table
from reeuncert.errors import ReeUncertError, SamplingError
from reeuncert.result.left_out import LeftOut, _clustered, add_left_out, left_out_of
from reeuncert.studies.jobs import FitSettings, JobMaker
from reeuncert.studies.refits import refit
from reeuncert.studies.scores import fold_jobs, leave_out, records_of
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


def test_a_pilot_run_of_its_own_leaves_out_the_same_rows(case, found):
    fold = fold_jobs(case, "sources", FitSettings.of({**SHORT, "chains": 4}), JobMaker(case), "without ")
    fold = next(one for name, one in fold.items() if name == found.rows["fold"].iloc[0])
    own = refit(dataclasses.replace(fold.job, own_shape=True)).tables["predicted"].set_index("row")["below"]
    first = found.rows.set_index("row")["below"]
    there = first.index.intersection(list(fold.rows))
    np.testing.assert_allclose(own[there], first[there], atol=0.1)


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
            "ess": 500.0,
            "refused": "",
        }
    )


def test_every_figure_is_predicted_once_without_its_source(case, found):
    bounds = {row.id for row in case.evidence if row.qualifier in ("at_least", "up_to", "range", "zero")}
    assert sorted(found.rows["row"]) == sorted({row.id for row in case.evidence} - bounds)
    assert (found.rows["fold"] == found.rows["lineage"]).all()
    assert found.rows["below"].between(0, 1).all()


def test_rows_of_one_record_are_left_out_together(case):
    bias = Offset("office", 0.0, 0.1, "year", "normal")
    said = {name: {"offsets": ("office",)} for name in ("X1", "X2", "N1")} | {
        name: {"print": "p"} for name in ("M1", "M3")
    }
    rows = tuple(dataclasses.replace(row, **said.get(row.id, {})) for row in case.evidence)
    shared = dataclasses.replace(case, offsets={"office": bias}, evidence=rows)
    number = dict(zip((row.id for row in rows), records_of(rows, shared), strict=True))
    assert number["X2"] == number["N1"] != number["X1"]  # of 2018, and of 2016
    assert number["M1"] == number["M3"]
    assert len(set(number.values())) == len(rows) - 2
    jobs = fold_jobs(shared, {row.id: row.id for row in rows}, FitSettings(), JobMaker(shared), "")
    assert jobs["M1"].rows == {"M1"}
    assert jobs["M1"].job.left_out == ("M1", "M3")
    five = fold_jobs(shared, 5, FitSettings(), JobMaker(shared), "")
    assert all({"M1", "M3"} <= fold.rows or not {"M1", "M3"} & fold.rows for fold in five.values())


def test_a_wrong_figure_lies_outside_what_the_others_predict(case, found):
    first = case.evidence[0]
    wrong = dataclasses.replace(first, value=20 * first.value)
    spoilt = dataclasses.replace(case, evidence=(wrong, *case.evidence[1:]))
    assert 0.02 < found.rows.set_index("row").loc[first.id, "below"] < 0.98
    after = leave_out(spoilt, {first.id: "a"}, cache=False, **SHORT)
    assert after.rows[["scheme", "fold", "row"]].to_numpy().tolist() == [["chosen", "a", first.id]]
    assert after.rows["below"].item() > 0.98


def test_coverage_counts_figures_inside_central_intervals():
    even = LeftOut(rows_with((np.arange(400) + 0.5) / 400))
    table = even.coverage()
    np.testing.assert_allclose(table["coverage"], [0.5, 0.8, 0.9, 0.95])
    assert table["prior_coverage"].tolist() == [1.0] * 4
    # Figures of one fold that miss together say less than as many that miss apart.
    below = np.where(np.arange(400) % 4 == 0, 0.999, 0.5)
    together = LeftOut(rows_with(below)).coverage().set_index("level").loc[0.9]
    apart = LeftOut(rows_with(below).assign(lineage=np.arange(400).astype(str))).coverage().set_index("level").loc[0.9]
    assert together["coverage"] == apart["coverage"] == 0.75
    assert together["error"] > 5 * apart["error"]
    assert (together["lineages"], apart["lineages"]) == (4, 400)
    assert together["lower"] < 0.3 < 0.95 < together["upper"]
    assert 0.70 < apart["lower"] < 0.75 < apart["upper"] < 0.79
    # Where every figure is inside, few lineages leave much open all the same.
    assert LeftOut(rows_with(np.full(400, 0.5))).coverage()["lower"].max() < 0.6
    refused = LeftOut(rows_with(below).assign(refused=np.where(np.arange(400) % 4 == 0, "R-hat 1.200", "")))
    assert refused.coverage()[["figures", "refused", "coverage"]].iloc[0].tolist() == [300, 100, 1.0]
    assert str(left_out_table(refused).caption).startswith("100 figures do not count")


def test_the_interval_of_a_coverage_holds_it_where_few_unequal_lineages_miss_together():
    """Sizes of the lineages of the bundled case; each lineage has its own coverage (beta), correlation as told."""
    sizes = [154, 105, 49, 22, 20, 15, 7, 7, 7, 6, 5, 5, 5, 4, 3, 2, 2, 1, 1, 1, 1]
    lineage, rng = pd.Series(np.repeat(np.arange(len(sizes)), sizes)), np.random.default_rng(1)
    for alike in (0.001, 0.05, 0.2):
        held = []
        for _ in range(300):
            own = rng.beta(0.83 * (1 / alike - 1), 0.17 * (1 / alike - 1), len(sizes))
            inside = pd.Series((rng.random(len(lineage)) < own[lineage]).astype(float))
            share, error, low, high, _ = _clustered(inside, lineage)
            held.append(low <= 0.83 <= high)
            assert error >= np.sqrt(share * (1 - share) / len(lineage))
        assert np.mean(held) > 0.88
    # Equal clusters have one degree of freedom less than their number; one cluster counts as one figure.
    equal = pd.Series([float(k < held) for held in (4, 3, 4, 2, 4) for k in range(4)])
    share, error, *ends, _ = _clustered(equal, pd.Series(np.repeat(np.arange(5), 4)))
    assert (share, error) == pytest.approx((0.85, np.sqrt(3 * 0.6**2 + 0.4**2 + 1.4**2) / 16))
    n, t = 0.85 * 0.15 / error**2, stats.t.ppf(0.95, 4)  # of Wilson's (share - p)² = t² p (1 - p) / n
    assert ends == pytest.approx(sorted(np.roots([1 + t**2 / n, -2 * share - t**2 / n, share**2])))
    share, error, low, high, _ = _clustered(pd.Series([1.0, 0.0] * 50), pd.Series([0] * 100))
    assert (share, error) == (0.5, 0.5)
    assert low < 0.05 < 0.95 < high


def test_the_page_shows_the_coverage_of_its_rows():
    folder = Path(__file__).parents[2] / "docs" / "calibration"
    rows = pd.read_csv(folder / "leave_out_rows.csv", dtype={"refused": str}).fillna({"refused": ""})
    shown = pd.read_csv(folder / "leave_out_coverage.csv")
    pd.testing.assert_frame_equal(LeftOut(rows).coverage().round(3), shown)


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
    assert (said.status, said.threshold) == ("passed", ">= 0.9")
    assert said.message.startswith(
        "Of 400 figures, each predicted without its fold (4 folds), 50 %, 80 %, 90 %, 95 % fall in the central "
        "50 %, 80 %, 90 %, 95 % intervals (by the prior alone: 100 %, 100 %, 100 %, 100 %). Figures of one lineage "
        "miss together"
    )
    assert ree.check(good, ["leave_out"])["left-out sources, width"].status == "passed"
    sure = LeftOut(rows_with(np.full(400, 0.5)).assign(lineage=np.arange(400).astype(str)))
    assert ree.check(add_left_out(dt, sure), ["leave_out"])["left-out sources, width"].status == "warning"
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
        f"folds is 1; give 'sources', a number from 2 to {n} (there are so many records), or a fold for the ids of rows"
    )
    with pytest.raises(ReeUncertError) as caught:
        leave_out(dataclasses.replace(case, evidence=()))
    assert str(caught.value) == "case 'small_metal' has no evidence: there is nothing to leave out"
    with pytest.raises(ReeUncertError, match="folds names no row; give a fold for the id of each row"):
        leave_out(case, {case.evidence[0].id: None})


def test_the_command_asks_for_a_folder_of_results_and_for_folds(tmp_path):
    table = tmp_path / "folds.csv"
    for text, folds, message in (
        (
            "row,fold\nM1,a\n",
            str(table),
            "nowhere' is no folder of results; give the folder that `reeuncert run` wrote",
        ),
        ("row\nM1\n", str(table), "folds.csv line 1"),
        ("", "M1", "--folds is 'M1'; give 'sources', a number of folds, or a CSV file"),
    ):
        table.write_text(text, encoding="utf-8")
        done = CliRunner().invoke(app, ["leave-out", str(tmp_path / "nowhere"), "--folds", folds])
        assert done.exit_code == 2
        assert message in " ".join(done.stderr.split())


def test_bounds_alone_are_no_figures_to_predict(case):
    bounds = [dataclasses.replace(row, qualifier="up_to") for row in case.evidence if row.value > 0]
    with pytest.raises(ReeUncertError, match="bounds and ranges alone would be left out: no figure to predict"):
        leave_out(dataclasses.replace(case, evidence=tuple(bounds)), cache=False, **SHORT)
