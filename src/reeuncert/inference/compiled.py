"""Compile a model for nutpie once; sample, start and refit it many times."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from pytensor.configdefaults import config

from reeuncert.inference.trajectories import evaluate

if TYPE_CHECKING:
    from reeuncert.inference.shape import Shape

Array = NDArray[np.float64]


@contextmanager
def repeatable_arithmetic() -> Iterator[None]:
    """Compile without numba's fast-math: the same seed then gives the same draws with a cold and a warm cache.

    With fast-math, code that comes from the disk cache rounds differently from code just compiled, and the chains part
    ways (PyMC 6.3, PyTensor 3.3). The setting is that of PyTensor and is put back on leaving.
    """
    with config.change_flags(numba__fastmath=False), warnings.catch_warnings():
        # A variable with a random function of its own is simulated through Python; it never enters the gradient.
        warnings.filterwarnings("ignore", message="Numba will use object mode to run")
        yield


@dataclasses.dataclass(frozen=True)
class CompiledModel:
    """A model compiled by nutpie.

    Parameters
    ----------
    compiled
        From `reeuncert.inference.nutpie_model.nutpie_model`; its starting points may have been replaced.
    centre
        The model's own initial point, unconstrained, shape (size,): the centre of the prior where priors are normals.
    learned
        What an earlier pilot run has shown of the shape of the posterior, if there was one: a run with other data then
        needs none.
    four
        C function of the log density at `reeuncert.lanes.instructions.LANES` points at a time, where there is one.
    unfold
        Makes the variables of the model from what the sampler stores of its draws, where these are not the same.
    """

    compiled: Any
    centre: Array
    learned: Shape | None = None
    four: Any = None
    unfold: Callable[[CompiledModel, xr.Dataset], xr.Dataset] | None = None

    @property
    def size(self) -> int:
        """Number of free parameters."""
        return int(self.compiled.n_dim)

    @property
    def user(self) -> np.uint64:
        """Address of the data that the compiled code reads."""
        return np.uint64(self.compiled.user_data.ctypes.data)

    def unfolded(self, stored: xr.Dataset) -> xr.Dataset:
        """The variables of the model, from what the sampler has stored of its draws, if it has."""
        return self.unfold(self, stored) if self.unfold is not None and stored.data_vars else stored

    def with_data(self, **data: ArrayLike) -> CompiledModel:
        """The same compiled code with new values of ``pm.Data`` variables; nothing is compiled again."""
        return dataclasses.replace(self, compiled=self.compiled.with_data(**data))

    @property
    def data_names(self) -> frozenset[str]:
        """Names of what `with_data` can change: the ``pm.Data`` and other shared variables that the code reads."""
        return frozenset(str(variable.name) for variable in self.compiled.shared_var_keys)

    def data(self, name: str) -> NDArray[Any]:
        """Current value of a ``pm.Data`` variable."""
        key = next(key for variable, key in self.compiled.shared_var_keys.items() if variable.name == name)
        return np.asarray(self.compiled.shared_data[key])

    def with_starts(self, start: Callable[[int], Array]) -> CompiledModel:
        """Chains start at ``start(seed)``, shape (size,); nutpie asks once a chain, with a seed of the chain."""
        return dataclasses.replace(self, compiled=dataclasses.replace(self.compiled, initial_point_func=start))

    def log_density(self, point: ArrayLike) -> tuple[float, Array]:
        """Log density and its gradient at an unconstrained point, shape (size,).

        Where the density cannot be computed, minus infinity and a gradient of zeros.
        """
        x = np.ascontiguousarray(point, dtype=float)
        if x.shape != (self.size,):
            raise ValueError(f"the point has shape {x.shape}; this model has {self.size} free parameters")
        gradient = np.zeros(self.size)
        value = evaluate(self.compiled.compiled_logp_func, self.user, x, gradient)
        return (value, gradient) if np.isfinite(value) else (-np.inf, np.zeros(self.size))


def compile_model(model: pm.Model) -> CompiledModel:
    """Compile a model's log density, gradient and deterministics."""
    # Here: nutpie takes a second to load, which only those who sample need pay.
    from reeuncert.inference.nutpie_model import nutpie_model

    with repeatable_arithmetic():
        compiled = nutpie_model(model)
        point = model.initial_point(0)
    centre = [np.ravel(point[model.rvs_to_values[v].name]) for v in model.free_RVs]
    return CompiledModel(compiled, np.concatenate(centre).astype(float))
