"""Batched diagnostics give the numbers of arviz_stats, and NaN where there is nothing to diagnose."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from reeuncert.result.diagnostics import bfmi, diagnose


def _chains(kind: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Draws (chain, draw, cell) with a known fault."""
    rng = np.random.default_rng(7)
    noise = rng.normal(size=shape)
    if kind == "independent":
        return noise
    if kind == "shifted":
        return noise + np.arange(shape[0])[:, None, None]
    if kind == "tied":
        return np.round(noise, 1)
    if kind == "skewed":
        return np.exp(2 * noise)
    correlation = {"sticky": 0.98, "antithetic": -0.7}[kind]
    out = noise.copy()
    for t in range(1, shape[1]):
        out[:, t] += correlation * out[:, t - 1]
    return out


@pytest.mark.parametrize("kind", ["independent", "shifted", "tied", "skewed", "sticky", "antithetic"])
@pytest.mark.parametrize("shape", [(4, 100, 12), (2, 101, 9), (1, 50, 5), (3, 7, 8), (2, 4, 8), (2, 1000, 4)])
def test_same_numbers_as_arviz(kind, shape):
    draws = _chains(kind, shape)
    by_cell = np.moveaxis(draws, 2, 0)
    found = diagnose(draws, mcse=True, at=(0.2, 0.9))
    expected = {
        "r_hat": array_stats.rhat(by_cell),
        "ess_bulk": array_stats.ess(by_cell, method="bulk"),
        "ess_tail": array_stats.ess(by_cell, method="tail", prob=(0.05, 0.95)),
        "mcse_median": array_stats.mcse(by_cell, method="quantile", prob=0.5),
        "mcse_lower": array_stats.mcse(by_cell, method="quantile", prob=0.05),
        "mcse_upper": array_stats.mcse(by_cell, method="quantile", prob=0.95),
        "mean": draws.mean(axis=(0, 1)),
        "median": np.median(draws, axis=(0, 1)),
        "lower": np.quantile(draws, 0.05, axis=(0, 1)),
        "upper": np.quantile(draws, 0.95, axis=(0, 1)),
        "quantiles": np.quantile(draws, (0.2, 0.9), axis=(0, 1)),
    }
    for name, reference in expected.items():
        np.testing.assert_allclose(getattr(found, name), reference, rtol=1e-8, atol=1e-14, err_msg=name)


def test_log_scale_diagnoses_the_logs_and_keeps_the_unit():
    draws = _chains("skewed", (4, 200, 6))
    by_cell = np.moveaxis(np.log(draws), 2, 0)
    found = diagnose(draws, log=True)
    np.testing.assert_allclose(found.r_hat, array_stats.rhat(by_cell), rtol=1e-8)
    np.testing.assert_allclose(found.ess_bulk, array_stats.ess(by_cell, method="bulk"), rtol=1e-8)
    np.testing.assert_allclose(found.median, np.median(draws, axis=(0, 1)), rtol=1e-12)


def test_constant_and_absent_cells_are_nan_and_spoil_no_other():
    draws = _chains("independent", (4, 100, 4))
    alone = diagnose(draws[..., 3])
    draws[..., 0] = 2.5
    draws[..., 1] = np.nan
    draws[1, 17, 2] = np.nan
    found = diagnose(draws)
    assert np.isnan(found.r_hat[:3]).all()
    assert np.isnan(found.ess_bulk[:3]).all()
    assert np.isnan(found.ess_tail[:3]).all()
    assert found.median[0] == 2.5
    assert np.isnan(found.median[1:3]).all()
    assert found.r_hat[3] == pytest.approx(float(alone.r_hat), rel=1e-12)


def test_shape_of_the_quantities_is_kept_and_blocks_do_not_matter():
    draws = np.random.default_rng(0).normal(size=(2, 60, 7, 90))
    found = diagnose(draws)
    assert found.r_hat.shape == (7, 90)
    np.testing.assert_array_equal(found.ess_bulk[3, 5], diagnose(draws[:, :, 3, 5]).ess_bulk)


def test_one_chain_has_no_r_hat_and_three_draws_have_nothing():
    assert np.isnan(diagnose(np.random.default_rng(0).normal(size=(1, 50, 2))).r_hat).all()
    found = diagnose(np.random.default_rng(0).normal(size=(2, 3, 2)))
    assert np.isnan(found.ess_bulk).all()
    assert np.isfinite(found.median).all()


def test_energy_fraction_is_that_of_arviz():
    energy = _chains("sticky", (4, 300, 1))[..., 0]
    np.testing.assert_allclose(bfmi(energy), array_stats.bfmi(energy), rtol=1e-12)


def test_draws_of_one_dimension_are_refused():
    with pytest.raises(
        ValueError, match=r"draws need the dimensions chain and draw first; this array has 1 dimension\(s\)"
    ):
        diagnose(np.ones(4))
