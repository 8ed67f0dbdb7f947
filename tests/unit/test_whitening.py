"""The coordinates in which a model is sampled: the same posterior, nearly round."""

import numpy as np
import pymc as pm
import pytest

from reeuncert.inference import shape as shape_module
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.hmc import HamiltonianRun
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import Settings
from reeuncert.inference.shape import SHRINKAGE, STIFF, Shape, around_mode, learned_shape, pilot, reshaped
from reeuncert.inference.whitening import LinearMap, compile_whitened, with_map


def needle() -> pm.Model:
    """Forty standard normals, of which the sums of neighbours are known to within a hundredth."""
    with pm.Model(coords={"part": range(40)}) as model:
        x = pm.Normal("x", 0.0, 1.0, dims="part")
        scale = pm.HalfNormal("scale", 1.0)
        pm.Deterministic("total", x.sum())
        pm.Normal("sums", x[::2] + x[1::2], 0.01, observed=np.ones(20))
        pm.Normal("loose", scale, 1.0, observed=0.5)
    return model


def into_model(chosen: LinearMap, y: np.ndarray) -> np.ndarray:
    """The model's own parameters x at y, written out."""
    along = chosen.directions @ y
    return chosen.centre + y + chosen.directions.T @ ((chosen.scale - 1) * along)


@pytest.fixture(scope="module")
def plain() -> CompiledModel:
    return compile_whitened(needle())


@pytest.fixture(scope="module")
def round_one(plain: CompiledModel) -> CompiledModel:
    return around_mode(plain)


def test_stiff_directions_are_found_and_only_those(round_one: CompiledModel):
    scale = LinearMap.of(round_one).scale
    assert scale.size == 20  # one for each known sum
    # A sum (x + y) / √2 of unit length has curvature 1 + 2 / 0.01².
    assert np.allclose(1 / scale**2, 1 + 2e4, rtol=1e-3)
    assert np.all(1 / scale**2 > STIFF)


def test_directions_of_a_large_system_are_limited(plain: CompiledModel, monkeypatch):
    monkeypatch.setattr("reeuncert.inference.shape.MOST_NUMBERS", 5 * plain.size + 3)
    few = around_mode(plain)
    assert LinearMap.of(few).scale.size == 5
    draws = np.random.default_rng(4).normal(size=(500, plain.size))
    assert LinearMap.of(reshaped(few, learned_shape(few, draws))).scale.size <= 5


def test_the_map_moves_points_and_leaves_the_density_alone(plain: CompiledModel, round_one: CompiledModel):
    rng = np.random.default_rng(1)
    found = LinearMap.of(round_one)
    for _ in range(5):
        y = rng.normal(size=plain.size)
        x = into_model(found, y) - plain.data("whitening_centre")
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


def misjudged(compiled: CompiledModel, factor: float) -> CompiledModel:
    """The map of `around_mode` with every stiff direction scaled wrong by a factor."""
    right = LinearMap.of(compiled)
    return with_map(compiled, LinearMap(right.centre, right.directions, right.scale * factor))


def curvatures(compiled: CompiledModel) -> np.ndarray:
    """Eigenvalues of the negative Hessian at the centre of the coordinates."""
    h, at = 1e-3, np.eye(compiled.size)
    rows = [(compiled.log_density(-h * e)[1] - compiled.log_density(h * e)[1]) / (2 * h) for e in at]
    return np.linalg.eigvalsh((np.array(rows) + np.array(rows).T) / 2)


def test_draws_set_a_misjudged_scale_right(round_one: CompiledModel):
    """As where the curvature at the mode says little of how wide the posterior is."""
    wrong = misjudged(round_one, 0.2)
    assert np.sum(curvatures(wrong) < 0.1) == 20
    learned = pilot(HamiltonianRun, wrong, Settings(seed=1), Messages(quiet=True))
    assert learned.covariance.shape == learned.stiffness.shape == (20, 20)
    # In coordinates a fifth as long the draws are five times as wide, but for the shrinkage towards one, and gradients
    # a fifth. A pilot that learned nothing would give 1; few draws leave an error of a third.
    for found, expected in ((learned.covariance, (1 - SHRINKAGE) * 25 + SHRINKAGE), (learned.stiffness, 1 / 25)):
        ratio = np.diag(found) / expected
        assert ratio.min() > 0.65
        assert ratio.max() < 1.35
    found = curvatures(reshaped(wrong, learned))
    assert found.min() > 0.4
    assert found.max() < 3.5


def test_the_same_seed_learns_the_same(round_one: CompiledModel):
    one, two, other = (pilot(HamiltonianRun, round_one, Settings(seed=s), Messages(quiet=True)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.covariance, two.covariance)
    np.testing.assert_array_equal(one.mean, two.mean)
    assert not np.array_equal(one.mean, other.mean)


def test_draws_that_say_what_the_mode_says_change_nothing(round_one: CompiledModel):
    before = LinearMap.of(round_one)
    k = len(before.directions)
    after = LinearMap.of(reshaped(round_one, Shape(before.directions, np.zeros(k), np.eye(k), np.eye(k))))
    rng = np.random.default_rng(4)
    for y in rng.normal(size=(3, round_one.size)):
        np.testing.assert_allclose(into_model(after, y), into_model(before, y), atol=1e-5)


def test_what_draws_taught_is_never_wider_than_the_prior(plain: CompiledModel, round_one: CompiledModel):
    """A figure that pinned a direction down may be left out: its direction is then as wide as the prior, no more."""
    before = LinearMap.of(round_one)
    k = len(before.directions)
    wide = Shape(before.directions, np.zeros(k), 30 * np.eye(k), np.eye(k) / 30)
    loose = with_map(plain, LinearMap(before.centre, np.zeros((0, plain.size)), np.zeros(0)))
    assert LinearMap.of(reshaped(loose, wide)).scale.size == 0
    np.testing.assert_allclose(LinearMap.of(reshaped(round_one, wide)).scale, before.scale * np.sqrt(30), rtol=1e-5)


def test_the_mean_of_the_draws_becomes_the_centre(round_one: CompiledModel):
    before = LinearMap.of(round_one)
    draws = np.random.default_rng(5).normal(size=(4000, round_one.size)) + 0.5
    after = LinearMap.of(reshaped(round_one, learned_shape(round_one, draws)))
    moved = before.directions @ (after.centre - before.centre)
    expected = before.scale * (before.directions @ draws.mean(axis=0))
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_a_model_without_stiff_directions_needs_no_pilot():
    with pm.Model() as model:
        pm.Normal("x", 0.0, 1.0, shape=3)
    compiled = around_mode(compile_whitened(model))
    learned = pilot(HamiltonianRun, compiled, Settings(seed=1), Messages(quiet=True))
    assert learned.covariance.shape == (0, 0)
    y = np.array([0.3, -1.0, 2.0])
    assert reshaped(compiled, learned).log_density(y)[0] == pytest.approx(compiled.log_density(y)[0])


def test_a_pilot_run_of_which_a_chain_was_cut_off_while_it_tuned_is_interrupted(round_one: CompiledModel, monkeypatch):
    """Ctrl-C then leaves one whole chain: it must not pass for a pilot that came to its end."""
    own = shape_module.run_chains
    one = lambda *arguments, **named: {0: own(*arguments, **named)[0]}  # noqa: E731  # as short as what it stands for
    monkeypatch.setattr(shape_module, "run_chains", one)
    with pytest.raises(KeyboardInterrupt, match="interrupted during the pilot run"):
        pilot(HamiltonianRun, round_one, Settings(seed=1), Messages(quiet=True))
