"""Convergence diagnostics of thousands of quantities at once: R-hat, bulk and tail ESS, quantiles and their error.

Rank-normalised split R-hat and the effective sample sizes are those of Vehtari, Gelman, Simpson, Carpenter & Bürkner
(2021), *Bayesian Analysis* 16(2), doi 10.1214/20-BA1221, and give the numbers of ``arviz_stats`` (tested to 1e-8).
They run on blocks of quantities: one sort serves ranks, median, tails and interval, and one inverse FFT serves all
chains of a quantity, since only the mean autocovariance over chains is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import betaincinv, ndtri

from reeuncert.machine import available_cores
from reeuncert.result.quantiles import Array, sorted_quantile

TAIL_PROBABILITIES = (0.05, 0.95)
"""The quantiles whose indicator functions give the tail ESS (the smaller of the two)."""

LARGEST_R_HAT, SMALLEST_ESS = 1.01, 400
"""Thresholds of Vehtari et al. (2021): of rank-normalised split R-hat, of bulk and tail effective sample size."""

MINIMUM_DRAWS = 4
_BLOCK_ELEMENTS = 500_000  # 4 MB of float64 per temporary array: fits the caches


@dataclass(frozen=True)
class Diagnostics:
    """Summary and convergence of many quantities; every array has the shape that follows chain and draw.

    A quantity that is constant, or not finite in some draw (a flow absent in a year), has NaN diagnostics. R-hat
    needs two chains, and everything needs four draws a chain.

    Parameters
    ----------
    mean, sd, median, lower, upper
        In the unit of the quantity; ``lower`` and ``upper`` are the bounds of the equal-tailed interval.
    smallest, largest
        Smallest and largest draw.
    ess_bulk, ess_tail, r_hat
        Rank-normalised split diagnostics.
    mcse_median, mcse_lower, mcse_upper
        Monte Carlo standard errors of the three quantiles, in the unit of the quantity.
    """

    mean: Array
    sd: Array
    median: Array
    lower: Array
    upper: Array
    smallest: Array
    largest: Array
    ess_bulk: Array
    ess_tail: Array
    r_hat: Array
    mcse_median: Array
    mcse_lower: Array
    mcse_upper: Array


def diagnose(
    values: ArrayLike, *, log: bool = False, prob: float = 0.9, mcse: bool = False, workers: int | None = None
) -> Diagnostics:
    """Summarise and diagnose every quantity of an array of draws.

    Values have the shape (chain, draw, ...). ``log`` diagnoses logs (of positive mass flows): this changes only the
    folded part of R-hat; mean, sd, quantiles and their errors stay in the unit of the quantity. Without ``mcse`` the
    Monte Carlo errors of median and interval bounds (three more transforms) are NaN.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 500, 3))
    >>> draws[..., 2] = 1.0
    >>> found = diagnose(draws)
    >>> bool(found.r_hat[0] < 1.01), bool(found.ess_bulk[0] > 400), bool(np.isnan(found.r_hat[2]))
    (True, True, True)
    """
    array = np.asarray(values, dtype=float)
    if array.ndim < 2:
        raise ValueError(f"draws need the dimensions chain and draw first; this array has {array.ndim} dimension(s)")
    if not 0.0 < prob < 1.0:
        raise ValueError(f"prob is {prob}; it must lie between 0 and 1")
    chains, draws = array.shape[:2]
    shape = array.shape[2:]
    cells = array.reshape(chains, draws, -1)
    n_cells = cells.shape[2]
    names = [f.name for f in fields(Diagnostics)]
    out = {name: np.full(n_cells, np.nan) for name in names}
    block = max(1, min(256, _BLOCK_ELEMENTS // max(1, chains * draws)))
    starts = range(0, n_cells, block)

    def work(start: int) -> None:
        stop = min(start + block, n_cells)
        part = np.ascontiguousarray(np.moveaxis(cells[:, :, start:stop], 2, 0))
        usable = np.flatnonzero(np.isfinite(part).all(axis=(1, 2)))
        if usable.size == 0 or part[0].size == 0:
            return
        for name, result in _diagnose_block(part[usable], log, prob, mcse).items():
            out[name][start + usable] = result

    _run(work, starts, workers)
    return Diagnostics(**{name: out[name].reshape(shape) for name in names})


def r_hat(values: ArrayLike, *, log: bool = False) -> Array:
    """Rank-normalised split R-hat of every quantity; shape (chain, draw, ...) in, (...) out."""
    return diagnose(values, log=log).r_hat


def ess(values: ArrayLike) -> tuple[Array, Array]:
    """Bulk and tail effective sample size of every quantity; shape (chain, draw, ...) in, two of (...) out."""
    found = diagnose(values)
    return found.ess_bulk, found.ess_tail


def mcse_quantile(values: ArrayLike, probability: float) -> Array:
    """Monte Carlo standard error of one quantile of every quantity, (chain, draw, ...) in, (...) out.

    Half the width of the central 68 % interval of the order statistics that the effective sample size of the
    quantile's indicator leaves uncertain (Vehtari et al. 2021, section 4.4).
    """
    array = np.asarray(values, dtype=float)
    cells = array.reshape(*array.shape[:2], -1)
    out = np.full(cells.shape[2], np.nan)
    for start in range(0, cells.shape[2], 256):
        part = np.ascontiguousarray(np.moveaxis(cells[:, :, start : start + 256], 2, 0))
        usable = np.flatnonzero(np.isfinite(part).all(axis=(1, 2)))
        if usable.size and part.shape[2] >= MINIMUM_DRAWS:
            ordered = np.sort(part[usable].reshape(usable.size, -1), axis=1)
            quantile = sorted_quantile(ordered, probability)
            out[start + usable] = _mcse(ordered, _ess_below(part[usable], quantile), probability)
    return out.reshape(array.shape[2:])


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


def _run(work: Callable[[int], None], starts: range, workers: int | None) -> None:
    count = min(workers or available_cores(), len(starts))
    if count <= 1:
        for start in starts:
            work(start)
        return
    with ThreadPoolExecutor(count) as pool:  # sorting and transforms release the interpreter lock
        list(pool.map(work, starts))


def _diagnose_block(x: Array, log: bool, prob: float, mcse: bool) -> dict[str, Array]:
    """All diagnostics of a block of finite quantities, shape (cell, chain, draw)."""
    n_cells, chains, draws = x.shape
    half = draws // 2
    flat = x.reshape(n_cells, -1)
    result: dict[str, Array] = {"mean": flat.mean(axis=1)}
    result["sd"] = flat.std(axis=1, ddof=1) if flat.shape[1] > 1 else np.full(n_cells, np.nan)
    split = np.concatenate([x[:, :, :half], x[:, :, draws - half :]], axis=1) if draws >= MINIMUM_DRAWS else x
    pooled = split.reshape(n_cells, -1)
    order = np.argsort(pooled, axis=1)
    ordered_split = np.take_along_axis(pooled, order, axis=1)
    ordered = ordered_split if draws % 2 == 0 or draws < MINIMUM_DRAWS else np.sort(flat, axis=1)
    result |= {"smallest": ordered[:, 0], "largest": ordered[:, -1]}
    lower, upper = (1 - prob) / 2, (1 + prob) / 2
    for name, probability in (("lower", lower), ("median", 0.5), ("upper", upper)):
        result[name] = sorted_quantile(ordered, probability)
    if draws < MINIMUM_DRAWS:
        return result
    varies = ordered[:, 0] < ordered[:, -1]

    z = _z_scale(pooled, order, ordered_split).reshape(split.shape)
    result["ess_bulk"] = np.where(varies, _ess(z), np.nan)
    known = {p: _ess_below(x, sorted_quantile(ordered, p)) for p in TAIL_PROBABILITIES}
    result["ess_tail"] = np.where(varies, np.minimum(*known.values()), np.nan)
    if chains > 1:
        middle = sorted_quantile(ordered_split, 0.5)
        folded = pooled
        if log:
            with np.errstate(divide="ignore", invalid="ignore"):
                folded, middle = np.log(pooled), sorted_quantile(np.log(ordered_split), 0.5)
        with np.errstate(invalid="ignore"):
            folded = np.abs(folded - middle[:, None])
        order = np.argsort(folded, axis=1)
        folded_z = _z_scale(folded, order, np.take_along_axis(folded, order, axis=1)).reshape(split.shape)
        result["r_hat"] = np.where(varies, np.maximum(_r_hat(z), _r_hat(folded_z)), np.nan)
    if mcse:
        for name, probability in (("lower", lower), ("median", 0.5), ("upper", upper)):
            near = next((known[p] for p in known if abs(p - probability) < 1e-12), None)
            size = near if near is not None else _ess_below(x, result[name])
            result[f"mcse_{name}"] = np.where(varies, _mcse(ordered, size, probability), np.nan)
    return result


def _z_scale(values: Array, order: NDArray[np.intp], ordered: Array) -> Array:
    """Normal scores of the ranks (Blom), row by row; ties share their mean rank."""
    size = values.shape[1]
    scores = ndtri((np.arange(2 * size - 1) / 2 + 0.625) / (size + 0.25))  # of every rank and half rank
    z = np.empty(values.shape)
    np.put_along_axis(z, order, scores[None, ::2], axis=1)
    same = ordered[:, 1:] == ordered[:, :-1]
    tied = np.flatnonzero(same.any(axis=1))
    if tied.size:
        place = np.arange(size)
        edge = np.zeros((tied.size, size + 1), dtype=bool)
        edge[:, 1:-1] = same[tied]
        first = np.maximum.accumulate(np.where(edge[:, :-1], 0, place), axis=1)
        last = np.minimum.accumulate(np.where(edge[:, 1:], size - 1, place)[:, ::-1], axis=1)[:, ::-1]
        rows = np.empty((tied.size, size))
        np.put_along_axis(rows, order[tied], scores[first + last], axis=1)
        z[tied] = rows
    return z


def _r_hat(z: Array) -> Array:
    """Ratio of pooled to within-chain spread; shape (cell, chain, draw)."""
    draws = z.shape[2]
    between = draws * z.mean(axis=2).var(axis=1, ddof=1)
    within = z.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + draws - 1) / draws))


def _ess_below(x: Array, quantile: Array) -> Array:
    """Effective sample size of the indicator ``x <= quantile``; shape (cell, chain, draw)."""
    half = x.shape[2] // 2
    below = (x <= quantile[:, None, None]).astype(float)
    return _ess(np.concatenate([below[:, :, :half], below[:, :, x.shape[2] - half :]], axis=1))


def _ess(x: Array) -> Array:
    """Effective sample size from Geyer's initial monotone sequence; shape (cell, chain, draw)."""
    cells, chains, draws = x.shape
    means = x.mean(axis=2)
    padded = next_fast_len(2 * draws, real=True)
    spectrum = rfft(x - means[:, :, None], n=padded, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    covariance = irfft(power, n=padded, axis=1)[:, :draws] / draws
    variance = covariance[:, 0] * draws / (draws - 1.0)
    total = covariance[:, 0].copy()
    if chains > 1:
        total += means.var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = 1.0 - (variance[:, None] - covariance) / total[:, None]
    rho[:, 0] = 1.0
    last_pair = max(0, (draws - 3) // 2)  # the last pair of lags
    pairs = rho[:, : 2 * (last_pair + 1)].reshape(cells, last_pair + 1, 2).sum(axis=2)
    stops = pairs <= 0.0
    end = np.where(stops.any(axis=1), stops.argmax(axis=1), last_pair)
    monotone = np.minimum.accumulate(pairs, axis=1)
    sums = np.concatenate([np.zeros((cells, 1)), np.cumsum(monotone, axis=1)], axis=1)
    row = np.arange(cells)
    even = rho[row, 2 * end]
    even = np.where((even > 0) | (pairs[row, end] >= 0), even, 0.0)
    size = chains * draws
    tau = np.maximum(-1.0 + 2.0 * sums[row, end] + even, 1.0 / np.log10(size))
    constant = np.ptp(x.reshape(cells, -1), axis=1) < np.finfo(float).resolution
    return np.asarray(np.where(constant, float(size), size / tau))


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
