"""Sample a model: from a `pm.Model` to a labelled tree of prior, posterior, likelihood terms and provenance."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping

import numpy as np
import pymc as pm
import xarray as xr

from reeuncert.errors import SamplingError
from reeuncert.inference.compiled import CompiledModel, repeatable_arithmetic
from reeuncert.inference.layout import COORDINATES, REPORTED, grouped_log_prior, labelled, split_rows, stored_names
from reeuncert.inference.messages import Clock, Messages
from reeuncert.inference.prior import PRIOR_DRAWS, prior_groups
from reeuncert.inference.provenance import case_attributes, case_of, fresh_seed, prior_classes, run_attributes
from reeuncert.inference.samplers import Drawn, Settings, find_sampler


def sample(
    model: pm.Model,
    *,
    draws: int = 1000,
    tune: int = 700,
    thin: int = 1,
    chains: int = 4,
    seed: int | None = None,
    sampler: str = "nutpie",
    cores: int | None = None,
    target_accept: float = 0.9,
    progressbar: bool = True,
    quiet: bool = False,
    prior_draws: int = PRIOR_DRAWS,
    store_z: bool = True,
    likelihood_terms: bool = True,
    command: str = "",
    compiled: CompiledModel | None = None,
) -> xr.DataTree:
    """Draw from the posterior, and from the prior beside it.

    Parameters
    ----------
    model
        From `reeuncert.build_model`; likelihoods of your own may have been added.
    draws, tune
        Draws kept and tuning steps of every chain.
    thin
        Keep every ``thin``-th draw: a chain makes ``draws * thin``. Where neighbours are alike this costs little
        information and saves memory and disk.
    chains
        Number of chains; four let R-hat say something.
    seed
        The same seed, settings and versions give the same draws; None takes one from the operating system and records
        it.
    sampler
        Name in `reeuncert.inference.samplers.SAMPLERS`.
    cores
        Chains that run at a time.
    target_accept
        Mean acceptance that the step size is tuned to; 0.95 for small, awkward systems.
    progressbar, quiet
        Show progress; say nothing at all.
    prior_draws
        Draws from the prior (0: none).
    store_z
        Keep the coordinates of the prior too: needed to go on from a draw, half as large again.
    likelihood_terms
        Compute log likelihood by source and log prior by class, for power-scaling and cross-validation.
    command
        What the user typed, for the record.
    compiled
        From `reeuncert.inference.compile_model`, to skip compiling (nutpie only).

    Returns
    -------
    DataTree
        Groups ``posterior`` (mass_flow with dims chain, draw, flow, year, and coordinates of the flows),
        ``sample_stats``, ``prior``, ``prior_predictive``, ``log_likelihood``, ``log_prior``, ``observed_data``,
        ``constant_data``; attributes say where it came from. ``attrs["complete"]`` is "no" when the run was
        interrupted by Ctrl-C: it then holds the draws made until then.

    Raises
    ------
    SamplingError
        When the sampler is not known, cannot start, or returned no draws.
    ModelError
        When the model was not built by this package.
    """
    case = case_of(model)
    _check_settings(draws=draws, tune=tune, chains=chains, cores=cores, prior_draws=prior_draws, seed=seed, thin=thin)
    run = find_sampler(sampler)
    chosen = fresh_seed() if seed is None else int(seed)
    messages, clock = Messages(quiet=quiet, bar=progressbar), Clock()
    settings = Settings(draws * thin, tune, chains, cores, chosen, target_accept, store=stored_names(model))
    drawn = run(model, settings, messages, compiled)
    if drawn.posterior.sizes.get("draw", 0) < 1:
        raise SamplingError(f"the sampler '{sampler}' returned no draws")
    drawn = thinned(drawn, thin)
    if not drawn.complete:
        messages.say(f"Interrupted: keeping {_size(drawn)} made so far.")
    clock.lap()
    seconds = dict(drawn.seconds)
    groups: dict[str, xr.Dataset] = {
        "posterior": labelled(drawn.posterior, case),
        "sample_stats": drawn.sample_stats,
    }
    if likelihood_terms:
        messages.say("Computing the terms of likelihood and prior …")
        groups |= _terms(model, drawn.posterior)
        seconds["terms"] = clock.lap()
    if prior_draws:
        messages.say(f"Simulating {prior_draws} draws from the prior …")
        groups |= prior_groups(model, prior_draws, chosen, messages)
        seconds["prior"] = clock.lap()
    groups |= _data(model)
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
    return tree


def thinned(drawn: Drawn, thin: int) -> Drawn:
    """Every ``thin``-th draw; a draw that is kept counts as diverging if any since the last kept one diverged.

    An interrupted run that made fewer draws than that keeps them all.
    """
    made = drawn.posterior.sizes["draw"]
    kept = made // thin
    if thin == 1 or kept < 1:
        return drawn
    pick = {"draw": np.arange(thin - 1, kept * thin, thin)}
    fresh = {"draw": np.arange(kept)}
    stats = drawn.sample_stats.isel(pick).assign_coords(fresh)
    for name in ("diverging", "reached_max_treedepth"):
        if name in drawn.sample_stats:
            whole = drawn.sample_stats[name].values[:, : kept * thin]
            stats[name] = (stats[name].dims, whole.reshape(whole.shape[0], kept, thin).any(axis=-1))
    # A copy: a view would hold all the draws in memory.
    posterior = drawn.posterior.isel(pick).assign_coords(fresh).copy(deep=True)
    return dataclasses.replace(drawn, posterior=posterior, sample_stats=stats)


def _terms(model: pm.Model, posterior: xr.Dataset) -> dict[str, xr.Dataset]:
    """Groups ``log_likelihood`` (a variable by source) and ``log_prior`` (a variable by class of prior)."""
    case = case_of(model)
    tree = xr.DataTree.from_dict({"posterior": posterior})
    classes = prior_classes(model)
    by_hand = [COORDINATES] if classes is not None and COORDINATES in posterior else []
    others = [v.name for v in model.free_RVs if v.name not in by_hand]
    likelihood, prior = [], []
    with repeatable_arithmetic(), warnings.catch_warnings(), model:
        warnings.simplefilter("ignore", category=FutureWarning)
        if model.observed_RVs:
            by_row = pm.stats.compute_log_likelihood(tree, extend_inferencedata=False, progressbar=False)
            likelihood = [
                split_rows(values, case) if name == REPORTED else values.to_dataset(name=name)
                for name, values in _dataset(by_row).data_vars.items()
            ]
        if others:
            found = pm.stats.compute_log_prior(tree, var_names=others, extend_inferencedata=False, progressbar=False)
            prior.append(_dataset(found))
    if by_hand:
        prior.append(grouped_log_prior(posterior[COORDINATES], classes or ()))
    out = {}
    if likelihood:
        out["log_likelihood"] = xr.merge(likelihood, compat="override")
    if prior:
        out["log_prior"] = xr.merge(prior, compat="override")
    return out


def _dataset(found: xr.Dataset | xr.DataTree) -> xr.Dataset:
    return found.to_dataset() if isinstance(found, xr.DataTree) else found


def _data(model: pm.Model) -> dict[str, xr.Dataset]:
    """Groups ``observed_data`` and ``constant_data``: what the model was given, by name, with its dims."""
    observed = {v.name: model.rvs_to_values[v] for v in model.observed_RVs}
    held = {id(v) for v in observed.values()}
    constant = {v.name: v for v in model.data_vars if id(v) not in held}
    out = {}
    for group, variables in (("observed_data", observed), ("constant_data", constant)):
        arrays = {}
        for name, variable in variables.items():
            value = np.asarray(variable.get_value() if hasattr(variable, "get_value") else variable.eval())
            dims = model.named_vars_to_dims.get(name) or tuple(f"{name}_dim_{i}" for i in range(value.ndim))
            coords = {d: list(model.coords[d]) for d in dims if model.coords.get(d) is not None}
            arrays[name] = xr.DataArray(value, dims=dims, coords=coords)
        if arrays:
            out[group] = xr.Dataset(arrays)
    return out


def _size(drawn: Drawn) -> str:
    sizes: Mapping[object, int] = drawn.posterior.sizes
    return f"{sizes['chain']} chains of {sizes['draw']} draws"


def _check_settings(**numbers: int | None) -> None:
    least = {"draws": 4, "tune": 1, "chains": 1, "cores": 1, "thin": 1, "prior_draws": 0, "seed": 0}
    for name, value in numbers.items():
        if value is not None and value < least[name]:
            raise SamplingError(f"{name} is {value}; it must be at least {least[name]}")
