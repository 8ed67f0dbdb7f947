"""Convergence diagnostics of thousands of quantities at once: R-hat, bulk and tail ESS, quantiles and their error.

Rank-normalised split R-hat and the effective sample sizes are those of Vehtari, Gelman, Simpson, Carpenter & Bürkner
(2021), *Bayesian Analysis* 16(2), doi 10.1214/20-BA1221, and give the numbers of ``arviz_stats`` (tested to 1e-8).
One sort of a quantity serves its ranks, folded ranks, median, tails and interval.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from reeuncert.machine import available_cores
from reeuncert.result.chain_kernel import convergence, in_order, scored, sort_keys
from reeuncert.result.quantiles import Array, Spread, filled, sorted_quantile

ENDS = {"lower": 0.05, "upper": 0.95, "median": 0.5}
"""Ends of the 90 % interval, whose indicator functions give the tail ESS (the smaller of the two), and the median."""

LARGEST_R_HAT, SMALLEST_ESS = 1.01, 400
"""Thresholds of Vehtari et al. (2021): of rank-normalised split R-hat, of bulk and tail effective sample size."""

MEASURES = ("r_hat", "ess_bulk", "ess_tail")

MINIMUM_DRAWS = 4
_BLOCK_ELEMENTS = 500_000  # 4 MB of float64 per temporary array: fits the caches


@dataclass(frozen=True)
class Diagnostics(Spread):
    """Summary and convergence of many quantities; every array has the shape that follows chain and draw.

    A quantity that is constant, or not finite in some draw (a flow absent in a year), has NaN diagnostics. R-hat
    needs two chains, and everything needs four draws a chain. The interval is the equal-tailed one of 90 %; the
    quantiles are those that were asked for; Monte Carlo standard errors are in the unit of the quantity.
    """

    ess_bulk: Array
    ess_tail: Array
    r_hat: Array
    mcse_median: Array
    mcse_lower: Array
    mcse_upper: Array


class Estimate(NamedTuple):
    """A number and its Monte Carlo standard error; without error it is exact."""

    value: float
    error: float = 0.0

    def below(self, limit: float) -> float:
        """Probability that another run of the same length finds it below a limit: two runs differ by √2 errors.

        >>> Estimate(0.04).below(0.05), round(Estimate(0.04, 0.01).below(0.05), 2), Estimate(0.05).below(0.05)
        (1.0, 0.76, 0.0)
        """
        if not self.error > 0.0:
            return float(self.value < limit)
        return math.erfc((self.value - limit) / (2.0 * self.error)) / 2.0


def misses(measure: str, value: Any) -> Any:
    """Whether an R-hat is above, or an effective sample size below, its limit; NaN (a constant, say) misses none."""
    return value > LARGEST_R_HAT if measure == "r_hat" else value < SMALLEST_ESS


def unconverged(found: Any) -> Any:
    """Whether one of the `MEASURES` misses its limit: of a table by row, of one row as a bool.

    >>> unconverged({"r_hat": 1.05, "ess_bulk": 900, "ess_tail": 900})
    True
    """
    return reduce(operator.or_, (misses(name, found[name]) for name in MEASURES))


def diagnose(values: ArrayLike, *, log: bool = False, mcse: bool = False, at: Sequence[float] = ()) -> Diagnostics:
    """Summarise and diagnose every quantity of an array of draws.

    Values have the shape (chain, draw, ...). ``log`` diagnoses logs (of positive mass flows): this changes only the
    folded part of R-hat. Without ``mcse`` the Monte Carlo errors (a transform more, and three quantiles of beta
    distributions) are NaN.

    >>> draws = np.random.default_rng(1).normal(size=(4, 500, 3))
    >>> draws[..., 2] = 1.0
    >>> found = diagnose(draws)
    >>> bool(found.r_hat[0] < 1.01), bool(found.ess_bulk[0] > 400), bool(np.isnan(found.r_hat[2]))
    (True, True, True)
    """
    array = np.asarray(values, dtype=float)
    if array.ndim < 2:
        raise ValueError(f"draws need the dimensions chain and draw first; this array has {array.ndim} dimension(s)")
    chains, draws = array.shape[:2]
    shape = array.shape[2:]
    cells = array.reshape(chains, draws, -1)
    n_cells = cells.shape[2]
    names = [f.name for f in fields(Diagnostics)]
    out = {name: np.full(n_cells, np.nan) for name in names} | {"quantiles": np.full((n_cells, len(at)), np.nan)}
    block = max(1, min(256, _BLOCK_ELEMENTS // max(1, chains * draws)))
    starts = range(0, n_cells, block)

    def work(start: int) -> None:
        stop = min(start + block, n_cells)
        part = np.ascontiguousarray(np.moveaxis(cells[:, :, start:stop], 2, 0))
        usable = np.flatnonzero(np.isfinite(part).all(axis=(1, 2)))
        if usable.size == 0 or part[0].size == 0:
            return
        chosen = part if usable.size == len(part) else part[usable]
        for name, result in _diagnose_block(chosen, log, mcse, at).items():
            out[name][start + usable] = result

    with ThreadPoolExecutor(available_cores()) as pool:  # sorting and transforms release the interpreter lock
        list(pool.map(work, starts))
    out["quantiles"] = out["quantiles"].T
    return Diagnostics(**{name: array.reshape((*array.shape[:-1], *shape)) for name, array in out.items()})


def interval_ends(draws: ArrayLike) -> tuple[Estimate, Estimate, Estimate]:
    """Lower end, median and upper end of the 90 % interval of one quantity (chain, draw), each with its error; a draw
    that is undefined counts as the median.
    """
    found = diagnose(filled(np.asarray(draws, dtype=float)), mcse=True)
    ends = (found.lower, found.mcse_lower), (found.median, found.mcse_median), (found.upper, found.mcse_upper)
    lower, median, upper = (Estimate(float(value), float(error)) for value, error in ends)
    return lower, median, upper


def standard_ranks(draws: Array) -> Array:
    """Ranks of draws (draw, quantity) → (quantity, draw), less their mean and over their standard deviation.

    Ties share their mean rank. A quantity that is constant, or not finite in some draw, has zeros. The mean product of
    two rows is their rank correlation (Spearman's).

    >>> standard_ranks(np.array([[3.0, 1.0], [9.0, 1.0], [5.0, 1.0]])).round(2)
    array([[-1.22,  1.22,  0.  ],
           [ 0.  ,  0.  ,  0.  ]])
    """
    size, n = draws.shape
    out = np.zeros((n, size))
    half_ranks = np.arange(2 * size - 1) / 2 - (size - 1) / 2
    step = max(1, 8 * _BLOCK_ELEMENTS // max(1, size))
    for start in range(0, n, step):
        part = draws[:, start : start + step].T
        usable = np.flatnonzero(np.isfinite(part).all(axis=1) & (part.min(axis=1) < part.max(axis=1)))
        order, ordered = sorted_rows(np.ascontiguousarray(part[usable], dtype=float))
        found = np.empty(ordered.shape)
        scored(ordered, order, half_ranks, found)
        out[start + usable] = found / found.std(axis=1, keepdims=True)
    return out


def sorted_rows(x: Array) -> tuple[NDArray[np.int32], Array]:
    """Positions that sort finite draws (quantity, draw), and the sorted draws.

    >>> sorted_rows(np.array([[3.0, 1.0, 2.0]]))
    (array([[1, 2, 0]], dtype=int32), array([[1., 2., 3.]]))
    """
    keys, order, ordered = np.empty(x.shape, np.int64), np.empty(x.shape, np.int32), np.empty(x.shape)
    mask = (1 << (x.shape[1] - 1).bit_length()) - 1
    sort_keys(x, mask, keys)
    keys.sort(axis=1)  # numbers sort by vectors, and twice as fast as positions
    in_order(x, mask, keys, order, ordered)
    return order, ordered


def bfmi(energy: ArrayLike, before: ArrayLike | None = None) -> Array:
    """Estimated Bayesian fraction of missing information by chain; shape (chain, draw) in, (chain,) out.

    Betancourt (2016), arXiv 1604.00695. Below 0.3 the momentum resampling explores the energy too slowly. For thinned
    draws, ``before`` is the energy of the draw just before each: kept neighbours are more than one step apart, which
    would overstate the exploration.
    """
    array = np.atleast_2d(np.asarray(energy, dtype=float))
    step = np.diff(array, axis=1) if before is None else array - np.atleast_2d(np.asarray(before, dtype=float))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.square(step).mean(axis=1) / np.var(array, axis=1, ddof=1))


def _diagnose_block(x: Array, log: bool, mcse: bool, at: Sequence[float]) -> dict[str, Array]:
    """All diagnostics of a block of finite quantities, shape (cell, chain, draw)."""
    n_cells, chains, draws = x.shape
    flat = x.reshape(n_cells, -1)
    order, ordered = sorted_rows(flat)
    result = {name: sorted_quantile(ordered, p) for name, p in ENDS.items()}
    result |= {"mean": flat.mean(axis=1), "smallest": ordered[:, 0], "largest": ordered[:, -1]}
    result["quantiles"] = np.stack([sorted_quantile(ordered, p) for p in at], axis=-1) if at else np.empty((n_cells, 0))
    if draws < MINIMUM_DRAWS:
        return result
    half = draws // 2
    size = 2 * chains * half
    scores = ndtri((np.arange(2 * size - 1) / 2 + 0.625) / (size + 0.25))  # Blom's, of every rank and half rank
    split = ordered
    if draws % 2:
        split = ordered[order % draws != half].reshape(n_cells, size)
    middle = split[:, size // 2 - 1 : size // 2 + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (np.log(middle) if log else middle).sum(axis=1) / 2
    place = np.full((chains, draws), -1, np.int32)
    place[:, :half] = np.arange(size).reshape(2 * chains, half)[::2]
    place[:, draws - half :] = np.arange(size).reshape(2 * chains, half)[1::2]
    bounds = [result[name] for name in ("lower", "upper", *(("median",) if mcse else ()))]
    bulk, largest, below = np.empty(n_cells), np.empty(n_cells), np.empty((n_cells, len(bounds)))
    convergence(x, order, place.ravel(), scores, middle, log, np.stack(bounds, axis=1), bulk, largest, below)
    varies = ordered[:, 0] < ordered[:, -1]
    result |= {"ess_bulk": bulk, "ess_tail": below[:, :2].min(axis=1)}
    if chains > 1:
        result["r_hat"] = largest
    if mcse:
        result |= {f"mcse_{name}": _mcse(ordered, below[:, i], p) for i, (name, p) in enumerate(ENDS.items())}
    judged = [name for name in result if name.startswith(("ess", "r_hat", "mcse"))]
    return result | {name: np.where(varies, result[name], np.nan) for name in judged}


def _mcse(ordered: Array, size: Array, probability: float) -> Array:
    """Half the distance of the order statistics one standard error below and above a quantile."""
    count = ordered.shape[1]
    shape_a, shape_b = size * probability + 1, size * (1 - probability) + 1
    low = betaincinv(shape_a, shape_b, 0.1586553) * count - 1
    high = betaincinv(shape_a, shape_b, 0.8413447) * count - 1
    row = np.arange(ordered.shape[0])
    first = np.floor(np.maximum(low, 0)).astype(int)
    second = np.ceil(np.minimum(high, count - 1)).astype(int)
    return np.asarray((ordered[row, second] - ordered[row, first]) / 2)
