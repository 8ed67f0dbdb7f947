"""R-hat and effective sample sizes of one quantity after another, from its sorted draws: the loops of `diagnose`."""

from __future__ import annotations

import numpy as np

from reeuncert.compiling import REORDER, compiled, kernel, source_version

VERSION = source_version(__file__)


@kernel(VERSION, nogil=True, fastmath=REORDER)
def convergence(
    x: np.ndarray,
    order: np.ndarray,
    scores: np.ndarray,
    middle: np.ndarray,
    log: bool,
    bounds: np.ndarray,
    bulk: np.ndarray,
    r_hat: np.ndarray,
    below: np.ndarray,
) -> None:
    """Diagnose the split chains of finite quantities.

    Parameters
    ----------
    x
        Draws (quantity, chain, draw).
    order
        Positions that sort them, (quantity, chain × draw).
    scores
        Normal score of every rank and half rank of the split draws.
    middle
        Median of the split draws of each quantity; of their logs where `log`.
    log
        Whether draws are folded around the median of their logs.
    bounds
        (quantity, n): the effective sample size of each indicator ``draw <= bound`` is asked for.
    bulk, r_hat, below
        Results, written here: (quantity,), (quantity,) and (quantity, n).
    """
    n_cells, chains, draws = x.shape
    half = draws // 2
    rows = np.empty((2 * chains, half))
    flat = rows.reshape(-1)
    size = flat.size
    at = np.empty(size, np.int64)
    ordered, folded, fold_at = np.empty(size), np.empty(size), np.empty(size, np.int64)
    for c in range(n_cells):
        own = x[c].reshape(-1)
        if own[order[c, 0]] == own[order[c, -1]]:
            bulk[c], r_hat[c], below[c] = size, np.nan, size  # a constant
            continue
        k = 0
        for i in order[c]:
            chain, draw = i // draws, i % draws
            if draw < half:
                at[k] = 2 * chain * half + draw
            elif draw >= draws - half:
                at[k] = (2 * chain + 1) * half + draw - (draws - half)
            else:
                continue  # the middle one of an odd number
            ordered[k] = own[i]
            k += 1
        _scored(ordered, at, scores, flat)
        ratio = _spread_ratio(rows)
        bulk[c] = _ess(rows)
        # The folded draws are sorted already, on either side of the middle.
        right = np.searchsorted(ordered, np.exp(middle[c]) if log else middle[c])
        left = right - 1
        for k in range(size):
            low = _folded(ordered[left], middle[c], log) if left >= 0 else np.inf
            high = _folded(ordered[right], middle[c], log) if right < size else np.inf
            if right >= size or (left >= 0 and low <= high):
                folded[k], fold_at[k] = low, at[left]
                left -= 1
            else:
                folded[k], fold_at[k] = high, at[right]
                right += 1
        _scored(folded, fold_at, scores, flat)
        r_hat[c] = max(ratio, _spread_ratio(rows))
        for n in range(bounds.shape[1]):
            for chain in range(chains):
                for draw in range(half):
                    rows[2 * chain, draw] = 1.0 if x[c, chain, draw] <= bounds[c, n] else 0.0
                    rows[2 * chain + 1, draw] = 1.0 if x[c, chain, draws - half + draw] <= bounds[c, n] else 0.0
            below[c, n] = _ess(rows)


@kernel(VERSION, nogil=True)
def scored(ordered: np.ndarray, order: np.ndarray, scores: np.ndarray, out: np.ndarray) -> None:
    """Write the score of each draw, row by row; see `convergence`."""
    for c in range(len(ordered)):
        _scored(ordered[c], order[c], scores, out[c])


@compiled
def _folded(value: float, middle: float, log: bool) -> float:
    return abs((np.log(value) if log else value) - middle)


@compiled
def _scored(ordered: np.ndarray, at: np.ndarray, scores: np.ndarray, out: np.ndarray) -> None:
    """Write the score of each draw at its place; ties share that of their mean rank."""
    size, first = ordered.size, 0
    while first < size:
        last = first
        while last + 1 < size and ordered[last + 1] == ordered[first]:
            last += 1
        for k in range(first, last + 1):
            out[at[k]] = scores[first + last]
        first = last + 1


@compiled
def _spread_ratio(rows: np.ndarray) -> float:
    """R-hat: the root of pooled over within-chain variance."""
    chains, draws = rows.shape
    means, within = np.empty(chains), 0.0
    for j in range(chains):
        means[j] = rows[j].mean()
        within += rows[j].var() * draws / (draws - 1)
    between = draws * means.var() * chains / (chains - 1)
    return np.sqrt((between / (within / chains) + draws - 1) / draws)


@compiled
def _ess(rows: np.ndarray) -> float:
    """Effective sample size from Geyer's initial monotone sequence; centres the rows (chain, draw)."""
    chains, draws = rows.shape
    size = chains * draws
    if rows.max() - rows.min() < 1e-15:
        return float(size)
    means = np.empty(chains)
    for j in range(chains):
        means[j] = rows[j].mean()
        rows[j] -= means[j]
    at_once = _lagged(rows, 0)
    variance = at_once * draws / (draws - 1)
    total = at_once + means.var() * chains / (chains - 1)
    last = max(0, (draws - 3) // 2)
    sums, smallest, k = 0.0, np.inf, 0
    while True:
        even = 1.0 - (variance - _lagged(rows, 2 * k)) / total if k else 1.0
        pair = even + 1.0 - (variance - _lagged(rows, 2 * k + 1)) / total
        if pair <= 0.0 or k == last:
            break
        smallest = min(smallest, pair)
        sums += smallest
        k += 1
    tau = 2.0 * sums - 1.0 + (even if even > 0.0 or pair >= 0.0 else 0.0)
    return size / max(tau, 1.0 / np.log10(size))


@compiled
def _lagged(rows: np.ndarray, lag: int) -> float:
    """Mean over chains of the autocovariance at a lag."""
    total = 0.0
    for j in range(rows.shape[0]):
        total += np.dot(rows[j, : rows.shape[1] - lag], rows[j, lag:])
    return total / rows.size
