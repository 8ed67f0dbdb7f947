"""Trajectories of random length: posteriors known in closed form, and what a chain promises."""

from __future__ import annotations

import math
import os
import signal
import threading
from types import SimpleNamespace

import numba as nb
import numpy as np
import pytest
from numba import types

from reeuncert.errors import SamplingError
from reeuncert.inference.chains import joined, run_chains
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.hmc import HamiltonianRun, _fitting_widths
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import Settings
from reeuncert.result.diagnostics import bfmi, diagnose

MEAN, SD = (1.0, -2.0, 0.5, 0.0), (0.05, 1.0, 3.0, 1e-4)
SIZE = len(MEAN)
_POINTER = types.CPointer(types.double)
QUIET = Messages(quiet=True)


@nb.cfunc(types.int64(types.uint64, _POINTER, _POINTER, _POINTER, types.uint64))
def normal(dim, x_, out_, logp_, data):
    """Independent normals."""
    x, out, logp = nb.carray(x_, (SIZE,)), nb.carray(out_, (SIZE,)), nb.carray(logp_, (1,))
    logp[0] = 0.0
    for i in range(SIZE):
        z = (x[i] - MEAN[i]) / SD[i]
        logp[0] -= 0.5 * z * z
        out[i] = -z / SD[i]
    return 0


@nb.cfunc(types.int64(types.uint64, _POINTER, _POINTER, _POINTER, types.uint64))
def half(dim, x_, out_, logp_, data):
    """Standard normals, of which the first exists only above zero."""
    x, out, logp = nb.carray(x_, (SIZE,)), nb.carray(out_, (SIZE,)), nb.carray(logp_, (1,))
    logp[0] = 0.0
    for i in range(SIZE):
        logp[0] -= 0.5 * x[i] * x[i]
        out[i] = -x[i]
    return 4 if x[0] < 0.0 else 0


@nb.cfunc(types.int64(types.uint64, _POINTER, _POINTER, _POINTER, types.uint64))
def nowhere(dim, x_, out_, logp_, data):
    """A density that exists nowhere."""
    return 4


@nb.cfunc(types.int64(types.uint64, types.uint64, _POINTER, _POINTER, types.uint64))
def with_sum(dim, expanded, x_, out_, data):
    x, out = nb.carray(x_, (SIZE,)), nb.carray(out_, (SIZE + 1,))
    out[SIZE] = 0.0
    for i in range(SIZE):
        out[i] = x[i]
        out[SIZE] += x[i]
    return 0


def model(density=normal, start=MEAN) -> CompiledModel:
    theirs = SimpleNamespace(
        n_dim=SIZE,
        compiled_logp_func=density,
        compiled_expand_func=with_sum,
        user_data=np.zeros(1),
        n_expanded=SIZE + 1,
        shape_info=(["x", "total"], [slice(0, SIZE), slice(SIZE, SIZE + 1)], [(SIZE,), ()]),
        dims={"x": ("letter",)},
        coords={"letter": list("abcd")},
        reparameterized_names=[],
        initial_point_func=lambda seed: np.array(start),
        shared_var_keys={},
    )
    return CompiledModel(theirs, np.zeros(SIZE))


def run(compiled: CompiledModel, **settings):
    return joined(run_chains(HamiltonianRun, compiled, Settings(**{"tune": 300, "seed": 1} | settings), QUIET))


def test_draws_of_independent_normals_have_their_means_and_spreads():
    chain = run(model(), draws=2000)
    x = chain.posterior["x"]
    assert x.dims == ("chain", "draw", "letter")
    found = diagnose(x.values)
    assert found.r_hat.max() < 1.01
    assert found.ess_bulk.min() > 2000
    error = np.array(SD) / np.sqrt(found.ess_bulk)
    np.testing.assert_array_less(np.abs(found.mean - MEAN), 4.5 * error)
    np.testing.assert_allclose(x.std(("chain", "draw")), SD, rtol=0.06)
    np.testing.assert_allclose(chain.posterior["total"], x.sum("letter"), rtol=1e-12)
    stats = chain.sample_stats
    assert not stats["diverging"].any()
    assert float(stats["acceptance_rate"].mean()) == pytest.approx(0.9, abs=0.06)
    assert bfmi(stats["energy"].values, stats["energy_before"].values).min() > 0.3


def test_where_the_density_does_not_exist_there_are_no_draws_and_divergences_are_told():
    # No step is so short that it meets no wall: an acceptance near one would ask for ever shorter ones.
    chain = run(model(half, start=(1.0, 0.0, 0.0, 0.0)), draws=2000, target_accept=0.6)
    x = chain.posterior["x"].values[..., 0]
    assert x.min() > 0
    ess = float(diagnose(x).ess_bulk)
    assert ess > 2000
    assert x.mean() == pytest.approx(math.sqrt(2 / math.pi), abs=4.5 * 0.6 / math.sqrt(ess))
    assert (x**2).mean() == pytest.approx(1.0, abs=4.5 * math.sqrt(2 / ess))
    assert chain.sample_stats["diverging"].any()


def test_a_chain_depends_on_its_seed_alone():
    one, together = run(model(), draws=50, chains=4, cores=1), run(model(), draws=50, chains=2, cores=2)
    np.testing.assert_array_equal(one.posterior["x"][:2], together.posterior["x"])
    np.testing.assert_array_equal(one.sample_stats["energy"][:2], together.sample_stats["energy"])
    assert not np.array_equal(one.posterior["x"][0], one.posterior["x"][1])
    assert not np.array_equal(run(model(), draws=50, seed=2).posterior["x"], one.posterior["x"])


def test_thinned_draws_are_every_third():
    all_of_them, thinned = run(model(), draws=60), run(model(), draws=20, thin=3)
    np.testing.assert_array_equal(thinned.posterior["x"], all_of_them.posterior["x"][:, 2::3])
    for name in ("lp", "energy", "energy_before"):
        np.testing.assert_array_equal(thinned.sample_stats[name], all_of_them.sample_stats[name][:, 2::3])
    steps = all_of_them.sample_stats["n_steps"].values.reshape(4, 20, 3).sum(axis=2)
    np.testing.assert_array_equal(thinned.sample_stats["n_steps"], steps)


def test_an_interrupt_keeps_the_draws_made_until_then():
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        chain = run(model(), draws=10_000_000, chains=2)
    finally:
        timer.cancel()
    assert 10 < chain.draws < 10_000_000
    assert not chain.complete
    assert np.isfinite(chain.posterior["x"]).all()


def test_no_start_with_a_finite_density_is_an_error():
    with pytest.raises(SamplingError, match="not finite at any of 10 starting points"):
        run(model(nowhere), draws=10)


def test_a_coordinate_whose_gradient_tells_nothing_is_scaled_by_its_draws():
    points = np.random.default_rng(1).uniform(0.0, 0.3, (200, 1))
    factor = _fitting_widths(points, np.ones_like(points), np.ones(1))
    assert points.std() <= factor[0] < 1.5 * points.std() ** (200 / 250)
    assert _fitting_widths(points[:1], np.ones((1, 1)), np.ones(1)) == 1.0
