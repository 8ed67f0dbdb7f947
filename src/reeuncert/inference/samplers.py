"""Starting points, and samplers by name: each takes a model and settings, and returns draws and statistics."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import NDArray
from pymc.sampling.parallel import ParallelSamplingError
from scipy.optimize import minimize

from reeuncert.errors import SamplingError
from reeuncert.inference.chains import Begin, Chain, joined, run_chains, thin_draws
from reeuncert.inference.checkpoint import Checkpoint
from reeuncert.inference.compiled import CompiledModel, repeatable_arithmetic
from reeuncert.inference.density import why_not
from reeuncert.inference.hmc import HamiltonianRun
from reeuncert.inference.messages import Clock, Messages
from reeuncert.inference.nutpie_chains import NutpieRun
from reeuncert.inference.settings import Settings, renamed
from reeuncert.inference.shape import around_mode, pilot, reshaped
from reeuncert.inference.whitening import compile_for_sampling, is_whitened

Array = NDArray[np.float64]

JITTER = 0.5
STEPS = 40


def good_start(compiled: CompiledModel, seed: int) -> Array:
    """A starting point (size,) of one chain with a finite log density, the same for the same seed."""
    shift = JITTER * np.random.default_rng(seed).standard_normal(compiled.size)
    for scale in (1.0, 0.1, 0.0):  # a jitter may leave the support; the centre should not
        begin = compiled.centre + scale * shift
        if np.isfinite(compiled.log_density(begin)[0]):
            break
    else:
        require_finite(compiled)

    def downhill(point: Array) -> tuple[float, Array]:
        value, gradient = compiled.log_density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(point))

    found = minimize(downhill, begin, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 20})
    return np.asarray(found.x if found.fun < 1e300 else begin, dtype=float)


def require_finite(compiled: CompiledModel) -> None:
    """Raise if the log density is not finite at the centre of the prior."""
    if not np.isfinite(compiled.log_density(compiled.centre)[0]):
        raise SamplingError(
            "the log density is not finite at the centre of the prior: some evidence is impossible there; "
            "`reeuncert check` lists rows that contradict each other, and model.point_logps() names the term"
        )


def with_good_starts(compiled: CompiledModel) -> CompiledModel:
    """The compiled model, with a good start for every chain."""
    return compiled.with_starts(lambda seed: good_start(compiled, _as_seed(seed)))


def _as_seed(seed: object) -> int:
    return int(np.random.default_rng(seed).integers(2**63)) if not isinstance(seed, int) else abs(seed)  # type: ignore[arg-type]  # nutpie hands on whatever numpy takes as a seed


@dataclass(frozen=True)
class Drawn:
    """Result of a sampler.

    Parameters
    ----------
    posterior, sample_stats
        Dims chain, draw, …, thinned; statistics under the names of `reeuncert.inference.settings.STATISTICS`.
    complete
        False when the run was interrupted and these are the draws made until then.
    seconds
        Wall time by phase.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    complete: bool
    seconds: dict[str, float] = field(default_factory=dict)


def _sample_chains(
    name: str,
    begin: Begin,
    model: pm.Model,
    settings: Settings,
    messages: Messages,
    compiled: CompiledModel | None,
    checkpoint: Checkpoint | None,
) -> Drawn:
    """Chains of our own, or of nutpie, in whitened coordinates.

    Ctrl-C while it samples keeps the draws made so far: of the chains, those that together give most draws. While all
    chains are still tuning there are none, and the interrupt goes on to the caller. A checkpoint receives every chain
    as it finishes, and gives back those that it holds.
    """
    clock, seconds = Clock(), {}
    if compiled is None:
        if why := why_not(model):
            messages.say(f"Compiling the model by PyTensor, which takes minutes the first time, since {why} …")
        compiled = compile_for_sampling(model, store=settings.store)
    seconds["compile"] = clock.lap()
    require_finite(compiled)
    have = {} if checkpoint is None else checkpoint.begin(_density(compiled))
    if len(have) == settings.chains:
        pass  # all chains are stored
    elif is_whitened(compiled):
        messages.say("Finding the mode and the directions informed by the evidence …")
        if compiled.learned is None:
            compiled = around_mode(compiled)
            if settings.pilot:
                compiled = reshaped(compiled, pilot(begin, compiled, settings, messages))
        else:  # other numbers change the number of stiff directions but little
            about = len(compiled.learned.directions) * 5 // 4 + 16
            compiled = reshaped(around_mode(compiled, about), compiled.learned)
    else:
        compiled = with_good_starts(compiled)
    seconds["start"] = clock.lap()
    there = f"; of these {len(have)} are there already" if have else ""
    messages.say(f"Sampling {settings.chains} chains of {settings.tune} + {settings.made} draws ({name}){there} …")
    store = None if checkpoint is None else checkpoint.store
    chain = joined(run_chains(begin, compiled, settings, messages, have=have, finished=store))
    seconds["sample"] = clock.lap()
    # Chains that have no draws yet are not there: an interrupted run may lack some.
    complete = chain.complete and chain.posterior.sizes["chain"] == settings.chains
    return Drawn(chain.posterior, chain.sample_stats, complete, seconds)


def _sample_with_pymc(
    model: pm.Model,
    settings: Settings,
    messages: Messages,
    compiled: CompiledModel | None,  # not used: PyMC compiles for itself
    checkpoint: Checkpoint | None,
) -> Drawn:
    """Sample with `pm.sample`; the checkpoint receives the chains when all of them have ended."""
    clock = Clock()
    if checkpoint is not None:
        with repeatable_arithmetic():
            value = float(model.compile_logp(mode="FAST_COMPILE")(model.initial_point()))
        have = checkpoint.begin((value, 0.0))
        if len(have) == settings.chains:
            messages.say(f"All {settings.chains} chains are there already.")
            chain = joined(dict(sorted(have.items())))
            return Drawn(chain.posterior, chain.sample_stats, chain.complete, {"compile_and_sample": clock.lap()})
    messages.say(
        f"Compiling, and sampling {settings.chains} chains of {settings.tune} + {settings.made} draws (pymc) …"
    )
    keep = None if settings.store is None else [*(v.name for v in model.free_RVs), *settings.store]
    with repeatable_arithmetic():
        try:
            tree = pm.sample(
                draws=settings.made,
                tune=settings.tune,
                chains=settings.chains,
                cores=settings.workers,
                random_seed=settings.seed,
                target_accept=settings.target_accept,
                model=model,
                var_names=keep,
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
    posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
    complete = posterior.sizes["draw"] == settings.made
    posterior, stats = thin_draws(posterior, renamed(stats), settings.thin)
    if checkpoint is not None and complete:
        for number in range(settings.chains):
            checkpoint.store(number, Chain(posterior.isel(chain=[number]), stats.isel(chain=[number])))
    return Drawn(posterior, stats, complete, {"compile_and_sample": clock.lap()})


Sampler = Callable[[pm.Model, Settings, Messages, CompiledModel | None, Checkpoint | None], Drawn]

SAMPLERS: dict[str, Sampler] = {
    "hmc": partial(_sample_chains, "hmc", HamiltonianRun),
    "nutpie": partial(_sample_chains, "nutpie", NutpieRun),
    "pymc": _sample_with_pymc,
}
"""Name of a sampler to the function that runs it: ``hmc``, trajectories of random length in whitened coordinates
(`reeuncert.inference.trajectories`); ``nutpie``, NUTS by nutpie in the same coordinates, with a diagonal metric adapted
with gradients; ``pymc``, NUTS by PyMC itself.
"""


def find_sampler(name: str) -> Sampler:
    """The sampler of a name.

    Examples
    --------
    >>> find_sampler("stan")
    Traceback (most recent call last):
    reeuncert.errors.SamplingError: sampler 'stan' is not known; use one of: hmc, nutpie, pymc
    """
    if name not in SAMPLERS:
        raise SamplingError(f"sampler '{name}' is not known; use one of: {', '.join(SAMPLERS)}")
    return SAMPLERS[name]


def _density(compiled: CompiledModel) -> tuple[float, float]:
    value, gradient = compiled.log_density(compiled.centre)
    return value, float(np.linalg.norm(gradient))
