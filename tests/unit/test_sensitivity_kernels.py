"""Arithmetic of the studies without a refit, against normal distributions whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student

from reeuncert.questions.information import width_after_regression
from reeuncert.questions.nested import expected_widths, interval_width, weighted_quantiles
from reeuncert.questions.reweight import smoothed, threshold
from reeuncert.questions.sobol import REST, Inputs, shares_of
from reeuncert.questions.targets import Target

CHAINS, DRAWS = 4, 1000


def target(draws: np.ndarray, unit: str = "1") -> Target:
    return Target("import_dependence", {"region": "North", "year": 2001}, unit, draws)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
def test_a_normal_interval_shrinks_as_it_should(correlation: float) -> None:
    rng = np.random.default_rng(1)
    value = rng.normal(size=CHAINS * DRAWS)
    measured = correlation * value + np.sqrt(1 - correlation**2) * rng.normal(size=value.size)
    place = (np.arange(32) + 0.5) / 32
    for error in (0.1, 0.5):
        outcome = norm.ppf(place) * np.hypot(1.0, error)
        one = np.array([[0, 0, 1]])
        width = expected_widths(value[None], measured[None], outcome[None], np.array([error]), one)
        exact = np.sqrt(1 - correlation**2 / (1 + error**2))
        ratio = width[0] / interval_width(value)
        # About 400 effective draws an outcome at the smaller error; the 32 outcomes share them.
        assert ratio == pytest.approx(exact, abs=0.04)


@given(st.lists(st.floats(-5, 5), min_size=30, max_size=60, unique=True), st.floats(0.1, 9.0))
@settings(max_examples=40, deadline=None)
def test_intervals_scale_with_their_draws(values: list[float], factor: float) -> None:
    draws = np.array(values)
    plain = interval_width(draws)
    assert interval_width(factor * draws + 3.0) == pytest.approx(factor * plain, abs=1e-9)
    assert 0 <= plain <= np.ptp(draws)


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 3)), min_size=5, max_size=40))
@settings(max_examples=60, deadline=None)
def test_a_weight_of_two_is_the_draw_twice(pairs: list[tuple[float, int]]) -> None:
    draws, count = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    if not count.sum():
        return
    repeated = np.repeat(draws, count)
    places = (0.05, 0.5, 0.95)
    found = weighted_quantiles(draws, count.astype(float), places)
    plain = weighted_quantiles(repeated, np.ones(repeated.size), places)
    gap = np.max(np.diff(np.sort(repeated)), initial=0.0)
    # Ties share their middle, so that the two may differ by a step between neighbours, and no more.
    assert np.abs(np.array(found) - plain).max() <= gap + 1e-12
    assert repeated.min() - 1e-12 <= min(found)
    assert max(found) <= repeated.max() + 1e-12


def test_several_figures_at_once_follow_the_normal_formula() -> None:
    rng = np.random.default_rng(2)
    quantity = rng.normal(size=(CHAINS, DRAWS, 6)) @ rng.normal(size=(6, 6))
    slope = rng.normal(size=6)
    value = quantity @ slope + rng.normal(size=(CHAINS, DRAWS))
    error = np.full(6, 0.8)
    found = width_after_regression(target(value), quantity, error)
    joint = np.cov(quantity.reshape(-1, 6).T)
    cross = joint @ slope
    left = value.var() - cross @ np.linalg.solve(joint + np.diag(error**2), cross)
    assert found == pytest.approx(2 * norm.ppf(0.95) * np.sqrt(left), rel=0.05)


def test_figures_that_tell_nothing_narrow_nothing() -> None:
    rng = np.random.default_rng(3)
    value = rng.normal(size=(CHAINS, DRAWS))
    quantity = rng.normal(size=(CHAINS, DRAWS, 80))
    now = interval_width(value.ravel())
    assert width_after_regression(target(value), quantity, np.full(80, 0.1)) == now


def test_a_positive_mass_is_known_by_a_factor() -> None:
    rng = np.random.default_rng(4)
    log = rng.normal(size=(CHAINS, DRAWS))
    quantity = log[:, :, None] + 0.3 * rng.normal(size=(CHAINS, DRAWS, 1))
    value = target(np.exp(log), "kt")
    found = width_after_regression(value, quantity, np.array([0.1]))
    spread = np.sqrt(1 - 1 / (1 + 0.09 + 0.01))
    # The interval after an outcome m is exp(m') (e^{q s} − e^{−q s}), m' normal with the variance explained.
    half = norm.ppf(0.95) * spread
    exact = np.exp(0.5 * (1 - spread**2)) * 2 * np.sinh(half)
    assert found == pytest.approx(exact, rel=0.08)


def test_shares_of_a_linear_model_are_exact() -> None:
    """Priors z of two classes and reports y = G z + noise of two sources: the variance is shared out over the four."""
    rng = np.random.default_rng(5)
    report = rng.normal(size=(8, 6)) / 2
    sd = np.repeat([0.5, 2.0], 4)
    slope = np.array([1.0, 0.5, -1.0, 0.2, 0.0, 0.7])
    precision = np.eye(6) + report.T @ (report / sd[:, None] ** 2)
    covariance = np.linalg.inv(precision)
    z = rng.normal(size=(CHAINS, 4 * DRAWS, 6)) @ np.linalg.cholesky(covariance).T
    value = z @ slope
    eta = z @ report.T
    members = {
        ("prior class", "first"): np.arange(3),
        ("prior class", "second"): np.arange(3, 6),
        ("source", "good"): np.arange(6, 10),
        ("source", "poor"): np.arange(10, 14),
    }
    # Slopes are known up to what was reported, which shifts them by a constant.
    inputs = Inputs([z, eta], eta / sd**2 - 3.0, np.arange(6, 14), members)
    table = shares_of([target(value)], inputs)[0].set_index("component")
    total = slope @ covariance @ slope
    in_z, in_y = (covariance @ slope) ** 2 / total, (report @ covariance @ slope / sd) ** 2 / total
    exact = {"first": in_z[:3].sum(), "second": in_z[3:].sum(), "good": in_y[:4].sum(), "poor": in_y[4:].sum()}
    assert sum(exact.values()) == pytest.approx(1.0)
    for name, share in exact.items():
        assert abs(table.loc[name, "share"] - share) < 4 * table.loc[name, "se"] + 0.005
    assert abs(table.loc[REST, "share"]) < 4 * table.loc[REST, "se"] + 0.01


def test_shares_hold_for_heavy_tails() -> None:
    """One coordinate, two witnesses with t₄ errors that contradict each other: the posterior has two humps."""
    grid = np.linspace(-12.0, 12.0, 20001)
    said, scale = np.array([-4.0, 4.0]), np.array([0.7, 0.7])

    def log_density(x: np.ndarray) -> np.ndarray:
        return -0.5 * x**2 / 9.0 + student.logpdf((said - x[..., None]) / scale, 4).sum(axis=-1)

    weight = np.exp(log_density(grid) - log_density(grid).max())
    rng = np.random.default_rng(7)
    x = rng.choice(grid, size=(CHAINS, 2 * DRAWS), p=weight / weight.sum())
    residual = (said - x[..., None]) / scale
    slope = -5.0 * residual / (4.0 + residual**2) / scale
    z = x[..., None] / 3.0
    members = {("prior class", "prior"): np.array([0]), ("source", "both"): np.array([1, 2])}
    inputs = Inputs([z, x[..., None], x[..., None]], slope, np.array([1, 2]), members)
    table = shares_of([target(x)], inputs)[0].set_index("component")
    assert x.std() > 3.0
    assert abs(table.loc[REST, "share"]) < 4 * table.loc[REST, "se"] + 0.01


def test_weights_tell_when_they_cannot_be_believed() -> None:
    rng = np.random.default_rng(6)
    draws = rng.normal(size=(CHAINS, DRAWS))
    near, small = smoothed(0.2 * draws)
    assert small < 0.3
    # Importance weights of N(0.2, 1) on N(0, 1): the mean moves by 0.2.
    assert float((near * draws).sum()) == pytest.approx(0.2, abs=0.05)
    _, large = smoothed(6.0 * draws)
    assert large > threshold(draws.size)
    flat, none = smoothed(np.zeros((CHAINS, DRAWS)))
    assert (none, np.ptp(flat)) == (0.0, 0.0)
