"""Tracing against hand-worked mixtures and against one dense linear system over all processes and years."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow_tables import row, table
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.tracing import gives_regions, origins_of, plan, trace, traced
from reeuncert.testing import flow_dataset, toy_case, toy_flows


def test_three_processes_in_a_ring_by_hand() -> None:
    # a gets 6 from outside (origin 0) and 2 from c; b gets 8 from a; c gets 7 from b and 3 from outside (origin 1).
    # a: 8 A = 6 + 2 C; b: B = A; c: 10 C = 7 B. Shares of origin 0: A = 60 / 66, C = 42 / 66.
    source = ["outside", "c", "a", "b", "b", "outside", "c"]
    target = ["a", "a", "b", "c", "outside", "c", "outside"]
    mass = np.array([6.0, 2.0, 8.0, 7.0, 1.0, 3.0, 8.0]).reshape(7, 1, 1)
    network = plan(source, target, entry=[0, 0, 0, 0, 0, 1, 0])
    found = trace(mass, np.zeros((7, 1), bool), network, 2, np.eye(7)[[4, 6]])[:, :, 0, 0]
    np.testing.assert_allclose(found, [[60 / 66, 6 / 66], [8 * 42 / 66, 8 * 24 / 66]], rtol=1e-14)


def test_a_stock_carries_the_mixture_of_its_year_into_the_next() -> None:
    # Year 1: 4 of origin 0, half is kept. Year 2: 6 of origin 1 join the 2. A closed market keeps nothing for year 4.
    source, target = ["outside", "outside", "m", "m"], ["m", "m", "m", "outside"]
    mass = np.array([[4.0, 0, 0, 0], [0, 6.0, 0, 5.0], [2.0, 3.0, 0, 0], [2.0, 5.0, 0, 5.0]])[:, None]
    carried = np.zeros((4, 4), bool)
    carried[2, 1] = True
    found = trace(mass, carried, plan(source, target, [0, 1, 0, 0]), 2, np.eye(4)[[3]])[0, :, 0]
    np.testing.assert_allclose(found, [[2.0, 1.25, 0.0, 0.0], [0.0, 3.75, 0.0, 5.0]])


def test_a_process_that_resets_the_origin_forgets_what_came_before() -> None:
    source, target = ["outside", "p", "q"], ["p", "q", "outside"]
    mass = np.full((3, 1, 1), 2.0)
    network = plan(source, target, [0, 0, 0], reset={"q": 1})
    assert trace(mass, np.zeros((3, 1), bool), network, 2, np.eye(3)[[2]]).ravel().tolist() == [0.0, 2.0]


def test_a_flow_from_outside_cannot_be_asked_for_its_mixture() -> None:
    network = plan(["outside", "p"], ["p", "outside"], [0, 0])
    with pytest.raises(ValueError, match=r"^a flow from outside has no composition: give it no weight$"):
        trace(np.ones((2, 1, 1)), np.zeros((2, 1), bool), network, 1, np.array([[1.0, 0.0]]))


def dense(table: FlowTable, entry: np.ndarray, reset: dict[str, int], n_origins: int) -> np.ndarray:
    """Composition of every (process, year) from one dense system over the whole space-time network, for one draw."""
    source, target = table.attributes["from_process"], table.attributes["to_process"]
    names = sorted({*source, *target} - {"outside"})
    n_years = len(table.years)
    mass = np.nan_to_num(table.mass[:, 0, 0])
    node = {(name, y): i for i, (name, y) in enumerate((n, y) for n in names for y in range(n_years))}
    matrix, right = np.zeros((len(node), len(node))), np.zeros((len(node), n_origins))
    for f in range(len(mass)):
        for y in range(n_years):
            if mass[f, y] <= 0 or target[f] == "outside":
                continue
            if source[f] == target[f]:
                later = (target[f], y + 1)
                if y + 1 < n_years and any(table.present[source == target[f], y + 1]):
                    matrix[node[later], node[source[f], y]] -= mass[f, y]
                    matrix[node[later], node[later]] += mass[f, y]
                continue
            here = node[target[f], y]
            matrix[here, here] += mass[f, y]
            if source[f] == "outside":
                right[here, entry[f]] += mass[f, y]
            else:
                matrix[here, node[source[f], y]] -= mass[f, y]
    for (name, _), i in node.items():
        if matrix[i, i] == 0:
            matrix[i, i] = 1.0
        elif name in reset:
            matrix[i], right[i] = 0.0, 0.0
            matrix[i, i], right[i, reset[name]] = 1.0, 1.0
    return np.linalg.solve(matrix, right).reshape(len(names), n_years, n_origins)


@pytest.mark.parametrize("kind", ["mined", "refined", "separated"])
@given(seed=st.integers(0, 10_000), spread=st.floats(0.05, 1.5))
@settings(max_examples=15, deadline=None)
def test_tracing_agrees_with_one_dense_system_over_space_and_time(kind: str, seed: int, spread: float) -> None:
    case = toy_case(4)
    mass = toy_flows(case.system, spread, np.random.default_rng(seed), 1)[None]
    flows = FlowTable.from_dataset(flow_dataset(case.system, mass), case)
    network = origins_of(flows, kind)
    names = sorted({*flows.attributes["from_process"], *flows.attributes["to_process"]} - {"outside"})
    reset = {name: int(o) for name, o in zip(names, network.reset, strict=True) if o >= 0}
    expected = dense(flows, network.entry, reset, 5)
    inner = np.flatnonzero(flows.attributes["from_process"] != "outside")
    found = traced(flows, kind, dict(zip(inner, np.eye(len(flows.mass))[inner], strict=True)))
    for f, of_flow in found.items():
        composition = expected[names.index(flows.attributes["from_process"][f])]
        np.testing.assert_allclose(of_flow[:, 0, 0], flows.of(f)[0, 0] * composition.T, rtol=1e-8, atol=1e-9)


@given(seed=st.integers(0, 10_000), n=st.integers(2, 7))
@settings(max_examples=30, deadline=None)
def test_random_networks_with_nested_cycles_agree_with_the_absorbing_chain(seed: int, n: int) -> None:
    """Throughput by origin from the fundamental matrix: s = (I − Pᵀ)⁻¹ b, one right-hand side for each origin."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(n + 1, 0.5), size=n)[:, :n] * (rng.random((n, n)) < 0.5)
    np.fill_diagonal(shares, 0.0)
    entering = rng.exponential(size=(n, 2))
    by_origin = np.linalg.solve(np.eye(n) - shares.T, entering)
    total = by_origin.sum(axis=1)
    source, target, masses, entry = [], [], [], []
    for i in range(n):
        for o in range(2):
            source.append("outside"), target.append(f"p{i}"), masses.append(entering[i, o]), entry.append(o)
        source.append(f"p{i}"), target.append("outside"), entry.append(0)
        masses.append(total[i] * (1 - shares[i].sum()))
        for j in np.flatnonzero(shares[i]):
            source.append(f"p{i}"), target.append(f"p{j}"), masses.append(total[i] * shares[i, j]), entry.append(0)
    mass = np.array(masses)[:, None, None]
    weights = np.zeros((n, len(mass)))
    for i in range(n):
        weights[i] = [s == f"p{i}" for s in source]
    found = trace(mass, np.zeros((len(mass), 1), bool), plan(source, target, entry), 2, weights)[:, :, 0, 0]
    np.testing.assert_allclose(found, by_origin, rtol=1e-10)


def test_the_origin_that_can_be_traced_must_be_known() -> None:
    flows = table([row("mining_A > market_A", "mine_production", "ore", "A", [1])], products=["ore"])
    with pytest.raises(
        ValueError,
        match=r"^cannot trace 'smelted' origins; use 'mined', 'refined', 'separated', 'reduced', ",
    ):
        origins_of(flows, "smelted")


@pytest.mark.parametrize("kind", ["mined", "refined"])
def test_what_is_mined_or_made_where_the_case_names_no_region_comes_from_none(kind: str) -> None:
    case = toy_case(2)
    draws = flow_dataset(case.system, toy_flows(case.system, 1.0, np.random.default_rng(1), 1)[None])
    blank = {"ore": {"destination": ""}, "production": {"origin": ""}}
    flows = tuple(replace(flow, **blank.get(flow.quantity, {})) for flow in case.system.flows)
    bare = replace(case, system=replace(case.system, flows=flows))
    assert gives_regions(FlowTable.from_dataset(draws, case), kind)
    assert not gives_regions(FlowTable.from_dataset(draws, bare), kind)
