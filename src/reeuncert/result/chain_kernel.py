"""R-hat and effective sample sizes of one quantity after another, from its sorted draws: the loops of `diagnose`."""

import numpy as np

from reeuncert.compiling import REORDER, compiled, kernel, source_version

VERSION = source_version(__file__)


@kernel(VERSION, nogil=True, fastmath=REORDER)
def convergence(
    x: np.ndarray,
    order: np.ndarray,
    place: np.ndarray,
    scores: np.ndarray,
    middle: np.ndarray,
    log: bool,
    bounds: np.ndarray,
    bulk: np.ndarray,
    r_hat: np.ndarray,
    below: np.ndarray,
) -> None:
    """Diagnose the split chains of finite quantities.

    Draws ``x`` are (quantity, chain, draw); ``order`` (quantity, chain × draw) holds the positions that sort them,
    ``place`` the place of each position in the split chains (−1: none, the middle draw of an odd number), ``scores``
    the normal score of every rank and half rank of the split draws, ``middle`` the median of the split draws of each
    quantity (of their logs where ``log``), around which they are folded. The effective sample size of each indicator
    ``draw <= bound`` is asked for of ``bounds`` (quantity, n). Results are written to ``bulk`` and ``r_hat``
    (quantity,) and ``below`` (quantity, n).
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
            if place[i] >= 0:
                at[k], ordered[k] = place[i], own[i]
                k += 1
        _scored(ordered, at, scores, flat)
        within, between = _centred(rows)
        bulk[c], ratio = _ess(rows, within, between), between / within
        # The folded draws are sorted already, on either side of the middle.
        right = np.searchsorted(ordered, np.exp(middle[c]) if log else middle[c])
        left = right - 1
        low = _folded(ordered, left, middle[c], log)
        high = _folded(ordered, right, middle[c], log)
        for k in range(size):
            if right >= size or (left >= 0 and low <= high):
                folded[k], fold_at[k] = low, at[left]
                left -= 1
                low = _folded(ordered, left, middle[c], log)
            else:
                folded[k], fold_at[k] = high, at[right]
                right += 1
                high = _folded(ordered, right, middle[c], log)
        _scored(folded, fold_at, scores, flat)
        within, between = _centred(rows)
        # The root of pooled over within-chain variance, of the draws and of the folded ones.
        r_hat[c] = np.sqrt(max(ratio, between / within) + (half - 1) / half)
        for n in range(bounds.shape[1]):
            for chain in range(chains):
                for draw in range(half):
                    rows[2 * chain, draw] = 1.0 if x[c, chain, draw] <= bounds[c, n] else 0.0
                    rows[2 * chain + 1, draw] = 1.0 if x[c, chain, draws - half + draw] <= bounds[c, n] else 0.0
            within, between = _centred(rows)
            below[c, n] = _ess(rows, within, between)


@kernel(VERSION, nogil=True)
def sort_keys(x: np.ndarray, mask: int, keys: np.ndarray) -> None:
    """Integers in the order of finite draws (quantity, draw) that hold their positions in the bits of a mask.

    Bits of positive doubles are in their order; the last of them, which the position replaces, `in_order` sets right.
    """
    for c in range(len(x)):
        above = x[c] - x[c].min()
        for i, bits in enumerate(above.view(np.int64)):
            keys[c, i] = (bits & ~mask) | i


@kernel(VERSION, nogil=True)
def in_order(x: np.ndarray, mask: int, keys: np.ndarray, order: np.ndarray, ordered: np.ndarray) -> None:
    """Write positions and draws in order, from the sorted keys of `sort_keys`."""
    for c in range(len(x)):
        for k in range(x.shape[1]):
            i = keys[c, k] & mask
            value = x[c, i]
            j = k
            while j > 0 and ordered[c, j - 1] > value:
                ordered[c, j], order[c, j] = ordered[c, j - 1], order[c, j - 1]
                j -= 1
            ordered[c, j], order[c, j] = value, i


@kernel(VERSION, nogil=True)
def scored(ordered: np.ndarray, order: np.ndarray, scores: np.ndarray, out: np.ndarray) -> None:
    """Write the score of each draw, row by row; see `convergence`."""
    for c in range(len(ordered)):
        _scored(ordered[c], order[c], scores, out[c])


@compiled
def _folded(ordered: np.ndarray, at: int, middle: float, log: bool) -> float:
    if at < 0 or at >= ordered.size:
        return np.inf
    return abs((np.log(ordered[at]) if log else ordered[at]) - middle)


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
def _centred(rows: np.ndarray) -> tuple[float, float]:
    """Centre the rows (chain, draw); mean variance within them, and variance of their means."""
    chains, draws = rows.shape
    means = np.empty(chains)
    for j in range(chains):
        means[j] = rows[j].sum() / draws
        for i in range(draws):
            rows[j, i] -= means[j]
    return _lagged(rows, 0) * draws / (draws - 1), means.var() * chains / (chains - 1)


@compiled
def _ess(rows: np.ndarray, within: float, between: float) -> float:
    """Effective sample size from Geyer's initial monotone sequence, of centred rows."""
    chains, draws = rows.shape
    size = chains * draws
    if within + between < 1e-30:
        return float(size)
    total = within * (draws - 1) / draws + between
    last = max(0, (draws - 3) // 2)
    sums, smallest, k = 0.0, np.inf, 0
    while True:
        even = 1.0 - (within - _lagged(rows, 2 * k)) / total if k else 1.0
        pair = even + 1.0 - (within - _lagged(rows, 2 * k + 1)) / total
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
