"""u = m + K z, K the factor of paths over the years, against the covariance written out."""

from __future__ import annotations

import re

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reeuncert.balance.affine import product_transposed
from reeuncert.balance.factor import PathFactor, Paths
from reeuncert.balance.op import path_affine


def random_blocks(rng: np.random.Generator, sizes: list[int]) -> list[Paths]:
    """Blocks of up to three paths and three levels over a random partition; some deviations and levels are missing."""
    order = rng.permutation(sum(sizes))
    blocks: list[Paths] = []
    start = 0
    for size in sizes:
        loads = rng.normal(size=(size, rng.integers(0, 4))) * (rng.random((size, 1)) < 0.8)
        yearly = rng.uniform(0.1, 1.0, size) * (rng.random() < 0.8)
        carry = rng.uniform(0.0, 0.95, size) * (rng.random(size) < 0.7)
        carry[0] = 0.0
        blocks.append((order[start : start + size], loads, yearly, carry))
        start += size
    return blocks


def covariance(blocks: list[Paths], size: int) -> np.ndarray:
    out = np.zeros((size, size))
    for index, loads, yearly, carry in blocks:
        n = len(np.asarray(index))
        steps = np.array([[np.prod(np.asarray(carry)[i + 1 : j + 1]) for j in range(n)] for i in range(n)])
        correlation = np.triu(steps) + np.triu(steps, 1).T
        block = np.asarray(loads) @ np.asarray(loads).T + np.outer(yearly, yearly) * correlation
        out[np.ix_(np.asarray(index), np.asarray(index))] = block
    return out


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_the_factor_gives_back_the_covariance(sizes, seed):
    rng = np.random.default_rng(seed)
    blocks = random_blocks(rng, sizes)
    factor = PathFactor.of(blocks)
    K = factor.apply(np.eye(factor.size)).T
    np.testing.assert_allclose(K @ K.T, covariance(blocks, factor.size), atol=1e-11)
    order = np.concatenate([np.asarray(index) for index, *_ in blocks])
    np.testing.assert_array_equal(np.triu(K[np.ix_(order, order)], 1), 0.0)
    z = rng.normal(size=(2, 3, factor.size))
    np.testing.assert_allclose(factor.apply(z), z @ K.T, atol=1e-12)
    transposed = np.empty(factor.size)
    product_transposed(z[0, 0], factor.layout, factor.values, transposed)
    np.testing.assert_allclose(transposed, K.T @ z[0, 0], atol=1e-12)


def test_gradient_and_new_values_without_recompiling():
    rng = np.random.default_rng(4)
    blocks = random_blocks(rng, [3, 5, 1, 4])
    factor = PathFactor.of(blocks)
    mean = pytensor.shared(rng.normal(size=factor.size))
    values = pytensor.shared(factor.values)
    z = pt.dvector("z")
    u = path_affine(z, mean, factor, values)
    weight = rng.normal(size=factor.size)
    loss = (weight * u**2).sum()
    function = pytensor.function([z], [u, pytensor.grad(loss, z)])
    point = rng.normal(size=factor.size)

    def expected(K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value = mean.get_value() + K @ point
        return value, K.T @ (2 * weight * value)

    for found, wanted in zip(function(point), expected(factor.apply(np.eye(factor.size)).T), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    wider = PathFactor.of([(index, 2 * loads, 2 * yearly, carry) for index, loads, yearly, carry in blocks])  # type: ignore[operator]  # arrays
    values.set_value(wider.values)
    mean.set_value(np.zeros(factor.size))
    for found, wanted in zip(function(point), expected(2 * factor.apply(np.eye(factor.size)).T), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_shape_is_that_of_z_and_mean_has_a_gradient():
    factor = PathFactor.of([([0, 1], np.zeros((2, 0)), [1.0, 1.0], [0.0, 0.5])])
    mean = pt.dvector("mean")
    u = path_affine(np.array([1.0, 2.0]), mean, factor)
    assert u.type.shape == (2,)
    assert pytensor.grad(u.sum(), mean).eval({mean: np.zeros(2)}).tolist() == [1.0, 1.0]


def one(*index: int, rows: int = 1) -> Paths:
    return list(index), np.ones((rows, 1)), np.ones(rows), np.zeros(rows)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([one(0, 1, rows=3)], "a block has 2 coordinates, but loads of shape (3, 1)"),
        ([one(0, 1, rows=2), one(1)], "the blocks hold 3 coordinates, but not each of 0 … 2 once"),
        ([one(0, 2, rows=2)], "the blocks hold 2 coordinates, but not each of 0 … 1 once"),
    ],
)
def test_blocks_that_do_not_fit(blocks, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        PathFactor.of(blocks)
