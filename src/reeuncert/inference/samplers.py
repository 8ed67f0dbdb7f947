"""Starting points, and samplers by name: each takes a model and settings, and returns draws and statistics."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pymc as pm
from numpy.typing import NDArray
from pymc.sampling.parallel import ParallelSamplingError

from reeuncert.errors import SamplingError
from reeuncert.inference.chains import Chain, Run, joined, run_chains
from reeuncert.inference.checkpoint import Checkpoint
from reeuncert.inference.compiled import CompiledModel, repeatable_arithmetic
from reeuncert.inference.density import why_not
from reeuncert.inference.hmc import HamiltonianRun
from reeuncert.inference.messages import Clock, Messages
from reeuncert.inference.nutpie_chains import NutpieRun
from reeuncert.inference.settings import Settings, renamed
from reeuncert.inference.shape import around_mode, climbed, pilot, reshaped
from reeuncert.inference.whitening import compile_for_sampling, is_whitened

Array = NDArray[np.float64]

JITTER = 0.5
STEPS = 40


def good_start(compiled: CompiledModel, seed: int) -> Array:
    """A starting point (size,) of one chain with a finite log density, the same for the same seed."""
    shift = JITTER * np.random.default_rng(seed).standard_normal(compiled.size)
    near = (compiled.centre + scale * shift for scale in (1.0, 0.1))  # a jitter may leave the support
    inside = (point for point in near if np.isfinite(compiled.log_density(point)[0]))
    return climbed(compiled, next(inside, compiled.centre), STEPS)


def _sample_chains(
    name: str,
    sampler: type[Run],
    model: pm.Model,
    settings: Settings,
    messages: Messages,
    compiled: CompiledModel | None,
    checkpoint: Checkpoint | None,
) -> tuple[Chain, dict[str, float]]:
    """Chains of our own, or of nutpie, in whitened coordinates.

    Ctrl-C while it samples keeps the draws made so far: of the chains, those that together give most draws. While all
    chains are still tuning there are none, and the interrupt goes on to the caller. A checkpoint receives every chain
    as it finishes, and gives back those that it holds.
    """
    clock, seconds = Clock(), {}
    if compiled is None:
        if why := why_not(model):
            messages.say(f"Compiling the model by PyTensor, which takes minutes the first time, since {why} …")
        compiled = compile_for_sampling(model)
    seconds["compile"] = clock.lap()
    value, gradient = compiled.log_density(compiled.centre)
    if not np.isfinite(value):
        raise SamplingError(
            "the log density is not finite at the centre of the prior: some evidence is impossible there; "
            "`reeuncert check` lists rows that contradict each other, and model.point_logps() names the term"
        )
    have = {} if checkpoint is None else checkpoint.begin((value, float(np.linalg.norm(gradient))))
    if len(have) == settings.chains:
        pass  # all chains are stored
    elif is_whitened(compiled):
        messages.say("Finding the mode and the directions informed by the evidence …")
        if compiled.learned is None:
            compiled = around_mode(compiled)
            if settings.pilot:
                compiled = reshaped(compiled, pilot(sampler, compiled, settings, messages))
        else:  # other numbers change the number of stiff directions but little
            about = len(compiled.learned.directions) * 5 // 4 + 16
            compiled = reshaped(around_mode(compiled, about), compiled.learned)
    else:
        compiled = compiled.with_starts(partial(good_start, compiled))
    seconds["start"] = clock.lap()
    there = f"; of these {len(have)} are there already" if have else ""
    messages.say(f"Sampling {settings.chains} chains of {settings.tune} + {settings.made} draws ({name}){there} …")
    store = None if checkpoint is None else checkpoint.store
    chain = joined(run_chains(sampler, compiled, settings, messages, have=have, finished=store))
    seconds["sample"] = clock.lap()
    # Chains that have no draws yet are not there: an interrupted run may lack some.
    complete = chain.complete and chain.posterior.sizes["chain"] == settings.chains
    return Chain(chain.posterior, chain.sample_stats, complete), seconds


def _sample_with_pymc(
    model: pm.Model,
    settings: Settings,
    messages: Messages,
    compiled: CompiledModel | None,  # not used: PyMC compiles for itself
    checkpoint: Checkpoint | None,
) -> tuple[Chain, dict[str, float]]:
    """Sample with `pm.sample`; the checkpoint receives the chains when all of them have ended."""
    clock = Clock()
    if checkpoint is not None:
        with repeatable_arithmetic():
            value = float(model.compile_logp(mode="FAST_COMPILE")(model.initial_point()))
        have = checkpoint.begin((value, 0.0))
        if len(have) == settings.chains:
            messages.say(f"All {settings.chains} chains are there already.")
            return joined(dict(sorted(have.items()))), {"compile_and_sample": clock.lap()}
    messages.say(
        f"Compiling, and sampling {settings.chains} chains of {settings.tune} + {settings.draws} draws (pymc) …"
    )
    with repeatable_arithmetic():
        try:
            tree = pm.sample(
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                cores=settings.workers,
                random_seed=settings.seed,
                target_accept=settings.target_accept,
                model=model,
                progressbar=messages.moving_bar,
                quiet=True,
                compute_convergence_checks=False,
                nuts={"max_treedepth": settings.max_depth},
            )
        except (ParallelSamplingError, ConnectionError, EOFError) as error:
            raise SamplingError(
                f"a process of the sampler 'pymc' ended before its chain did ({type(error).__name__}): it was "
                "killed, or memory ran out, or its model failed. No draws are kept; run again with fewer chains at a "
                "time, or use 'hmc', which needs no further processes and stores finished chains"
            ) from error
        except KeyboardInterrupt as error:
            raise SamplingError("interrupted: the sampler 'pymc' keeps no draws; use 'hmc' for that") from error
    posterior, stats = tree["posterior"].to_dataset(), renamed(tree["sample_stats"].to_dataset())
    complete = posterior.sizes["draw"] == settings.draws
    if checkpoint is not None and complete:
        for number in range(settings.chains):
            checkpoint.store(number, Chain(posterior.isel(chain=[number]), stats.isel(chain=[number])))
    return Chain(posterior, stats, complete), {"compile_and_sample": clock.lap()}


Sampler = Callable[
    [pm.Model, Settings, Messages, CompiledModel | None, Checkpoint | None], tuple[Chain, dict[str, float]]
]
"""Takes a model and settings; returns the chains joined, not complete where the run was interrupted, and the wall time
by phase."""

SAMPLERS: dict[str, Sampler] = {
    "hmc": partial(_sample_chains, "hmc", HamiltonianRun),
    "nutpie": partial(_sample_chains, "nutpie", NutpieRun),
    "pymc": _sample_with_pymc,
}
"""Name of a sampler to the function that runs it: ``hmc``, trajectories of random length in whitened coordinates
(`reeuncert.inference.trajectories`); ``nutpie``, NUTS by nutpie in the same coordinates, with a diagonal metric adapted
with gradients; ``pymc``, NUTS by PyMC itself.
"""
