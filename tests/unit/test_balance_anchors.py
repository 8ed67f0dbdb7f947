"""Inputs stated by what a process delivers: the same flows, other coordinates."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from balances.compiled import compiled_flows
from balances.reference import coordinates_of
from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows, balanced_flows_with_jacobian
from reeuncert.errors import ModelError
from reeuncert.system.definition import Flow, Process, SystemDefinition

YEARS = (2000, 2001)


def mine(extra: tuple[Flow, ...] = ()) -> SystemDefinition:
    flows = (
        Flow("ore", "outside", "mining", "ore", years=YEARS),
        Flow("concentrate", "mining", "market", "mine_production", years=YEARS),
        Flow("tailings", "mining", "outside", "loss", years=YEARS),
        Flow("dust", "mining", "outside", "loss", years=(2001,)),
        Flow("use", "market", "outside", "end_use", years=YEARS),
        *extra,
    )
    return SystemDefinition((Process("mining", reference_outflow=("tailings",)), Process("market")), flows, YEARS)


def test_the_coordinate_is_the_log_of_what_is_delivered():
    network = Network.from_system(mine(), delivered={"ore": "concentrate"})
    assert list(network.coordinate_labels)[:2] == ["concentrate 2000", "concentrate 2001"]
    u = np.random.default_rng(1).normal(size=(5, network.n_coordinates))
    flows = network.to_table(compiled_flows(u, network))
    assert np.allclose(np.log(flows[:, 1]), u[:, :2])
    assert np.allclose(np.nansum(flows[:, 1:4], axis=1), flows[:, 0])
    assert np.allclose(balanced_flows(u[0], network).eval(), np.log(compiled_flows(u[0], network)))


def test_the_volume_is_that_of_the_plain_coordinates():
    plain, stated = Network.from_system(mine()), Network.from_system(mine(), delivered={"ore": "concentrate"})
    u = np.random.default_rng(2).normal(size=stated.n_coordinates)
    inputs = coordinates_of(compiled_flows(u, stated), plain)
    pairs = [*balanced_flows_with_jacobian(u, stated), *balanced_flows_with_jacobian(inputs, plain)]
    log_flow, log_jacobian, same, volume = pytensor.function([], pairs)()
    assert np.allclose(log_flow, same)
    assert np.allclose(log_jacobian, volume)


def test_the_gradient_agrees_with_finite_differences():
    network = Network.from_system(mine(), delivered={"ore": "concentrate"})
    u = pt.dvector()
    weight = np.random.default_rng(3).normal(size=network.n_edges)
    value = (balanced_flows(u, network) * weight).sum()
    function = pytensor.function([u], [value, pytensor.grad(value, u)])
    point = np.random.default_rng(4).normal(size=network.n_coordinates)
    _, gradient = function(point)
    step = 1e-6 * np.eye(point.size)
    numerical = [(function(point + h)[0] - function(point - h)[0]) / 2e-6 for h in step]
    assert np.allclose(gradient, numerical, atol=1e-7)


def test_a_process_that_others_feed_is_refused():
    scrap = Flow("scrap", "outside", "mining", "recycling", years=YEARS)
    with pytest.raises(ModelError, match=r"'ore' is stated by the mass of 'concentrate', which needs a process"):
        Network.from_system(mine((scrap,)), delivered={"ore": "concentrate"})
