"""u = m + K z with a block-structured K."""

from __future__ import annotations

import re

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reeuncert.balance.affine import BlockFactor, _product_transposed, block_affine


def random_blocks(rng: np.random.Generator, sizes: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Blocks over a random partition, every other one lower triangular."""
    order = rng.permutation(sum(sizes))
    blocks, start = [], 0
    for number, size in enumerate(sizes):
        matrix = rng.normal(size=(size, size))
        blocks.append((order[start : start + size], np.tril(matrix) if number % 2 else matrix))
        start += size
    return blocks


def dense(blocks: list[tuple[np.ndarray, np.ndarray]], size: int) -> np.ndarray:
    matrix = np.zeros((size, size))
    for index, block in blocks:
        matrix[np.ix_(index, index)] = block
    return matrix


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_product_and_transposed_product(sizes, seed):
    rng = np.random.default_rng(seed)
    blocks = random_blocks(rng, sizes)
    factor = BlockFactor.from_blocks(blocks)
    K = dense(blocks, factor.size)
    z = rng.normal(size=(2, 3, factor.size))
    np.testing.assert_allclose(factor.dense(), K, atol=1e-14)
    np.testing.assert_allclose(factor.apply(z), z @ K.T, atol=1e-12)
    np.testing.assert_allclose(_product_transposed(z[0, 0], factor.layout, factor.values), K.T @ z[0, 0], atol=1e-12)


def test_gradient_and_new_values_without_recompiling():
    rng = np.random.default_rng(4)
    blocks = random_blocks(rng, [3, 5, 1, 4])
    factor = BlockFactor.from_blocks(blocks)
    mean = pytensor.shared(rng.normal(size=factor.size))
    values = pytensor.shared(factor.values)
    z = pt.dvector("z")
    u = block_affine(z, mean, factor, values)
    weight = rng.normal(size=factor.size)
    loss = (weight * u**2).sum()
    function = pytensor.function([z], [u, pytensor.grad(loss, z)])
    point = rng.normal(size=factor.size)

    def expected(K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value = mean.get_value() + K @ point
        return value, K.T @ (2 * weight * value)

    for found, wanted in zip(function(point), expected(dense(blocks, factor.size)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    smaller = [0.5 * matrix for _, matrix in blocks]
    values.set_value(factor.pack(smaller))
    mean.set_value(np.zeros(factor.size))
    new = dense([(index, 0.5 * matrix) for index, matrix in blocks], factor.size)
    for found, wanted in zip(function(point), expected(new), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_shape_is_that_of_z_and_mean_has_a_gradient():
    factor = BlockFactor.from_blocks([([0, 1], np.eye(2))])
    mean = pt.dvector("mean")
    u = block_affine(np.array([1.0, 2.0]), mean, factor)
    assert u.type.shape == (2,)
    assert pytensor.grad(u.sum(), mean).eval({mean: np.zeros(2)}).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([([0, 1], np.eye(3))], "a block over 2 coordinates has a matrix of shape (3, 3)"),
        ([([0, 1], np.eye(2)), ([1], [[1.0]])], "the blocks hold 3 coordinates, but not each of 0 … 2 once"),
        ([([0, 2], np.eye(2))], "the blocks hold 2 coordinates, but not each of 0 … 1 once"),
    ],
)
def test_blocks_that_do_not_fit(blocks, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BlockFactor.from_blocks(blocks)


def test_new_values_that_do_not_fit():
    factor = BlockFactor.from_blocks([([0], [[1.0]]), ([1, 2], [[1.0, 0.0], [0.5, 1.0]])])
    message = "^block 1 is lower triangular; its new matrix has values above the diagonal$"
    with pytest.raises(ValueError, match=message):
        factor.pack([[[1.0]], [[1.0, 0.5], [0.5, 1.0]]])
    with pytest.raises(ValueError, match=r"^block 1 has 2 coordinates, its matrix the shape \(1, 1\)$"):
        factor.pack([[[1.0]], [[1.0]]])
