"""Calibration with enough simulations to see more than gross errors; `reeuncert calibrate` makes larger ones."""

from dataclasses import replace

import numpy as np
import pytest
import simuk

import reeuncert as ree
from reeuncert.balance.forward import flows_of_draws
from reeuncert.calibration.recovery import quantities
from reeuncert.calibration.result import Calibration, inside
from reeuncert.calibration.simulate import Truth
from reeuncert.case.records import Case
from reeuncert.inference.compiled import repeatable_arithmetic
from reeuncert.model import record_of
from truths import with_mirrors

pytestmark = pytest.mark.slow

NAMES = ["import_dependence", "apparent_consumption"]


def assert_calibrated(found: Calibration, margin: float) -> None:
    """Coverage of every class within four Monte Carlo errors of what intervals promise, and `margin`."""
    for row in found.coverage().to_dict("records"):
        for name, nominal in (("50", 0.5), ("80", 0.8), ("90", 0.9), ("95", 0.95)):
            # A class of few quantities may lie inside in every simulation: its own error is then zero.
            error = max(row[f"error{name}"], np.sqrt(nominal * (1 - nominal) / found.simulations / row["quantities"]))
            assert abs(row[f"coverage{name}"] - nominal) < 4 * error + margin, (row["kind"], name, row)


def test_a_small_case_with_learned_widths_and_offsets_is_calibrated():
    found = ree.calibrate(with_mirrors(), simulations=60, draws=300, tune=300, seed=3, indicators=NAMES)
    assert found.simulations == 60
    assert found.fits["r_hat"].median() < 1.05
    assert_calibrated(found, margin=0.02)


def test_some_years_of_the_bundled_case_are_calibrated():
    case = ree.restrict(ree.read_case("china_us_row"), range(2009, 2013))
    found = ree.calibrate(case, simulations=12, draws=400, tune=400, seed=3)
    assert_calibrated(found, margin=0.03)


def test_the_bundled_case_is_calibrated():
    found = ree.calibrate(ree.read_case("china_us_row"), simulations=6, draws=400, tune=400, thin=2, seed=3)
    kinds = set(found.coverage()["kind"])
    assert {"flows", "unrecorded flows", "source widths", "offsets", "headlines"} <= kinds
    assert_calibrated(found, margin=0.05)


def test_smuggling_and_unregistered_mining_of_a_twin_are_found_within_their_intervals():
    case = ree.restrict(ree.read_case("china_us_row"), range(2009, 2013))
    found = ree.recover(case, draws=400, tune=400, seed=11)
    summary = found.summary.set_index("kind")
    assert summary.loc["flows", "coverage90"] > 0.75
    assert summary.loc["unrecorded flows", "coverage90"] > 0.65  # fewer, and all in one direction
    hidden = found.table[found.table["group"].isin(["smuggled_mass", "unregistered_mining"])]
    assert len(hidden) > 10
    assert hidden["covered"].mean() > 0.6


def only_exact(case: Case) -> Case:
    """Rows whose figure is a density, which the model itself simulates as its likelihood takes them."""
    rows = [row for row in case.evidence if row.qualifier not in ("up_to", "at_least", "range")]
    return replace(case, evidence=tuple(replace(row, resolution=float("nan")) for row in rows))


def test_simuk_finds_the_small_case_calibrated():
    """Somebody else's loop around the model's own simulation, judged by flows and indicators, not coordinates."""
    case = only_exact(with_mirrors())
    model = ree.build_model(case)
    record = record_of(model)
    prior = record.prior

    def flows_and_indicators(name: str, value: np.ndarray) -> np.ndarray:
        if name != "z":
            return value
        mass = record.network.to_table(flows_of_draws(prior.mean + prior.factor.apply(value), record.network))
        return quantities(Truth(mass, {}, {}, case).as_draws(), case, NAMES)[1][0, 0]

    with repeatable_arithmetic():
        settings = {"draws": 50, "tune": 300, "chains": 2, "cores": 1, "nuts_sampler": "nutpie", "quiet": True}
        study = simuk.SBC(
            model,
            num_simulations=20,
            sample_kwargs=settings,
            seed=5,
            transform=flows_and_indicators,
            progress_bar=False,
        )
        study.run_simulations()
    ranks = study.simulations["prior_sbc"]["z"].values[0]
    usable = np.ptp(ranks, axis=0) > 0  # a share that is one by definition has no rank
    position = (ranks[:, usable] + 0.5) / 101
    by_simulation = inside(position, 0.9).mean(axis=1)
    error = by_simulation.std(ddof=1) / np.sqrt(len(by_simulation))
    assert len(by_simulation) == 20
    assert abs(by_simulation.mean() - 0.9) < 4 * error + 0.03
    assert abs(position.mean() - 0.5) < 0.12
