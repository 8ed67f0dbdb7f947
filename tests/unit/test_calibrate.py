"""Truths are found again as often as intervals promise; and not where the model is wrong."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import reeuncert as ree
from reeuncert.calibration.recovery import quantities, recovery_table, summarise, true_quantities
from reeuncert.calibration.result import Calibration, band, inside, positions, uniformity
from reeuncert.calibration.simulate import simulations
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators import UnknownIndicatorError
from reeuncert.inference.refit import Refitter
from reeuncert.plots import calibration_data, plot_calibration
from reeuncert.studies import refits
from reeuncert.studies.cache import Kept
from reeuncert.studies.calibrate import calibrate, recover
from reeuncert.studies.jobs import Job, shape_of
from truths import with_mirrors

NAMES = ["import_dependence", "apparent_consumption"]
SIMULATIONS = 8
FIT = {"draws": 120, "tune": 150, "chains": 2}


@pytest.fixture(scope="module")
def refitter() -> Refitter:
    return Refitter(with_mirrors())


def study(refitter: Refitter, case: Case, fitted: float = 1.0) -> Calibration:
    """A calibration by hand, where the model that is fitted may take all sources for other than they are."""
    rng = np.random.default_rng(9)
    found = []
    for number, truth in enumerate(simulations(case, SIMULATIONS, seed=2)):
        classes = {n: replace(c, width=c.width * fitted, floor=c.floor * fitted) for n, c in case.classes.items()}
        dt = refitter.fit(replace(truth.case, classes=classes), seed=number, **FIT)
        posterior = dt["posterior"].to_dataset()
        labels, values = quantities(posterior, case, NAMES)
        _, true = true_quantities(truth, posterior, case, NAMES)
        found.append(positions(true[0, 0], values.reshape(-1, values.shape[2])[::3], rng))
    return Calibration(case.name, labels, np.array(found), pd.DataFrame({"simulation": range(SIMULATIONS)}))


@pytest.fixture(scope="module")
def right(refitter: Refitter) -> Calibration:
    return study(refitter, with_mirrors())


def test_intervals_hold_the_truth_about_as_often_as_they_say(right: Calibration):
    with pytest.raises(ReeUncertError, match="by is 'source'; use 'kind' or 'group'"):
        right.coverage("source")
    table = right.coverage().set_index("kind")
    assert set(table.index) == {"flows", "indicators", "headlines", "source widths", "offsets"}
    flows = table.loc["flows"]
    for name, nominal in (("50", 0.5), ("80", 0.8), ("90", 0.9)):
        # 4 Monte Carlo errors of eight simulations, and what few draws of each add.
        assert abs(flows[f"coverage{name}"] - nominal) < 4 * flows[f"error{name}"] + 0.03
    assert table.loc["flows", "outside_band"] < 0.4


def test_truths_are_missed_where_errors_are_taken_for_a_twelfth_of_what_they_are(
    refitter: Refitter, right: Calibration
):
    """The test above can fail: the same figures, fitted by a model that trusts them too much."""
    wrong = study(refitter, with_mirrors(), fitted=1 / 12).coverage().set_index("kind").loc["flows"]
    flows = right.coverage().set_index("kind").loc["flows"]
    assert flows["coverage90"] - wrong["coverage90"] > 3 * np.hypot(flows["error90"], wrong["error90"])


def test_a_recovery_tells_error_and_coverage_of_every_quantity(refitter: Refitter):
    case = with_mirrors()
    truth = next(simulations(case, 1, seed=4))
    posterior = refitter.fit(truth.case, seed=4, **FIT)["posterior"].to_dataset()
    table = recovery_table(truth, posterior, case, NAMES)
    assert set(table["kind"]) == {
        "flows", "flows, all years", "source widths", "offsets", "indicators", "headlines",
    }  # fmt: skip
    mined = table[(table["quantity"] == "south_mine_production") & (table["year"] == 2018)].iloc[0]
    i, t = case.system.flow_index["south_mine_production"], case.system.year_index[2018]
    assert mined["truth"] == truth.mass_flow[i, t]
    assert mined["error"] == pytest.approx(np.log(mined["median"] / mined["truth"]))
    assert mined["covered"] == (mined["eti90_lb"] <= mined["truth"] <= mined["eti90_ub"])
    total = table[(table["quantity"] == "south_mine_production") & (table["year"] == 0)].iloc[0]
    assert total["truth"] == pytest.approx(truth.mass_flow[i].sum())
    summary = summarise(table).set_index("kind")
    assert summary.loc["flows", "quantities"] == (table["kind"] == "flows").sum()
    assert 0.5 < summary.loc["flows", "coverage90"] <= 1.0


def test_the_figure_shows_every_quantity_within_its_band(right: Calibration):
    table = calibration_data(right)
    assert set(table.groupby(["kind", "quantity", "year"])["outside"].nunique()) == {1}
    assert (table["lower"] < 0).any()
    figure = plot_calibration(right)
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()]
    assert titles[0].startswith("flows: ")
    assert titles[-1] == "coverage ± 2 Monte Carlo errors"


def test_positions_are_uniform_where_truth_and_draws_are_of_one_law():
    rng = np.random.default_rng(1)
    truth, draws = rng.normal(size=(400, 6)), rng.normal(size=(400, 99, 6))
    draws[:, :, 3] = np.round(draws[:, :, 3])  # ties are broken at random
    truth[:, 3] = np.round(truth[:, 3])
    draws[:, :, 4] *= 0.5  # too narrow
    draws[:, :, 5] += 0.4  # too high
    found = np.array([positions(t, d, rng) for t, d in zip(truth, draws, strict=True)])
    p = uniformity(found)
    assert np.all(p[:4] > 0.005)
    assert np.all(p[4:] < 0.001)
    assert abs(inside(found[:, 0], 0.9).mean() - 0.9) < 0.05


def test_one_uniform_sample_in_twenty_leaves_the_band():
    rng = np.random.default_rng(2)
    values = rng.random((50, 2000))
    points, lower, upper = band(50)
    share = np.array([np.searchsorted(np.sort(v), points, side="right") / 50 for v in values.T])
    outside = np.any((share < lower) | (share > upper), axis=1)
    assert 0.02 < outside.mean() <= 0.065
    assert abs(np.mean(uniformity(values) < 0.05) - 0.05) < 0.02


def test_what_is_not_uncertain_has_no_position():
    found = positions([1.0, np.nan, 2.0], np.array([[1.0, 0.5, 1.0], [1.0, 0.6, np.nan]]), np.random.default_rng(3))
    assert np.isnan(found).all()


def never(job):
    raise AssertionError(job.name)


def test_too_few_simulations_or_draws_are_refused_before_anything_is_compiled():
    case = ree.read_case("small_metal")
    with pytest.raises(ReeUncertError, match=r"simulations is 1; a calibration needs 2 at least, and 20 to say much"):
        calibrate(case, simulations=1)
    with pytest.raises(
        ReeUncertError, match=r"draws times chains is 80; truths are ranked among 99 draws: ask for more"
    ):
        calibrate(case, draws=40, chains=2)
    for ask in (calibrate, recover):
        with pytest.raises(UnknownIndicatorError, match=r"^'ore_mined' is no indicator"):
            ask(case, indicators=["ore_mined"], fit=never, cache=False, progress=False)


def test_an_interrupted_calibration_goes_on_where_it_stopped(refitter: Refitter, tmp_path, monkeypatch):
    case = with_mirrors()
    monkeypatch.setattr(refits, "_models", [(shape_of(case), refitter)])
    monkeypatch.setattr("reeuncert.studies.calibrate.independent", lambda kept: "")
    asked = {**FIT, "seed": 5, "indicators": NAMES, "cache": tmp_path, "progress": False}
    fitted: list[str] = []

    def counted(job: Job) -> Kept:
        if job.name == "simulation 3" and len(fitted) < 3:
            fitted.append("stopped")
            raise KeyboardInterrupt
        fitted.append(job.name)
        return refits.refit(job)

    with pytest.raises(KeyboardInterrupt, match="2 of 3 fits are finished and are kept"):
        calibrate(case, simulations=3, fit=counted, **asked)
    found = calibrate(case, simulations=3, fit=counted, **asked)
    assert fitted == ["simulation 1", "simulation 2", "stopped", "simulation 3"]
    again = calibrate(case, simulations=3, fit=counted, **asked)
    assert len(fitted) == 4
    np.testing.assert_array_equal(again.position, found.position)
    assert again.fits["simulation"].tolist() == [0, 1, 2]
    assert (again.fits["r_hat"] > 0.9).all()


def test_fits_whose_draws_depend_on_each_other_are_made_longer_or_left_out():
    thins: dict[str, list[int]] = {}
    accept: dict[str, list[float]] = {}

    def faked(job: Job) -> Kept:
        thins.setdefault(job.name, []).append(job.settings.thin)
        accept.setdefault(job.name, []).append(job.settings.target_accept)
        ess = {"simulation 1": 150, "simulation 2": 60 * job.settings.thin}.get(job.name, 1)
        labels = pd.DataFrame({"kind": ["flows"], "group": "g", "quantity": "q", "year": 2000, "position": 0.4})
        diverged = int(job.name == "simulation 3" and job.settings.thin == 1)
        about = {"ess": ess, "r_hat": 1.0, "divergences": diverged, "seconds": 1.0}
        return Kept(tables={"position": labels}, about=about)

    found = calibrate(with_mirrors(), simulations=3, fit=faked, cache=False, progress=False, **FIT)
    assert thins == {"simulation 1": [1], "simulation 2": [1, 3], "simulation 3": [1, 3, 9]}
    assert accept["simulation 2"] == [0.9, 0.9]
    # Of draws that diverge, longer chains alone would have more: steps are smaller, and stay so.
    assert accept["simulation 3"] == pytest.approx([0.9, 0.95, 0.95])
    assert found.fits["used"].tolist() == [True, True, False]
    assert found.simulations == 2


def test_a_recovery_is_kept_too(refitter: Refitter, tmp_path, monkeypatch):
    case = with_mirrors()
    monkeypatch.setattr(refits, "_models", [(shape_of(case), refitter)])
    asked = {**FIT, "seed": 4, "indicators": NAMES, "cache": tmp_path, "progress": False}
    found = recover(case, **asked)
    monkeypatch.setattr(refits, "refit", None)
    again = recover(case, **asked)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert again.table["covered"].dtype == bool
