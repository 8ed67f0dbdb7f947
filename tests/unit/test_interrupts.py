"""Ctrl-C while chains run: whenever it comes, no chain that has finished is lost."""

import os
import signal
from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr

from reeuncert.inference.chains import Chain, Run, interrupts, run_chains
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import Settings

DRAWS = 8


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class OneChain(Run):
    """A chain that gives its results away once, as that of nutpie does; Ctrl-C comes while it does so."""

    def __init__(self, compiled: object, settings: Settings, chains: Sequence[int], tell: object) -> None:
        (self.number,) = chains
        self.interrupted, self.taken = self.number == 1, False

    def wait(self, timeout: float) -> dict[int, Chain]:
        if not self.interrupted:
            raise TimeoutError
        chains = self.abort()
        press_ctrl_c()
        return chains

    def abort(self) -> dict[int, Chain]:
        if self.taken:
            raise ValueError("Sampler has no results to take")
        self.taken = True
        draws = DRAWS if self.interrupted else DRAWS // 2
        coords = {"chain": [0], "draw": range(draws)}
        x = xr.DataArray(np.full((1, draws), float(self.number)), dims=("chain", "draw"), coords=coords)
        return {self.number: Chain(x.to_dataset(name="x"), x.to_dataset(name="lp"), complete=draws == DRAWS)}

    def cancel(self) -> None:
        raise AssertionError("a chain was thrown away")


def test_an_interrupt_while_a_chain_is_handed_over_keeps_it_and_what_the_others_have():
    stored = []
    settings = Settings(draws=DRAWS, tune=1, chains=3, cores=2, seed=1, target_accept=0.9)
    found = run_chains(
        OneChain,
        None,  # type: ignore[arg-type]  # nothing is sampled
        settings,
        Messages(quiet=True, bar=False),
        finished=lambda number, chain: stored.append((number, chain.draws)),
    )
    assert stored == [(1, DRAWS)]
    assert {number: (chain.draws, chain.complete) for number, chain in found.items()} == {
        0: (DRAWS // 2, False),
        1: (DRAWS, True),
    }
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_interrupt_is_raised():
    with interrupts() as interrupted:
        press_ctrl_c()
        assert interrupted.is_set()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_somebody_else_is_left_alone():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("Ctrl-C"))
    try:
        with interrupts() as interrupted:
            press_ctrl_c()
        assert (heard, interrupted.is_set()) == (["Ctrl-C"], False)
    finally:
        signal.signal(signal.SIGINT, before)
