"""Elimination without subtraction, against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from reeuncert.balance.elimination import BLOCK, factorise, inverse, solve, solve_transposed


def random_shares(n: int, leak: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares passed on inside a cycle of n, and the shares that leave it."""
    rng = np.random.default_rng(seed)
    p = rng.random((n, n)) * (rng.random((n, n)) < 0.7)
    p[np.arange(n), (np.arange(n) + 1) % n] += 0.1
    np.fill_diagonal(p, 0.0)
    p *= (1.0 - leak) / p.sum(axis=1, keepdims=True)
    return p, np.full(n, leak)


@pytest.mark.parametrize("n", [2, 3, 24, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_solves_and_determinant(n):
    p, leak = random_shares(n, 0.2, seed=n)
    rng = np.random.default_rng(0)
    r, h = rng.random(n), rng.normal(size=n)
    matrix = np.eye(n) - p
    factors, pivot = p.copy(), np.empty(n)
    factorise(factors, leak.copy(), pivot)
    s, λ = r.copy(), h.copy()
    solve_transposed(factors, pivot, s)
    solve(factors, pivot, λ)
    np.testing.assert_allclose(s, np.linalg.solve(matrix.T, r), rtol=1e-11)
    np.testing.assert_allclose(λ, np.linalg.solve(matrix, h), rtol=1e-9, atol=1e-11)
    assert np.log(pivot).sum() == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-11)


@pytest.mark.parametrize("n", [3, 30, 2 * BLOCK + 5])
def test_every_entry_is_right_where_almost_nothing_leaves(n):
    # A ring with equal shares both ways is symmetric: s = (1 / leak) · mean r, up to terms of order 1.
    p = np.zeros((n, n))
    here = np.arange(n)
    leak = 1e-12
    p[here, (here + 1) % n] = p[here, (here - 1) % n] = (1 - leak) / 2
    factors, pivot = p.copy(), np.empty(n)
    factorise(factors, np.full(n, leak), pivot)
    s = np.ones(n)
    solve_transposed(factors, pivot, s)
    np.testing.assert_allclose(s, 1e12, rtol=1e-10)


@pytest.mark.parametrize("n", [2, 3, 24, BLOCK + 1])
def test_the_inverse(n):
    p, leak = random_shares(n, 0.2, seed=n)
    factors, pivot, found = p.copy(), np.empty(n), np.empty((n, n))
    factorise(factors, leak.copy(), pivot)
    inverse(factors, pivot, found)
    np.testing.assert_allclose(found, np.linalg.inv(np.eye(n) - p), rtol=1e-10)
