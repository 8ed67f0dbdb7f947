"""u = m + K z with a block-structured K: from independent standard normals to the coordinates of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import ArrayLike, NDArray
from pytensor.compile.sharedvalue import shared
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from reeuncert.compiling import kernel, source_version

__all__ = ["BlockFactor", "block_affine"]

_VERSION = source_version(__file__)


@dataclass(frozen=True, eq=False)
class BlockFactor:
    """A square matrix K made of dense blocks over disjoint sets of coordinates; zero elsewhere.

    Parameters
    ----------
    size
        Number of coordinates; every one is in exactly one block.
    layout
        ``size``, number of blocks; for each block its length, negative if lower triangular; then the coordinates of all
        blocks, back to back.
    values
        Rows of all blocks back to back, those of triangular blocks up to the diagonal.

    Examples
    --------
    >>> factor = BlockFactor.from_blocks([([0, 2], [[2.0, 0.0], [1.0, 3.0]]), ([1], [[5.0]])])
    >>> factor.dense()
    array([[2., 0., 0.],
           [0., 5., 0.],
           [1., 0., 3.]])
    >>> factor.values
    array([2., 1., 3., 5.])
    """

    size: int
    layout: NDArray[np.int64] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)

    @classmethod
    def from_blocks(cls, blocks: Iterable[tuple[ArrayLike, ArrayLike]]) -> BlockFactor:
        """Put blocks together.

        Parameters
        ----------
        blocks
            For each block the coordinates, shape (n,), and the matrix between them, shape (n, n). Blocks with nothing
            above the diagonal are kept and multiplied as triangular ones.

        Raises
        ------
        ValueError
            A matrix does not fit its coordinates, or the blocks are no partition of 0 … size − 1.
        """
        pairs = [(np.asarray(index, np.int64).ravel(), np.asarray(matrix, np.float64)) for index, matrix in blocks]
        for index, matrix in pairs:
            if matrix.shape != (index.size, index.size):
                raise ValueError(f"a block over {index.size} coordinates has a matrix of shape {matrix.shape}")
        joined = np.concatenate([index for index, _ in pairs]) if pairs else np.empty(0, np.int64)
        if not np.array_equal(np.sort(joined), np.arange(joined.size)):
            raise ValueError(f"the blocks hold {joined.size} coordinates, but not each of 0 … {joined.size - 1} once")
        lengths = [-index.size if not np.triu(matrix, 1).any() else index.size for index, matrix in pairs]
        layout = np.concatenate([[joined.size, len(pairs)], lengths, joined]).astype(np.int64)
        empty = cls(joined.size, layout, np.empty(0))
        return cls(joined.size, layout, empty.pack([matrix for _, matrix in pairs]))

    def pack(self, matrices: Sequence[ArrayLike]) -> NDArray[np.float64]:
        """Values of other matrices over the same blocks, for a refit without recompiling.

        Raises
        ------
        ValueError
            A matrix has another shape than its block, or is not triangular where the block is.
        """
        lengths = self.layout[2 : 2 + self.layout[1]]
        parts = []
        for number, (length, given) in enumerate(zip(lengths, matrices, strict=True)):
            matrix = np.asarray(given, np.float64)
            if matrix.shape != (abs(length), abs(length)):
                raise ValueError(f"block {number} has {abs(length)} coordinates, its matrix the shape {matrix.shape}")
            if length < 0 and np.triu(matrix, 1).any():
                raise ValueError(f"block {number} is lower triangular; its new matrix has values above the diagonal")
            parts.append(matrix[np.tril_indices(-length)] if length < 0 else matrix.ravel())
        return np.concatenate(parts) if parts else np.empty(0)

    def dense(self) -> NDArray[np.float64]:
        """K as a dense matrix, shape (size, size); for tests and for looking at small ones."""
        rows = [_product(np.eye(self.size)[k], self.layout, self.values) for k in range(self.size)]
        return np.array(rows).reshape(self.size, self.size).T

    def apply(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """K z of many draws, shape (..., size), without a PyTensor graph."""
        z = np.ascontiguousarray(z, dtype=np.float64)
        return _products(z.reshape(-1, self.size), self.layout, self.values).reshape(z.shape)


@kernel(_VERSION)
def _product(z, layout, values):  # type: ignore[no-untyped-def]  # numba infers
    size, blocks = layout[0], layout[1]
    result = np.empty(size)
    local = np.empty(size)
    at, row = 2 + blocks, 0
    for b in range(blocks):
        lower, n = layout[2 + b] < 0, abs(layout[2 + b])
        for j in range(n):
            local[j] = z[layout[at + j]]
        for i in range(n):
            width = i + 1 if lower else n
            # Four running sums, which the processor can form side by side, always in the same order (fast-math
            # would not promise that). Unsigned: an index that cannot be negative needs no check.
            s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
            these, q, end = values[row : row + width], np.uint64(0), np.uint64(width)
            while q + np.uint64(3) < end:
                s0 += these[q] * local[q]
                s1 += these[q + np.uint64(1)] * local[q + np.uint64(1)]
                s2 += these[q + np.uint64(2)] * local[q + np.uint64(2)]
                s3 += these[q + np.uint64(3)] * local[q + np.uint64(3)]
                q += np.uint64(4)
            while q < end:
                s0 += these[q] * local[q]
                q += np.uint64(1)
            result[layout[at + i]] = (s0 + s1) + (s2 + s3)
            row += width
        at += n
    return result


@kernel(_VERSION)
def _product_transposed(g, layout, values):  # type: ignore[no-untyped-def]  # numba infers
    size, blocks = layout[0], layout[1]
    result = np.empty(size)
    local = np.empty(size)
    at, row = 2 + blocks, 0
    for b in range(blocks):
        lower, n = layout[2 + b] < 0, abs(layout[2 + b])
        local[:n] = 0.0
        for i in range(n):
            width = i + 1 if lower else n
            weight = g[layout[at + i]]
            these = values[row : row + width]
            for j in range(width):
                local[j] += these[j] * weight
            row += width
        for j in range(n):
            result[layout[at + j]] = local[j]
        at += n
    return result


@kernel(_VERSION)
def _products(z, layout, values):  # type: ignore[no-untyped-def]  # numba infers
    result = np.empty_like(z)
    for draw in range(z.shape[0]):
        result[draw] = _product(z[draw], layout, values)
    return result


class BlockProduct(Op):
    """(z, layout, values) → K z, or Kᵀ z where ``transposed``; differentiable in z alone."""

    __props__ = ("transposed",)

    def __init__(self, transposed: bool = False):
        self.transposed = transposed

    def make_node(self, z: Any, layout: Any, values: Any) -> Apply:  # type: ignore[override]  # fixed arity
        z, layout = pt.as_tensor(z, dtype="float64"), pt.as_tensor(layout)
        return Apply(self, [z, layout, pt.as_tensor(values, dtype="float64")], [z.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = (_product_transposed if self.transposed else _product)(*inputs)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [shapes[0]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False], [False]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        _, layout, values = inputs
        (grad,) = BlockProduct(not self.transposed).make_node(cotangents[0], layout, values).outputs
        return [grad, disconnected_type(), disconnected_type()]


@register_funcify_default_op_cache_key(BlockProduct)
def _compile_product(op: BlockProduct, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    product = _product_transposed if op.transposed else _product

    @numba_njit
    def block_product(z, layout, values):  # type: ignore[no-untyped-def]  # numba infers
        return product(z, layout, values)

    return block_product, _VERSION


def block_affine(z: Any, mean: Any, factor: BlockFactor, values: Any = None) -> TensorVariable:
    """Coordinates u = mean + K z.

    Parameters
    ----------
    z
        Standard normals, shape (factor.size,).
    mean
        Mean of the coordinates, shape (factor.size,); an array, or a ``pm.Data`` that a refit may change.
    factor
        The blocks of K.
    values
        What to use for ``factor.values``: a ``pm.Data`` of that shape, so that a refit can change K without
        recompiling.

    Returns
    -------
    TensorVariable
        Coordinates, shape (factor.size,). Its gradient reaches z and mean, not the values of K.

    Examples
    --------
    >>> factor = BlockFactor.from_blocks([([0, 2], [[2.0, 0.0], [1.0, 3.0]]), ([1], [[5.0]])])
    >>> block_affine(np.array([1.0, 1.0, 1.0]), np.array([0.0, 10.0, 0.0]), factor).eval().tolist()
    [2.0, 15.0, 4.0]
    """
    layout = shared(factor.layout, name="factor_layout", shape=factor.layout.shape, borrow=True)
    if values is None:
        values = shared(factor.values, name="factor_values", shape=factor.values.shape, borrow=True)
    return pt.as_tensor(mean) + BlockProduct().make_node(z, layout, values).outputs[0]
