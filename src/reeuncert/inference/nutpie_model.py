"""nutpie: a model as nutpie makes it, with callbacks that are kept on disk, and its chains (NUTS, diagonal metric)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr
from nutpie import compile_pymc as theirs
from pymc.initial_point import make_initial_point_fn

from reeuncert.errors import SamplingError
from reeuncert.inference.callbacks import copy_callback, density_callback, expand_callback, logp_callback
from reeuncert.inference.chains import Chain, chain_seed, shown
from reeuncert.inference.compiled import CompiledModel, repeatable_arithmetic
from reeuncert.inference.density_kernel import Numbers
from reeuncert.inference.settings import Settings, renamed
from reeuncert.inference.stretching import WHITENED
from reeuncert.inference.thinning import thin_draws


def nutpie_model(model: pm.Model, store: Sequence[str] | None = None) -> Any:
    """What ``nutpie.compile_pymc_model(model)`` returns, without compiling anew what an earlier process compiled."""
    initial_point = make_initial_point_fn(model=model, jitter_rvs=set(model.free_RVs), return_transformed=True)
    n_dim, n_expanded, logp_fn, expand_fn, initial_point_func, shape_info, renamed = theirs._make_functions(
        model,
        mode="NUMBA",
        compute_grad=True,
        join_expanded=True,
        pymc_initial_point_fn=theirs._wrap_with_lock(initial_point),
        var_names=None if store is None else list(store),
    )
    keys: dict[Any, str] = {}
    for variable in [*logp_fn.get_shared(), *expand_fn.get_shared()]:
        keys.setdefault(variable, uuid4().hex)
    arrays = {key: np.array(variable.get_value(), order="C", copy=True) for variable, key in keys.items()}
    for array in arrays.values():
        array.flags.writeable = False
    user_data = theirs.make_user_data(keys, arrays)
    of_logp, of_expand = (
        {keys[variable]: arrays[keys[variable]] for variable in function.get_shared()}
        for function in (logp_fn, expand_fn)
    )
    dims, coords = theirs._prepare_dims_and_coords(model, shape_info, renamed)
    return theirs.CompiledPyMCModel(
        _n_dim=n_dim,
        dims=dims,
        _coords=coords,
        _shapes={name: tuple(shape) for name, _, shape in zip(*shape_info, strict=True)},
        compiled_logp_func=logp_callback(logp_fn.vm.jit_fn, n_dim, user_data.dtype, of_logp),
        compiled_expand_func=expand_callback(expand_fn.vm.jit_fn, n_dim, n_expanded, user_data.dtype, of_expand),
        initial_point_func=initial_point_func,
        shared_data=arrays,
        shared_var_keys=keys,
        user_data=user_data,
        n_expanded=n_expanded,
        shape_info=shape_info,
        logp_func=logp_fn,
        expand_func=expand_fn,
        reparameterized_names=renamed,
    )


@dataclass(frozen=True)
class _Named:
    """What nutpie asks of a shared variable of PyTensor."""

    name: str
    ndim: int


def density_model(numbers: Numbers) -> Any:
    """The density of `reeuncert.inference.density` as nutpie samples it; of a draw only the point is stored."""
    shared = {name: np.array(array, order="C") for name, array in numbers._asdict().items()}
    for array in shared.values():
        array.flags.writeable = False
    keys = {_Named(name, array.ndim): name for name, array in shared.items()}
    user_data = theirs.make_user_data(keys, shared)
    size = numbers.whitening_centre.size
    return theirs.CompiledPyMCModel(
        _n_dim=size,
        dims={},
        _coords={theirs._UNCONSTRAINED_PARAMETER: pd.Index([f"{WHITENED}_{i}" for i in range(size)])},
        _shapes={WHITENED: (size,)},
        compiled_logp_func=density_callback(user_data.dtype, shared),
        compiled_expand_func=copy_callback(),
        initial_point_func=lambda seed: np.random.default_rng(seed).uniform(-1.0, 1.0, size),
        shared_data=shared,
        shared_var_keys=keys,
        user_data=user_data,
        n_expanded=size,
        shape_info=([WHITENED], [slice(0, size)], [(size,)]),
        logp_func=None,
        expand_func=None,
        reparameterized_names=[],
    )


class NutpieRun:
    """One chain of nutpie; parameters as of `reeuncert.inference.hmc.HamiltonianRun`."""

    def __init__(
        self,
        compiled: CompiledModel,
        settings: Settings,
        number: int,
        tell: Callable[[int, int], None] | None,
        keep_whitened: bool,
    ) -> None:
        import nutpie

        def tell_state(states: Sequence[Any]) -> None:
            assert tell is not None
            tell(states[0].finished_draws, states[0].divergences)

        self._compiled, self._settings, self._keep_whitened = compiled, settings, keep_whitened
        with repeatable_arithmetic():
            self._run = nutpie.sample(
                compiled.compiled,
                draws=settings.made,
                tune=settings.tune,
                chains=1,
                cores=1,
                seed=chain_seed(settings.seed, number),
                target_accept=settings.target_accept,
                maxdepth=settings.max_depth,
                save_warmup=False,
                progress_bar=False,
                progress_callback=None if tell is None else tell_state,
                blocking=False,
            )

    def wait(self, timeout: float) -> Chain:
        """The chain, when it has come to its end; TimeoutError if it has not by then."""
        try:
            tree = self._run.wait(timeout=timeout)  # its own `is_finished` raises TimeoutError until it is
        except RuntimeError as error:
            raise SamplingError(f"nutpie could not sample this model: {error}") from error
        return self._chain(tree, complete=True)

    def abort(self) -> Chain:
        """Stop, and what was drawn until then."""
        with warnings.catch_warnings():
            # A chain cut off while it tunes has no draws, at which ArviZ wonders.
            warnings.filterwarnings("ignore", message="Found chain dimension to be longer than draw dimension")
            return self._chain(self._run.abort(), complete=False)

    def cancel(self) -> None:
        """Stop, whatever was drawn."""
        self._run.cancel()

    def _chain(self, tree: xr.DataTree, *, complete: bool) -> Chain:
        if "posterior" not in tree.children or "sample_stats" not in tree.children:
            if complete:
                raise SamplingError("nutpie returned no draws")
            return Chain(xr.Dataset(), xr.Dataset(), complete=False)
        posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
        posterior, stats = thin_draws(posterior, renamed(stats), self._settings.thin)
        return Chain(shown(self._compiled, posterior, self._keep_whitened), stats, complete)
