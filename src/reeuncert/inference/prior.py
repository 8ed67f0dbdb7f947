"""Forward simulation of the prior."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pymc as pm
import xarray as xr
from pymc.distributions.continuous import FlatRV, HalfFlatRV
from pytensor.tensor.variable import TensorVariable

from reeuncert.errors import SamplingError
from reeuncert.inference.compiled import repeatable_arithmetic
from reeuncert.inference.layout import COORDINATES, labelled
from reeuncert.inference.messages import Messages
from reeuncert.inference.provenance import case_attributes, fresh_seed, run_attributes
from reeuncert.inference.samplers import SAMPLERS
from reeuncert.inference.settings import Settings
from reeuncert.model import record_of

PRIOR_DRAWS = 1000
_NO_DENSITY = (FlatRV, HalfFlatRV)
NO_DRAWS = "a density of family flat has no total to divide by"


def sample_prior(
    model: pm.Model, draws: int = PRIOR_DRAWS, seed: int | None = None, *, quiet: bool = False
) -> xr.DataTree:
    """Draw flows from the prior.

    Where densities are stated on coordinates the draws are independent, simulated forward; under
    ``prior_measure = "mass"`` or ``"shares"`` they come from NUTS without the evidence.

    Parameters
    ----------
    model
        From `reeuncert.build_model`.
    draws
        Number of draws.
    seed
        The same seed gives the same draws.
    quiet
        Say nothing.

    Returns
    -------
    DataTree
        Groups ``prior`` (mass_flow and the other quantities of the posterior; dims chain = 1, draw, …) and, where it
        can be simulated forward, ``prior_predictive`` (reported); provenance in attrs.

    Raises
    ------
    SamplingError
        A row of the priors table is of family flat: there is no distribution to draw from.
    """
    case = record_of(model).case
    chosen = fresh_seed() if seed is None else seed
    out = prior_groups(model, draws, chosen, Messages(quiet=quiet, bar=False))
    if not out:
        raise SamplingError(f"the prior of case '{case.name}' has no draws: {NO_DRAWS}; give its rows a proper family")
    attrs = {**case_attributes(case), **run_attributes({}), "seed": chosen, "prior_draws": draws}
    tree = xr.DataTree.from_dict(out)
    tree.attrs = attrs
    return tree


def prior_groups(model: pm.Model, draws: int, seed: int, messages: Messages) -> dict[str, xr.Dataset]:
    """Datasets ``prior`` and ``prior_predictive`` of a model, labelled; none where the prior is no distribution."""
    case = record_of(model).case
    flat = [row.name for row in case.priors if row.family == "flat"]
    if flat:
        messages.say(f"The prior of this case has no draws: {NO_DRAWS} ({', '.join(flat[:5])}).")
        return {}
    if model.potentials or not all(map(has_density, model.free_RVs)):
        return {"prior": labelled(_by_nuts(model, draws, seed, messages), case)}
    names = [v.name for v in (*model.free_RVs, *model.deterministics, *model.observed_RVs)]
    with repeatable_arithmetic(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The effect of Potentials")
        logger = logging.getLogger("pymc")
        level = logger.level
        logger.setLevel(logging.ERROR)  # its list of variables is for people who wrote them
        try:
            # Numba would compile for half a minute what takes a second more without.
            tree = pm.sample_prior_predictive(
                draws, model=model, var_names=names, random_seed=seed, compile_kwargs={"mode": "FAST_COMPILE"}
            )
        finally:
            logger.setLevel(level)
    out = {"prior": labelled(_without_coordinates(tree["prior"].to_dataset()), case)}
    if "prior_predictive" in tree:
        out["prior_predictive"] = labelled(tree["prior_predictive"].to_dataset(), case)
    return out


def has_density(variable: TensorVariable) -> bool:
    """Whether a free variable has a distribution of its own; a flat one takes its density from a potential."""
    return not isinstance(variable.owner.op, _NO_DENSITY)


@contextmanager
def convertible(model: pm.Model) -> Iterator[None]:
    """The model without initial values, with which PyMC 6.3 cannot copy it or compute its terms."""
    held = dict(model.rvs_to_initial_values)
    model.rvs_to_initial_values.update(dict.fromkeys(held))
    try:
        yield
    finally:
        model.rvs_to_initial_values.update(held)


def _with_values(model: pm.Model, values: dict[str, np.ndarray]) -> pm.Model:
    """A copy in which some variables are fixed, and the others start where they did."""
    with convertible(model):
        copy = pm.do(model, values)
    for variable, value in model.rvs_to_initial_values.items():
        if value is not None and variable.name not in values:
            copy.set_initval(copy[variable.name], value)
    return copy


def _by_nuts(model: pm.Model, draws: int, seed: int, messages: Messages) -> xr.Dataset:
    """Sample the model without its observations, and give the draws as one chain."""
    fixed = {v.name: model.rvs_to_values[v].eval() for v in model.observed_RVs}
    without = _with_values(model, fixed) if fixed else model
    messages.say("The prior of this case cannot be simulated forward; sampling it …")
    each = -(-draws // 4)
    drawn, _ = SAMPLERS["nutpie"](without, Settings(draws=each, tune=1000, chains=4, seed=seed), messages, None, None)
    flat = _without_coordinates(drawn.posterior).stack(sample=("draw", "chain"), create_index=False)
    keep = flat.drop_vars(["chain", "draw"]).isel(sample=slice(0, draws)).rename(sample="draw")
    names = {n: v.transpose("draw", ...).expand_dims("chain") for n, v in keep.data_vars.items()}
    coords = {n: c for n, c in keep.coords.items() if "draw" not in c.dims}
    return xr.Dataset(names, coords=coords).assign_coords(chain=[0], draw=np.arange(keep.sizes["draw"]))


def _without_coordinates(draws: xr.Dataset) -> xr.Dataset:
    kept = draws.drop_vars([n for n in draws.data_vars if n == COORDINATES])
    return kept.drop_vars([c for c in kept.coords if c == "coordinate"])
