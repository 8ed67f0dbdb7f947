"""The linear map of `reeuncert.inference.whitening`, compiled: x = centre + y + Vᵀ diag(gains) V y."""

import numpy as np

from reeuncert.compiling import REORDER, kernel, source_version

WHITENED, CENTRE, DIRECTIONS, GAINS = "whitened", "whitening_centre", "whitening_directions", "whitening_gains"
"""Names of the point where the sampler moves, and of the numbers of the map from there to the model's parameters."""

VERSION = source_version(__file__)


@kernel(VERSION, fastmath=REORDER)
def stretch(y, directions, gains, result):  # type: ignore[no-untyped-def]  # numba infers
    """Write y + Vᵀ diag(gains) V y, the directions being the rows of V; four at a time: each is read only once."""
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
