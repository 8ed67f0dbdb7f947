"""A model as nutpie samples it: nutpie's own way of making one, with callbacks that are kept on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pymc as pm
from nutpie import compile_pymc as theirs
from pymc.initial_point import make_initial_point_fn

from reeuncert.inference.callbacks import copy_callback, density_callback, expand_callback, logp_callback
from reeuncert.inference.density_kernel import Numbers
from reeuncert.inference.stretching import WHITENED


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
