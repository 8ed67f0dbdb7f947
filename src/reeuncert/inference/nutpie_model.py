"""A model as nutpie samples it: its C callbacks are kept on disk between processes.

nutpie's own callbacks are compiled in every process, since numba does not cache C callbacks on disk; for a model of
some thousand flows this can take longer than a run. Here the function is a cached numba function over pointers, and
nutpie gets its address.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import numba
import numpy as np
import pandas as pd
import pymc as pm
from numba import types
from numba.core.types import WrapperAddressProtocol
from nutpie import compile_pymc as theirs
from nutpie.compile_pymc import address_as_void_pointer
from pymc.initial_point import make_initial_point_fn
from pytensor.configdefaults import config
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

from reeuncert import machine
from reeuncert.compiling import kept
from reeuncert.inference.density_kernel import Numbers, log_density
from reeuncert.inference.stretching import WHITENED
from reeuncert.lanes.instructions import LANES
from reeuncert.lanes.numbers import lane

_WORD = 8

# In these texts `except Exception`: numba knows no narrower class in compiled code; the
# status that is returned reaches the sampler as an error.
_LOGP = """
def logp_callback(dim, x_, out_, logp_, user_data_):
    if dim != {n_dim}:
        return -1
    try:
        x = numba.carray(x_, ({n_dim},))
        out = numba.carray(out_, ({n_dim},))
        logp = numba.carray(logp_, ())
{shared}
        value, gradient = inner(x, {arrays})
        logp[()] = value
        out[...] = gradient
        if not np.all(np.isfinite(out)):
            return 3
        if not np.isfinite(value):
            return 4
    except Exception:
        return 1
    return 0
"""

_EXPAND = """
def expand_callback(dim, expanded, x_, out_, user_data_):
    if dim != {n_dim} or expanded != {n_expanded}:
        return -1
    try:
        x = numba.carray(x_, ({n_dim},))
        out = numba.carray(out_, ({n_expanded},))
{shared}
        (values,) = inner(x, {arrays})
        out[...] = values
    except Exception:
        return -2
    return 0
"""

_DENSITY = """
def density_callback(dim, x_, out_, logp_, user_data_):
    try:
        x = numba.carray(x_, ({shape}))
        out = numba.carray(out_, ({shape}))
        logp = numba.carray(logp_, ({lanes},))
{shared}
        value = inner(x, out, Numbers({arrays}))
        for i in range({lanes}):
            logp[i] = lane(value, i)
        # Of several points each may fail by itself.
        if {lanes} == 1 and not np.isfinite(logp[0]):
            return 4
    except Exception:
        return 1
    return 0
"""

_COPY = """
def copy_callback(dim, expanded, x_, out_, user_data_):
    x = numba.carray(x_, (dim,))
    out = numba.carray(out_, (expanded,))
    for i in range(dim):
        out[i] = x[i]
    return 0
"""

_DOUBLES = types.CPointer(types.double)
# nutpie gives a pointer to the user data; as a word it is passed in the same way, and numba can keep code that does so.
_LOGP_SIGNATURE = types.int64(types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, types.uint64)
_EXPAND_SIGNATURE = types.int64(types.uint64, types.uint64, _DOUBLES, _DOUBLES, types.uint64)


class Callback(WrapperAddressProtocol):
    """A compiled C function: nutpie calls it by its address, kernels take it as an argument."""

    def __init__(self, signature: Any, dispatcher: Any) -> None:
        made = dispatcher.overloads[tuple(signature.args)]
        self.address = made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name)
        self._signature, self._compiled = signature, dispatcher  # which keeps the machine code alive

    def __wrapper_address__(self) -> int:
        return int(self.address)

    def signature(self) -> Any:
        return self._signature


def _filled(template: str, record: np.dtype[Any], shared: Mapping[str, np.ndarray], sizes: Mapping[str, Any]) -> str:
    # nutpie's record holds nothing but words of eight bytes: pointers, sizes and shapes. Read as words, the source does
    # not depend on its random keys, so that it can be found again.
    lines = [f"words = numba.carray(pointer(user_data_), ({record.itemsize // _WORD},), np.uint64)"]
    for i, (key, array) in enumerate(shared.items()):
        first = _word(record, "shape", key)
        shape = "".join(f"np.int64(words[{first + k}]), " for k in range(array.ndim))
        place = f"pointer(words[{_word(record, 'data', key)}])"
        lines.append(f"a{i} = numba.carray({place}, ({shape}), dtype{i})  # {array.dtype}")
    body = "\n".join(f"        {line}" for line in lines)
    return template.format(shared=body, arrays=", ".join(f"a{i}" for i in range(len(shared))), **sizes)


def _word(record: np.dtype[Any], group: str, key: str) -> int:
    """Position of a field of nutpie's record, in words."""
    offset = 0
    for name in ("shared", group, key):
        fields: Any = record.fields
        inner, start = fields[name][:2]
        offset, record = offset + start, inner
    return offset // _WORD


def _callback(
    template: str, signature: Any, inner: Any, record: np.dtype[Any], shared: Mapping[str, np.ndarray], **sizes: Any
) -> Callback:
    """A C function, as nutpie calls it, from one of the texts above. ``inner`` takes the point and the ``shared``
    arrays, in their order, whose address and shape ``record`` lays out as nutpie's user data.
    """
    source = _filled(template, record, shared, sizes)
    name = source[source.index("def ") + 4 : source.index("(")]
    dtypes: Sequence[Any] = [array.dtype for array in shared.values()]
    # numba asks for the module of a kept function by name when it loads it again.
    environment: dict[str, Any] = {
        "__name__": __name__,
        "np": np,
        "numba": numba,
        "pointer": address_as_void_pointer,
        "inner": inner,
        "Numbers": Numbers,
        "lane": lane,
    }
    environment |= {f"dtype{i}": dtype for i, dtype in enumerate(dtypes)}
    exec(compile(source, f"<{name}>", "exec"), environment)  # the text above, filled with numbers only
    function = environment[name]
    key = CACHED_SRC_FUNCTIONS.get(inner.py_func)
    if key is not None and config.numba__cache:  # known by what it calls and by its own text
        dispatcher = kept(function, sha256(f"{__name__}\n{key}\n{source}".encode()).hexdigest(), error_model="python")
    else:
        dispatcher = numba.njit(fastmath=False, error_model="python")(function)
    with warnings.catch_warnings():
        # A model with constants too large to embed is compiled again in each process, as nutpie would do.
        warnings.filterwarnings("ignore", message=".*Cannot cache compiled function", category=numba.NumbaWarning)
        dispatcher.compile(signature)
    return Callback(signature, dispatcher)


def nutpie_model(model: pm.Model) -> Any:
    """What ``nutpie.compile_pymc_model(model)`` returns, without compiling again what an earlier process compiled."""
    initial_point = make_initial_point_fn(model=model, jitter_rvs=set(model.free_RVs), return_transformed=True)
    n_dim, n_expanded, logp_fn, expand_fn, initial_point_func, shape_info, renamed = theirs._make_functions(
        model,
        mode="NUMBA",
        compute_grad=True,
        join_expanded=True,
        pymc_initial_point_fn=theirs._wrap_with_lock(initial_point),
        var_names=None,
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
        compiled_logp_func=_callback(_LOGP, _LOGP_SIGNATURE, logp_fn.vm.jit_fn, user_data.dtype, of_logp, n_dim=n_dim),
        compiled_expand_func=_callback(
            *(_EXPAND, _EXPAND_SIGNATURE, expand_fn.vm.jit_fn, user_data.dtype, of_expand),
            n_dim=n_dim,
            n_expanded=n_expanded,
        ),
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


def density_model(numbers: Numbers) -> tuple[Any, Callback]:
    """The density of `reeuncert.inference.density` as nutpie samples it, and at `LANES` points at a time; of a draw
    only the point is stored.
    """
    shared = {name: np.array(array, order="C") for name, array in numbers._asdict().items()}
    for array in shared.values():
        array.flags.writeable = False
    keys = {_Named(name, array.ndim): name for name, array in shared.items()}
    user_data = theirs.make_user_data(keys, shared)
    size = numbers.whitening_centre.size
    shapes = {1: "dim,", LANES: f"dim, {LANES}"}
    made = {
        lanes: _callback(
            _DENSITY, _LOGP_SIGNATURE, log_density, user_data.dtype, shared, lanes=lanes, shape=shapes[lanes]
        )
        for lanes in (reversed(shapes) if machine.beside_another else shapes)
    }
    model = theirs.CompiledPyMCModel(
        _n_dim=size,
        dims={},
        _coords={theirs._UNCONSTRAINED_PARAMETER: pd.Index([f"{WHITENED}_{i}" for i in range(size)])},
        _shapes={WHITENED: (size,)},
        compiled_logp_func=made[1],
        compiled_expand_func=_callback(_COPY, _EXPAND_SIGNATURE, log_density, user_data.dtype, {}),
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
    return model, made[LANES]
