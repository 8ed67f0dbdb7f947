"""Independent chains, each with its own seed, several at a time, and several side by side in one run.

A chain depends only on the compiled model, the settings and its own seed, not on other chains or the number of cores:
run alone it gives bit-identical draws (same machine, versions and model). So a killed run can continue with the
missing chains.
"""

from __future__ import annotations

import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import numpy as np
import xarray as xr

from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import Settings


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """A context in which the first Ctrl-C only sets an event.

    The second has its usual effect, and so has the first outside the main thread or with another handler.
    """
    asked = threading.Event()

    def remember(number: int, frame: FrameType | None) -> None:
        # In this order: a second signal inside `set` would wait for a lock that this one holds.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        asked.set()

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield asked
        return
    signal.signal(signal.SIGINT, remember)
    try:
        yield asked
    finally:
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


class Run(ABC):
    """Some chains of a sampler that run side by side. They begin when it is made.

    ``tell`` is called with the number of a chain, of its draws so far with tuning, and of its divergences after tuning.
    """

    @abstractmethod
    def __init__(
        self,
        compiled: CompiledModel,
        settings: Settings,
        chains: Sequence[int],
        tell: Callable[[int, int, int], None],
    ) -> None: ...

    @staticmethod
    def at_once(compiled: CompiledModel) -> int:
        """How many chains can run side by side."""
        return 1

    @abstractmethod
    def wait(self, timeout: float) -> dict[int, Chain]:
        """The chains by number, when they have come to their end; TimeoutError if they have not by then."""

    @abstractmethod
    def abort(self) -> dict[int, Chain]:
        """Stop, and return what was drawn until then."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop, whatever was drawn."""


def chain_seed(seed: int, chain: int) -> int:
    """Seed of one chain, from the seed of the run and the number of the chain."""
    return int(np.random.SeedSequence(seed, spawn_key=(chain,)).generate_state(1, np.uint64)[0] >> 1)


def run_chains(
    sampler: type[Run],
    compiled: CompiledModel,
    settings: Settings,
    messages: Messages,
    *,
    have: Mapping[int, Chain] | None = None,
    finished: Callable[[int, Chain], None] | None = None,
) -> dict[int, Chain]:
    """Sample the missing chains, one per worker at a time, or as many as can run side by side.

    Chains that an earlier run finished are in ``have``; ``finished`` is called with every other one. After Ctrl-C also
    those cut off are returned (``complete`` is False), but none that had no draws yet. If a chain fails, the others are
    stopped.
    """
    done = dict(have or {})
    waiting = [number for number in range(settings.chains) if number not in done]
    running: list[Run] = []
    side_by_side = sampler.at_once(compiled)
    tell = messages.chains(settings.chains, settings.tune + settings.made, len(done))
    try:
        # An interrupt during the transfer of a chain would lose it.
        with interrupts() as interrupted:
            while (waiting or running) and not interrupted.is_set():
                while waiting and len(running) < settings.workers:
                    numbers, waiting = waiting[:side_by_side], waiting[side_by_side:]
                    running.append(sampler(compiled, settings, numbers, tell))
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
    draws = max(sorted(lengths), key=lambda least: least * sum(n >= least for n in lengths), default=0)
    return [i for i, n in enumerate(lengths) if n >= draws > 0], draws
