"""Throughputs of a cycle of processes, solved without cancellation.

For n processes that pass shares p_ij of their throughput to each other, throughputs solve (I − Pᵀ) s = r. Gaussian
elimination of I − P needs no difference when the row sums (the shares that leave the cycle) are known: each pivot is a
sum of positive numbers (Grassmann, Taksar & Heyman 1985, doi:10.1287/opre.33.5.1107). Every entry is then accurate to a
few rounding errors, even if only 1e-12 of the circulating flow leaves; a factorisation with 1 − p would lose twelve
digits.

The factors are kept in place of P: above the diagonal what U has there with the sign changed, below it the
multipliers f of L (with the sign changed); the pivots apart. So I − P = L U, det(I − P) = Π pivots.
"""

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import REORDER, kernel, source_version

TINY = 1e-300
"""Floor of a pivot: keeps logs finite."""

BLOCK = 48
"""Columns that are eliminated before the rest of a large matrix is updated by one matrix product."""

Array = NDArray[np.float64]

VERSION = source_version(__file__)


@kernel(VERSION)
def factorise(p: Array, leak: Array, pivot: Array) -> None:
    """Factorise I − P in place.

    p: shares passed on inside the cycle (n, n), row: from; the diagonal is not read; overwritten by the factors. leak:
    share of each process's throughput that leaves the cycle (n,); overwritten. pivot (n,) is written.
    """
    n = leak.size
    start = 0
    while start < n:
        stop = min(start + BLOCK, n)
        for k in range(start, stop):
            total = leak[k]
            for j in range(k + 1, n):
                total += p[k, j]
            total = max(total, TINY)
            pivot[k] = total
            scale = 1.0 / total
            for i in range(k + 1, n):
                factor = p[i, k] * scale
                p[i, k] = factor
                if factor > 0.0:
                    leak[i] += factor * leak[k]
                    # Rows of this block are updated to the end; rows below only in its columns.
                    last = n if i < stop else stop
                    for j in range(k + 1, last):
                        p[i, j] += factor * p[k, j]
        if stop < n:
            p[stop:, stop:] += np.dot(p[stop:, start:stop].copy(), p[start:stop, stop:].copy())
        start = stop


@kernel(VERSION)
def solve_transposed(p: Array, pivot: Array, r: Array) -> None:
    """Solve (I − Pᵀ) s = r in place (r becomes s), from the factors."""
    n = pivot.size
    for k in range(n):
        r[k] /= pivot[k]
        for j in range(k + 1, n):
            r[j] += p[k, j] * r[k]
    for i in range(n - 1, 0, -1):
        for k in range(i):
            r[k] += p[i, k] * r[i]


@kernel(VERSION, fastmath=REORDER)
def solve(p: Array, pivot: Array, h: Array) -> None:
    """Solve (I − P) λ = h in place (h becomes λ), from the factors."""
    n = pivot.size
    for i in range(1, n):
        total = h[i]
        for k in range(i):
            total += p[i, k] * h[k]
        h[i] = total
    for k in range(n - 1, -1, -1):
        total = h[k]
        for j in range(k + 1, n):
            total += p[k, j] * h[j]
        h[k] = total / pivot[k]


@kernel(VERSION)
def inverse(p: Array, pivot: Array, out: Array) -> None:
    """Write (I − P)⁻¹ to ``out`` (n, n), from the factors: row by row, so that the processor adds several at a time."""
    n = pivot.size
    out[:, :] = 0.0
    for i in range(n):
        out[i, i] = 1.0
        for k in range(i):
            factor = p[i, k]
            if factor > 0.0:
                for j in range(k + 1):
                    out[i, j] += factor * out[k, j]
    for k in range(n - 1, -1, -1):
        for i in range(k + 1, n):
            factor = p[k, i]
            if factor > 0.0:
                for j in range(n):
                    out[k, j] += factor * out[i, j]
        scale = 1.0 / pivot[k]
        for j in range(n):
            out[k, j] *= scale
