"""K of u = m + K z, a factor of the covariance of paths over the years, as numbers of a recursion linear in years.

A coordinate of a path is u_t = m_t + Σ_g h_tg ℓ_g + y_t a_t: levels and slopes ℓ shared by some coordinates, and an
AR(1) deviation a of variance one, all of them standard normal. Seen one after the other, u_t is what the earlier ones
let expect plus r_t z_t with z_t standard normal and independent of them (the innovations of a Kalman filter; Durbin &
Koopman 2012, *Time Series Analysis by State Space Methods*, section 4.2). So K is the lower triangular Cholesky factor
of the covariance, in the order of the paths, without ever being written out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

NOTHING_LEFT = 1e-13
"""Part of a variance that is rounding error: nothing of its own is left to the coordinate."""

Paths = tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike]
"""Coordinates (n,), their loads on levels and slopes (n, k), on the deviation (n,), and the correlation (n,) of the
deviation with that of the coordinate before: 0 where a path begins."""


@dataclass(frozen=True, eq=False)
class PathFactor:
    """A square matrix K with K Kᵀ the covariance of paths that share levels, block by block.

    Examples
    --------
    A level of sd 1 alone in one path, and yearly deviations of sd 2 in another:

    >>> factor = PathFactor.of([([0, 2], [[1.0], [1.0]], [0, 0], [0, 0]), ([1], [[0.0]], [2.0], [0])])
    >>> factor.apply(np.eye(3)).T
    array([[1., 0., 0.],
           [0., 2., 0.],
           [1., 0., 0.]])
    """

    size: int  # Number of coordinates; every one is in exactly one block
    # ``size``, number of blocks; for each block its length and its number k of levels and slopes; then the coordinates
    # of all blocks, back to back
    layout: NDArray[np.int64] = field(repr=False)
    # For each coordinate of each block 4 + 2k numbers: carry, r, y, gain of the deviation, and for each level or slope
    # its load and its gain
    values: Floats = field(repr=False)

    @classmethod
    def of(cls, blocks: Iterable[Paths]) -> PathFactor:
        """Put blocks together, which must be a partition of 0 … size − 1."""
        indices, sizes, values = [], [], []
        known: dict[tuple[bytes, ...], Floats] = {}  # many paths of a large system have the same prior
        for given, *numbers in blocks:
            index = np.asarray(given, np.int64).ravel()
            loads, yearly, carry = (np.ascontiguousarray(part, np.float64) for part in numbers)
            if loads.ndim != 2 or not len(loads) == index.size == yearly.size == carry.size:
                raise ValueError(f"a block has {index.size} coordinates, but loads of shape {loads.shape}")
            key = (loads.tobytes(), yearly.tobytes(), carry.tobytes())
            if key not in known:
                known[key] = _filter(loads, yearly, carry).ravel()
            indices.append(index)
            sizes += [index.size, loads.shape[1]]
            values.append(known[key])
        joined = np.concatenate(indices) if indices else np.empty(0, np.int64)
        if not np.array_equal(np.sort(joined), np.arange(joined.size)):
            raise ValueError(f"the blocks hold {joined.size} coordinates, but not each of 0 … {joined.size - 1} once")
        layout = np.concatenate([[joined.size, len(indices)], sizes, joined]).astype(np.int64)
        return cls(joined.size, layout, np.concatenate(values) if values else np.empty(0))

    def apply(self, z: Floats) -> Floats:
        """K z of many draws, shape (..., size)."""
        own = np.ascontiguousarray(z.reshape(-1, self.size).T)  # coordinates first: every step is for all draws
        result = np.empty_like(own)
        blocks = int(self.layout[1])
        at, row = 2 + 2 * blocks, 0
        for n, k in self.layout[2:at].reshape(-1, 2).tolist():
            values = self.values[row : row + (4 + 2 * k) * n].reshape(n, 4 + 2 * k)
            deviation, levels = np.zeros(own.shape[1]), np.zeros((k, own.shape[1]))
            for where, (carry, root, yearly, gain, *rest) in zip(self.layout[at : at + n], values, strict=True):
                expected = carry * deviation
                result[where] = yearly * expected + root * own[where] + rest[::2] @ levels
                deviation = expected + gain * own[where]
                levels += np.multiply.outer(rest[1::2], own[where])
            at, row = at + n, row + values.size
        return result.T.reshape(z.shape)


def _filter(loads: Floats, yearly: Floats, carry: Floats) -> Floats:
    """The numbers of one block, shape (n, 4 + 2k): what is left of the variance of the states, step by step."""
    n, k = loads.shape
    left = np.eye(k + 1)
    values = np.zeros((n, 4 + 2 * k))
    values[:, 0], values[:, 2], values[:, 4::2] = carry, yearly, loads
    for i, load in enumerate(np.column_stack([loads, yearly])):
        left[k] *= carry[i]
        left[:, k] *= carry[i]
        left[k, k] += 1.0 - carry[i] ** 2
        gain = left @ load
        variance = gain @ load
        if variance > NOTHING_LEFT * (load @ load):
            gain /= np.sqrt(variance)
            left -= np.outer(gain, gain)
            values[i, 1], values[i, 3], values[i, 5::2] = np.sqrt(variance), gain[k], gain[:k]
    return values
