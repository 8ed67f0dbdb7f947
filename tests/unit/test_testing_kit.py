"""The test kit itself: the toy has every role, balances, repeats, and the assertion finds what does not balance."""

from __future__ import annotations

import numpy as np
import pytest

from reeuncert.testing import assert_mass_balance, toy_case, toy_posterior

ROLES = {
    *("ore", "mine_production", "feed", "production", "loss", "trade", "unrecorded_trade", "declared", "undeclared"),
    *("stock", "opening_stock", "sale", "apparent_consumption", "end_use", "recycling"),
}


def test_the_toy_has_every_role_stage_and_route() -> None:
    system = toy_case().system
    assert {f.quantity for f in system.flows} == ROLES
    assert {f.route for f in system.flows} == {"registered", "unregistered"}
    stages = {"mining", "market", "cracking", "separation", "electrolysis", "border", "use"}
    assert {p.stage for p in system.processes} == stages
    assert len(system.flow_index) == len(system.flows)
    assert not system.exists.all()


def test_the_toy_balances_in_posterior_and_prior() -> None:
    dt = toy_posterior(draws=20, years=4)
    assert_mass_balance(dt)
    assert_mass_balance(dt, group="prior")
    for group in ("posterior", "prior"):
        mass = dt[group]["mass_flow"].values
        assert (mass[np.isfinite(mass)] > 0).all()


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, second, other = (toy_posterior(draws=3, years=2, seed=s)["posterior"]["mass_flow"].values for s in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other, equal_nan=True)


def test_one_changed_flow_is_found() -> None:
    dt = toy_posterior(draws=3, years=3)
    flows = dt["posterior"]["mass_flow"]
    flows.loc[{"flow": "feed_separation_North", "year": 2002, "chain": 0, "draw": 1}] *= 1.5
    message = r"^process 'separation_North' in 2002 is out of balance by 0\.333 of its throughput \(allowed: 1e-09\)$"
    with pytest.raises(AssertionError, match=message):
        assert_mass_balance(dt)


def test_a_stock_that_vanishes_is_found() -> None:
    dt = toy_posterior(draws=3, years=3)
    dt["posterior"]["mass_flow"].loc[{"flow": "stock_alloy_East", "year": 2001}] *= 0.5
    with pytest.raises(AssertionError, match=r"^process 'market_alloy_East' in 200[12] is out of balance"):
        assert_mass_balance(dt)
