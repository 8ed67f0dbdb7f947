"""Four numbers at a time: the same as one after the other."""

import math
from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reeuncert as ree
from reeuncert.inference.chains import run_chains
from reeuncert.inference.density import compile_density
from reeuncert.inference.hmc import HamiltonianRun
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import Settings
from reeuncert.inference.shape import around_mode
from reeuncert.lanes import functions, numbers
from reeuncert.lanes.instructions import LANES
from reeuncert.likelihood import laws

QUIET = Messages(quiet=True)


def for_each(function):
    @numba.njit(error_model="numpy")
    def kernel(x, result):
        for i in range(x.shape[0]):
            numbers.store(result, i, function(numbers.load(x, i)))

    def applied(x):
        result = np.empty_like(x)
        kernel(x, result)
        return result

    applied(np.ones((1, LANES)))  # compile both now: examples have a deadline
    applied(np.ones(1))
    return applied


FUNCTIONS = {
    "exp": (functions.exp, np.exp, (-700.0, 700.0)),
    "log": (functions.log, np.log, (1e-300, 1e300)),
    "log1p": (functions.log1p, np.log1p, (-0.999, 1e12)),
    "sqrt": (functions.sqrt, np.sqrt, (0.0, 1e300)),
    "erfcx": (laws.erfcx, None, (0.0, 1e3)),
    "t4_log_sf": (numba.njit(lambda u: laws.t4_tail(u)[0]), None, (-1e6, 1e6)),
    "normal_log_sf": (numba.njit(lambda u: laws.normal_tail(u)[0]), None, (-37.0, 1e3)),
}
APPLIED = {name: for_each(function) for name, (function, _, _) in FUNCTIONS.items()}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_functions_of_four_are_those_of_one(name, data):
    _, exact, (low, high) = FUNCTIONS[name]
    x = np.array(data.draw(st.lists(st.floats(low, high), min_size=LANES, max_size=LANES))).reshape(1, LANES)
    found = APPLIED[name](x)[0]
    expected = APPLIED[name](x[0]) if exact is None else exact(x[0])
    np.testing.assert_allclose(found, expected, rtol=4e-15, atol=1e-300)


def test_what_has_no_logarithm_is_not_a_number_and_spoils_no_neighbour():
    found = APPLIED["log"](np.array([[math.nan, -1.0, 0.0, math.e]]))[0]
    assert np.isnan(found[:3]).all()
    assert found[3] == pytest.approx(1.0, rel=1e-15)
    assert np.isnan(APPLIED["exp"](np.array([[math.nan] * LANES]))).all()


def test_conditions_hold_for_each_by_itself():
    @numba.njit
    def clipped(x, result):
        v = numbers.load(x, 0)
        numbers.store(result, 0, numbers.where(v < 0.0, -v, v + 1))
        return numbers.some(v < 0.0), numbers.some(v < -10.0)

    x, result = np.array([[-1.0, 2.0, -3.0, 0.0]]), np.empty((1, LANES))
    assert clipped(x, result) == (True, False)
    assert result[0].tolist() == [1.0, 3.0, 3.0, 1.0]


@pytest.fixture(scope="module")
def compiled():
    return around_mode(compile_density(ree.build_model(ree.read_case("small_metal"))))


def at_four(compiled, points):
    gradient, value = np.full(points.shape, np.nan), np.empty(LANES)

    @numba.njit
    def call(density, x, g, v, user):
        return density(np.uint64(x.shape[0]), x.ctypes, g.ctypes, v.ctypes, user)

    assert call(compiled.four, points, gradient, value, compiled.user) == 0
    return value, gradient


def test_the_density_of_four_points_is_that_of_each(compiled):
    points = np.random.default_rng(1).normal(size=(compiled.size, LANES))
    points[:, 2] *= 3
    value, gradient = at_four(compiled, points)
    for k in range(LANES):
        one, slope = compiled.log_density(points[:, k])
        assert value[k] == pytest.approx(one, rel=1e-6)  # directions of the map are kept in single precision
        np.testing.assert_allclose(gradient[:, k], slope, atol=1e-5 * np.abs(slope).max())


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 1e6])
def test_a_point_without_a_density_does_not_touch_the_others(compiled, wrong):
    points = np.random.default_rng(1).normal(size=(compiled.size, LANES))
    value, gradient = at_four(compiled, points)
    spoilt = points.copy()
    spoilt[0, 1] = wrong
    found, slope = at_four(compiled, spoilt)
    assert not np.isfinite(found[1])
    assert not slope[:, 1].any()
    others = [0, 2, 3]
    np.testing.assert_array_equal(found[others], value[others])
    np.testing.assert_array_equal(slope[:, others], gradient[:, others])


def test_a_chain_beside_others_has_the_draws_of_a_chain_alone(compiled):
    settings = Settings(draws=30, tune=40, chains=6, cores=2, seed=1)
    stored = replace(compiled, unfold=None)
    together = run_chains(HamiltonianRun, stored, settings, QUIET)
    missing = {number: chain for number, chain in together.items() if number != 2}
    alone = run_chains(HamiltonianRun, stored, settings, QUIET, have=missing)
    assert HamiltonianRun.at_once(compiled) == LANES
    for name in ("posterior", "sample_stats"):
        one, other = getattr(together[2], name), getattr(alone[2], name)
        for variable in one.data_vars:
            np.testing.assert_array_equal(one[variable], other[variable])
    assert not np.array_equal(together[2].sample_stats["lp"], together[3].sample_stats["lp"])
