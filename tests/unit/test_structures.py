"""Headlines under rival structures: averages, what is not identified, checks, and switches that do not exist."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from threading import Timer

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import reeuncert as ree
import studies
from averaged import average_structures
from faults.processes import children
from reeuncert.case.records import Case
from reeuncert.cli.studies import show_structures
from reeuncert.errors import ReeUncertError, SamplingError
from reeuncert.indicators.stored import write_netcdf
from reeuncert.inference.settings import check_settings
from reeuncert.parts import failed_of
from reeuncert.result.structures import (
    HOLDS,
    NOT_IDENTIFIED,
    StructureRun,
    Structures,
    add_structures,
    structures_of,
    without_structures,
)
from reeuncert.studies import scores
from reeuncert.studies.cache import Kept
from reeuncert.studies.jobs import FitSettings, JobMaker
from reeuncert.studies.rivals import run_rivals
from reeuncert.studies.summaries import Headlines, headline_values
from reeuncert.testing import toy_posterior

GOOD = {"r_hat": 1.002, "ess": 600.0, "divergences": 0}
N = 4000


def run(*normals: tuple[float, float], **more: object) -> StructureRun:
    """Headlines with normal posteriors."""
    years = range(2001, 2001 + len(normals))
    labels = pd.DataFrame({"indicator": "smuggled_mass", "region": "South", "partner": "North", "year": years})
    labels = labels.assign(product=np.nan, unit="kt", ess_bulk=900.0, ess_tail=800.0, r_hat=1.002)
    rng = np.random.default_rng(1)
    return StructureRun(labels, np.array([rng.normal(m, sd, N) for m, sd in normals]), **{"run": GOOD, **more})


def test_an_average_is_the_mixture_of_the_structures():
    row = Structures.of({"a": run((10, 1)), "b": run((12, 1))}).averages().iloc[0]
    rng = np.random.default_rng(2)
    expected = np.quantile(rng.normal(rng.choice([10, 12], 400_000), 1), [0.05, 0.5, 0.95])
    np.testing.assert_allclose(row[["eti90_lb", "median", "eti90_ub"]].astype(float), expected, atol=0.08)
    assert row["lowest"] < row["eti90_lb"] < row["lowest_median"] < row["median"]
    # Its Monte Carlo error, by repeating the draws of 800 independent ones.
    ends = [np.quantile(np.concatenate([rng.normal(10, 1, 800), rng.normal(12, 1, 800)]), 0.95) for _ in range(2000)]
    assert row["mcse_upper"] == pytest.approx(np.std(ends), rel=0.2)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [((10.0, 1.0), HOLDS), ((11.4, 1.0), HOLDS), ((11.9, 1.0), NOT_IDENTIFIED), ((10.0, 2.0), HOLDS),
     ((10.0, 2.7), NOT_IDENTIFIED)],
)  # fmt: skip
def test_a_headline_is_not_identified_where_an_interval_misses_half_of_another_posterior(other, verdict):
    assert Structures.of({"a": run((10, 1)), "b": run(other)}).averages()["verdict"].tolist() == [verdict]


def test_a_structure_that_is_only_shown_changes_no_average():
    two = {"a": run((10, 1)), "b": run((10.5, 1))}
    three = Structures.of({**two, "c": run((2, 1), averaged=False, why="Years are not new each year.")})
    alone = Structures.of(two)
    pd.testing.assert_frame_equal(three.averages(), alone.averages())
    assert three.table()["structure"].tolist() == ["a", "b", "c"]


def test_stacking_weights_stand_beside_the_average():
    found = Structures.of({"a": run((10, 1)), "b": run((14, 1))}, {"a": 1.0, "b": 0.0}).averages().iloc[0]
    assert found["stacked_median"] == pytest.approx(10, abs=0.1)
    assert found["median"] == pytest.approx(12, abs=0.3)


def test_constants_agree_with_themselves():
    fixed = run((1 / 3, 0.0))
    row = Structures.of({"a": fixed, "b": fixed}).averages().iloc[0]
    assert (row["verdict"], row["least_cover"], row["mcse_median"]) == (HOLDS, 1.0, 0.0)


def with_structures(dt: xr.DataTree, case: Case, other: xr.DataTree, **more: object) -> xr.DataTree:
    runs = {"tied": StructureRun(*headline_values(dt, case), GOOD)}
    runs["free"] = StructureRun(*headline_values(other, case), {**GOOD, **more})
    return add_structures(dt, Structures.of(runs))


def test_headlines_of_a_result_are_averages_and_survive_a_file(tmp_path: Path):
    one, other = (toy_posterior(draws=400, years=2, seed=s) for s in (0, 9))
    case = ree.testing.toy_case(years=2)
    held = with_structures(one, case, other)
    table, alone = ree.headlines(held), ree.headlines(one)
    expected = average_structures({"tied": one, "free": other})
    np.testing.assert_allclose(table["median"], expected["median"], rtol=1e-5)
    np.testing.assert_allclose(table["tied: median"], alone["median"], rtol=1e-3)
    assert table["sentence"].tolist() != alone["sentence"].tolist()
    slim = xr.DataTree.from_dict({n: held[n].to_dataset() for n in ("posterior", "structures")})
    slim.attrs = held.attrs
    write_netcdf(slim, tmp_path / "posterior.nc")
    again = structures_of(ree.read_results(tmp_path / "posterior.nc"))
    assert again is not None
    pd.testing.assert_frame_equal(again.averages(), structures_of(held).averages())
    pd.testing.assert_frame_equal(ree.headlines(without_structures(held)), alone)


def test_an_average_stands_beside_the_average_of_the_priors():
    one, other = (toy_posterior(draws=400, years=2, seed=s) for s in (0, 9))
    case = ree.testing.toy_case(years=2)
    runs, before = {}, {}
    for name, dt, factor in (("tied", one, 1.0), ("free", other, 8.0)):
        table, draws = headline_values(dt, case)
        before[name] = factor * np.exp(2.0 * np.log(draws[:, ::2]))
        runs[name] = StructureRun(table, draws, GOOD, prior=before[name])
    held = add_structures(one, Structures.of(runs))
    found, joined = ree.headlines(held), np.concatenate(list(before.values()), axis=1)
    np.testing.assert_allclose(found["prior_median"], np.median(joined, axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["prior_eti90_ub"], np.quantile(joined, 0.95, axis=1), rtol=1e-5)
    rank = (joined < found["median"].to_numpy()[:, None]).mean(axis=1)
    np.testing.assert_allclose(found["prior_below_median"], rank, atol=0.01)
    runs["free"] = StructureRun(runs["free"].headlines, runs["free"].draws, GOOD)  # its prior is not known
    alone = ree.headlines(add_structures(one, Structures.of(runs)))
    pd.testing.assert_series_equal(alone["prior_median"], ree.headlines(one)["prior_median"])


def test_the_checks_judge_agreement_convergence_and_the_error_of_averages():
    dt = toy_posterior(draws=50, years=2)
    none = ree.check(dt, ["structures"])["headlines over structures"]
    assert (none.status, none.message) == ("information", "The case names no rival structures.")
    both = Structures.of({"a": run((10, 1), (5, 1)), "b": run((10.5, 1), (9, 1))})
    checks = ree.check(add_structures(dt, both), ["structures"])
    said = checks["headlines over structures"]
    assert (said.status, said.value) == ("warning", 1)
    assert "not identified by these data: Unrecorded exports (smuggling) · North → South · 2002 (" in said.message
    assert checks["convergence of structures"].status == "passed"
    assert checks["averages over structures"].status == "passed"
    # Headlines alone are judged; what is said of all flows is said of each structure.
    slow = run((10, 1), run={"r_hat": 1.0345, "ess": 123.0, "divergences": 0})
    said = ree.check(add_structures(dt, Structures.of({"a": run((10, 1)), "b": slow})), ["structures"])
    assert said["convergence of structures"].status == "passed"
    assert "600 and 1.0020 under a, 123 and 1.0345 under b." in said["convergence of structures"].message
    few = run((10, 1))
    few = StructureRun(few.headlines.assign(ess_tail=20.0), few.draws, GOOD)
    for bad in (few, run((10, 1), run={**GOOD, "divergences": 1})):
        found = ree.check(add_structures(dt, Structures.of({"a": run((10, 1)), "b": bad})), ["structures"])
        assert found["convergence of structures"].status == "failed"
        assert found["convergence of structures"].table["structure"].tolist() == ["b"]
    assert (
        ree.check(add_structures(dt, Structures.of({"a": few, "b": few})), ["structures"])[
            "averages over structures"
        ].status
        == "failed"
    )


def test_headlines_of_a_longer_table_are_compared_by_their_labels():
    """As notebook 02 does: rows of one scenario of a study keep their places in the study's table."""
    runs = {"a": run((10, 1), (5, 1)), "b": run((12, 1), (6, 1))}
    table = pd.concat([one.headlines for one in runs.values()], ignore_index=True)
    cut = {n: StructureRun(table.iloc[2 * i : 2 * i + 2], r.draws, run=GOOD) for i, (n, r) in enumerate(runs.items())}
    pd.testing.assert_frame_equal(Structures.of(cut).averages(), Structures.of(runs).averages())


def test_every_headline_of_the_table_has_its_own_values_in_its_unit(capsys):
    """Two headlines may be about one value, in other words."""
    runs = {"flat [a]": run((2000, 100), (2000, 100)), "walk": run((4000, 100), (4000, 100))}
    for one in runs.values():
        one.headlines["year"] = 2001
    show_structures(Structures.of(runs), None)
    _, head, *rows = (line.split() for line in capsys.readouterr().out.splitlines() if line.strip(" ━─┏┓└┘┴┬╇┡┩┳"))
    shown = " ".join(word for row in (head, *rows) for word in row)
    assert "flat [a]" in shown
    assert shown.count("2,000 kt") == shown.count("4,000 kt") == 2


def test_a_case_without_rival_structures_says_so():
    case = ree.read_case("small_metal")
    with pytest.raises(
        ReeUncertError, match="case 'small_metal' names no rival structures; mark a switch with compare = "
    ):
        ree.compare_structures(case)
    with pytest.raises(ReeUncertError, match="the structures do not have the same headlines"):
        Structures.of({"a": run((1, 1)), "b": run((1, 1), (2, 1))})


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A case with a switch that changes nothing, and with scenarios that are structures or none."""
    folder = tmp_path_factory.mktemp("cases") / "two"
    folder.mkdir()
    source = Path(__file__).parents[2] / "models" / "small_metal"
    for file in source.iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name == "case.toml":
            switch = '[options.stocks]\ndefault = "some"\nchoices = ["some", "few"]\ncompare = true\n\n'
            text = text.replace("[[headline]]", switch + "[[headline]]", 1).replace("small_metal", "two")
        (folder / file.name).write_text(text, encoding="utf-8")
    (folder / "scenarios.toml").write_text(
        '[[scenario]]\nname = "new years"\nwhy = "Told."\nstructure = "averaged"\n'
        'changes = [{kind = "independent_years"}]\n'
        '[[scenario]]\nname = "wide"\nwhy = "Told."\nstructure = "shown"\n'
        'changes = [{kind = "prior_spread", prior = "*", factor = 3}]\n'
        '[[scenario]]\nname = "loose"\nchanges = [{kind = "prior_spread", prior = "*", factor = 2}]\n'
    )
    return ree.read_case(folder)


@pytest.fixture(scope="module")
def two_sampled(two: Case) -> xr.DataTree:
    return ree.sample(ree.build_model(two), draws=40, tune=60, chains=2, seed=1, quiet=True, prior_draws=20)


def test_scenarios_that_are_structures_run_beside_the_choices_of_the_switch(two, two_sampled):
    """No fit is made: what is asked for, and what becomes of it."""
    dt = ree.add_indicators(two_sampled)
    asked: dict[str, str] = {}

    def faked(job):
        asked[job.name] = job.case_json
        table, draws = headline_values(dt, two)
        table = table.assign(ess_bulk=500.0, ess_tail=500.0, r_hat=1.0)
        value = xr.Dataset({"value": (("headline", "sample"), draws)})
        return Kept({"draws": value}, {"headlines": table}, {**GOOD, "seconds": 1.0})

    found = run_rivals(dt, fit=faked, cache=False, progress=False)
    assert found.names == found.averaged == ["some", "few", "new years"]
    assert list(asked) == ["few", "new years"]  # the one that is only shown is left to `compare_structures`
    assert found.data["why"].values.tolist() == ["", "", "Told."]
    assert found.prior(0).size == 3 * 20  # as many draws as the result has of its own


def test_structures_fitted_while_a_run_samples_have_the_draws_of_structures_fitted_after_it(two):
    dt = ree.run(two, draws=40, tune=60, chains=2, seed=1, quiet=True).dt
    after = run_rivals(without_structures(dt), seed=1, progress=False)
    assert after.names == ["some", "few", "new years"]
    xr.testing.assert_identical(dt["structures"].to_dataset(), after.data)


def test_a_structure_that_cannot_be_fitted_is_a_failed_part_of_a_run(two, two_sampled, monkeypatch):
    monkeypatch.setattr("reeuncert.running._sampled", lambda *_: two_sampled.copy())
    result = ree.run(replace(two, option_choices={"stocks": ("some", "no such choice")}), quiet=True)
    assert result.structures is None
    assert failed_of(result.dt) == result.failed
    (failed,) = result.failed
    assert failed.part == "short runs under the other structures"
    assert "no such choice" in failed.reason


@pytest.mark.parametrize("cores", [1, 2])
def test_a_run_that_is_interrupted_or_fails_waits_for_no_structure(two, two_sampled, monkeypatch, tmp_path, cores):
    monkeypatch.setattr("reeuncert.parts.available_cores", lambda: cores)
    monkeypatch.setattr("reeuncert.running._fit_rivals", studies.never)
    kept = two_sampled.copy()
    kept.attrs["complete"] = "no"
    monkeypatch.setattr("reeuncert.running._sampled", lambda *_: kept)
    before = set(children())
    result = ree.run(two, out=tmp_path, quiet=True)
    assert not result.complete
    assert (result.structures, result.failed) == (None, [])
    monkeypatch.setattr("reeuncert.running._sampled", broken)
    with pytest.raises(SamplingError):
        ree.run(two, out=tmp_path, quiet=True)
    assert set(children()) == before


def test_a_run_of_a_case_without_headlines_fits_no_structure(two, two_sampled, monkeypatch):
    monkeypatch.setattr("reeuncert.running._fit_rivals", studies.never)
    monkeypatch.setattr("reeuncert.running._sampled", lambda *_: two_sampled.copy())
    result = ree.run(replace(two, headlines=()), quiet=True)
    assert (result.structures, result.failed) == (None, [])


def broken(*_):
    raise SamplingError("the sampler is tired")


def test_ctrl_c_while_a_run_waits_for_structures(two, two_sampled, monkeypatch):
    def tell(_, text: str) -> None:
        if "other structures" in text:
            Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    monkeypatch.setattr("reeuncert.running._tell", tell)
    monkeypatch.setattr("reeuncert.running._fit_rivals", studies.never)
    monkeypatch.setattr("reeuncert.running._sampled", lambda *_: two_sampled.copy())
    before = set(children())
    with pytest.raises(KeyboardInterrupt):
        ree.run(two, quiet=True)
    assert set(children()) == before


def test_further_chains_have_seeds_of_their_own_that_a_run_takes():
    case = ree.read_case("small_metal")
    job = JobMaker(case).job("a", case, FitSettings.of({"draws": 40, "seed": 1}), Headlines(), share=False)
    more = [job, *(job.again(number) for number in (1, 2))]
    for each in more:
        check_settings(seed=each.settings.seed)
    assert len({each.settings.seed for each in more}) == len({each.key for each in more}) == 3


def test_structures_of_a_case_without_headlines_are_refused_before_a_fit(two):
    def never(job):
        raise AssertionError(job.name)

    with pytest.raises(ReeUncertError, match="case 'two' has no headline to compare"):
        ree.compare_structures(replace(two, headlines=()), fit=never, cache=False, progress=False)


def test_rows_that_a_structure_leaves_out_count_nothing_when_it_is_scored(two, tmp_path, monkeypatch):
    folder = shutil.copytree(two.path, tmp_path / "two")
    (folder / "scenarios.toml").write_text(
        '[[scenario]]\nname = "no survey"\nstructure = "averaged"\n'
        'changes = [{kind = "leave_out", source = "survey"}]\n'
    )
    asked = {}

    def noted(jobs, *_):
        asked.update({job.name: set(job.left_out) for job in jobs})
        raise InterruptedError

    monkeypatch.setattr(scores, "make_sufficient_fits", noted)
    with pytest.raises(InterruptedError):
        ree.score_structures(ree.read_case(folder), cache=False, progress=False)
    survey = {row.id for row in two.evidence if row.source_id == "survey"}
    assert asked["no survey without association"] == asked["some without association"] | survey
    assert not asked["some without association"] & survey
