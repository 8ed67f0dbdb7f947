"""The balanced-flow map on random networks: balance, gradient, Jacobian, and what must not change it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balances.compiled import backward, compiled_flows, forward
from balances.reference import coordinates_of, reference_flows
from balances.residual import residual
from networks import coordinates, random_groups, random_system, systems, trade_system
from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Group, Network
from reeuncert.system.definition import OUTSIDE, Flow, Process, SystemDefinition
from reeuncert.system.graph import BEYOND

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=40, deadline=None)


def network_of(system: SystemDefinition, rng: np.random.Generator) -> Network:
    return Network.from_system(system, random_groups(rng, system))


def worst_residual(network: Network, flows: np.ndarray) -> float:
    return float(np.nanmax(np.abs(residual(network.system, network.to_table(flows)))))


@FEW
@given(systems(), SEEDS)
def test_agrees_with_the_dense_solve(system, seed):
    rng = np.random.default_rng(seed)
    network = network_of(system, rng)
    u = coordinates(network, rng, 2.0)
    np.testing.assert_allclose(compiled_flows(u, network), reference_flows(u, network), rtol=1e-9)


@FEW
@given(systems(), SEEDS)
def test_many_draws_at_once_give_the_same(system, seed):
    rng = np.random.default_rng(seed)
    network = network_of(system, rng)
    u = np.array([[coordinates(network, rng, 2.0) for _ in range(3)] for _ in range(2)])
    np.testing.assert_allclose(flows_of_draws(u, network), compiled_flows(u, network), rtol=1e-11)
    np.testing.assert_allclose(flows_of_draws(u[0, 0], network), compiled_flows(u[0, 0], network), rtol=1e-11)


@FEW
@given(systems(max_processes=8, max_years=4), SEEDS, st.floats(0.1, 12.0))
def test_what_goes_in_comes_out(system, seed, spread):
    rng = np.random.default_rng(seed)
    network = network_of(system, rng)
    flows = compiled_flows(coordinates(network, rng, spread), network)
    assert np.all(flows > 0)
    assert worst_residual(network, flows) < 1e-9
    enters = np.array([flow.from_process == OUTSIDE for flow in system.flows])
    inputs = flows[enters[network.edge_flow]].sum()
    outlets = flows[np.array(network.edges.target[: network.n_edges]) == BEYOND].sum()
    assert outlets == pytest.approx(inputs, rel=1e-9)


@FEW
@given(systems(), SEEDS)
def test_coordinates_of_flows_give_the_flows(system, seed):
    rng = np.random.default_rng(seed)
    network = network_of(system, rng)
    u = coordinates(network, rng)
    np.testing.assert_allclose(coordinates_of(compiled_flows(u, network), network), u, atol=1e-9)


def pulled_back(network: Network, u: np.ndarray, weights: tuple[np.ndarray, float]) -> tuple[float, np.ndarray]:
    """A linear function of all results, and its gradient by the kernel."""
    log_flow, log_jacobian, held = forward(u, network)
    return weights[0] @ log_flow + weights[1] * log_jacobian, backward(*weights, network, held)


@FEW
@given(systems(max_years=4), SEEDS)
def test_gradient_is_that_of_finite_differences(system, seed):
    rng = np.random.default_rng(seed)
    network = network_of(system, rng)
    u = coordinates(network, rng)
    weights = (rng.normal(size=network.n_edges), float(rng.normal()))
    _, grad = pulled_back(network, u, weights)
    step = 1e-5
    numerical = [
        (pulled_back(network, u + step * e, weights)[0] - pulled_back(network, u - step * e, weights)[0]) / (2 * step)
        for e in np.eye(u.size)
    ]
    np.testing.assert_allclose(grad, numerical, rtol=1e-6, atol=1e-6 * (1 + np.abs(grad).max(initial=0)))


def balance_matrix(network: Network) -> np.ndarray:
    """Rows: processes in years; columns: edges; what must vanish for the flows to balance."""
    ungrouped = Network.from_system(network.system)
    matrix = np.zeros((len(ungrouped.edges.node_process), ungrouped.n_edges))
    for k, (source, target) in enumerate(zip(ungrouped.edges.source, ungrouped.edges.target, strict=True)):
        if source != BEYOND:
            matrix[source, k] -= 1
        if target != BEYOND:
            matrix[target, k] += 1
    return matrix


def numerical_log_jacobian(network: Network, u: np.ndarray, basis: np.ndarray) -> float:
    step = 1e-6
    columns = [
        (compiled_flows(u + step * e, network) - compiled_flows(u - step * e, network)) / (2 * step)
        for e in np.eye(u.size)
    ]
    return float(np.linalg.slogdet(basis.T @ np.array(columns).T)[1])


@FEW
@given(systems(max_processes=4, max_years=3), SEEDS)
def test_log_jacobian_is_the_numerical_one(system, seed):
    rng = np.random.default_rng(seed)
    network = network_of(system, rng)
    matrix = balance_matrix(network)
    basis = np.linalg.svd(matrix)[2][matrix.shape[0] :].T  # orthonormal, of the flows that balance
    assert basis.shape[1] == network.n_coordinates
    difference = []
    for _ in range(3):
        u = coordinates(network, rng, 0.7)
        log_jacobian = forward(u, network)[1]
        difference.append(numerical_log_jacobian(network, u, basis) - log_jacobian)
    np.testing.assert_allclose(difference, difference[0], atol=1e-4)


@FEW
@given(systems(max_processes=5), SEEDS)
def test_log_jacobian_depends_on_the_flows_alone(system, seed):
    rng = np.random.default_rng(seed)
    plain, grouped = Network.from_system(system), network_of(system, rng)
    u = coordinates(plain, rng)
    flows = compiled_flows(u, plain)
    values = [forward(coordinates_of(flows, network), network)[1] for network in (plain, grouped)]
    assert values[1] == pytest.approx(values[0], abs=1e-8)


@FEW
@given(systems(), SEEDS)
def test_order_of_the_tables_changes_nothing(system, seed):
    rng = np.random.default_rng(seed)
    groups = random_groups(rng, system)
    shuffled = SystemDefinition(
        tuple(system.processes[k] for k in rng.permutation(len(system.processes))),
        tuple(system.flows[k] for k in rng.permutation(len(system.flows))),
        system.years,
    )
    first, second = Network.from_system(system, groups), Network.from_system(shuffled, groups)
    u = coordinates(first, rng)
    position = {label: k for k, label in enumerate(first.coordinate_labels)}
    table = first.to_table(compiled_flows(u, first))
    other = second.to_table(compiled_flows(u[[position[label] for label in second.coordinate_labels]], second))
    order = [shuffled.flow_index[flow.name] for flow in system.flows]
    np.testing.assert_allclose(other[order], table, rtol=1e-10)


@FEW
@given(systems(max_processes=5), SEEDS)
def test_a_pass_through_process_changes_nothing(system, seed):
    rng = np.random.default_rng(seed)
    network = Network.from_system(system)
    chosen = int(rng.choice([k for k, flow in enumerate(system.flows) if not flow.is_stock and flow.years]))
    flow = system.flows[chosen]
    before, after = replace(flow, to_process="gate"), Flow("onward", "gate", flow.to_process, "feed", years=flow.years)
    flows = (*system.flows[:chosen], before, *system.flows[chosen + 1 :], after)
    longer = Network.from_system(SystemDefinition((*system.processes, Process("gate")), flows, system.years))
    u = coordinates(network, rng)
    assert longer.coordinate_labels == network.coordinate_labels
    result = longer.to_table(compiled_flows(u, longer))
    np.testing.assert_allclose(result[:-1], network.to_table(compiled_flows(u, network)), rtol=1e-10)
    np.testing.assert_allclose(result[-1], result[chosen], rtol=1e-14)
    jacobians = [forward(u, one)[1] for one in (network, longer)]
    assert jacobians[1] == pytest.approx(jacobians[0], abs=1e-8)


@FEW
@given(systems(max_processes=5), SEEDS, st.integers(2, 20))
def test_splitting_a_flow_leaves_its_total_alone(system, seed, n_children):
    rng = np.random.default_rng(seed)
    network = Network.from_system(system)
    chosen = int(rng.choice([k for k, flow in enumerate(system.flows) if flow.years]))
    flow = system.flows[chosen]
    children = tuple(replace(flow, name=f"{flow.name} part {i}") for i in range(n_children))
    # The reference outflow may itself be the one that is split: then its parts are, together.
    processes = tuple(
        replace(p, reference_outflow=tuple(children[0].name if n == flow.name else n for n in p.reference_outflow))
        for p in system.processes
    )
    finer = SystemDefinition(processes, (*system.flows[:chosen], *children, *system.flows[chosen + 1 :]), system.years)
    split = Network.from_system(finer, [Group("whole", tuple(child.name for child in children))])
    u = coordinates(network, rng)
    of_split = coordinates(split, rng, 3.0)
    old = {label: k for k, label in enumerate(network.coordinate_labels)}
    for k, (kind, name, year) in enumerate(
        zip(split.coordinate_kind, split.coordinate_name, split.coordinate_year, strict=True)
    ):
        if kind != "split":
            of_split[k] = u[old[f"{flow.name if name == 'whole' else name} {year}"]]
    before = network.to_table(compiled_flows(u, network))
    after = split.to_table(compiled_flows(of_split, split))
    parts = after[chosen : chosen + n_children]
    np.testing.assert_allclose(parts.sum(axis=0), before[chosen], rtol=1e-10)
    others = np.concatenate([after[:chosen], after[chosen + n_children :]])
    np.testing.assert_allclose(others, np.delete(before, chosen, axis=0), rtol=1e-10)


def test_tiny_shares_stay_positive_and_balance():
    # One part in 10¹² of what circulates leaves: 1 − p would keep four digits of it.
    years = (2000,)
    ring = [f"p{i}" for i in range(5)]
    flows = [Flow("in", "outside", "p0", "ore", years=years), Flow("out", "p4", "outside", "end_use", years=years)]
    flows += [Flow(f"{a} on", a, b, "trade", years=years) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
    flows += [Flow(f"{a} lost", a, "outside", "loss", years=years) for a in ring[:-1]]
    processes = tuple(Process(name, reference_outflow=(f"{name} on",)) for name in ring)
    network = Network.from_system(SystemDefinition(processes, tuple(flows), years))
    u = np.where(network.coordinate_kind == "input", 0.0, np.log(1e-12))
    x = compiled_flows(u, network)
    assert np.all(x > 0)
    assert worst_residual(network, x) < 1e-12
    edge = network.edge_index[:, 0]
    # What enters leaves through five outlets that are all alike.
    np.testing.assert_allclose(x[edge[[1, 7, 8, 9, 10]]], 0.2, rtol=1e-9)
    np.testing.assert_allclose(x[edge[2:7]], 0.2e12, rtol=1e-9)


def test_a_cycle_of_many_processes():
    rng = np.random.default_rng(5)
    network = Network.from_system(random_system(rng, 60, 1, 0.6))
    u = coordinates(network, rng)
    np.testing.assert_allclose(compiled_flows(u, network), reference_flows(u, network), rtol=1e-9)
    assert max(map(len, network.components)) > 50
    weights = (rng.normal(size=network.n_edges), 1.0)
    direction, step = rng.normal(size=u.size), 1e-6
    above, below = (pulled_back(network, u + s * direction, weights)[0] for s in (step, -step))
    assert pulled_back(network, u, weights)[1] @ direction == pytest.approx((above - below) / (2 * step), rel=1e-5)


def test_what_no_double_holds_is_not_finite():
    network = Network.from_system(trade_system(n_years=1))
    u = np.where(network.coordinate_kind == "input", -800.0, 0.0)
    assert not np.isfinite(forward(u, network)[1])


def test_flows_scale_with_the_inputs():
    rng = np.random.default_rng(3)
    network = Network.from_system(trade_system(n_years=4))
    u = coordinates(network, rng)
    doubled = u + np.where(network.coordinate_kind == "input", np.log(2.0), 0.0)
    np.testing.assert_allclose(compiled_flows(doubled, network), 2 * compiled_flows(u, network), rtol=1e-12)
