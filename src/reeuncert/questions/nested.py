"""Kernel of the value of information: expected width of an interval after a measurement, by reweighting draws."""

import math

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import kernel, source_version

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_VERSION = source_version(__file__)
_TAIL = 0.05
"""Beyond either end of an interval."""

_FAR = 6.0
"""Draws so many errors away from what was measured weigh less than a ten-millionth."""

_BINS = 1024
"""What is measured is read to a thousandth of the range of its outcomes: weights are looked up, not computed."""


@kernel(_VERSION)
def _from_end(ordered, place, table, total, probability, downward):  # type: ignore[no-untyped-def]  # numba infers
    """Value beyond which a probability lies, counted from one end; the weight of a draw counts from its middle."""
    wanted, passed, before = probability * total, 0.0, 0.0
    last = -1
    for k in range(ordered.size):
        i = ordered.size - 1 - k if downward else k
        w = table[place[i]]
        if w == 0.0:
            continue
        middle = passed + 0.5 * w
        if middle >= wanted:
            if last < 0:
                return ordered[i]
            return ordered[last] + (wanted - before) / (middle - before) * (ordered[i] - ordered[last])
        passed += w
        before, last = middle, i
    return ordered[last]


@kernel(_VERSION)
def _width(ordered, place, table, total):  # type: ignore[no-untyped-def]  # numba infers
    upper = _from_end(ordered, place, table, total, _TAIL, True)
    return upper - _from_end(ordered, place, table, total, _TAIL, False)


@kernel(_VERSION)
def _expected_widths(ordered, order, measured, outcome, error, pairs, width):  # type: ignore[no-untyped-def]  # numba infers
    size, outcomes = ordered.shape[1], outcome.shape[1]
    bins, place = np.empty(size, np.int32), np.empty(size, np.int32)
    table, total = np.empty((outcomes, _BINS)), np.empty(outcomes)
    last = -1
    for p in range(len(pairs)):
        t, c, every = pairs[p]
        if c != last:
            last = c
            # Draws beyond the reach of every outcome weigh nothing; their exact place does not matter.
            low, high = outcome[c].min() - _FAR * error[c], outcome[c].max() + _FAR * error[c]
            step = (high - low) / (_BINS - 1)
            count = np.zeros(_BINS)
            for i in range(size):
                bins[i] = int((min(max(measured[c, i], low), high) - low) / step + 0.5)
                count[bins[i]] += 1.0
            for j in range(outcomes):
                total[j] = 0.0
                for b in range(_BINS):
                    z = (low + b * step - outcome[c, j]) / error[c]
                    table[j, b] = math.exp(-0.5 * z * z) if abs(z) < _FAR else 0.0
                    total[j] += count[b] * table[j, b]
        for k in range(size):
            place[k] = bins[order[t, k]]
        sum_width = 0.0
        for j in range(0, outcomes, every):
            sum_width += _width(ordered[t], place, table[j], total[j])
        width[p] = sum_width / ((outcomes + every - 1) // every)


def expected_widths(draws: Floats, measured: Floats, outcome: Floats, error: Floats, pairs: Ints) -> Floats:
    """Expected widths of the 90 % intervals of quantities after measurements.

    For every outcome of a measurement the draws are weighted by its normal likelihood; the width of the weighted
    interval is averaged over the outcomes. Draws (quantity, draw); what could be measured (candidate, draw), on the
    scale on which the measurement has its error (candidate,); simulated outcomes (candidate, outcome). Pairs (pair, 3):
    a quantity, a candidate, and n where every n-th outcome will do. Returns the widths (pair,).
    """
    order = np.argsort(draws, axis=1)
    ordered, out = np.take_along_axis(draws, order, axis=1), np.empty(len(pairs))
    turn = np.argsort(pairs[:, 1], kind="stable")  # the weights of a candidate serve all its quantities
    width = np.empty(len(pairs))
    _expected_widths(
        ordered,
        order.astype(np.int32),
        np.ascontiguousarray(measured),
        np.ascontiguousarray(outcome),
        error,
        np.ascontiguousarray(pairs[turn], dtype=np.int64),
        width,
    )
    out[turn] = width
    return out


def interval_width(draws: Floats) -> float:
    """Width of the 90 % interval of draws, by the same rule as `expected_widths`."""
    even, place = np.ones(draws.size), np.arange(draws.size, dtype=np.int32)
    return float(_width(np.sort(draws), place, even, even.sum()))


def weighted_quantiles(draws: Floats, weight: Floats, probabilities: tuple[float, ...]) -> list[float]:
    """Quantiles of weighted draws (draw,)."""
    order, place = np.argsort(draws), np.arange(draws.size, dtype=np.int32)
    ordered, weights = np.ascontiguousarray(draws[order], np.float64), np.asarray(weight, np.float64)[order]
    ends = ((min(p, 1.0 - p), p > 0.5) for p in map(float, probabilities))
    return [float(_from_end(ordered, place, weights, weights.sum(), p, upper)) for p, upper in ends]
