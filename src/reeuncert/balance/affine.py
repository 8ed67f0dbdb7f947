"""u = m + K z inside PyTensor graphs, and the kernels that apply K step by step (see `reeuncert.balance.factor`)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import shared
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from reeuncert.balance.factor import PathFactor
from reeuncert.compiling import kernel, source_version
from reeuncert.lanes.numbers import LANE_FILES, empty, load, store, zero

VERSION = source_version(__file__, *LANE_FILES)

# Unsigned positions: numba looks at every other index for being negative, which takes half of the time here.
_1, _2, _3, _4 = (np.uint64(k) for k in range(1, 5))


@kernel(VERSION)
def _most(layout):  # type: ignore[no-untyped-def]  # numba infers
    """Levels and slopes of the block that has most of them."""
    most = 0
    for b in range(layout[1]):
        most = max(most, layout[3 + 2 * b])
    return most


@kernel(VERSION)
def product(z, layout, values, result):  # type: ignore[no-untyped-def]  # numba infers
    """Write K z; z may be four points (`reeuncert.lanes.numbers`)."""
    blocks = layout[1]
    at, v = np.uint64(2 + 2 * blocks), np.uint64(0)
    levels = empty(_most(layout), z)
    for b in range(blocks):
        n, k = layout[2 + 2 * b], layout[3 + 2 * b]
        deviation, level = zero(z), zero(z)
        levels[:k] = 0.0
        for _ in range(n):
            where = np.uint64(layout[at])
            own, expected = load(z, where), values[v] * deviation
            total = values[v + _2] * expected + values[v + _1] * own
            deviation = expected + values[v + _3] * own
            v += _4
            if k == 1:  # most blocks: a level in a register
                total += values[v] * level
                level += values[v + _1] * own
                v += _2
            else:
                for g in range(k):
                    held = load(levels, g)
                    total += values[v] * held
                    store(levels, g, held + values[v + _1] * own)
                    v += _2
            store(result, where, total)
            at += _1


@kernel(VERSION)
def product_transposed(w, layout, values, result):  # type: ignore[no-untyped-def]  # numba infers
    """Write Kᵀ w: the same steps backwards."""
    blocks = layout[1]
    at, v = np.uint64(layout.size), np.uint64(values.size)
    levels = empty(_most(layout), w)
    for b in range(blocks - 1, -1, -1):
        n, k = layout[2 + 2 * b], layout[3 + 2 * b]
        deviation, level = zero(w), zero(w)
        levels[:k] = 0.0
        for _ in range(n):
            at -= _1
            where = np.uint64(layout[at])
            own, total = load(w, where), zero(w)
            if k == 1:
                v -= _2
                total = values[v + _1] * level
                level += values[v] * own
            else:
                for g in range(k - 1, -1, -1):
                    v -= _2
                    held = load(levels, g)
                    total += values[v + _1] * held
                    store(levels, g, held + values[v] * own)
            v -= _4
            store(result, where, total + values[v + _1] * own + values[v + _3] * deviation)
            deviation = values[v] * (deviation + values[v + _2] * own)


@kernel(VERSION)
def _new_product(z, layout, values):  # type: ignore[no-untyped-def]  # numba infers
    result = np.empty(z.size)
    product(z, layout, values, result)
    return result


@kernel(VERSION)
def _new_product_transposed(w, layout, values):  # type: ignore[no-untyped-def]  # numba infers
    result = np.empty(w.size)
    product_transposed(w, layout, values, result)
    return result


class PathProduct(Op):
    """(z, layout, values) → K z, or Kᵀ z where ``transposed``; differentiable in z alone."""

    __props__ = ("transposed",)

    def __init__(self, transposed: bool = False):
        self.transposed = transposed

    def make_node(self, z: Any, layout: Any, values: Any) -> Apply:  # type: ignore[override]  # fixed arity
        z, layout = pt.as_tensor(z, dtype="float64"), pt.as_tensor(layout)
        return Apply(self, [z, layout, pt.as_tensor(values, dtype="float64")], [z.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = (_new_product_transposed if self.transposed else _new_product)(*inputs)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [shapes[0]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False], [False]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        _, layout, values = inputs
        (grad,) = PathProduct(not self.transposed).make_node(cotangents[0], layout, values).outputs
        return [grad, disconnected_type(), disconnected_type()]


@register_funcify_default_op_cache_key(PathProduct)
def _compile_product(op: PathProduct, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    chosen = _new_product_transposed if op.transposed else _new_product

    @numba_njit
    def path_product(z, layout, values):  # type: ignore[no-untyped-def]  # numba infers
        return chosen(z, layout, values)

    return path_product, VERSION


def path_affine(z: Any, mean: Any, factor: PathFactor, values: Any = None) -> TensorVariable:
    """Coordinates u = mean + K z.

    z and mean have the shape (factor.size,); mean is an array or a ``pm.Data`` that a refit may change. ``values``, a
    ``pm.Data`` in place of ``factor.values``, lets a refit change K without recompiling. The gradient reaches z and
    mean, not the values of K.

    Examples
    --------
    >>> factor = PathFactor.of([([0, 2], [[1.0], [1.0]], [0, 0], [0, 0]), ([1], [[0.0]], [2.0], [0])])
    >>> path_affine(np.array([1.0, 1.0, 1.0]), np.array([0.0, 10.0, 0.0]), factor).eval().tolist()
    [1.0, 12.0, 1.0]
    """
    layout = shared(factor.layout, name="factor_layout", shape=factor.layout.shape, borrow=True)
    if values is None:
        values = shared(factor.values, name="factor_values", shape=factor.values.shape, borrow=True)
    return pt.as_tensor(mean) + PathProduct().make_node(z, layout, values).outputs[0]
