"""The linear map of `reeuncert.inference.whitening`, compiled: x = centre + y + Vᵀ diag(gains) V y."""

import numpy as np

from reeuncert.compiling import REORDER, kernel, source_version
from reeuncert.lanes.instructions import LANES
from reeuncert.lanes.numbers import LANE_FILES, of_compiled_code

WHITENED, CENTRE, DIRECTIONS, GAINS = "whitened", "whitening_centre", "whitening_directions", "whitening_gains"
"""Names of the point where the sampler moves, and of the numbers of the map from there to the model's parameters."""

VERSION = source_version(__file__, *LANE_FILES)


@kernel(VERSION, fastmath=REORDER)
def _stretch(y, directions, gains, result):  # type: ignore[no-untyped-def]  # numba infers
    """For one point: four directions at a time, each of which is read only once."""
    n, k = y.size, directions.shape[0]
    single, total = np.empty(n, np.float32), np.zeros(n, np.float32)
    for i in range(n):
        single[i] = np.float32(y[i])
    for j in range(0, k - 3, 4):
        v0, v1, v2, v3 = directions[j], directions[j + 1], directions[j + 2], directions[j + 3]
        s0, s1, s2, s3 = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for i in range(n):
            s0 += v0[i] * single[i]
            s1 += v1[i] * single[i]
            s2 += v2[i] * single[i]
            s3 += v3[i] * single[i]
        s0, s1 = np.float32(s0 * gains[j]), np.float32(s1 * gains[j + 1])
        s2, s3 = np.float32(s2 * gains[j + 2]), np.float32(s3 * gains[j + 3])
        for i in range(n):
            total[i] += (s0 * v0[i] + s1 * v1[i]) + (s2 * v2[i] + s3 * v3[i])
    for j in range(k - k % 4, k):
        v0, s0 = directions[j], np.float32(0)
        for i in range(n):
            s0 += v0[i] * single[i]
        s0 = np.float32(s0 * gains[j])
        for i in range(n):
            total[i] += s0 * v0[i]
    for i in range(n):
        result[i] = y[i] + total[i]


TILE, BLOCK = 1024, 16
"""Coordinates of four points and some directions that the fastest memory holds; directions (a multiple of four) that
the next one holds, so that each is read only once from the slow one.
"""


@kernel(VERSION, fastmath=REORDER)
def _add_products(v, w, points, result):  # type: ignore[no-untyped-def]  # numba infers
    """Add the products of two directions with four points, (2, LANES)."""
    p0, p1, p2, p3 = points[0], points[1], points[2], points[3]
    zero = np.float32(0)
    a0, a1, a2, a3, b0, b1, b2, b3 = zero, zero, zero, zero, zero, zero, zero, zero
    for i in range(v.size):
        a0 += v[i] * p0[i]
        a1 += v[i] * p1[i]
        a2 += v[i] * p2[i]
        a3 += v[i] * p3[i]
        b0 += w[i] * p0[i]
        b1 += w[i] * p1[i]
        b2 += w[i] * p2[i]
        b3 += w[i] * p3[i]
    one, two = result[0], result[1]
    one[0] += a0
    one[1] += a1
    one[2] += a2
    one[3] += a3
    two[0] += b0
    two[1] += b1
    two[2] += b2
    two[3] += b3


@kernel(VERSION, fastmath=REORDER)
def _add_directions(along, v0, v1, v2, v3, result):  # type: ignore[no-untyped-def]  # numba infers
    """Add four directions, each ``along`` (4, LANES) so far, to four points."""
    for p in range(LANES):
        own, s0, s1, s2, s3 = result[p], along[0, p], along[1, p], along[2, p], along[3, p]
        for i in range(v0.size):
            own[i] += (s0 * v0[i] + s1 * v1[i]) + (s2 * v2[i] + s3 * v3[i])


@kernel(VERSION)
def _stretch_four(y, directions, gains, result):  # type: ignore[no-untyped-def]  # numba infers
    """For four points: `BLOCK` directions at a time, and of these `TILE` coordinates."""
    n, k = y.shape[0], directions.shape[0]
    tiles = (n + TILE - 1) // TILE
    points, total = np.zeros((tiles, LANES, TILE), np.float32), np.zeros((tiles, LANES, TILE), np.float32)
    along, none = np.empty((BLOCK, LANES), np.float32), np.zeros(TILE, np.float32)
    for i in range(n):
        for p in range(LANES):
            points[i // TILE, p, i % TILE] = np.float32(y[i, p])
    for first in range(0, k, BLOCK):
        last = min(first + BLOCK, k)
        along[:] = np.float32(0)
        for t in range(tiles):
            start, stop = t * TILE, min((t + 1) * TILE, n)
            for j in range(first, last, 2):
                w = directions[j + 1, start:stop] if j + 1 < last else none[: stop - start]
                _add_products(directions[j, start:stop], w, points[t], along[j - first : j - first + 2])
        for j in range(first, last):
            for p in range(LANES):
                along[j - first, p] = np.float32(along[j - first, p] * gains[j])
        for t in range(tiles):
            start, stop = t * TILE, min((t + 1) * TILE, n)
            for j in range(first, last, 4):
                v1 = directions[j + 1, start:stop] if j + 1 < last else none[: stop - start]
                v2 = directions[j + 2, start:stop] if j + 2 < last else none[: stop - start]
                v3 = directions[j + 3, start:stop] if j + 3 < last else none[: stop - start]
                _add_directions(along[j - first : j - first + 4], directions[j, start:stop], v1, v2, v3, total[t])
    for i in range(n):
        for p in range(LANES):
            result[i, p] = y[i, p] + total[i // TILE, p, i % TILE]


@of_compiled_code
def stretch(y, directions, gains, result):  # type: ignore[no-untyped-def]  # numba compares names
    """Write y + Vᵀ diag(gains) V y for one point or four (`reeuncert.lanes.numbers`); directions are the rows of V."""
    if y.ndim == 2:
        return lambda y, directions, gains, result: _stretch_four(y, directions, gains, result)
    return lambda y, directions, gains, result: _stretch(y, directions, gains, result)
