"""A short run with discarded draws that estimates the shape of the posterior, so that the chains mix faster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reeuncert.inference.chains import Begin, joined, run_chains
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.messages import Messages
from reeuncert.inference.roundness import Roundness, learned_from
from reeuncert.inference.settings import Settings
from reeuncert.inference.stretching import WHITENED
from reeuncert.inference.whitening import LinearMap

CHAINS, TUNE, DRAWS = 2, 150, 250
TARGET_ACCEPT = 0.8
STREAM = 0x9170
"""Separates the seeds of a pilot's chains from those of the main chains."""


def pilot(begin: Begin, compiled: CompiledModel, settings: Settings, messages: Messages) -> Roundness:
    """Estimate the shape of a posterior from a short run of a model `around_mode`; deterministic for a given seed."""
    if not len(LinearMap.of(compiled).directions):
        return learned_from(compiled, np.zeros((2, compiled.size)))
    short = replace(
        settings,
        chains=CHAINS,
        tune=TUNE,
        draws=DRAWS,
        thin=1,
        target_accept=TARGET_ACCEPT,
        seed=int(np.random.SeedSequence(settings.seed, spawn_key=(STREAM,)).generate_state(1, np.uint64)[0] >> 1),
    )
    messages.say("Learning the shape of the posterior from a pilot run …")
    chain = joined(run_chains(begin, compiled, short, replace(messages, bar=False), keep_whitened=True))
    # A chain that was cut off while it tuned is not there at all.
    if not chain.complete or chain.posterior.sizes["chain"] < CHAINS:
        raise KeyboardInterrupt("interrupted during the pilot run: there are no draws to keep")
    draws = chain.posterior[WHITENED].values
    return learned_from(compiled, draws.reshape(-1, compiled.size))
