"""Chains of Hamiltonian Monte Carlo with trajectories of random length (`reeuncert.inference.trajectories`).

A chain runs in its own thread. It tunes the step size, estimates the posterior scale of every coordinate, tunes the
step size again, and then draws; all is determined by its seed. A tuning step is one trajectory.
"""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from reeuncert.errors import SamplingError
from reeuncert.inference.chains import Chain, chain_seed, kept_variables
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.settings import Settings
from reeuncert.inference.trajectories import (
    STATISTICS,
    STEP,
    TRAJECTORIES,
    Density,
    Expand,
    State,
    advance,
    evaluate,
    expand_draws,
)

Array = NDArray[np.float64]

FIRST_STEP = 0.1
FIRST, SECOND = 0.3, 0.7
"""Parts of the tuning after which the scale begins to be learned, and after which it is settled."""
PRIOR_DRAWS = 50
"""How many draws' worth of trust each coordinate has in being as wide as its map says."""
STARTS = 10
PAUSE = 0.1
"""Seconds between two polls for an interrupt."""
_TYPES = {"n_steps": "int64", "diverging": "bool"}


class HamiltonianRun:
    """One chain, running in a thread.

    ``tell`` is called with the number of draws so far, including tuning, and of divergences after tuning;
    ``keep_whitened`` also keeps the coordinates that the sampler moves in.
    """

    def __init__(
        self,
        compiled: CompiledModel,
        settings: Settings,
        number: int,
        tell: Callable[[int, int], None] | None,
        keep_whitened: bool,
    ) -> None:
        self._compiled, self._settings, self._seed = compiled, settings, chain_seed(settings.seed, number)
        self._tell, self._keep_whitened = tell, keep_whitened
        self._density = Density(compiled.compiled.compiled_logp_func.address)
        self._user = np.uint64(compiled.compiled.user_data.ctypes.data)
        self._stop = threading.Event()
        self._finished = self._divergences = 0
        self._each = 1  # draws between two looks at the clock
        with_thread = ThreadPoolExecutor(1, thread_name_prefix=f"chain-{number}")
        self._chain = with_thread.submit(self._sampled)
        with_thread.shutdown(wait=False)

    def wait(self, timeout: float) -> Chain:
        """The chain, when it has come to its end; TimeoutError if it has not by then."""
        return self._chain.result(timeout)

    def abort(self) -> Chain:
        """Stop, and what was drawn until then."""
        self._stop.set()
        return self._chain.result()

    def cancel(self) -> None:
        """Stop, whatever was drawn."""
        self._stop.set()

    def _sampled(self) -> Chain:
        settings = self._settings
        state = self._begun()
        turns = [0, *(round(part * settings.tune) for part in (FIRST, SECOND)), settings.tune]
        for begin, end in itertools.pairwise(turns):
            state.tune_from(state.numbers[STEP])
            points, _ = self._advance(state, end - begin, settings.target_accept, 1)
            if begin == turns[1]:
                state.scale[:] = _widths(points)
            state.settle()
        points, statistics = self._advance(state, settings.draws, 0.0, TRAJECTORIES * settings.thin)
        return self._stored(points, statistics)

    def _begun(self) -> State:
        random = np.random.Generator(np.random.PCG64(self._seed))
        for _ in range(STARTS):
            start = self._compiled.compiled.initial_point_func(int(random.integers(2**62)))
            state = State.at(np.asarray(start, dtype=float), random)
            if evaluate(self._density, self._user, state.place, state.numbers):
                state.numbers[STEP] = FIRST_STEP
                return state
        raise SamplingError(f"the log density of this model is not finite at any of {STARTS} starting points")

    def _advance(self, state: State, count: int, target: float, trajectories: int) -> tuple[Array, Array]:
        """Draws and statistics; fewer than ``count`` after an interrupt."""
        made, points, statistics = 0, [], []
        while made < count and not self._stop.is_set():
            n, clock = min(self._each, count - made), time.perf_counter()
            points.append(np.empty((n, self._compiled.size)))
            statistics.append(np.empty((n, len(STATISTICS))))
            advance(
                *(self._density, self._user, state.place, state.numbers, state.scale, state.random),
                *(target, trajectories, points[-1], statistics[-1]),
            )
            made += n
            pace = (time.perf_counter() - clock) / n
            self._each = max(1, min(2 * self._each, int(PAUSE / max(pace, 1e-9))))
            self._finished += n * max(1, trajectories // TRAJECTORIES)
            if target == 0.0:
                self._divergences += int(statistics[-1][:, STATISTICS.index("diverging")].sum())
            if self._tell is not None:
                self._tell(self._finished, self._divergences)
        if not made:
            return np.empty((0, self._compiled.size)), np.empty((0, len(STATISTICS)))
        return np.concatenate(points), np.concatenate(statistics)

    def _stored(self, points: Array, statistics: Array) -> Chain:
        theirs, draws = self._compiled.compiled, len(points)
        if not draws:
            return Chain(xr.Dataset(), xr.Dataset(), complete=False)
        expanded = np.empty((draws, theirs.n_expanded))
        if not expand_draws(Expand(theirs.compiled_expand_func.address), self._user, points, expanded):
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
        kept = kept_variables(self._compiled, posterior, self._keep_whitened)
        return Chain(kept, stats, draws == self._settings.draws)


def _widths(points: Array) -> Array:
    """Standard deviation of every coordinate, shrunk towards one for few draws."""
    n = len(points)
    if n < 2:
        return np.ones(points.shape[1])
    variance = (n * points.var(axis=0) + PRIOR_DRAWS) / (n + PRIOR_DRAWS)
    return np.asarray(np.sqrt(variance))
