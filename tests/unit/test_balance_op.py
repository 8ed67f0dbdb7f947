"""Balanced flows inside PyTensor graphs and PyMC models."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.replace import vectorize_graph

from balances.compiled import compiled_flows
from balances.residual import residual
from networks import coordinates, path_factor, random_groups, random_system, trade_system
from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows, balanced_flows_with_jacobian, path_affine


@pytest.fixture(scope="module")
def network() -> Network:
    rng = np.random.default_rng(7)
    system = random_system(rng, n_processes=4, n_years=3, density=0.6)
    return Network.from_system(system, random_groups(rng, system))


@pytest.mark.parametrize("measure", ["coordinates", "mass"])
def test_gradient_through_the_graph(network, measure):
    rng = np.random.default_rng(1)
    u = pt.dvector("u")
    if measure == "mass":
        log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
        loss = (rng.normal(size=network.n_edges) * log_flow).sum() + 0.7 * log_jacobian
    else:
        loss = (rng.normal(size=network.n_edges) * balanced_flows(u, network)).sum()
    function = pytensor.function([u], [loss, pytensor.grad(loss, u)])
    point = coordinates(network, rng)
    grad = function(point)[1]
    step = 1e-5
    numerical = [
        (function(point + step * e)[0] - function(point - step * e)[0]) / (2 * step) for e in np.eye(point.size)
    ]
    np.testing.assert_allclose(grad, numerical, rtol=1e-6, atol=1e-6)


def test_shapes_are_known_before_anything_runs(network):
    u = pt.dvector("u")
    log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
    assert log_flow.type.shape == (network.n_edges,)
    assert log_jacobian.type.shape == ()
    # The shape alone needs no flows.
    assert pytensor.function([u], log_flow.shape[0], on_unused_input="ignore")(np.empty(0)) == network.n_edges


def test_agrees_with_the_batched_evaluator(network):
    u = coordinates(network, np.random.default_rng(2))
    np.testing.assert_array_equal(np.exp(balanced_flows(u, network).eval()), compiled_flows(u, network))


def test_a_batch_of_draws_in_one_graph(network):
    u, many = pt.dvector("u"), pt.dmatrix("many")
    flows = vectorize_graph(pt.exp(balanced_flows(u, network)), {u: many})
    draws = np.random.default_rng(3).normal(size=(4, network.n_coordinates))
    np.testing.assert_allclose(flows.eval({many: draws}), compiled_flows(draws, network), rtol=1e-12)


def test_python_fallback_gives_the_same(network):
    u = pt.dvector("u")
    log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
    loss = (log_flow**2).sum() + log_jacobian
    outputs = [loss, pytensor.grad(loss, u)]
    point = coordinates(network, np.random.default_rng(4))
    results = [
        pytensor.function([u], outputs, mode=pytensor.compile.mode.Mode(linker=linker, optimizer="fast_compile"))(point)
        for linker in ("py", "numba")
    ]
    for python, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(python, compiled, rtol=1e-12)


@pytest.mark.slow
def test_in_a_model_with_nutpie():
    network = Network.from_system(trade_system(n_regions=2, n_products=1, n_years=3))
    with pm.Model(coords={"coordinate": list(network.coordinate_labels)}) as model:
        z = pm.Normal("z", 0.0, 1.0, dims="coordinate")
        factor = path_factor(network)
        mean = pm.Data("prior_mean", np.full(network.n_coordinates, -1.0))
        values = pm.Data("prior_factor", factor.values)
        log_flow = balanced_flows(path_affine(z, mean, factor, values), network)
        pm.Deterministic("log_flow", log_flow)
        pm.Normal("reported", log_flow[:3], 0.1, observed=np.zeros(3))
        dt = pm.sample(
            draws=50, tune=50, chains=1, random_seed=1, progressbar=False, quiet=True, compute_convergence_checks=False
        )
        prior = pm.sample_prior_predictive(5, random_seed=1)
    flows = np.exp(dt["posterior"]["log_flow"].values)
    assert flows.shape == (1, 50, network.n_edges)
    assert np.nanmax(np.abs(residual(network.system, network.to_table(flows)))) < 1e-12
    u = -1.0 + factor.apply(dt["posterior"]["z"].values)
    np.testing.assert_allclose(flows, compiled_flows(u, network), rtol=1e-10)
    assert -0.7 < np.log(flows)[..., :3].mean() < 0.1  # the prior says -1, the reports 0
    assert prior["prior"]["log_flow"].shape == (1, 5, network.n_edges)
    assert set(model.named_vars) == {"z", "prior_mean", "prior_factor", "log_flow", "reported"}
