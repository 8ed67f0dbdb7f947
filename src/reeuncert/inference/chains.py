"""Independent chains, each with its own seed, several at a time, and several side by side in one run.

A chain depends only on the compiled model, the settings and its own seed, not on other chains or the number of cores:
run alone it gives bit-identical draws (same machine, versions and model). So a killed run can continue with the
missing chains.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Protocol

import numpy as np
import xarray as xr

from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import Settings
from reeuncert.inference.stretching import WHITENED


class Interrupts:
    """A context in which the first Ctrl-C only sets a flag.

    The second has its usual effect, and so has the first outside the main thread or with another handler.

    Examples
    --------
    >>> with Interrupts() as interrupts:
    ...     interrupts.asked
    False
    """

    def __init__(self) -> None:
        self.asked = False
        self._held = False

    def __enter__(self) -> Interrupts:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._remember)
            self._held = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        if self._held:
            self._held = False
            signal.signal(signal.SIGINT, signal.default_int_handler)


NOTHING_YET = "interrupted while the chains were still tuning: there are no draws to keep"
POLL = 0.02
"""Seconds to wait for a chain before polling the next."""


@dataclass(frozen=True)
class Chain:
    """Draws of one chain (dims chain of size 1, draw, …), thinned, and whether it is complete."""

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    complete: bool = True

    @property
    def draws(self) -> int:
        return int(self.posterior.sizes.get("draw", 0))


class Running(Protocol):
    """Chains that are being sampled, by number."""

    def wait(self, timeout: float) -> dict[int, Chain]:
        """The finished chains; TimeoutError if they are not finished in time."""

    def abort(self) -> dict[int, Chain]:
        """Stop, and return the draws so far."""

    def cancel(self) -> None:
        """Stop, and discard the draws."""


class Begin(Protocol):
    """Begins chains."""

    def __call__(
        self,
        compiled: CompiledModel,
        settings: Settings,
        chains: Sequence[int],
        tell: Callable[[int, int, int], None] | None,
        keep_whitened: bool,
        /,
    ) -> Running:
        """Begin the chains with some numbers, no more than can run side by side.

        ``tell`` takes the number of a chain, of its draws and of its divergences; ``keep_whitened`` asks for draws in
        the coordinates that the sampler moves in.
        """

    def at_once(self, compiled: CompiledModel, /) -> int:
        """How many chains can run side by side."""


def chain_seed(seed: int, chain: int) -> int:
    """Seed of one chain, from the seed of the run and the number of the chain.

    Examples
    --------
    >>> chain_seed(1, 0) == chain_seed(1, 0), chain_seed(1, 0) == chain_seed(1, 1)
    (True, False)
    """
    return int(np.random.SeedSequence(seed, spawn_key=(chain,)).generate_state(1, np.uint64)[0] >> 1)


def run_chains(
    begin: Begin,
    compiled: CompiledModel,
    settings: Settings,
    messages: Messages,
    *,
    have: Mapping[int, Chain] | None = None,
    finished: Callable[[int, Chain], None] | None = None,
    keep_whitened: bool = False,
) -> dict[int, Chain]:
    """Sample the missing chains, one per worker at a time, or as many as can run side by side.

    Chains that an earlier run finished are in ``have``; ``finished`` is called with every other one. After Ctrl-C also
    those cut off are returned (``complete`` is False), but none that had no draws yet. If a chain fails, the others are
    stopped.
    """
    done = dict(have or {})
    waiting = [number for number in range(settings.chains) if number not in done]
    running: list[Running] = []
    side_by_side = begin.at_once(compiled)
    told = messages.chains(settings.chains, settings.tune + settings.made, len(done))
    try:
        # An interrupt during the transfer of a chain would lose it.
        with Interrupts() as interrupts:
            while (waiting or running) and not interrupts.asked:
                while waiting and len(running) < settings.workers:
                    numbers, waiting = waiting[:side_by_side], waiting[side_by_side:]
                    tell = told if messages.wants_progress else None
                    running.append(begin(compiled, settings, numbers, tell, keep_whitened))
                for run in list(running):
                    try:
                        found = run.wait(timeout=POLL)
                    except TimeoutError:  # not yet
                        continue
                    running.remove(run)
                    for number, chain in found.items():
                        done[number] = chain
                        if finished is not None:
                            finished(number, chain)
            while running:
                done |= {number: chain for number, chain in running.pop().abort().items() if chain.draws}
    finally:
        for run in running:
            run.cancel()
        messages.close()
    return dict(sorted(done.items()))


def joined(chains: Mapping[int, Chain]) -> Chain:
    """Concatenated chains; for unequal lengths, those that together give most draws. Without any draw it raises
    KeyboardInterrupt.
    """
    every = list(chains.values())
    keep, draws = largest_rectangle([chain.draws for chain in every])
    if draws < 1:
        raise KeyboardInterrupt(NOTHING_YET)
    parts = [every[i] for i in keep]
    posterior = xr.concat([p.posterior.isel(draw=slice(0, draws)) for p in parts], "chain", join="exact")
    stats = xr.concat([p.sample_stats.isel(draw=slice(0, draws)) for p in parts], "chain", join="exact")
    number = {"chain": np.arange(len(parts))}
    whole = len(parts) == len(every) and all(p.complete for p in parts)
    return Chain(posterior.assign_coords(number), stats.assign_coords(number), whole)


def largest_rectangle(lengths: Sequence[int]) -> tuple[list[int], int]:
    """Chains to keep, and draws of each, so that most draws remain; ties keep more chains.

    Examples
    --------
    >>> largest_rectangle([1000, 950, 10, 0])
    ([0, 1], 950)
    """
    best: tuple[int, int] = (0, 0)
    for length in sorted({int(n) for n in lengths}):
        count = int(sum(n >= length for n in lengths))
        if count * length > best[0] * best[1]:
            best = (count, length)
    draws = best[1]
    return [i for i, n in enumerate(lengths) if n >= draws] if draws else [], draws


def kept_variables(compiled: CompiledModel, posterior: xr.Dataset, keep_whitened: bool) -> xr.Dataset:
    """What is kept of draws: the variables of the model, or also the coordinates that the sampler moves in."""
    if keep_whitened:
        return posterior
    if compiled.unfold is not None and WHITENED in posterior:
        return compiled.unfold(compiled, posterior[WHITENED])
    kept = posterior.drop_vars(WHITENED, errors="ignore")
    return kept.drop_dims([d for d in kept.dims if str(d).startswith(WHITENED)])


FORGETFUL = ("diverging", "reached_max_treedepth")
"""Statistics of a draw that count for a kept one if any since the last kept one had them."""

ENERGY, ENERGY_BEFORE = "energy", "energy_before"
"""Energy of a draw, and of the draw that the sampler made just before it: their difference is what one step changes."""


def thin_draws(posterior: xr.Dataset, stats: xr.Dataset, thin: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Every ``thin``-th draw, renumbered.

    A draw that is kept counts as diverging if any since the last kept one diverged. Beside its energy stands that of
    the draw just before it, which may not be kept.
    """
    if thin == 1:
        return posterior, stats
    kept = posterior.sizes["draw"] // thin
    pick = {"draw": np.arange(thin - 1, kept * thin, thin)}
    fresh = {"draw": np.arange(kept)}
    fewer = stats.isel(pick).assign_coords(fresh)
    for name in FORGETFUL:
        if name in stats:
            whole = stats[name].values[:, : kept * thin]
            fewer[name] = (fewer[name].dims, whole.reshape(whole.shape[0], kept, thin).any(axis=-1))
    if ENERGY in stats:
        fewer[ENERGY_BEFORE] = (fewer[ENERGY].dims, stats[ENERGY].isel(draw=pick["draw"] - 1).values)
    # A copy: a view would hold all the draws in memory.
    return posterior.isel(pick).assign_coords(fresh).copy(deep=True), fewer
