"""Zinc in China 1994: what is left out is found again, and intervals hold it."""

import numpy as np
import pytest

from peers import zinc
from peers.files import needs_cases
from reeuncert.inference.refit import Refitter

pytestmark = needs_cases


def test_the_truth_balances_but_for_rounding():
    net = dict.fromkeys(["FabricationManufacturing", "WasteManagement"], 0.0)
    for v in zinc.variables():
        if v.target:
            net = {p: net[p] + v.truth * ((v.target == p) - (v.source == p)) for p in net}
    assert all(abs(x) <= 5 for x in net.values())
    assert len(zinc.variables()) == 20


def test_the_peer_of_all_data_is_nearer_than_that_of_none():
    none, everything = zinc.peer_gaussian([])[0], zinc.peer_gaussian(list(range(20)))[0]
    assert zinc.errors(everything)[0] < 0.5 * zinc.errors(none)[0]


@pytest.fixture(scope="module")
def fits() -> list[tuple[list[int], np.ndarray]]:
    """Draws without data, and with ten of twenty data in two of the peer's orders."""
    case = zinc.to_case()
    refitter = Refitter(case)
    found = []
    for seed, size in ((0, 0), (0, 10), (1, 10)):
        revealed = zinc.order(seed)[:size]
        dt = refitter.fit(weight=zinc.weights(case, revealed), draws=500, tune=500, chains=2, seed=seed)
        found.append((revealed, zinc.draws_of(dt)))
    return found


def test_intervals_hold_most_of_what_was_left_out(fits):
    truth = np.array([v.truth for v in zinc.variables()])
    inside = []
    for revealed, draws in fits:
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        hidden = np.setdiff1d(np.arange(20), revealed)
        inside += list(((low <= truth) & (truth <= high))[hidden])
    # Forty quantities that move together; intervals in the wrong place would hold few of them.
    assert np.mean(inside) >= 0.85


def test_without_data_exact_balance_is_nearer_to_the_truth_than_a_relaxed_one(fits):
    revealed, draws = fits[0]
    assert zinc.errors(np.median(draws, axis=0))[0] < 0.9 * zinc.errors(zinc.peer_gaussian(revealed)[0])[0]


def test_data_bring_the_estimates_to_the_truth(fits):
    without, *with_ten = [zinc.errors(np.median(draws, axis=0))[0] for _, draws in fits]
    assert max(with_ten) < 0.6 * without
