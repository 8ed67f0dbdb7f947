"""Chains of Hamiltonian Monte Carlo with trajectories of random length (`reeuncert.inference.trajectories`).

A chain tunes the step size, estimates the posterior scale of every coordinate, tunes the step size again, and then
draws; all is determined by its seed. A tuning step is one trajectory. Where the model has a density of `LANES` points
at a time, as many chains run side by side in one thread.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from reeuncert.errors import SamplingError
from reeuncert.inference.chains import Chain, Run, chain_seed
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.settings import Settings
from reeuncert.inference.trajectories import (
    MADE,
    STATISTICS,
    TRAJECTORIES,
    WANTED,
    State,
    advance,
    evaluate,
    expand_draws,
)
from reeuncert.inference.whitening import is_whitened
from reeuncert.lanes.instructions import LANES

Array = NDArray[np.float64]

FIRST_STEP = 0.1
FIRST, SECOND = 0.3, 0.7
"""Parts of the tuning after which the scale begins to be learned, and after which it is settled."""
STEP, TINY = 1e-5, 1e-9
"""Of a difference quotient; the least standard deviation."""
TRUST = 2 / 3
"""Weight of draws beside gradients in the scale of coordinates that are not whitened. With 1/2, aluminium (Wang et al.
2024) has half as many effective draws per CPU second; with 1, steel (Lupton & Allwood 2018) has divergences.
"""
PRIOR_DRAWS = 50
"""How many draws' worth of trust each coordinate has in being as wide as its map says."""
STARTS = 10
PAUSE = 0.1
"""Seconds between two polls for an interrupt."""
_TYPES = {"n_steps": "int64", "diverging": "bool"}
_DIVERGING = STATISTICS.index("diverging")


class HamiltonianRun(Run):
    """Chains that run side by side, in a thread."""

    def __init__(
        self,
        compiled: CompiledModel,
        settings: Settings,
        chains: Sequence[int],
        tell: Callable[[int, int, int], None],
    ) -> None:
        self._compiled, self._settings, self._numbers, self._tell = compiled, settings, tuple(chains), tell
        self._density, self._user = compiled.compiled.compiled_logp_func, compiled.user
        self._stop = threading.Event()
        turns = [0, *(round(part * settings.tune) for part in (FIRST, SECOND)), settings.tune]
        self._phases = [*(end - begin for begin, end in itertools.pairwise(turns)), settings.draws]
        with_thread = ThreadPoolExecutor(1, thread_name_prefix=f"chains-{self._numbers[0]}")
        self._chains = with_thread.submit(self._sampled)
        with_thread.shutdown(wait=False)

    @staticmethod
    def at_once(compiled: CompiledModel) -> int:
        return 1 if compiled.four is None else LANES

    def wait(self, timeout: float) -> dict[int, Chain]:
        return self._chains.result(timeout)

    def abort(self) -> dict[int, Chain]:
        self._stop.set()
        return self._chains.result()

    def cancel(self) -> None:
        self._stop.set()

    def _sampled(self) -> dict[int, Chain]:
        settings, four, numbers = self._settings, self._compiled.four, self._numbers
        density = self._density if four is None else four
        state = self._begun()
        shape = LANES, max(self._phases)
        points = np.empty((*shape, self._compiled.size))
        statistics = np.empty((*shape, len(STATISTICS)))
        phase = [-1] * len(numbers)
        evaluations = 1
        while True:
            for k in range(len(numbers)):
                while phase[k] < len(self._phases) and state.numbers[k, MADE] == state.numbers[k, WANTED]:
                    phase[k] += 1
                    self._begin_phase(state, k, phase[k], points[k])
            if self._stop.is_set() or all(own == len(self._phases) for own in phase):
                break
            clock = time.perf_counter()
            used = advance(
                *(density, self._user, four is not None, state.place, state.numbers, state.scale, state.random),
                *(evaluations, points, statistics),
            )
            pace = (time.perf_counter() - clock) / used
            evaluations = max(1, min(2 * evaluations, int(PAUSE / max(pace, 1e-9))))
            self._told(state, phase, statistics)
        made = [
            settings.draws if own == len(self._phases) else int(state.numbers[k, MADE]) * (own == len(self._phases) - 1)
            for k, own in enumerate(phase)
        ]
        return {n: self._stored(points[k, : made[k]], statistics[k, : made[k]]) for k, n in enumerate(numbers)}

    def _begin_phase(self, state: State, k: int, phase: int, points: Array) -> None:
        """End a phase of a chain, and begin the one with this number, or none after the last."""
        drawing = len(self._phases) - 1
        made = points[: int(state.numbers[k, MADE])]
        if not is_whitened(self._compiled) and phase in (1, 2):
            state.scale[:, k] *= _fitting_widths(made, self._slopes(made), state.scale[:, k])
        elif phase == 2:
            state.scale[:, k] = _widths(made)
        if 0 < phase <= drawing:
            state.settle(k)
        if phase < drawing:
            state.want(k, self._phases[phase], 1, self._settings.target_accept)
        elif phase == drawing:
            state.want(k, self._phases[phase], TRAJECTORIES * self._settings.thin, 0.0)

    def _told(self, state: State, phase: Sequence[int], statistics: Array) -> None:
        """Tell how far the chains are."""
        drawing = len(self._phases) - 1
        for k, number in enumerate(self._numbers):
            made = int(state.numbers[k, MADE])
            tuned, drawn = sum(self._phases[: min(phase[k], drawing)]), made if phase[k] >= drawing else 0
            divergences = int(statistics[k, :drawn, _DIVERGING].sum())
            self._tell(number, tuned + (drawn * self._settings.thin or made), divergences)

    def _begun(self) -> State:
        seeds = [chain_seed(self._settings.seed, number) for number in self._numbers]
        state = State.of(self._compiled.size, tuple(np.random.Generator(np.random.PCG64(seed)) for seed in seeds))
        for k in range(len(seeds)):
            for _ in range(STARTS):
                seed = int(state.random[k].integers(2**62))
                point = np.ascontiguousarray(self._compiled.compiled.initial_point_func(seed), dtype=float)
                gradient = np.empty(point.size)
                logp = evaluate(self._density, self._user, point, gradient)
                if np.isfinite(logp):
                    state.start(k, point, gradient, logp, FIRST_STEP)
                    if not is_whitened(self._compiled):
                        state.scale[:, k] = _curvature_widths(self._slopes, point)
                    break
            else:
                raise SamplingError(f"the log density of this model is not finite at any of {STARTS} starting points")
        return state

    def _slopes(self, points: Array) -> Array:
        """Gradients of the log density at some points, both of shape (n, size)."""
        slopes = np.zeros(points.shape)
        for point, slope in zip(np.ascontiguousarray(points), slopes, strict=True):
            evaluate(self._density, self._user, point, slope)
        return slopes

    def _stored(self, points: Array, statistics: Array) -> Chain:
        theirs, draws = self._compiled.compiled, len(points)
        if not draws:
            return Chain(xr.Dataset(), xr.Dataset(), complete=False)
        expanded = np.empty((draws, theirs.n_expanded))
        if not expand_draws(theirs.compiled_expand_func, self._user, points, expanded):
            raise SamplingError("the stored values of a draw cannot be computed")
        coords = {"chain": [0], "draw": np.arange(draws)}
        variables = {}
        for name, place, shape in zip(*theirs.shape_info, strict=True):
            if name in theirs.reparameterized_names:
                continue  # the same draws on the scale that the sampler moves in
            dims = theirs.dims.get(name) or [f"{name}_dim_{i}" for i in range(len(shape))]
            values = np.ascontiguousarray(expanded[:, place]).reshape(1, draws, *shape)
            variables[name] = (("chain", "draw", *dims), values)
            sizes = zip(dims, shape, strict=True)
            coords |= {d: theirs.coords[d] if d in theirs.coords else np.arange(n) for d, n in sizes}
        posterior = xr.Dataset(variables, coords=coords)
        columns = {
            name: (("chain", "draw"), column[None].astype(_TYPES.get(name, "float64")))
            for name, column in zip(STATISTICS, statistics.T, strict=True)
        }
        stats = xr.Dataset(columns, coords={"chain": [0], "draw": np.arange(draws)})
        return Chain(self._compiled.unfolded(posterior), stats, draws == self._settings.draws)


def _curvature_widths(slopes: Callable[[Array], Array], point: Array) -> Array:
    """Standard deviation of every coordinate if the others stay where they are, from the curvature at a point; at most
    one.
    """
    curvature, sides = np.empty(point.size), STEP * np.array([[-1.0], [1.0]])
    for i in range(point.size):
        below, above = slopes(point + sides * (np.arange(point.size) == i))[:, i]
        curvature[i] = (below - above) / (2 * STEP)
    return np.asarray(1 / np.sqrt(np.maximum(np.nan_to_num(curvature), 1.0)))


def _fitting_widths(points: Array, slopes: Array, scale: Array) -> Array:
    """Factors by which to change the scale of every coordinate, from draws and the gradients there (n, size).

    A weighted geometric mean of the spread of the draws and the inverse spread of the gradients; with equal weights it
    is the scale of nutpie. Gradients keep steps short in coordinates that are wide, but steep in places (shares close
    to zero); draws keep trajectories long.
    """
    n = len(points)
    if n < 2:
        return np.ones(points.shape[1])
    spread, steepness = (np.maximum(x.std(axis=0), TINY) for x in (points / scale, slopes * scale))
    # Of a smooth density their product is at least one; between hard edges gradients may tell nothing.
    steepness = np.maximum(steepness, 1 / spread)
    return np.asarray((spread**TRUST / steepness ** (1 - TRUST)) ** (n / (n + PRIOR_DRAWS)))


def _widths(points: Array) -> Array:
    """Standard deviation of every coordinate, shrunk towards one for few draws."""
    n = len(points)
    if n < 2:
        return np.ones(points.shape[1])
    variance = (n * points.var(axis=0) + PRIOR_DRAWS) / (n + PRIOR_DRAWS)
    return np.asarray(np.sqrt(variance))
