"""Hamiltonian trajectories of random length, compiled: a chain runs for as many draws as wanted without Python.

A draw is a few short trajectories. Part of the momentum is kept from one to the next, the rest is drawn again (Horowitz
1991, *Physics Letters B* 268, 247): paths can be long although each trajectory is short; after a rejection the momentum
is reversed. Lengths are random to avoid periodic orbits.

`State` is the full state of a chain: one run of ten draws equals ten runs of one draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numba.core.types import WrapperAddressProtocol
from numpy.typing import NDArray

from reeuncert.compiling import kernel, source_version

Array = NDArray[np.float64]

TRAJECTORIES = 3
"""Trajectories in a draw."""
SHORTEST, LONGEST = 1.0, 2.0
"""Time of a trajectory, uniform between these; in a standard normal, π/2 leads to a point that is unlike the first."""
KEPT = 0.6
"""Fraction of the momentum kept for the next trajectory."""
MOST_STEPS, MOST_TUNING_STEPS = 256, 64
ENERGY_ERROR = 1000.0
"""A trajectory whose energy changes by more has diverged (Stan's bound)."""

LOGP, STEP, MEAN_LOG_STEP, ERROR, COUNT, TOWARDS, ENERGY = range(7)
NUMBERS = 7
"""Places in the numbers of a `State`, and how many there are."""
STATISTICS = ("lp", "energy", "energy_before", "acceptance_rate", "n_steps", "step_size", "diverging")
"""Columns of the statistics of `advance`."""

# Of dual averaging (Hoffman & Gelman 2014). With their 0.05 for the first, the log of the step goes up and down by more
# than one over a hundred trajectories; acceptance falls faster above a step than it rises below, so that the step
# settles too low: at an acceptance of 0.94 for a target of 0.9, and a third more steps.
_GAMMA, _T0, _KAPPA = 0.5, 10.0, 0.75
_VERSION = source_version(__file__)

_POINTER = types.CPointer(types.double)
# The C functions take pointers to their data; as words they are passed in the same way, and numba can keep the code.
_DENSITY = types.int64(types.uint64, _POINTER, _POINTER, _POINTER, types.uint64)
_EXPAND = types.int64(types.uint64, types.uint64, _POINTER, _POINTER, types.uint64)


class Density(WrapperAddressProtocol):
    """A C function of a point that writes gradient and log density, at an address: what nutpie calls, too."""

    of = _DENSITY

    def __init__(self, address: int) -> None:
        self.address = address

    def __wrapper_address__(self) -> int:
        return self.address

    def signature(self) -> Any:
        return self.of


class Expand(Density):
    """A C function from a point to all that is kept of a draw, at an address."""

    of = _EXPAND


@dataclass(frozen=True)
class State:
    """State of a chain.

    Place: point, gradient there, and momentum on the scale of a standard normal, shape (3, size). Numbers: log density,
    step, and the dual averaging of the step. Scale: standard deviation along each coordinate, as far as it is known,
    shape (size,).
    """

    place: Array
    numbers: Array
    scale: Array
    random: np.random.Generator

    @classmethod
    def at(cls, point: Array, random: np.random.Generator) -> State:
        """A chain at a starting point."""
        place = np.stack([point, np.zeros(point.size), random.standard_normal(point.size)])
        return cls(place, np.zeros(NUMBERS), np.ones(point.size), random)

    def tune_from(self, step: float) -> None:
        """Begin to tune the step at ``step``."""
        self.numbers[[STEP, MEAN_LOG_STEP, ERROR, COUNT, TOWARDS]] = step, np.log(step), 0.0, 0.0, np.log(step)

    def settle(self) -> None:
        """Fix the tuned step."""
        self.numbers[STEP] = np.exp(self.numbers[MEAN_LOG_STEP])


@kernel(_VERSION, nogil=True)
def evaluate(density, user, place, numbers):  # type: ignore[no-untyped-def]  # numba infers
    """Evaluate log density and gradient at the current point; False if they are not finite."""
    value = np.zeros(1)
    failed = density(np.uint64(place.shape[1]), place[0].ctypes, place[1].ctypes, value.ctypes, user)
    numbers[LOGP] = value[0]
    return failed == 0


@kernel(_VERSION, nogil=True)
def advance(density, user, place, numbers, scale, random, target, trajectories, draws, statistics):  # type: ignore[no-untyped-def]  # Numba infers the types
    """Make as many draws as ``draws`` has rows, in place.

    ``density`` is a C function with the address ``user`` of its data; ``place``, ``numbers``, ``scale`` and ``random``
    are those of a `State`. The step is tuned to the acceptance ``target``, not at all at 0. Draws (n, size) and
    statistics (n, len(STATISTICS)) are filled.
    """
    x, g, r = place[0], place[1], place[2]
    n = x.size
    value = np.zeros(1)
    there, slope, before = np.empty(n), np.empty(n), np.empty(n)
    renewed = np.sqrt(1.0 - KEPT * KEPT)
    for draw in range(draws.shape[0]):
        steps, accepted, diverged = 0, 0.0, 0.0
        for _ in range(trajectories):
            step = numbers[STEP]
            length = int((SHORTEST + (LONGEST - SHORTEST) * random.random()) / step + 0.5)
            length = max(1, min(length, MOST_STEPS if target == 0.0 else MOST_TUNING_STEPS))
            kinetic = 0.0
            for i in range(n):
                r[i] = KEPT * r[i] + renewed * random.standard_normal()
                kinetic += r[i] * r[i]
                there[i], slope[i], before[i] = x[i], g[i], r[i]
            energy = 0.5 * kinetic - numbers[LOGP]
            failed, change, push = False, np.inf, 0.5 * step
            for _ in range(length):
                for i in range(n):
                    r[i] += push * scale[i] * g[i]
                    x[i] += step * scale[i] * r[i]
                push = step
                steps += 1
                failed = density(np.uint64(n), x.ctypes, g.ctypes, value.ctypes, user) != 0
                if failed:
                    break
            if not failed:
                kinetic = 0.0
                for i in range(n):
                    r[i] += 0.5 * step * scale[i] * g[i]
                    kinetic += r[i] * r[i]
                change = 0.5 * kinetic - value[0] - energy
            if not change <= ENERGY_ERROR:  # also NaN
                diverged, change = 1.0, np.inf
            chance = np.exp(-max(change, 0.0))
            if random.random() < chance:
                numbers[LOGP] = value[0]
            else:
                for i in range(n):
                    x[i], g[i], r[i] = there[i], slope[i], -before[i]
            statistics[draw, 2] = numbers[ENERGY]
            numbers[ENERGY] = energy
            accepted += chance
            if target > 0.0:
                numbers[COUNT] += 1.0
                m = numbers[COUNT]
                numbers[ERROR] += (target - chance - numbers[ERROR]) / (m + _T0)
                log_step = numbers[TOWARDS] - np.sqrt(m) / _GAMMA * numbers[ERROR]
                numbers[MEAN_LOG_STEP] += m**-_KAPPA * (log_step - numbers[MEAN_LOG_STEP])
                numbers[STEP] = np.exp(log_step)
        draws[draw] = x
        statistics[draw, 0], statistics[draw, 1] = numbers[LOGP], numbers[ENERGY]
        statistics[draw, 3], statistics[draw, 4] = accepted / trajectories, steps
        statistics[draw, 5], statistics[draw, 6] = step, diverged


@kernel(_VERSION, nogil=True)
def expand_draws(expand, user, draws, expanded):  # type: ignore[no-untyped-def]  # numba infers
    """All that is kept of each draw, shape (n, expanded), in place; whether it could be computed."""
    for draw in range(draws.shape[0]):
        point, out = draws[draw], expanded[draw]
        if expand(np.uint64(point.size), np.uint64(out.size), point.ctypes, out.ctypes, user) != 0:
            return False
    return True
