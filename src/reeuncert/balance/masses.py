"""The balanced-flow map and its gradient, compiled: what densities run through, by PyTensor and by the sampler's own.

With b the inputs, φ the shares of each process and P the shares that stay inside, throughputs s solve (I − Pᵀ) s = b
and flows are x_e = s_from(e) φ_e. Nodes are visited in topological order; a cycle of nodes is solved at once by
Gaussian elimination of I − P. That needs no difference when the row sums (the shares that leave the cycle) are known:
each pivot is a sum of positive numbers (Grassmann, Taksar & Heyman 1985, doi:10.1287/opre.33.5.1107). Every flow is
then accurate to a few rounding errors, even if only 1e-12 of the circulating flow leaves; a factorisation with 1 − p
would lose twelve digits. The factors are kept in place of P: above the diagonal what U has there with the sign changed,
below it the multipliers of L (with the sign changed); the pivots apart. So I − P = L U, det(I − P) = Π pivots.

Nothing is checked here: a mass beyond the range of a double makes the density not finite.
"""

from __future__ import annotations

import numpy as np

from reeuncert.compiling import kernel, source_version
from reeuncert.lanes.numbers import LANE_FILES, load, some, store, zero

FURTHEST = 340.0
"""Largest coordinate, in absolute value, where the sampler may go: products of two such masses are still finite."""

VERSION = source_version(__file__, *LANE_FILES)


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
            for k in range(n):  # factors, and the throughputs from the inflows, in one sweep
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
            for i in range(1, n):
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


@kernel(VERSION)
def forward(u, coordinate, target, out_start, component_start, anchor, room, visible):  # type: ignore[no-untyped-def]  # numba infers
    """Log flows (n_edges,) from coordinates (n_coordinates,), the log-Jacobian, and the input of `backward`.

    The network is that of `reeuncert.balance.edges.Packed`; ``visible`` is the place of each flow in it.
    """
    edges = coordinate.size
    exp_u = np.ones(u.size + 1)
    exp_u[: u.size] = np.exp(u)
    held = np.empty(2 * edges + np.int64(room[0]))
    mass, share, kept = held[:edges], held[edges : 2 * edges], held[2 * edges :]
    network = (coordinate, target, out_start, component_start, anchor, room)
    masses(network, exp_u, mass, share, np.empty(out_start.size), kept)
    # Σ_inputs log b + Σ_outflows log x − Σ_nodes log s − log det(I − P)
    log_jacobian = 0.0
    for e in range(out_start[0]):
        log_jacobian += np.log(mass[e])
    for j in range(out_start.size - 1):
        log_jacobian += np.log(share[out_start[j]])  # log x − log s of the first outflow
        for e in range(out_start[j] + 1, out_start[j + 1]):
            log_jacobian += np.log(mass[e])
    at = np.int64(0)
    for c in range(component_start.size - 1):
        n = np.int64(component_start[c + 1] - component_start[c])
        if n > 1:
            log_jacobian -= np.log(kept[at + n * n : at + n * n + n]).sum()
            at += n * (n + 3)
    log_flow = np.empty(visible.size)
    for v in range(visible.size):
        log_flow[v] = np.log(mass[visible[v]])
    return log_flow, np.asarray(log_jacobian), held


@kernel(VERSION)
def backward(  # type: ignore[no-untyped-def]  # numba infers
    to_log_flow, to_log_jacobian, coordinate, target, out_start, component_start, anchor, room, visible, held
):
    """Gradient with respect to the coordinates (n_coordinates,), given those with respect to the results of `forward`.

    That with respect to the log flows may be empty: nothing depends on them then.
    """
    edges, to_jacobian = coordinate.size, to_log_jacobian.item()
    mass, share, kept = held[:edges], held[edges : 2 * edges], held[2 * edges :]
    to_mass = np.full(edges, to_jacobian)
    for v in range(to_log_flow.size):
        to_mass[visible[v]] += to_log_flow[v]
    for e in range(out_start[0], edges):
        to_mass[e] -= to_jacobian * share[e]  # of log s
    to_mass /= mass
    network = (coordinate, target, out_start, component_start, anchor, room)
    to_u = np.empty(edges - out_start.size + 2)  # every node has one outflow without a coordinate
    masses_back(network, mass, share, kept, to_mass, np.empty(out_start.size), to_u)
    if to_jacobian != 0.0:
        _determinant_back(to_jacobian, coordinate, target, out_start, component_start, share, kept, to_u)
    return to_u[:-1]


@kernel(VERSION)
def inverse(p, pivot, out):  # type: ignore[no-untyped-def]  # numba infers
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


@kernel(VERSION)
def _determinant_back(to_jacobian, coordinate, target, out_start, component_start, share, kept, to_u):  # type: ignore[no-untyped-def]  # numba infers
    """Add the gradient of −log det(I − P), whose derivative with respect to p_ij is (I − P)⁻¹_ji."""
    at = np.int64(0)
    for c in range(component_start.size - 1):
        start, stop = component_start[c], component_start[c + 1]
        n = np.int64(stop - start)
        if n == 1:
            continue
        inverted = np.empty((n, n))
        inverse(kept[at : at + n * n].reshape((n, n)), kept[at + n * n : at + n * n + n], inverted)
        at += n * (n + 3)
        for i in range(n):
            first, last = out_start[start + i], out_start[start + i + 1]
            mean = 0.0
            for e in range(first, last):
                if start <= target[e] < stop:
                    mean += share[e] * inverted[np.int64(target[e] - start), i]
            for e in range(first, last):
                own = inverted[np.int64(target[e] - start), i] if start <= target[e] < stop else 0.0
                to_u[coordinate[e]] += to_jacobian * share[e] * (own - mean)
