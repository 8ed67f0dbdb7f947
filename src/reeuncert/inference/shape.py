"""Whitened coordinates, in which a posterior is nearly isotropic.

Tight figures pin down a few hundred combinations of flows (a sum over products, a yield times an input) and leave the
rest to the prior, so that the posterior is a needle in some directions and wide in most. NUTS with a diagonal metric
takes short steps along all of them. Two things make it round:

1. `around_mode`: the directions in which the negative Hessian at the mode is stiff (above `STIFF` times the prior),
   each scaled by the curvature there.
2. `reshaped`: what a short pilot run shows. Flows are far from the mode most of the time, and there the curvature
   along the stiff directions differs, so that the posterior is up to thirty times as wide along some of them as the
   mode says (in variance; the other directions are round to a few per cent). The covariance of the pilot's draws in
   the span of these directions sets this right.

The pilot's ratio of the covariance to that at the mode is reused for the same model with other numbers: mode and
curvature are cheap and recomputed, the ratio changes little.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from reeuncert.inference.chains import Begin, joined, run_chains
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import Settings
from reeuncert.inference.stretching import WHITENED
from reeuncert.inference.whitening import LinearMap, with_map

Array = NDArray[np.float64]

STIFF = 16.0
"""Directions whose curvature exceeds that of the prior by more than this factor are scaled."""
FIRST_GUESS = 256
STEP = 1e-4
MODE_STEPS = 400
SHRINKAGE = 0.1
"""Weight of the unit matrix in the covariance of a pilot's draws, of which there are not many."""
ROUND = 0.05
"""Directions whose scale is this near to one are left alone."""
NARROW, FEW_NUMBERS = 0.15, 70_000
"""Directions narrower than the first are always scaled, others while all together hold fewer numbers than the second.
In large systems the step is bounded by curvature that no linear map removes; the map of the wider directions then costs
more than it saves.
"""
MOST_NUMBERS = 400_000
"""Numbers that all directions may have together: the map is applied at every gradient, and grows with both its number
of directions and their length. Where tight figures pin down more directions, the stiffest are scaled."""


@dataclass(frozen=True)
class Shape:
    """Shape of a posterior in the coordinates of `around_mode`, estimated from draws.

    Directions are the stiff ones, orthonormal, in rows (k, size); mean (k,) and covariance (k, k) those of the draws
    along them, zero and the unit matrix where the mode and its curvature say it all.
    """

    directions: Array
    mean: Array
    covariance: Array


def around_mode(compiled: CompiledModel, expected: int = FIRST_GUESS) -> CompiledModel:
    """Set the map of a compiled `whitened_model` to the mode and the stiff directions of its posterior.

    Chains of the same compiled code then start around the mode with a standard-normal jitter. ``expected``: about how
    many stiff directions there are; more of them are found, too, but take longer.
    """
    here = LinearMap.of(compiled)
    nothing = np.zeros((0, compiled.size))
    plain = with_map(compiled, LinearMap(here.centre, nothing, np.zeros(0)))
    with threadpool_limits(1):  # vectors this short lose more to the waking of threads than they gain
        mode = _mode(plain)
        curvature, directions = _stiff_directions(plain, mode, expected)
    return _started(with_map(compiled, LinearMap(here.centre + mode, directions.T, 1 / np.sqrt(curvature))))


def learned_shape(compiled: CompiledModel, draws: Array) -> Shape:
    """Estimate the shape of the posterior from draws. Draws have the shape (draws, size), in the coordinates of
    `around_mode`.
    """
    directions = LinearMap.of(compiled).directions
    along = draws @ directions.T
    covariance = np.cov(along, rowvar=False).reshape(2 * (len(directions),))
    return Shape(directions, along.mean(axis=0), (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(directions)))


def reshaped(compiled: CompiledModel, learned: Shape) -> CompiledModel:
    """The map of `around_mode`, set right by what draws of this model, or of one with other numbers, have shown.

    Nothing is made wider than the prior.
    """
    around = LinearMap.of(compiled)
    with threadpool_limits(1):
        basis, _ = np.linalg.qr(np.vstack([around.directions, learned.directions]).T)
        own, other = around.directions @ basis, learned.directions @ basis
        unit = np.eye(basis.shape[1])
        mode_says = unit + own.T @ ((around.scale - 1)[:, None] * own)
        ratio = unit + other.T @ (learned.covariance - np.eye(len(learned.covariance))) @ other
        variance, axes = np.linalg.eigh(mode_says @ ratio @ mode_says)
        centre = around.centre + basis @ mode_says @ (learned.mean @ other)
    scale = np.sqrt(np.clip(variance, 0.0, 1.0))
    worth_it = max(int((scale < NARROW).sum()), FEW_NUMBERS // compiled.size)
    stretched = np.argsort(scale)[: min(worth_it, _most_directions(compiled.size))]
    stretched = stretched[np.abs(scale[stretched] - 1) > ROUND]
    directions = (basis @ axes[:, stretched]).T
    return _started(with_map(compiled, LinearMap(centre, directions, scale[stretched])))


def _started(compiled: CompiledModel) -> CompiledModel:
    return compiled.with_starts(lambda seed: np.random.default_rng(seed).standard_normal(compiled.size))


def _mode(compiled: CompiledModel) -> Array:
    def downhill(point: Array) -> tuple[float, Array]:
        value, gradient = compiled.log_density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(point))

    found = minimize(
        downhill, np.zeros(compiled.size), jac=True, method="L-BFGS-B", options={"maxiter": MODE_STEPS, "maxcor": 20}
    )
    return np.asarray(found.x, dtype=float)


def _stiff_directions(compiled: CompiledModel, mode: Array, expected: int) -> tuple[Array, Array]:
    """Eigenvalues above `STIFF` of the negative Hessian at a point, and their eigenvectors in columns: the largest."""

    def curvature_along(direction: Array) -> Array:
        step = STEP * np.ravel(direction)
        return (compiled.log_density(mode - step)[1] - compiled.log_density(mode + step)[1]) / (2 * STEP)

    size = mode.size
    most = min(_most_directions(size), size - 1)
    wanted = min(expected, most)
    if size <= 2 * FIRST_GUESS:  # small enough to look at every direction
        hessian = np.array([curvature_along(row) for row in np.eye(size)])
        values, vectors = (part[..., -most:] for part in np.linalg.eigh((hessian + hessian.T) / 2))
        return values[values > STIFF], vectors[:, values > STIFF]
    operator = LinearOperator((size, size), matvec=curvature_along, dtype=float)
    start = np.random.default_rng(0).standard_normal(size)
    while True:
        values, vectors = eigsh(operator, k=wanted, which="LA", v0=start, tol=1e-4)
        if values.min() <= STIFF or wanted == most:
            return values[values > STIFF], vectors[:, values > STIFF]
        wanted = min(2 * wanted, most)


def _most_directions(size: int) -> int:
    return max(1, MOST_NUMBERS // size)


CHAINS, TUNE, PART, LEAST_DRAWS, MOST_DRAWS = 4, 150, 0.25, 125, 500
"""Of a pilot run: its draws are this part of those of the run, between the least and the most."""
STREAM = 0x9170
"""Separates the seeds of a pilot's chains from those of the main chains."""


def pilot(begin: Begin, compiled: CompiledModel, settings: Settings, messages: Messages) -> Shape:
    """Estimate the shape of a posterior from a short run of a model `around_mode`; deterministic for a given seed."""
    if not len(LinearMap.of(compiled).directions):
        return learned_shape(compiled, np.zeros((2, compiled.size)))
    short = replace(
        settings,
        chains=CHAINS,
        tune=TUNE,
        draws=int(np.clip(PART * settings.draws, LEAST_DRAWS, MOST_DRAWS)),
        thin=1,
        seed=int(np.random.SeedSequence(settings.seed, spawn_key=(STREAM,)).generate_state(1, np.uint64)[0] >> 1),
    )
    messages.say("Learning the shape of the posterior from a pilot run …")
    chain = joined(run_chains(begin, compiled, short, replace(messages, bar=False), keep_whitened=True))
    # A chain that was cut off while it tuned is not there at all.
    if not chain.complete or chain.posterior.sizes["chain"] < CHAINS:
        raise KeyboardInterrupt("interrupted during the pilot run: there are no draws to keep")
    draws = chain.posterior[WHITENED].values
    return learned_shape(compiled, draws.reshape(-1, compiled.size))
