"""The coordinates in which a model is sampled: the same posterior, nearly round."""

import numpy as np
import pymc as pm
import pytest

from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.whitening import STIFF, compile_whitened, whiten


def needle() -> pm.Model:
    """Forty standard normals, of which the sums of neighbours are known to within a hundredth."""
    with pm.Model(coords={"part": range(40)}) as model:
        x = pm.Normal("x", 0.0, 1.0, dims="part")
        scale = pm.HalfNormal("scale", 1.0)
        pm.Deterministic("total", x.sum())
        pm.Normal("sums", x[::2] + x[1::2], 0.01, observed=np.ones(20))
        pm.Normal("loose", scale, 1.0, observed=0.5)
    return model


@pytest.fixture(scope="module")
def plain() -> CompiledModel:
    return compile_whitened(needle())


@pytest.fixture(scope="module")
def round_one(plain: CompiledModel) -> CompiledModel:
    return whiten(plain)


def test_stiff_directions_are_found_and_only_those(round_one: CompiledModel):
    gains = round_one.data("whitening_gains")
    assert gains.size == 20  # one for each known sum
    # A sum (x + y) / √2 of unit length has curvature 1 + 2 / 0.01².
    assert np.allclose(1 / (1 + gains) ** 2, 1 + 2e4, rtol=1e-3)
    assert np.all(1 / (1 + gains) ** 2 > STIFF)


def test_the_map_moves_points_and_leaves_the_density_alone(plain: CompiledModel, round_one: CompiledModel):
    rng = np.random.default_rng(1)
    directions = round_one.data("whitening_directions").astype(float)
    shift = round_one.data("whitening_centre") - plain.data("whitening_centre")
    for _ in range(5):
        y = rng.normal(size=plain.size)
        x = y + directions @ (round_one.data("whitening_gains") * (directions.T @ y)) + shift
        assert round_one.log_density(y)[0] == pytest.approx(plain.log_density(x)[0], rel=1e-3, abs=1e-2)


def test_the_gradient_is_that_of_the_density(round_one: CompiledModel):
    y = np.random.default_rng(2).normal(size=round_one.size)
    value, gradient = round_one.log_density(y)
    assert np.isfinite(value)
    step = 1e-3
    for k in (0, 7, round_one.size - 1):
        e = np.eye(round_one.size)[k] * step
        numerical = (round_one.log_density(y + e)[0] - round_one.log_density(y - e)[0]) / (2 * step)
        assert gradient[k] == pytest.approx(numerical, rel=2e-2, abs=2e-2)


def test_the_posterior_is_round_there(round_one: CompiledModel):
    """Curvature along random directions is of the order of one, where it was up to 20,000."""
    rng = np.random.default_rng(3)
    at = np.zeros(round_one.size)
    for _ in range(10):
        v = rng.normal(size=round_one.size)
        v /= np.linalg.norm(v)
        h = 1e-3
        curvature = (round_one.log_density(at - h * v)[1] - round_one.log_density(at + h * v)[1]) @ v / (2 * h)
        assert 0.3 < curvature < 3.0
