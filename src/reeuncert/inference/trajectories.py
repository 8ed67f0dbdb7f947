"""Hamiltonian trajectories of random length, compiled: chains run for as many draws as wanted without Python.

A draw is a few short trajectories. Part of the momentum is kept from one to the next, the rest is drawn again (Horowitz
1991, *Physics Letters B* 268, 247): paths can be long although each trajectory is short; after a rejection the momentum
is reversed. Lengths are random to avoid periodic orbits.

Up to `LANES` chains run side by side: their points are evaluated together, each at some place of a trajectory of its
own. Nothing that a chain does depends on the others. `State` is all that there is of them: one long run equals many
short ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import kernel, source_version
from reeuncert.lanes.instructions import LANES
from reeuncert.lanes.numbers import LANE_FILES, load, store

Array = NDArray[np.float64]

TRAJECTORIES = 3
"""Trajectories in a draw."""
SHORTEST, LONGEST = 1.0, 2.0
"""Time of a trajectory, uniform between these; in a standard normal, π/2 leads to a point that is unlike the first."""
KEPT = 0.75
"""Fraction of the momentum kept for the next trajectory."""
MOST_STEPS, MOST_TUNING_STEPS = 256, 64
ENERGY_ERROR = 1000.0
"""A trajectory whose energy changes by more has diverged (Stan's bound)."""

LOGP, STEP, MEAN_LOG_STEP, ERROR, COUNT, TOWARDS, ENERGY, BEFORE = range(8)
"""Places in the numbers of a chain: log density, step and the tuning of it, energies of the last two trajectories."""
TARGET, TRAJECTORIES_WANTED, WANTED, MADE = range(8, 12)
"""What to do: acceptance to tune the step to (0: none), trajectories in a draw, draws, and how many are made."""
LEFT, BEGUN_AT, FIRST, TRAJECTORIES_MADE, STEPS, ACCEPTED, DIVERGED = range(12, 19)
"""Where the chain is: steps left in its trajectory, the energy that it began with, whether its first step is to come;
and what is known of the draw so far.
"""
NUMBERS = 19
STATISTICS = ("lp", "energy", "energy_before", "acceptance_rate", "n_steps", "step_size", "diverging")
"""Columns of the statistics of `advance`."""

# Of dual averaging (Hoffman & Gelman 2014). With their 0.05 for the first, the log of the step goes up and down by more
# than one over a hundred trajectories; acceptance falls faster above a step than it rises below, so that the step
# settles too low: at an acceptance of 0.94 for a target of 0.9, and a third more steps.
_GAMMA, _T0, _KAPPA = 0.5, 10.0, 0.75
_VERSION = source_version(__file__, *LANE_FILES)


@dataclass(frozen=True)
class State:
    """State of up to `LANES` chains.

    Place: point, gradient there, momentum on the scale of a standard normal, and these three where the trajectory
    began, shape (6, size, LANES). Numbers of each chain, shape (LANES, NUMBERS). Scale: standard deviation along each
    coordinate, as far as it is known, shape (size, LANES). One generator of random numbers each.
    """

    place: Array
    numbers: Array
    scale: Array
    random: tuple[np.random.Generator, ...]

    @classmethod
    def of(cls, size: int, random: tuple[np.random.Generator, ...]) -> State:
        """Chains that have nothing to do yet; fewer generators than `LANES` are fewer chains."""
        spare = tuple(np.random.default_rng(0) for _ in range(LANES - len(random)))
        shape = size, LANES
        return cls(np.zeros((6, *shape)), np.zeros((LANES, NUMBERS)), np.ones(shape), random + spare)

    def start(self, chain: int, point: Array, gradient: Array, logp: float, step: float) -> None:
        """Put a chain at a starting point."""
        self.place[0, :, chain], self.place[1, :, chain] = point, gradient
        self.place[2, :, chain] = self.random[chain].standard_normal(point.size)
        self.numbers[chain, [LOGP, STEP]] = logp, step

    def want(self, chain: int, draws: int, trajectories: int, target: float) -> None:
        """Ask a chain for draws; with a ``target``, its step is tuned afresh meanwhile."""
        own = self.numbers[chain]
        own[[TARGET, TRAJECTORIES_WANTED, WANTED, MADE]] = target, trajectories, draws, 0
        own[[TRAJECTORIES_MADE, STEPS, ACCEPTED, DIVERGED]] = 0.0
        own[[MEAN_LOG_STEP, ERROR, COUNT, TOWARDS]] = np.log(own[STEP]), 0.0, 0.0, np.log(own[STEP])

    def settle(self, chain: int) -> None:
        """Fix the tuned step."""
        self.numbers[chain, STEP] = np.exp(self.numbers[chain, MEAN_LOG_STEP])


@kernel(_VERSION, nogil=True)
def evaluate(density, user, point, gradient):  # type: ignore[no-untyped-def]  # numba infers
    """Log density at a point, whose gradient is written; NaN where it cannot be computed. ``density`` is a C function
    (`reeuncert.inference.nutpie_model.Callback`), ``user`` the address of its data.
    """
    value = np.zeros(1)
    failed = density(np.uint64(point.size), point.ctypes, gradient.ctypes, value.ctypes, user)
    return value[0] if failed == 0 else np.nan


@kernel(_VERSION)
def _evaluate_lanes(density, user, four, x, g, value, active, one):  # type: ignore[no-untyped-def]  # numba infers
    """Log densities and gradients of the points of all chains; NaN where they cannot be computed."""
    if four:
        if density(np.uint64(x.shape[0]), x.ctypes, g.ctypes, value.ctypes, user) != 0:
            value[:] = np.nan
        return
    for k in range(LANES):
        if active[k]:
            one[0] = x[:, k]
            own = value[k : k + 1]
            if density(np.uint64(x.shape[0]), one[0].ctypes, one[1].ctypes, own.ctypes, user) != 0:
                own[0] = np.nan
            g[:, k] = one[1]


@kernel(_VERSION)
def _begin(k, place, own, random):  # type: ignore[no-untyped-def]  # numba infers
    """Begin a trajectory of chain k: draw its length, and the momentum in part."""
    x, g, r, there, slope, before = place
    step, kinetic, renewed = own[STEP], 0.0, np.sqrt(1.0 - KEPT * KEPT)
    length = int((SHORTEST + (LONGEST - SHORTEST) * random.random()) / step + 0.5)
    own[LEFT] = max(1, min(length, MOST_STEPS if own[TARGET] == 0.0 else MOST_TUNING_STEPS))
    own[FIRST] = 1.0
    for i in range(x.shape[0]):
        r[i, k] = KEPT * r[i, k] + renewed * random.standard_normal()
        kinetic += r[i, k] * r[i, k]
        there[i, k], slope[i, k], before[i, k] = x[i, k], g[i, k], r[i, k]
    own[BEGUN_AT] = 0.5 * kinetic - own[LOGP]


@kernel(_VERSION)
def _end(k, place, own, scale, random, logp, points, statistics):  # type: ignore[no-untyped-def]  # numba infers
    """End a trajectory of chain k, at a log density that is not finite if it failed."""
    x, g, r, there, slope, before = place
    step, change = own[STEP], np.inf
    if np.isfinite(logp):
        kinetic = 0.0
        for i in range(x.shape[0]):
            r[i, k] += 0.5 * step * scale[i, k] * g[i, k]
            kinetic += r[i, k] * r[i, k]
        change = 0.5 * kinetic - logp - own[BEGUN_AT]
    if not change <= ENERGY_ERROR:  # also NaN
        own[DIVERGED], change = 1.0, np.inf
    chance = np.exp(-max(change, 0.0))
    if random.random() < chance:
        own[LOGP] = logp
    else:
        for i in range(x.shape[0]):
            x[i, k], g[i, k], r[i, k] = there[i, k], slope[i, k], -before[i, k]
    own[BEFORE], own[ENERGY] = own[ENERGY], own[BEGUN_AT]
    own[ACCEPTED] += chance
    own[LEFT] = 0.0
    if own[TARGET] > 0.0:
        own[COUNT] += 1.0
        m = own[COUNT]
        own[ERROR] += (own[TARGET] - chance - own[ERROR]) / (m + _T0)
        log_step = own[TOWARDS] - np.sqrt(m) / _GAMMA * own[ERROR]
        own[MEAN_LOG_STEP] += m**-_KAPPA * (log_step - own[MEAN_LOG_STEP])
        own[STEP] = np.exp(log_step)
    own[TRAJECTORIES_MADE] += 1.0
    if own[TRAJECTORIES_MADE] == own[TRAJECTORIES_WANTED]:
        draw = int(own[MADE])
        for i in range(x.shape[0]):
            points[draw, i] = x[i, k]
        told = statistics[draw]
        told[0], told[1], told[2] = own[LOGP], own[ENERGY], own[BEFORE]
        told[3], told[4] = own[ACCEPTED] / own[TRAJECTORIES_MADE], own[STEPS]
        told[5], told[6] = step, own[DIVERGED]
        own[MADE] += 1.0
        own[TRAJECTORIES_MADE] = own[STEPS] = own[ACCEPTED] = own[DIVERGED] = 0.0


@kernel(_VERSION, nogil=True)
def advance(density, user, four, place, numbers, scale, random, evaluations, points, statistics):  # type: ignore[no-untyped-def]  # numba infers
    """Run chains, in place, until one has all the draws it wants, or for a number of evaluations; how many were made.

    ``density`` is a C function with the address ``user`` of its data, of ``four`` points or of one; the next four are
    those of a `State`. Points (LANES, n, size) and statistics (LANES, n, len(STATISTICS)) are filled.
    """
    x, g, r = place[0], place[1], place[2]
    value, one, active = np.zeros(LANES), np.zeros((2, x.shape[0])), np.zeros(LANES, np.bool_)
    push, step = np.zeros((1, LANES)), np.zeros((1, LANES))
    for used in range(evaluations):
        for k in range(LANES):
            own = numbers[k]
            active[k] = own[MADE] < own[WANTED]
            if active[k] and own[LEFT] == 0.0:
                _begin(k, place, own, random[k])
            step[0, k] = own[STEP] if active[k] else 0.0
            push[0, k] = step[0, k] * (0.5 if own[FIRST] == 1.0 else 1.0)
            own[FIRST] = 0.0
        pushed, moved = load(push, 0), load(step, 0)
        for i in range(x.shape[0]):
            wide = load(scale, i)
            momentum = load(r, i) + pushed * wide * load(g, i)
            store(r, i, momentum)
            store(x, i, load(x, i) + moved * wide * momentum)
        _evaluate_lanes(density, user, four, x, g, value, active, one)
        finished = False
        for k in range(LANES):
            own = numbers[k]
            if active[k]:
                own[LEFT] -= 1.0
                own[STEPS] += 1.0
                if own[LEFT] == 0.0 or not np.isfinite(value[k]):
                    _end(k, place, own, scale, random[k], value[k], points[k], statistics[k])
                    finished |= own[MADE] == own[WANTED]
        if finished:
            return used + 1
    return evaluations


@kernel(_VERSION, nogil=True)
def expand_draws(expand, user, draws, expanded):  # type: ignore[no-untyped-def]  # numba infers
    """All that is kept of each draw, shape (n, expanded), in place; whether it could be computed."""
    for draw in range(draws.shape[0]):
        point, out = draws[draw], expanded[draw]
        if expand(np.uint64(point.size), np.uint64(out.size), point.ctypes, out.ctypes, user) != 0:
            return False
    return True
