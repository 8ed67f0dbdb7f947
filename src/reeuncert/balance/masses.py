"""The balanced-flow map in masses rather than logs, and its gradient: what the sampler's own density runs through.

The same map as `reeuncert.balance.kernels`, three times as fast, for coordinates between ± `FURTHEST`: beyond these
masses may overflow, where the kernels of logs do not. Nothing is checked here; a mass that is not finite makes the
density so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.kernels import layout_parts
from reeuncert.balance.network import Network
from reeuncert.compiling import kernel, source_version
from reeuncert.lanes.numbers import LANE_FILES, load, some, store, zero

FURTHEST = 340.0
"""Largest coordinate, in absolute value: products of two such masses are still finite."""

VERSION = source_version(__file__, *LANE_FILES)

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
    ``scratch`` has the size of x. Four points, in a last dimension, are one long vector.
    """
    last = result[x.shape[0] :]
    x, scratch, result = x.reshape(x.size), scratch.reshape(x.size), result.reshape(result.size)
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
    last[:] = 1.0


@kernel(VERSION)
def masses(network, exp_u, mass, share, through, kept):  # type: ignore[no-untyped-def]  # numba infers
    """Masses of all edges from the exponentials of the coordinates.

    exp_u (n_coordinates + 1,) has 1 for references. Written: mass of each edge, its share of what leaves its node
    (edges), and kept, the factors of the cycles for `masses_back`. Scratch: throughput of each node and of outside
    (nodes + 1). All may be of four points, in a last dimension (`reeuncert.lanes.numbers`).
    """
    coordinate, target, out_start, component_start, anchor, _ = network
    through[:] = 0.0
    inputs = out_start[0]
    for e in range(inputs):
        store(mass, e, load(exp_u, coordinate[e]))
    for a in range(anchor.shape[0]):
        e, total = anchor[a, 0], zero(exp_u)
        for f in range(out_start[target[e]], out_start[target[e] + 1]):
            total += load(exp_u, coordinate[f])
        store(mass, e, load(mass, e) * (total / load(exp_u, coordinate[anchor[a, 1]])))
    for e in range(inputs):
        store(through, target[e], load(through, target[e]) + load(mass, e))
    at = np.int64(0)
    for c in range(component_start.size - 1):
        start, stop = component_start[c], component_start[c + 1]
        if stop - start == 1:
            first, last = out_start[start], out_start[start + 1]
            if last - first == 1:
                store(share, first, 1.0)
                store(mass, first, load(through, start))
                store(through, target[first], load(through, target[first]) + load(through, start))
            else:
                total = zero(exp_u)
                for e in range(first, last):
                    own = load(exp_u, coordinate[e])
                    store(share, e, own)
                    total += own
                scale = 1.0 / total
                level = load(through, start) * scale
                for e in range(first, last):
                    own = load(share, e)
                    store(share, e, own * scale)
                    own = own * level
                    store(mass, e, own)
                    store(through, target[e], load(through, target[e]) + own)
        else:
            n = np.int64(stop - start)
            p, pivot = kept[at : at + n * n], kept[at + n * n : at + n * n + n]
            inside, leak = kept[at + n * n + n : at + n * n + 2 * n], kept[at + n * n + 2 * n : at + n * n + 3 * n]
            at += n * (n + 3)
            p[:] = 0.0
            for i in range(n):
                first, last = out_start[start + i], out_start[start + i + 1]
                total, lost = zero(exp_u), zero(exp_u)
                for e in range(first, last):
                    own = load(exp_u, coordinate[e])
                    store(share, e, own)
                    total += own
                scale = 1.0 / total
                for e in range(first, last):
                    own = load(share, e) * scale
                    store(share, e, own)
                    if start <= target[e] < stop:
                        at_e = i * n + np.int64(target[e] - start)
                        store(p, at_e, load(p, at_e) + own)
                    else:
                        lost += own
                store(leak, i, lost)
                store(inside, i, load(through, start + i))
            for k in range(n):  # as `elimination.factorise` and `solve_transposed`, in one sweep
                total = load(leak, k)
                for j in range(k + 1, n):
                    total += load(p, k * n + j)
                store(pivot, k, total)
                scale = 1.0 / total
                here = load(inside, k) * scale
                store(inside, k, here)
                for i in range(k + 1, n):
                    store(inside, i, load(inside, i) + load(p, k * n + i) * here)
                    passed = load(p, i * n + k)
                    if some(passed > 0.0):  # most processes pass nothing to each other
                        passed = passed * scale
                        store(p, i * n + k, passed)
                        store(leak, i, load(leak, i) + passed * load(leak, k))
                        for j in range(k + 1, n):
                            store(p, i * n + j, load(p, i * n + j) + passed * load(p, k * n + j))
            for i in range(n - 1, 0, -1):
                for k in range(i):
                    store(inside, k, load(inside, k) + load(p, i * n + k) * load(inside, i))
            for i in range(n):
                here = load(inside, i)
                for e in range(out_start[start + i], out_start[start + i + 1]):
                    own = here * load(share, e)
                    store(mass, e, own)
                    if not start <= target[e] < stop:
                        store(through, target[e], load(through, target[e]) + own)


@kernel(VERSION)
def masses_back(network, mass, share, kept, to_mass, worth, to_u):  # type: ignore[no-untyped-def]  # numba infers
    """Gradient with respect to the coordinates from that with respect to the masses.

    ``to_mass``, the gradient with respect to the mass of each edge, is overwritten by that with all that it feeds.
    Scratch: worth, the gradient with respect to what each node takes in (nodes + 1). Written: to_u (n_coordinates + 1),
    the last of which is to be thrown away.
    """
    coordinate, target, out_start, component_start, anchor, room = network
    store(worth, out_start.size - 1, 0.0)
    at = np.int64(room[0])
    for c in range(component_start.size - 2, -1, -1):
        start, stop = component_start[c], component_start[c + 1]
        if stop - start == 1:
            first, last = out_start[start], out_start[start + 1]
            mean = zero(mass)
            for e in range(first, last):
                own = load(to_mass, e) + load(worth, target[e])
                store(to_mass, e, own)
                mean += load(share, e) * own
            store(worth, start, mean)
            for e in range(first, last):
                store(to_u, coordinate[e], load(mass, e) * (load(to_mass, e) - mean))
        else:
            n = np.int64(stop - start)
            at -= n * (n + 3)
            p, pivot = kept[at : at + n * n], kept[at + n * n : at + n * n + n]
            inside = worth[start:stop]
            for i in range(n):
                total = zero(mass)
                for e in range(out_start[start + i], out_start[start + i + 1]):
                    own = load(to_mass, e)
                    if not start <= target[e] < stop:
                        own += load(worth, target[e])
                        store(to_mass, e, own)
                    total += load(share, e) * own
                store(inside, i, total)
            for i in range(1, n):  # as `elimination.solve`
                total = load(inside, i)
                for k in range(i):
                    total += load(p, i * n + k) * load(inside, k)
                store(inside, i, total)
            for k in range(n - 1, -1, -1):
                total = load(inside, k)
                for j in range(k + 1, n):
                    total += load(p, k * n + j) * load(inside, j)
                store(inside, k, total / load(pivot, k))
            for i in range(n):
                here = load(inside, i)
                for e in range(out_start[start + i], out_start[start + i + 1]):
                    own = load(to_mass, e)
                    if start <= target[e] < stop:
                        own += load(worth, target[e])
                        store(to_mass, e, own)
                    store(to_u, coordinate[e], load(mass, e) * (own - here))
    for e in range(out_start[0]):
        store(to_u, coordinate[e], load(mass, e) * (load(to_mass, e) + load(worth, target[e])))
    for a in range(anchor.shape[0]):
        to_input = load(to_u, coordinate[anchor[a, 0]])
        node = target[anchor[a, 0]]
        for e in range(out_start[node], out_start[node + 1]):
            store(to_u, coordinate[e], load(to_u, coordinate[e]) + to_input * load(share, e))
        delivered = coordinate[anchor[a, 1]]
        store(to_u, delivered, load(to_u, delivered) - to_input)
