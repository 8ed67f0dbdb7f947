"""Sample a `pm.Model`, or preview a case, to a labelled tree of prior, posterior, likelihood terms and provenance."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pymc as pm
import xarray as xr
from pymc.backends.arviz import find_constants, find_observations

from reeuncert.case.records import Case
from reeuncert.errors import SamplingError
from reeuncert.inference.checkpoint import Checkpoint, find_checkpoint, seed_of
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.layout import labelled
from reeuncert.inference.messages import Clock, Messages
from reeuncert.inference.prior import PRIOR_DRAWS, prior_groups
from reeuncert.inference.provenance import case_attributes, model_sha256, run_attributes, versions
from reeuncert.inference.samplers import SAMPLERS
from reeuncert.inference.settings import Settings, check_settings
from reeuncert.inference.terms import predictive, terms, with_a_tail
from reeuncert.model import build_model, record_of
from reeuncert.parts import Failed, attempt, collecting, with_failed
from reeuncert.result.tables import flow_attributes


def sample(
    model: pm.Model,
    *,
    draws: int = 800,
    tune: int = 300,
    thin: int = 1,
    chains: int = 4,
    seed: int | None = None,
    sampler: str = "hmc",
    cores: int | None = None,
    target_accept: float = 0.9,
    pilot: bool = True,
    progressbar: bool = True,
    quiet: bool = False,
    prior_draws: int = PRIOR_DRAWS,
    store_z: bool = True,
    likelihood_terms: bool = True,
    command: str = "",
    compiled: CompiledModel | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> xr.DataTree:
    """Draw from the posterior and from the prior.

    Parameters
    ----------
    model
        From `reeuncert.build_model`; likelihoods of your own may have been added.
    draws, tune
        Draws kept and tuning steps of every chain.
    thin
        Keep every ``thin``-th draw: a chain makes ``draws * thin`` (hmc alone). For autocorrelated draws this loses
        little information and saves memory and disk.
    chains
        Number of chains; R-hat needs several.
    seed
        The same seed, settings and versions give the same draws; None takes one from the operating system and records
        it.
    sampler
        Name in `reeuncert.inference.samplers.SAMPLERS`.
    cores
        Threads; each runs up to four chains side by side (hmc), or one.
    target_accept
        Mean acceptance that the step size is tuned to; 0.95 for small, awkward systems.
    pilot
        First estimate the shape of the posterior by a short run with discarded draws (hmc, nutpie); for few draws it
        can take longer than the run.
    progressbar, quiet
        Show progress; print nothing.
    prior_draws
        Draws from the prior (0: none).
    store_z
        Keep the coordinates of the prior too: needed to go on from a draw, half as large again.
    likelihood_terms
        Compute log likelihood by source and log prior by class, for power-scaling and cross-validation.
    command
        Command line, for the provenance.
    compiled
        From `reeuncert.inference.compiled.compile_model`, to skip compiling (hmc, nutpie).
    checkpoint
        A folder in which every chain is stored as it finishes (pymc: when all have), so that it survives a
        killed process. Delete it after the result is written. A checkpoint of another run is replaced when the first
        chain is stored.
    resume
        Go on with the chains in ``checkpoint``: only those that it lacks are sampled. A chain depends on its own seed,
        which comes from ``seed`` and its number, and not on the chains beside it or on the number of cores; so on the
        same machine the result has the same draws, bit for bit, as that of an uninterrupted run. Another
        machine may round differently: its chains are other draws of the same posterior. A chain that was cut off is
        sampled again from its start. Without ``seed`` that of the checkpoint is used; without a chain in the
        checkpoint all of them are sampled.

    Returns
    -------
    DataTree
        Groups ``posterior`` (mass_flow with dims chain, draw, flow, year), ``posterior_predictive``, ``sample_stats``,
        ``prior``, ``prior_predictive``, ``log_likelihood``, ``log_prior``, ``observed_data``, ``constant_data`` (also
        the attributes of the flows: from_process, quantity, …), as ArviZ takes them: a row that every draw gives the
        same likelihood, as a bound that always holds, is in none of ``log_likelihood``, ``posterior_predictive`` and
        ``observed_data``. Attributes say where it came from.
        ``attrs["complete"]`` is "no" when the run was interrupted by Ctrl-C: it then holds the draws made until then.
        ``attrs["failed_parts"]`` names what could not be made of the draws, if there is any.

    Raises
    ------
    SamplingError
        When the sampler is not known, cannot start, or returned no draws.
    ModelError
        When the model was not built by this package.
    OutputError
        When the checkpoint is of another case, model, version, seed or setting (and says which), or cannot be read.
    """
    case = record_of(model).case
    check_settings(
        draws=draws, tune=tune, chains=chains, cores=cores, prior_draws=prior_draws, seed=seed, thin=thin,
        target_accept=target_accept,
    )  # fmt: skip
    if sampler not in SAMPLERS:
        raise SamplingError(f"sampler '{sampler}' is not known; use one of: {', '.join(SAMPLERS)}")
    if thin > 1 and sampler != "hmc":
        raise SamplingError(f"sampler '{sampler}' keeps every draw: leave out thin, or use the sampler 'hmc'")
    if resume and checkpoint is None:
        raise SamplingError("there is nothing to resume from: name the folder of the checkpoint")
    stored = find_checkpoint(Path(checkpoint)) if resume and checkpoint is not None else None
    chosen = seed_of(seed, stored)
    messages, clock = Messages(quiet=quiet, bar=progressbar), Clock()
    settings = Settings(draws, tune, chains, cores, chosen, target_accept, thin=thin, pilot=pilot)
    kept = None
    if checkpoint is not None:
        kept = Checkpoint(Path(checkpoint), _identity(case, settings, sampler), stored, messages)
        if resume and stored is None:
            messages.say(f"There are no chains to resume in '{checkpoint}': sampling all of them.")
    drawn, seconds = SAMPLERS[sampler](model, settings, messages, compiled, kept)
    if not drawn.draws:
        raise SamplingError(f"the sampler '{sampler}' returned no draws")
    if not drawn.complete:
        size = f"{drawn.posterior.sizes['chain']} chains of {drawn.draws} draws"
        messages.say(f"Interrupted: keeping {size} made so far.")
    clock.lap()
    failed: list[Failed] = []

    def informing(part: str, make: Callable[[], dict[str, xr.Dataset]]) -> dict[str, xr.Dataset]:
        with collecting(failed):
            found = attempt(part, make)
        if isinstance(found, Failed):
            messages.say(f"The {part} could not be made: {found}.")
            return {}
        return found

    groups: dict[str, xr.Dataset] = {"posterior": labelled(drawn.posterior, case), "sample_stats": drawn.sample_stats}
    if likelihood_terms:
        messages.say("Computing the terms of likelihood and prior …")
        groups |= informing("terms of likelihood and prior", lambda: terms(model, drawn.posterior))
        groups |= informing("draws of new figures", lambda: predictive(model, drawn.posterior, chosen))
        seconds["terms"] = clock.lap()
    if prior_draws:
        messages.say(f"Simulating {prior_draws} draws from the prior …")
        groups |= informing("draws from the prior", lambda: prior_groups(model, prior_draws, chosen, messages))
        seconds["prior"] = clock.lap()
    groups |= _data(model, case)
    groups |= with_a_tail(groups)
    if not store_z:
        groups["posterior"] = groups["posterior"].drop_dims("coordinate", errors="ignore")
    seconds["total"] = clock.total()
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {
        **case_attributes(case),
        **run_attributes(seconds),
        "seed": chosen,
        "sampler": sampler,
        "draws": draws,
        "tune": tune,
        "thin": thin,
        "chains": chains,
        "target_accept": target_accept,
        "prior_draws": prior_draws,
        "complete": "yes" if drawn.complete else "no",
        "approximate": "no",
        "command": command,
    }
    return with_failed(tree, failed)


def _identity(case: Case, settings: Settings, sampler: str) -> dict[str, str | bool | int | float]:
    """All that the draws of a chain depend on, except the model code."""
    chosen = {name: value for name, value in asdict(settings).items() if name != "cores"}
    return {"model_sha256": model_sha256(case), **chosen, "sampler": sampler, **versions()}


def _data(model: pm.Model, case: Case) -> dict[str, xr.Dataset]:
    """Groups ``observed_data`` and ``constant_data``: what the model was given, by name, with its dims, and the
    attributes of the flows.
    """
    out = {}
    for group, held in (("observed_data", find_observations(model)), ("constant_data", find_constants(model))):
        arrays = {}
        for name, value in held.items():
            dims = model.named_vars_to_dims.get(name) or tuple(f"{name}_dim_{i}" for i in range(value.ndim))
            coords = {d: list(model.coords[d]) for d in dims if model.coords.get(d) is not None}
            arrays[name] = xr.DataArray(value, dims=dims, coords=coords)
        if arrays:
            out[group] = xr.Dataset(arrays)
    names = {"flow": [flow.name for flow in case.system.flows]}
    given = out.get("constant_data", xr.Dataset()).assign_coords(names)
    out["constant_data"] = given.assign(flow_attributes(case.system))
    return out


QUICK_TUNE, QUICK_DRAWS, QUICK_CHAINS = 120, 60, 4
"""Length of a preview."""


def preview(case: Case, *, seed: int | None = None, progressbar: bool = False, quiet: bool = True) -> xr.DataTree:
    """Sample a case very briefly (4 chains of 120 tuning and 60 kept draws).

    Medians usually differ from those of a full run by a small fraction of a posterior standard deviation; the run has
    not converged, and everything made from it is marked "approximate" (``attrs["approximate"] == "yes"``).

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    seed
        The same seed gives the same draws.

    Returns
    -------
    DataTree
        As from `reeuncert.sample`, with a prior of 200 draws, and without terms of the likelihood.
    """
    return approximate(build_model(case), seed=seed, progressbar=progressbar, quiet=quiet)


def approximate(model: pm.Model, **sampling: Any) -> xr.DataTree:
    """The same for a built model, with further arguments of `sample`."""
    sampling |= {"draws": QUICK_DRAWS, "tune": QUICK_TUNE, "chains": QUICK_CHAINS, "prior_draws": 200}
    tree = sample(model, pilot=False, likelihood_terms=False, **sampling)
    tree.attrs["approximate"] = "yes"
    return tree
