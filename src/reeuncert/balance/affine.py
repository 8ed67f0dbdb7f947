"""Kernels that apply K of u = m + K z step by step (see `reeuncert.balance.factor`)."""

import numpy as np

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
def new_product(z, layout, values):  # type: ignore[no-untyped-def]  # numba infers
    """K z."""
    result = np.empty(z.size)
    product(z, layout, values, result)
    return result


@kernel(VERSION)
def new_product_transposed(w, layout, values):  # type: ignore[no-untyped-def]  # numba infers
    """Kᵀ w."""
    result = np.empty(w.size)
    product_transposed(w, layout, values, result)
    return result
