"""Transforms of shares and bounded inputs to coordinates with a nearly normal prior.

A Dirichlet share with a concentration of 0.03 has a log-ratio with a tail of scale 33 to the left and of scale 1/3 to
the right; log-ratios of one process share their reference; a uniform input ends abruptly. No single step size fits. So
shares are transformed by stick-breaking (independent parts under a Dirichlet), and the log-odds of each part, like a
bounded mass, is a monotone function of a free coordinate that is nearly standard normal a priori. The log-derivative is
added to the density, so that only the speed changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable
from scipy.special import log_ndtr, ndtri

from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.priors.subjects import outflows, subjects
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.prior_families import BETA, DIRICHLET, INDEPENDENT, limits

FURTHEST = 35.0
"""Search range of free coordinates; the normal distribution function underflows at 38."""

EDGE = 1e-3
"""A start on or beyond a bound is moved inside by this fraction of the width."""


@dataclass(frozen=True, eq=False)
class CoordinateScale:
    """Monotone functions u(z) of free coordinates; the identity by default."""

    part: NDArray[np.int64]  # Positions of the log-ratios to stretch, shape (n,), process by process
    # Rates of the two exponential tails of the log-odds w of each broken part, shape (n,): w = log Φ(z) / left − log
    # Φ(−z) / right
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    end: NDArray[np.int64]  # For each of them, the index into ``part`` at which the next process begins
    # Positions of logs of masses that lie between two bounds: u = log(low + (high − low) Φ(z))
    bounded: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    # Positions of log-ratios whose shares lie between two bounds, process by process, and the number of each process;
    # the upper bounds of one process add up to at most 1, so that something is left for its reference
    share: NDArray[np.int64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    process: NDArray[np.int64]

    @classmethod
    def of(cls, case: Case, network: Network) -> CoordinateScale:
        """The scale of a priors table; the identity under the measure ``mass``."""
        parts: list[tuple[float, ...]] = []
        found = subjects(case, network, case.priors) if case.prior_measure == "shares" else []
        weight = {s.edges[0]: s.prior.a for s in found if s.prior.family == DIRICHLET}
        for (process, _), edges in outflows(network).items():
            if process == OUTSIDE or not all(e in weight for e in edges):
                continue
            free = [(k, weight[e]) for e in edges if (k := int(network.edge_coordinate[e])) >= 0]
            rest = sum(weight[e] for e in edges)
            end = len(parts) + len(free)
            for k, own in free:
                rest -= own
                parts.append((k, own, rest, end))
        alone = [s for s in found if s.prior.kind == "share" and s.prior.family in INDEPENDENT]
        numbers: dict[int, int] = {}
        shares: list[tuple[float, ...]] = []
        for s in alone:
            k = int(network.edge_coordinate[s.edges[0]])
            if s.prior.family == BETA:  # of two outflows: a Dirichlet density
                parts.append((k, s.prior.a, s.prior.b, len(parts) + 1))
            else:
                node = int(network.edges.source[s.edges[0]])
                shares.append((k, *limits(s.prior), numbers.setdefault(node, len(numbers))))
        bounds: list[tuple[float, ...]] = [
            (int(network.edge_coordinate[s.edges[0]]), *limits(s.prior))
            for s in found
            if s.prior.kind == "input" and math.isfinite(limits(s.prior)[1])
        ]
        part, left, right, end = _columns(parts, 4)
        bounded, low, high = _columns(bounds, 3)
        share, lowest, highest, process = _columns(shares, 4)
        stretched = part.astype(int), left, right, end.astype(int)
        return cls(*stretched, bounded.astype(int), low, high, share.astype(int), lowest, highest, process.astype(int))

    def apply(self, z: TensorVariable) -> tuple[TensorVariable, TensorVariable]:
        """Coordinates u (coordinate) and Σ log |du/dz| (scalar) from free coordinates z (coordinate)."""
        u, log_volume = z, pt.zeros(())
        if self.part.size:
            free = z[self.part]
            below, above = _log_normal_cdf(free), _log_normal_cdf(-free)
            odds = below / self.left - above / self.right
            # Remaining stick after later parts: Σ of −log(1 − part) over the rest of the process.
            later = pt.concatenate([pt.cumsum(pt.softplus(odds)[::-1])[::-1], pt.zeros(1)])
            index = np.arange(self.part.size)
            u = pt.set_subtensor(u[self.part], odds + later[index + 1] - later[self.end])
            slope = pt.exp(-below) / self.left + pt.exp(-above) / self.right
            log_volume = log_volume + (pt.log(slope) + _log_normal_pdf(free)).sum()
        if self.bounded.size:
            free = z[self.bounded]
            log_mass = pt.log(self.low + (self.high - self.low) * pt.exp(_log_normal_cdf(free)))
            u = pt.set_subtensor(u[self.bounded], log_mass)
            log_volume = log_volume + (np.log(self.high - self.low) + _log_normal_pdf(free) - log_mass).sum()
        if self.share.size:
            free, width = z[self.share], self.highest - self.lowest
            log_share = pt.log(self.lowest + width * pt.exp(_log_normal_cdf(free)))
            left = np.maximum(1.0 - np.bincount(self.process, self.highest), 0.0)
            below_highest = width * pt.exp(_log_normal_cdf(-free))
            log_rest = pt.log(pt.inc_subtensor(pt.as_tensor(left)[self.process], below_highest))
            u = pt.set_subtensor(u[self.share], log_share - log_rest[self.process])
            log_volume = log_volume + (np.log(width) + _log_normal_pdf(free) - log_share).sum() - log_rest.sum()
        return u, log_volume

    def invert(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Free coordinates z from coordinates u (coordinate); masses on a bound or beyond it are moved inside."""
        z = np.array(u, dtype=np.float64)
        odds = z[self.part]
        for k in range(self.part.size - 1, -1, -1):
            odds[k] -= np.logaddexp(0, odds[k + 1 : self.end[k]]).sum()
        z[self.part] = _inverse_odds(odds, self.left, self.right)
        within = (np.exp(z[self.bounded]) - self.low) / (self.high - self.low)
        z[self.bounded] = ndtri(np.clip(within, EDGE, 1 - EDGE))
        odds = np.exp(u[self.share])
        shares = odds / (1.0 + np.bincount(self.process, odds)[self.process]) if odds.size else odds
        z[self.share] = ndtri(np.clip((shares - self.lowest) / (self.highest - self.lowest), EDGE, 1 - EDGE))
        return z


def _columns(rows: list[tuple[float, ...]], count: int) -> NDArray[np.float64]:
    return np.array(rows, dtype=np.float64).reshape(-1, count).T


def _log_normal_cdf(z: TensorVariable) -> TensorVariable:
    return pt.log(0.5 * pt.erfc(-z / math.sqrt(2)))


def _log_normal_pdf(z: TensorVariable) -> TensorVariable:
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)


def _inverse_odds(
    odds: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve odds = log Φ(z) / left − log Φ(−z) / right by bisection (it is monotone)."""
    lower, upper = np.full(odds.shape, -FURTHEST), np.full(odds.shape, FURTHEST)
    for _ in range(100):
        middle = (lower + upper) / 2
        above = log_ndtr(middle) / left - log_ndtr(-middle) / right > odds
        lower, upper = np.where(above, lower, middle), np.where(above, middle, upper)
    return np.asarray((lower + upper) / 2)
