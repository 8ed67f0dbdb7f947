"""The balanced-flow map in masses rather than logs, and its gradient: what the sampler's own density runs through.

The same map as `reeuncert.balance.kernels`, three times as fast, for coordinates between ± `FURTHEST`: beyond these
masses may overflow, where the kernels of logs do not. Nothing is checked here; a mass that is not finite makes the
density so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance import elimination
from reeuncert.balance.elimination import solve
from reeuncert.balance.kernels import layout_parts
from reeuncert.balance.network import Network
from reeuncert.compiling import kernel, source_version

FURTHEST = 340.0
"""Largest coordinate, in absolute value: products of two such masses are still finite."""

VERSION = source_version(__file__, elimination.__file__)

Positions = NDArray[np.uint32]
"""Unsigned: numba looks at every signed index for being negative."""


class MassNetwork(NamedTuple):
    """A network as the kernels of this module read it; nodes and edges in their order (`reeuncert.balance.packing`).

    Parameters
    ----------
    coordinate
        Coordinate of each edge; ``n_coordinates`` for a reference outflow.
    target
        Node that each edge enters; the number of nodes for outside.
    out_start, component_start
        First outflow of each node, first node of each component; one more at the end.
    anchor
        Inputs that are stated by what their process delivers, and the outflow that states each, shape (n, 2).
    room
        Numbers that the cycles keep for the way back, in an array of shape (1,).
    """

    coordinate: Positions
    target: Positions
    out_start: Positions
    component_start: Positions
    anchor: Positions
    room: Positions

    @classmethod
    def of(cls, network: Network) -> MassNetwork:
        """The network in this form."""
        coordinate, target, out_start, _, _, component_start, _, _ = layout_parts(network.layout)
        edge_of = np.empty(network.n_coordinates, np.int64)
        edge_of[coordinate[coordinate >= 0]] = np.flatnonzero(coordinate >= 0)
        anchor = []
        for position, delivered in zip(network.anchors.position, network.anchors.delivered, strict=True):
            node = target[edge_of[position]]
            outflows = np.arange(out_start[node], out_start[node + 1])
            reference = outflows[coordinate[outflows] < 0]
            anchor.append((edge_of[position], edge_of[delivered] if delivered < edge_of.size else reference[0]))
        sizes = np.diff(component_start)
        arrays = (
            np.where(coordinate >= 0, coordinate, network.n_coordinates),
            np.where(target >= 0, target, out_start.size - 1),
            out_start,
            component_start,
            np.array(anchor, np.int64).reshape(-1, 2),
            [np.where(sizes > 1, sizes * (sizes + 3), 0).sum()],
        )
        return cls(*(np.ascontiguousarray(array, np.uint32) for array in arrays))


@kernel(VERSION, fastmath={"contract"})
def exponentials(x, scratch, result):  # type: ignore[no-untyped-def]  # numba infers
    """Write exp(x), and n_coordinates + 1 numbers in all: 1 at the end. Each to a rounding error or two.

    x = k log 2 + r with |r| ≤ log 2 / 2, exp r by its series: loops without a call, which the compiler can vectorise.
    ``scratch`` has the size of x.
    """
    n = x.size
    bits, scaled = scratch.view(np.int64), result.view(np.int64)
    for i in range(n):
        # The sum with 1.5 · 2⁵² leaves the rounded integer in the last bits of the number.
        scratch[i] = x[i] * 1.4426950408889634 + 6755399441055744.0
    for i in range(n):
        whole = scratch[i] - 6755399441055744.0
        r = (x[i] - whole * 6.93147180369123816490e-01) - whole * 1.90821492927058770002e-10
        p = 1 / 479001600.0
        p = p * r + 1 / 39916800.0
        p = p * r + 1 / 3628800.0
        p = p * r + 1 / 362880.0
        p = p * r + 1 / 40320.0
        p = p * r + 1 / 5040.0
        p = p * r + 1 / 720.0
        p = p * r + 1 / 120.0
        p = p * r + 1 / 24.0
        p = p * r + 1 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        x[i] = p * r + 1.0
    for i in range(n):
        scaled[i] = (bits[i] << 52) + 4607182418800017408
    for i in range(n):
        result[i] *= x[i]
    result[n] = 1.0


@kernel(VERSION)
def masses(network, exp_u, mass, share, through, kept):  # type: ignore[no-untyped-def]  # numba infers
    """Masses of all edges from the exponentials of the coordinates.

    exp_u (n_coordinates + 1,) has 1 for references. Written: mass of each edge, its share of what leaves its node
    (edges), and kept, the factors of the cycles for `masses_back`. Scratch: throughput of each node and of outside
    (nodes + 1).
    """
    coordinate, target, out_start, component_start, anchor, _ = network
    through[:] = 0.0
    inputs = out_start[0]
    for e in range(inputs):
        mass[e] = exp_u[coordinate[e]]
    for a in range(anchor.shape[0]):
        e, total = anchor[a, 0], 0.0
        for f in range(out_start[target[e]], out_start[target[e] + 1]):
            total += exp_u[coordinate[f]]
        mass[e] *= total / exp_u[coordinate[anchor[a, 1]]]
    for e in range(inputs):
        through[target[e]] += mass[e]
    at = np.int64(0)
    for c in range(component_start.size - 1):
        start, stop = component_start[c], component_start[c + 1]
        if stop - start == 1:
            first, last = out_start[start], out_start[start + 1]
            if last - first == 1:
                share[first] = 1.0
                mass[first] = through[start]
                through[target[first]] += through[start]
            else:
                total = 0.0
                for e in range(first, last):
                    share[e] = exp_u[coordinate[e]]
                    total += share[e]
                scale = 1.0 / total
                level = through[start] * scale
                for e in range(first, last):
                    mass[e] = share[e] * level
                    share[e] *= scale
                    through[target[e]] += mass[e]
        else:
            n = np.int64(stop - start)
            p = kept[at : at + n * n].reshape((n, n))
            pivot, inside = kept[at + n * n : at + n * n + n], kept[at + n * n + n : at + n * n + 2 * n]
            leak = kept[at + n * n + 2 * n : at + n * n + 3 * n]
            at += n * (n + 3)
            p[:, :] = 0.0
            for i in range(n):
                first, last = out_start[start + i], out_start[start + i + 1]
                total = 0.0
                for e in range(first, last):
                    share[e] = exp_u[coordinate[e]]
                    total += share[e]
                scale = 1.0 / total
                leak[i] = 0.0
                for e in range(first, last):
                    share[e] *= scale
                    if start <= target[e] < stop:
                        p[i, target[e] - start] += share[e]
                    else:
                        leak[i] += share[e]
                inside[i] = through[start + i]
            for k in range(n):  # as `elimination.factorise` and `solve_transposed`, in one sweep
                total = leak[k]
                for j in range(k + 1, n):
                    total += p[k, j]
                pivot[k] = total
                scale = 1.0 / total
                inside[k] *= scale
                for i in range(k + 1, n):
                    inside[i] += p[k, i] * inside[k]
                    if p[i, k] > 0.0:  # most processes pass nothing to each other
                        p[i, k] *= scale
                        leak[i] += p[i, k] * leak[k]
                        for j in range(k + 1, n):
                            p[i, j] += p[i, k] * p[k, j]
            for i in range(n - 1, 0, -1):
                for k in range(i):
                    inside[k] += p[i, k] * inside[i]
            for i in range(n):
                for e in range(out_start[start + i], out_start[start + i + 1]):
                    mass[e] = inside[i] * share[e]
                    if not start <= target[e] < stop:
                        through[target[e]] += mass[e]


@kernel(VERSION)
def masses_back(network, mass, share, kept, to_mass, worth, to_u):  # type: ignore[no-untyped-def]  # numba infers
    """Gradient with respect to the coordinates from that with respect to the masses.

    ``to_mass``, the gradient with respect to the mass of each edge, is overwritten by that with all that it feeds.
    Scratch: worth, the gradient with respect to what each node takes in (nodes + 1). Written: to_u (n_coordinates + 1),
    the last of which is to be thrown away.
    """
    coordinate, target, out_start, component_start, anchor, room = network
    worth[out_start.size - 1] = 0.0
    at = np.int64(room[0])
    for c in range(component_start.size - 2, -1, -1):
        start, stop = component_start[c], component_start[c + 1]
        if stop - start == 1:
            first, last = out_start[start], out_start[start + 1]
            mean = 0.0
            for e in range(first, last):
                to_mass[e] += worth[target[e]]
                mean += share[e] * to_mass[e]
            worth[start] = mean
            for e in range(first, last):
                to_u[coordinate[e]] = mass[e] * (to_mass[e] - mean)
        else:
            n = np.int64(stop - start)
            at -= n * (n + 3)
            p, pivot = kept[at : at + n * n].reshape((n, n)), kept[at + n * n : at + n * n + n]
            inside = worth[start:stop]
            for i in range(n):
                inside[i] = 0.0
                for e in range(out_start[start + i], out_start[start + i + 1]):
                    if not start <= target[e] < stop:
                        to_mass[e] += worth[target[e]]
                    inside[i] += share[e] * to_mass[e]
            solve(p, pivot, inside)
            for i in range(n):
                for e in range(out_start[start + i], out_start[start + i + 1]):
                    if start <= target[e] < stop:
                        to_mass[e] += worth[target[e]]
                    to_u[coordinate[e]] = mass[e] * (to_mass[e] - inside[i])
    for e in range(out_start[0]):
        to_u[coordinate[e]] = mass[e] * (to_mass[e] + worth[target[e]])
    for a in range(anchor.shape[0]):
        to_input = to_u[coordinate[anchor[a, 0]]]
        node = target[anchor[a, 0]]
        for e in range(out_start[node], out_start[node + 1]):
            to_u[coordinate[e]] += to_input * share[e]
        to_u[coordinate[anchor[a, 1]]] -= to_input
