"""The samplers by name: each takes a model and settings, and returns the draws and what it knows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from reeuncert.errors import SamplingError
from reeuncert.inference.compiled import CompiledModel, compile_model, repeatable_arithmetic
from reeuncert.inference.cores import available_cores
from reeuncert.inference.layout import COORDINATES
from reeuncert.inference.messages import Clock, Messages
from reeuncert.inference.start import require_finite, with_good_starts
from reeuncert.inference.whitening import WHITENED, compile_whitened, is_whitened, whiten

STATISTICS = {
    "diverging": "diverging",
    "energy": "energy",
    "lp": "lp",
    "logp": "lp",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "step_size_bar": "step_size_bar",
    "tree_depth": "tree_depth",
    "depth": "tree_depth",
    "acceptance_rate": "acceptance_rate",
    "mean_tree_accept": "acceptance_rate",
    "maxdepth_reached": "reached_max_treedepth",
    "reached_max_treedepth": "reached_max_treedepth",
}
"""Statistics of the samplers that are kept, and the one name that each gets whichever sampler ran."""


NOTHING_YET = "interrupted while the chains were still tuning: there are no draws to keep"


@dataclass(frozen=True)
class Settings:
    """How to sample.

    Parameters
    ----------
    draws, tune, chains
        Draws kept and tuning steps of every chain, and number of chains.
    cores
        Chains that run at a time; by default as many as this process may use.
    seed
        The same seed, versions and settings give the same draws.
    target_accept
        Mean acceptance that the step size is tuned to.
    store
        Names of deterministics to keep; None keeps all.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    cores: int | None = None
    seed: int = 0
    target_accept: float = 0.9
    max_depth: int = 10
    store: tuple[str, ...] | None = None

    @property
    def workers(self) -> int:
        return min(self.chains, self.cores or available_cores())


@dataclass(frozen=True)
class Drawn:
    """What a sampler returned.

    Parameters
    ----------
    posterior, sample_stats
        Dims chain, draw, …; statistics under the names of `STATISTICS`.
    complete
        False when the run was interrupted and these are the draws made until then.
    seconds
        Wall time by phase.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    complete: bool
    seconds: dict[str, float] = field(default_factory=dict)


def sample_nutpie(
    model: pm.Model, settings: Settings, messages: Messages, compiled: CompiledModel | None = None
) -> Drawn:
    """NUTS by nutpie (diagonal metric, adapted with gradients), in coordinates in which the posterior is nearly round.

    Ctrl-C while it samples keeps the draws made so far: of the chains, those that together give most draws. While all
    chains are still tuning there are none, and the interrupt goes on to the caller.
    """
    clock, seconds = Clock(), {}
    import nutpie  # here: it takes a second, which only those who sample need pay

    if compiled is None:
        messages.say("Compiling the model (the first time takes longest; the result is kept for later runs) …")
        # Where priors are normal the posterior is round about its mode; densities of masses and shares have corners,
        # and whitening around a mode costs them effective draws (steel of Lupton & Allwood 2018).
        normal = any(variable.name == COORDINATES for variable in model.free_RVs)
        compiled = (compile_whitened if normal else compile_model)(model, store=settings.store)
    seconds["compile"] = clock.lap()
    require_finite(compiled)
    if is_whitened(compiled):
        messages.say("Looking for the mode and the directions that the evidence pins down …")
        compiled = whiten(compiled)
    else:
        compiled = with_good_starts(compiled)
    seconds["start"] = clock.lap()
    messages.say(f"Sampling {settings.chains} chains of {settings.tune} + {settings.draws} draws (nutpie) …")
    with repeatable_arithmetic():
        run = nutpie.sample(
            compiled.compiled,
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=settings.workers,
            seed=settings.seed,
            target_accept=settings.target_accept,
            maxdepth=settings.max_depth,
            save_warmup=False,
            progress_bar=messages.moving_bar,
            progress_callback=None if messages.moving_bar else messages.progress,
            blocking=False,
        )
        interrupted = False
        try:
            tree = run.wait()
        except KeyboardInterrupt:
            interrupted = True
            tree = run.abort()
        except RuntimeError as error:
            raise SamplingError(f"nutpie could not sample this model: {error}") from error
    seconds["sample"] = clock.lap()
    if "posterior" not in tree.children or "sample_stats" not in tree.children:
        if interrupted:
            raise KeyboardInterrupt(NOTHING_YET)
        raise SamplingError("nutpie returned no draws")
    posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
    if interrupted:
        posterior, stats = _draws_so_far(posterior, stats)
    posterior = posterior.drop_vars(WHITENED, errors="ignore")
    posterior = posterior.drop_dims([d for d in posterior.dims if str(d).startswith(WHITENED)])
    return Drawn(posterior, _renamed(stats), not interrupted, seconds)


def sample_pymc(
    model: pm.Model, settings: Settings, messages: Messages, compiled: CompiledModel | None = None
) -> Drawn:
    """NUTS by PyMC itself."""
    return _sample_with_pymc("pymc", model, settings, messages)


def sample_numpyro(
    model: pm.Model, settings: Settings, messages: Messages, compiled: CompiledModel | None = None
) -> Drawn:
    """NUTS by NumPyro on JAX (needs the extra ``numpyro``, and operations that JAX can run)."""
    if find_spec("numpyro") is None:
        raise SamplingError(
            "the sampler 'numpyro' is not installed; install it with `pip install 'reeuncert[numpyro]'`, "
            "or use the sampler 'nutpie'"
        )
    return _sample_with_pymc("numpyro", model, settings, messages)


Sampler = Callable[[pm.Model, Settings, Messages, CompiledModel | None], Drawn]

SAMPLERS: dict[str, Sampler] = {"nutpie": sample_nutpie, "pymc": sample_pymc, "numpyro": sample_numpyro}
"""Name of a sampler to the function that runs it."""


def find_sampler(name: str) -> Sampler:
    """The sampler of a name.

    Raises
    ------
    SamplingError
        Naming those there are.

    Examples
    --------
    >>> find_sampler("stan")
    Traceback (most recent call last):
    reeuncert.errors.SamplingError: sampler 'stan' is not known; use one of: nutpie, pymc, numpyro
    """
    if name not in SAMPLERS:
        raise SamplingError(f"sampler '{name}' is not known; use one of: {', '.join(SAMPLERS)}")
    return SAMPLERS[name]


def _sample_with_pymc(name: str, model: pm.Model, settings: Settings, messages: Messages) -> Drawn:
    clock = Clock()
    messages.say(
        f"Compiling, and sampling {settings.chains} chains of {settings.tune} + {settings.draws} draws ({name}) …"
    )
    own: dict[str, Any] = {"nuts": {"max_treedepth": settings.max_depth}} if name == "pymc" else {}
    keep = None if settings.store is None else [*(v.name for v in model.free_RVs), *settings.store]
    with repeatable_arithmetic():
        try:
            tree = pm.sample(
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                cores=settings.workers,
                random_seed=settings.seed,
                target_accept=settings.target_accept,
                nuts_sampler=name,
                model=model,
                var_names=keep,
                progressbar=messages.moving_bar,
                quiet=True,
                compute_convergence_checks=False,
                **own,
            )
        except NotImplementedError as error:
            raise SamplingError(f"the sampler '{name}' cannot run this model ({error}); use 'nutpie'") from error
        except KeyboardInterrupt as error:
            raise SamplingError(f"interrupted: the sampler '{name}' keeps no draws; use 'nutpie' for that") from error
    posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
    complete = posterior.sizes["draw"] == settings.draws
    return Drawn(posterior, _renamed(stats), complete, {"compile_and_sample": clock.lap()})


def _renamed(stats: xr.Dataset) -> xr.Dataset:
    kept = {new: stats[old] for old, new in STATISTICS.items() if old in stats}
    return xr.Dataset({k: v.astype("int64") if v.dtype.kind == "u" else v for k, v in kept.items()})


def _draws_so_far(posterior: xr.Dataset, stats: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """The rectangle of most draws: chains that were cut off leave NaN at their end."""
    logp = stats["logp"] if "logp" in stats else stats["energy"]
    length = np.isfinite(logp.values).sum(axis=1) if logp.size else np.zeros(posterior.sizes.get("chain", 0), int)
    chains, draws = _largest_rectangle(length)
    if draws < 1:
        raise KeyboardInterrupt(NOTHING_YET)
    pick = {"chain": chains, "draw": slice(0, draws)}
    fresh = {"chain": np.arange(len(chains)), "draw": np.arange(draws)}
    return posterior.isel(pick).assign_coords(fresh), stats.isel(pick).assign_coords(fresh)


def _largest_rectangle(lengths: Sequence[int] | np.ndarray) -> tuple[list[int], int]:
    """Which chains to keep, and how many draws of each, so that most draws remain; ties keep more chains.

    Examples
    --------
    >>> _largest_rectangle([1000, 950, 10, 0])
    ([0, 1], 950)
    """
    best: tuple[int, int] = (0, 0)
    for length in sorted({int(n) for n in lengths}):
        count = int(sum(n >= length for n in lengths))
        if count * length > best[0] * best[1]:
            best = (count, length)
    draws = best[1]
    return [i for i, n in enumerate(lengths) if n >= draws] if draws else [], draws
