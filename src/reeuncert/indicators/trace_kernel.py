"""Compositions of all processes in every year, and the mass by origin in sums of flows: the loops of `trace`."""

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import compiled, kernel, source_version

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]

BLOCK = 512
"""Draws that are traced at a time."""


@kernel(source_version(__file__), nogil=True)
def add_traced(
    mass: Array,
    carried: Mask,
    source: Index,
    entry: Index,
    reset: Index,
    component_start: Index,
    nodes: Index,
    entering_start: Index,
    entering: Index,
    weights: Array,
    result: Array,
) -> None:
    """Add to ``result`` (sum, origin, year, draw), some draws at a time, so that their compositions stay in the cache.

    Masses are (flow, year, draw). Components and flows that enter a process are one list each, with the start of each.
    """
    n_flows, n_years, n_draws = mass.shape
    n_sums, n_origins = result.shape[:2]
    largest = (component_start[1:] - component_start[:-1]).max() if len(component_start) > 1 else 0
    place = np.full(len(reset), -1, np.int64)
    for first in range(0, n_draws, BLOCK):
        width = min(BLOCK, n_draws - first)
        now, before = np.zeros((len(reset), n_origins, width)), np.zeros((len(reset), n_origins, width))
        matrix, right = np.empty((largest, largest, width)), np.empty((largest, n_origins, width))
        for y in range(n_years):
            now, before = before, now
            for c in range(len(component_start) - 1):
                component = nodes[component_start[c] : component_start[c + 1]]
                size = len(component)
                for k in range(size):
                    place[component[k]] = k
                    matrix[k, :size] = 0.0
                    right[k] = 0.0
                for k in range(size):
                    node, throughput = component[k], np.zeros(width)
                    for f in entering[entering_start[node] : entering_start[node + 1]]:
                        i = source[f]
                        if i == node:  # a stock: last year's mass with last year's composition
                            if carried[f, y]:
                                stock = mass[f, y - 1, first : first + width]
                                throughput += stock
                                for o in range(n_origins):
                                    _add(right[k, o], 1.0, stock, before[node, o])
                            continue
                        flow = mass[f, y, first : first + width]
                        throughput += flow
                        if i < 0:
                            right[k, entry[f]] += flow
                        elif place[i] >= 0:
                            matrix[k, place[i]] -= flow
                        else:
                            for o in range(n_origins):
                                _add(right[k, o], 1.0, flow, now[i, o])
                    for d in range(width):
                        if reset[node] >= 0 and throughput[d] > 0:
                            matrix[k, :size, d], right[k, :, d] = 0.0, 0.0
                            right[k, reset[node], d] = 1.0
                        if reset[node] >= 0 or throughput[d] <= 0:
                            throughput[d] = 1.0
                    matrix[k, k] = throughput
                # Elimination without pivoting: every row is weakly diagonally dominant.
                for k in range(size):
                    for j in range(k + 1, size):
                        factor = matrix[j, k] / matrix[k, k]
                        for m in range(k + 1, size):
                            _add(matrix[j, m], -1.0, factor, matrix[k, m])
                        for o in range(n_origins):
                            _add(right[j, o], -1.0, factor, right[k, o])
                for k in range(size - 1, -1, -1):
                    for o in range(n_origins):
                        for m in range(k + 1, size):
                            _add(right[k, o], -1.0, matrix[k, m], now[component[m], o])
                        for d in range(width):
                            now[component[k], o, d] = right[k, o, d] / matrix[k, k, d]
                for k in range(size):
                    place[component[k]] = -1
            for w in range(n_sums):
                for f in range(n_flows):
                    if weights[w, f] != 0.0:
                        for o in range(n_origins):
                            total = result[w, o, y, first : first + width]
                            _add(total, weights[w, f], mass[f, y, first : first + width], now[source[f], o])


@compiled
def _add(total: Array, factor: float, a: Array, b: Array) -> None:
    for d in range(len(total)):
        total[d] += factor * a[d] * b[d]
