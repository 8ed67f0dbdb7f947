"""Whitened coordinates, in which a posterior is nearly isotropic.

Tight figures pin down a few hundred combinations of flows (a sum over products, a yield times an input) and leave the
rest to the prior, so that the posterior is a needle in some directions and wide in most. NUTS with a diagonal metric
takes short steps along all of them. Two things make it round:

1. `around_mode`: the directions in which the negative Hessian at the mode is stiff (above `STIFF` times the prior),
   each scaled by the curvature there.
2. `reshaped`: what a short pilot run shows. Flows are far from the mode most of the time, and there the curvature
   along the stiff directions differs, so that the posterior is up to thirty times as wide along some of them as the
   mode says (in variance), and other directions are stiff. The mean product of the gradients at the pilot's draws is
   the mean curvature of the posterior, by partial integration (Titsias 2023, doi 10.48550/arXiv.2305.14442): its
   stiffest directions are scaled by the covariance of the draws along them.

What the pilot shows is kept in the coordinates of `around_mode`, and reused for the same model with other numbers:
mode and curvature there are cheap and recomputed, the ratio to them changes little.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from reeuncert.inference.chains import Run, chain_seed, joined, run_chains
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
SHRINKAGE = 0.05
"""Weight of the unit matrix in the covariance of a pilot's draws, of which there are not many."""
ROUND = 0.05
"""Directions whose scale is this near to one are left alone."""
NARROW, FEW_NUMBERS = 0.15, 70_000
"""As many directions are scaled as are narrower than the first, or as together hold fewer numbers than the second.
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
    along them, zero and the unit matrix where the mode and its curvature say it all; stiffness (k, k) the mean
    curvature, there the unit matrix, too.
    """

    directions: Array
    mean: Array
    covariance: Array
    stiffness: Array


def around_mode(compiled: CompiledModel, expected: int = FIRST_GUESS) -> CompiledModel:
    """Set the map of a compiled `whitened_model` to the mode and the stiff directions of its posterior.

    Chains of the same compiled code then start around the mode with a standard-normal jitter. ``expected``: about how
    many stiff directions there are; more of them are found, too, but take longer.
    """
    here = LinearMap.of(compiled)
    nothing = np.zeros((0, compiled.size))
    plain = with_map(compiled, LinearMap(here.centre, nothing, np.zeros(0)))
    with threadpool_limits(1):  # vectors this short lose more to the waking of threads than they gain
        mode = climbed(plain, np.zeros(compiled.size), MODE_STEPS)
        curvature, directions = _stiff_directions(plain, mode, expected)
    return _started(with_map(compiled, LinearMap(here.centre + mode, directions.T, 1 / np.sqrt(curvature))))


def learned_shape(compiled: CompiledModel, draws: Array) -> Shape:
    """Estimate the shape of the posterior from draws. Draws have the shape (draws, size), in the coordinates of
    `around_mode`.
    """
    slopes = np.array([compiled.log_density(draw)[1] for draw in np.ascontiguousarray(draws)])
    slopes -= slopes.mean(axis=0)
    with threadpool_limits(1):
        _, singular, stiffest = np.linalg.svd(slopes, full_matrices=False)
        found = stiffest[singular**2 / len(slopes) > STIFF]
        directions = np.linalg.qr(np.vstack([LinearMap.of(compiled).directions, found]).T)[0].T
        along, slope = draws @ directions.T, slopes @ directions.T
    covariance = np.cov(along, rowvar=False).reshape(2 * (len(directions),))
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(directions))
    return Shape(directions, along.mean(axis=0), covariance, slope.T @ slope / len(slope))


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
        back = unit + own.T @ ((1 / around.scale - 1)[:, None] * own)
        covariance, stiffness = (
            around_it @ (unit + other.T @ (found - np.eye(len(found))) @ other) @ around_it
            for around_it, found in ((mode_says, learned.covariance), (back, learned.stiffness))
        )
        narrow = int((np.linalg.eigvalsh(covariance) < NARROW**2).sum())
        worth_it = min(max(narrow, FEW_NUMBERS // compiled.size), _most_directions(compiled.size))
        axes = np.linalg.eigh(stiffness)[1][:, ::-1][:, :worth_it]
        variance, turned = np.linalg.eigh(axes.T @ covariance @ axes)
        centre = around.centre + basis @ mode_says @ (learned.mean @ other)
    scale = np.sqrt(np.clip(variance, 0.0, 1.0))
    stretched = np.abs(scale - 1) > ROUND
    directions = (basis @ axes @ turned[:, stretched]).T
    return _started(with_map(compiled, LinearMap(centre, directions, scale[stretched])))


def _started(compiled: CompiledModel) -> CompiledModel:
    return compiled.with_starts(lambda seed: np.random.default_rng(seed).standard_normal(compiled.size))


def climbed(compiled: CompiledModel, begin: Array, steps: int) -> Array:
    """A point of higher log density than that where it begins: the mode, if there are enough steps."""

    def downhill(point: Array) -> tuple[float, Array]:
        value, gradient = compiled.log_density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(point))

    found = minimize(downhill, begin, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 20})
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


CHAINS, TUNE, DRAWS = 4, 100, 60
"""Of a pilot run. More draws know the width of curved ridges better; the map then makes these as wide as the rest, and
chains move along them more slowly (measured with 60, 125 and 250 draws on the bundled case)."""
STREAM = 0x9170
"""Separates the seeds of a pilot's chains from those of the main chains."""


def pilot(sampler: type[Run], compiled: CompiledModel, settings: Settings, messages: Messages) -> Shape:
    """Estimate the shape of a posterior from a short run of a model `around_mode`; deterministic for a given seed."""
    if not len(LinearMap.of(compiled).directions):
        return learned_shape(compiled, np.zeros((2, compiled.size)))
    seed = chain_seed(settings.seed, STREAM)
    short = replace(settings, chains=CHAINS, tune=TUNE, draws=DRAWS, thin=1, seed=seed)
    messages.say("Learning the shape of the posterior from a pilot run …")
    chain = joined(run_chains(sampler, replace(compiled, unfold=None), short, replace(messages, bar=False)))
    # A chain that was cut off while it tuned is not there at all.
    if not chain.complete or chain.posterior.sizes["chain"] < CHAINS:
        raise KeyboardInterrupt("interrupted during the pilot run: there are no draws to keep")
    draws = chain.posterior[WHITENED].values
    return learned_shape(compiled, draws.reshape(-1, compiled.size))
