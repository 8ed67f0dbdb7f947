"""The balanced-flow map and its adjoint, compiled.

With b the inputs, φ the shares of each process and P the shares that stay inside, throughputs s solve (I − Pᵀ) s = b
and flows are x_e = s_from(e) φ_e. Nodes are visited in topological order; a cycle of nodes is solved at once
(`reeuncert.balance.elimination`). Sums are taken relative to their largest term, so logs stay finite where flows would
underflow. The forward pass stores for each edge its share of the outflow of its source and of the inflow of its target,
so the backward pass needs no exponential.
"""

import numpy as np

from reeuncert.balance import elimination, packing
from reeuncert.balance.elimination import TINY, factorise, inverse, solve, solve_transposed
from reeuncert.balance.packing import HEADER
from reeuncert.compiling import kernel, source_version

SMALL, LARGE = 1e-250, 1e250
"""Bounds of the sum of inflows; outside, it is computed from logs."""

VERSION = source_version(__file__, elimination.__file__, packing.__file__)


@kernel(VERSION)
def layout_parts(layout):  # type: ignore[no-untyped-def]  # returns views; numba infers them
    """The arrays of a layout, see `reeuncert.balance.packing`."""
    nodes, edges, components = layout[0], layout[1], layout[3]
    a = HEADER
    coordinate = layout[a : a + edges]
    a += edges
    target = layout[a : a + edges]
    a += edges
    out_start = layout[a : a + nodes + 1]
    a += nodes + 1
    in_start = layout[a : a + nodes + 1]
    a += nodes + 1
    in_edge = layout[a : a + edges]
    a += edges
    component_start = layout[a : a + components + 1]
    a += components + 1
    component_store = layout[a : a + components]
    a += components
    parent = layout[a : a + edges]
    return coordinate, target, out_start, in_start, in_edge, component_start, component_store, parent


@kernel(VERSION)
def _all_shares(u, coordinate, out_start, log_share, share):  # type: ignore[no-untyped-def]  # numba infers
    """Log softmax over the outflows of every node; returns the sum of all log shares."""
    log_sum = 0.0
    for j in range(out_start.size - 1):
        first, last = out_start[j], out_start[j + 1]
        if last - first == 1:
            log_share[first] = 0.0
            share[first] = 1.0
            continue
        top = 0.0
        for e in range(first, last):
            k = coordinate[e]
            value = u[k] if k >= 0 else 0.0
            log_share[e] = value
            top = max(top, value)
        total = 0.0
        for e in range(first, last):
            share[e] = np.exp(log_share[e] - top)
            total += share[e]
        shift = top + np.log(total)
        scale = 1.0 / total
        for e in range(first, last):
            log_share[e] -= shift
            share[e] *= scale
            log_sum += log_share[e]
    return log_sum


@kernel(VERSION)
def _weigh(in_edge, first, last, log_flow, weight):  # type: ignore[no-untyped-def]  # numba infers
    """Convert weights of inflows to flows relative to the largest; returns the log of the largest."""
    top = -np.inf
    for q in range(first, last):
        top = max(top, log_flow[in_edge[q]])
    for q in range(first, last):
        e = in_edge[q]
        weight[e] = np.exp(log_flow[e] - top)
    return top


@kernel(VERSION)
def _cycle(  # type: ignore[no-untyped-def]  # numba infers
    target, out_start, in_start, in_edge, start, stop, log_flow, share, weight, store, leak, through
):
    """Log throughputs of the nodes of a cycle (written to ``through``); returns the sum of the log pivots.

    ``store`` receives the factors (n, n), the pivots (n) and the throughputs relative to the inflow (n).
    """
    n = stop - start
    p = store[: n * n].reshape((n, n))
    pivot = store[n * n : n * n + n]
    scaled = store[n * n + n : n * n + 2 * n]
    p[:, :] = 0.0
    for i in range(n):
        leak[i] = 0.0
        for e in range(out_start[start + i], out_start[start + i + 1]):
            j = target[e]
            if start <= j < stop:
                p[i, j - start] += share[e]
            else:
                leak[i] += share[e]
    # Inflows from outside the cycle.
    inner_first, inner_last = out_start[start], out_start[stop]
    total = 0.0
    for q in range(in_start[start], in_start[stop]):
        e = in_edge[q]
        if e < inner_first or e >= inner_last:
            total += weight[e]
    top, scale = 0.0, 1.0 / total
    if not SMALL < total < LARGE:
        top, scale = -np.inf, 1.0
        for q in range(in_start[start], in_start[stop]):
            e = in_edge[q]
            if e < inner_first or e >= inner_last:
                top = max(top, log_flow[e])
        for q in range(in_start[start], in_start[stop]):
            e = in_edge[q]
            if e < inner_first or e >= inner_last:
                weight[e] = np.exp(log_flow[e] - top)
    else:
        top = np.log(total)
    for i in range(n):
        scaled[i] = 0.0
        for q in range(in_start[start + i], in_start[start + i + 1]):
            e = in_edge[q]
            if e < inner_first or e >= inner_last:
                weight[e] *= scale
                scaled[i] += weight[e]
    factorise(p, leak[:n], pivot)
    solve_transposed(p, pivot, scaled)
    inverse = leak  # its numbers are used up
    log_det, product = 0.0, 1.0
    for i in range(n):
        product *= pivot[i]
        # One log of a product of pivots, as long as the product does not underflow.
        if product < 1e-6 or i == n - 1:
            log_det += np.log(product)
            product = 1.0
        scaled[i] = max(scaled[i], TINY)
        through[i] = top + np.log(scaled[i])
        inverse[i] = 1.0 / scaled[i]
    for i in range(n):
        for q in range(in_start[start + i], in_start[start + i + 1]):
            e = in_edge[q]
            if e < inner_first or e >= inner_last:
                weight[e] *= inverse[i]
        for e in range(out_start[start + i], out_start[start + i + 1]):
            j = target[e]
            if start <= j < stop:
                weight[e] = share[e] * scaled[i] * inverse[j - start]
    return log_det


@kernel(VERSION)
def forward_into(u, layout, log_flow, log_share, kept, work):  # type: ignore[no-untyped-def]  # numba infers
    """Log flows and log shares of all edges (hidden ones too) in the kernels' order; returns the log-Jacobian.

    u (n_coordinates,); layout as in `reeuncert.balance.packing`. Written: log_flow and log_share (edges,), and kept
    (layout[5],), the input of `backward`. Scratch: work (2, layout[6]).
    """
    coordinate, target, out_start, in_start, in_edge, component_start, component_store, _ = layout_parts(layout)
    edges, inputs, components = layout[1], layout[2], layout[3]
    share = kept[:edges]
    # Flow of an edge until its target is reached, then its share of the target's inflow.
    weight = kept[edges : 2 * edges]
    log_jacobian = _all_shares(u, coordinate, out_start, log_share, share)
    for e in range(inputs):
        log_flow[e] = u[coordinate[e]]
        weight[e] = np.exp(log_flow[e])
        log_share[e] = 0.0
        share[e] = 1.0
        log_jacobian += log_flow[e]
    leak, through = work[0], work[1]
    for c in range(components):
        start, stop = component_start[c], component_start[c + 1]
        if stop - start == 1:
            first, last = in_start[start], in_start[stop]
            if last - first == 1:
                e = in_edge[first]
                weight[e] = 1.0
                through[0] = log_flow[e]
            else:
                total = 0.0
                for q in range(first, last):
                    total += weight[in_edge[q]]
                level = 0.0
                if not SMALL < total < LARGE:
                    level = _weigh(in_edge, first, last, log_flow, weight)
                    total = 0.0
                    for q in range(first, last):
                        total += weight[in_edge[q]]
                scale = 1.0 / total
                for q in range(first, last):
                    weight[in_edge[q]] *= scale
                through[0] = level + np.log(total)
        else:
            store = kept[component_store[c] :]
            log_jacobian -= _cycle(
                target, out_start, in_start, in_edge, start, stop, log_flow, share, weight, store, leak, through
            )
        for j in range(start, stop):
            level = through[j - start]
            mass = np.exp(level)
            # Sum of log outflows less the log throughput, the log shares being counted already.
            log_jacobian += (out_start[j + 1] - out_start[j] - 1) * level
            for e in range(out_start[j], out_start[j + 1]):
                log_flow[e] = level + log_share[e]
                if stop - start == 1 or target[e] < start or target[e] >= stop:
                    weight[e] = mass * share[e]
    return log_jacobian


@kernel(VERSION)
def forward(u, layout, visible):  # type: ignore[no-untyped-def]  # numba infers
    """Log flow (n_edges,), log share (n_edges,), log-Jacobian, and the input of `backward`."""
    edges = layout[1]
    all_flow = np.empty(edges)
    all_share = np.empty(edges)
    kept = np.empty(layout[5])
    work = np.empty((2, layout[6]))
    log_jacobian = forward_into(u, layout, all_flow, all_share, kept, work)
    parent = layout_parts(layout)[7]
    log_flow = np.empty(visible.size)
    log_share = np.empty(visible.size)
    for v in range(visible.size):
        e = visible[v]
        log_flow[v] = all_flow[e]
        above = parent[e]
        log_share[v] = all_share[e] + (all_share[above] if above >= 0 else 0.0)
    return log_flow, log_share, log_jacobian, kept


@kernel(VERSION)
def _cycle_back(  # type: ignore[no-untyped-def]  # numba infers
    target,
    out_start,
    in_start,
    in_edge,
    start,
    stop,
    to_flow,
    to_share,
    share,
    weight,
    store,
    grad,
    to_jacobian,
):
    """Propagate the gradient wrt the log throughputs of a cycle (``grad``) to its inflows and inner shares."""
    n = stop - start
    p = store[: n * n].reshape((n, n))
    pivot = store[n * n : n * n + n]
    scaled = store[n * n + n : n * n + 2 * n]
    inner_first, inner_last = out_start[start], out_start[stop]
    for i in range(n):
        grad[i] /= scaled[i]
    solve(p, pivot, grad[:n])
    for i in range(n):
        q_i = grad[i] * scaled[i]
        for q in range(in_start[start + i], in_start[start + i + 1]):
            e = in_edge[q]
            if e < inner_first or e >= inner_last:
                to_flow[e] += q_i * weight[e]
            else:
                to_share[e] += q_i * weight[e]
    if to_jacobian != 0.0:
        # −log det(I − P) has derivative (I − P)⁻¹_ji with respect to p_ij.
        inverted = np.empty((n, n))
        inverse(p, pivot, inverted)
        for i in range(n):
            for e in range(out_start[start + i], out_start[start + i + 1]):
                j = target[e]
                if start <= j < stop:
                    to_share[e] += to_jacobian * share[e] * inverted[j - start, i]


@kernel(VERSION)
def backward(to_log_flow, to_log_share, to_jacobian, layout, visible, kept):  # type: ignore[no-untyped-def]  # numba infers
    """Gradient wrt the coordinates, shape (n_coordinates,), given those wrt the results of `forward`.

    Those with respect to log flows and log shares may be empty: nothing depends on them then.
    """
    coordinate, target, out_start, in_start, in_edge, component_start, component_store, parent = layout_parts(layout)
    edges, inputs, components = layout[1], layout[2], layout[3]
    share = kept[:edges]
    weight = kept[edges : 2 * edges]
    to_flow = np.zeros(edges)
    to_share = np.zeros(edges)
    grad = np.empty(layout[6])
    result = np.empty(layout[4])
    for v in range(to_log_flow.size):
        to_flow[visible[v]] = to_log_flow[v]
    for v in range(to_log_share.size):
        e = visible[v]
        to_share[e] += to_log_share[v]
        if parent[e] >= 0:
            to_share[parent[e]] += to_log_share[v]
    for c in range(components - 1, -1, -1):
        start, stop = component_start[c], component_start[c + 1]
        for j in range(start, stop):
            total = to_jacobian * (out_start[j + 1] - out_start[j] - 1)
            for e in range(out_start[j], out_start[j + 1]):
                total += to_flow[e]
                to_share[e] += to_flow[e] + to_jacobian
            grad[j - start] = total
        if stop - start == 1:
            total = grad[0]
            for q in range(in_start[start], in_start[stop]):
                e = in_edge[q]
                to_flow[e] += total * weight[e]
        else:
            store = kept[component_store[c] :]
            _cycle_back(
                target, out_start, in_start, in_edge, start, stop,
                to_flow, to_share, share, weight, store, grad, to_jacobian,
            )  # fmt: skip
        for j in range(start, stop):
            total = 0.0
            for e in range(out_start[j], out_start[j + 1]):
                total += to_share[e]
            for e in range(out_start[j], out_start[j + 1]):
                if coordinate[e] >= 0:
                    result[coordinate[e]] = to_share[e] - share[e] * total
    for e in range(inputs):
        result[coordinate[e]] = to_flow[e] + to_jacobian
    return result
