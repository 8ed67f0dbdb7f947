"""Sample a model in other coordinates, by a linear map.

The sampler moves in y instead of the model's own parameters x,

    x = c + y + Σ_j (s_j − 1) v_j v_jᵀ y,

with orthonormal directions v_j. The map is linear, so that the posterior that is sampled is exactly that of the model,
whatever c, v and s are; only speed depends on them. `reeuncert.inference.shape` finds those that suit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import shared
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.replace import graph_replace
from pytensor.tensor.shape import specify_shape

from reeuncert.balance.op import KernelOp
from reeuncert.compiling import kernel
from reeuncert.inference.compiled import CompiledModel, compile_model
from reeuncert.inference.density import compile_density, why_not
from reeuncert.inference.layout import COORDINATES
from reeuncert.inference.stretching import CENTRE, DIRECTIONS, GAINS, VERSION, WHITENED, stretch

Array = NDArray[np.float64]


@kernel(VERSION)
def _stretched(y, directions, gains):  # type: ignore[no-untyped-def]  # numba infers
    result = np.empty(y.size)
    stretch(y, directions, gains, result)
    return result


class Stretch(KernelOp):
    """(y, V, gains) → y + Vᵀ diag(gains) V y; symmetric, so that it is its own gradient."""

    kernel = staticmethod(_stretched)
    version = VERSION
    takes = ("float64", "float32", "float64")
    differentiable = 1

    def output_types(self, inputs: Sequence[Any]) -> Sequence[Any]:
        return (inputs[0].type,)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [shapes[0]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        return self.completed(Stretch().make_node(cotangents[0], *inputs[1:]).outputs)


def whitened_model(model: pm.Model) -> pm.Model:
    """The same posterior over one flat vector ``whitened``, whose linear map to the model's parameters is data.

    Free variable ``whitened``; the log density of ``model`` as a potential; every free variable and deterministic of
    ``model`` as a deterministic of the same name and dims. As built, the map is the identity; `with_map` sets another.
    """
    point = model.initial_point()
    values = [model.rvs_to_values[rv] for rv in model.free_RVs]
    shapes = [np.shape(point[value.name]) for value in values]
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    centre = np.concatenate([np.ravel(point[value.name]) for value in values]).astype(float)
    log_density = model.logp()
    shown = [*model.free_RVs, *model.deterministics]
    graphs = model.replace_rvs_by_values(shown)
    with pm.Model(coords=model.coords) as sampling:
        y = pm.Flat(WHITENED, shape=int(ends[-1]), initval=np.zeros(int(ends[-1])))
        none = np.zeros((0, int(ends[-1])), dtype=np.float32)
        directions = shared(none, name=DIRECTIONS, shape=(None, None))
        gains = shared(np.zeros(0), name=GAINS, shape=(None,))
        x = shared(centre, name=CENTRE, shape=centre.shape) + Stretch().make_node(y, directions, gains).outputs[0]
        pieces = [x[a:b].reshape(shape) for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)]
        given = {value: specify_shape(p, value.type.shape) for value, p in zip(values, pieces, strict=True)}
        log_density, *graphs = graph_replace([log_density, *graphs], given, strict=False)
        pm.Potential("log_density", log_density)
        for variable, graph in zip(shown, graphs, strict=True):
            pm.Deterministic(variable.name, graph, dims=model.named_vars_to_dims.get(variable.name))
    return sampling


def compile_whitened(model: pm.Model) -> CompiledModel:
    """Compile the `whitened_model` of a model. Its free parameters are the model's own, unconstrained, until `with_map`
    sets the map.
    """
    return replace(compile_model(whitened_model(model)), unfold=_without_whitened)


def _without_whitened(compiled: CompiledModel, stored: xr.Dataset) -> xr.Dataset:
    return stored.drop_dims(stored[WHITENED].dims[2:])


def compile_for_sampling(model: pm.Model) -> CompiledModel:
    """Compile a model by the way that suits it.

    * The package's own density (`reeuncert.inference.density`) where it is that of the model.
    * PyTensor's, in coordinates that can be made round, where priors are normal and the model has variables of its own.
    * PyTensor's in the model's coordinates under other priors: densities of masses and shares have corners, and
      whitening around a mode costs them effective draws (steel of Lupton & Allwood 2018).
    """
    if not why_not(model):
        return compile_density(model)
    normal = any(variable.name == COORDINATES for variable in model.free_RVs)
    return (compile_whitened if normal else compile_model)(model)


def is_whitened(compiled: CompiledModel) -> bool:
    """Whether `with_map` can set the map of a compiled model: not where it moves in the model's own coordinates."""
    return CENTRE in compiled.data_names


@dataclass(frozen=True)
class LinearMap:
    """The map x = centre + y + Σ_j (scale_j − 1) v_j v_jᵀ y. Directions v_j are orthonormal, in rows (k, size); centre
    (size,), scale (k,).
    """

    centre: Array
    directions: Array
    scale: Array

    @classmethod
    def of(cls, compiled: CompiledModel) -> LinearMap:
        """The map that a compiled `whitened_model` has."""
        return cls(compiled.data(CENTRE), compiled.data(DIRECTIONS).astype(float), 1 + compiled.data(GAINS))


def with_map(compiled: CompiledModel, chosen: LinearMap) -> CompiledModel:
    """The same compiled `whitened_model` with another map.

    Directions are kept in single precision, which halves their way from memory. The map is what these numbers say, on
    the way there and back: their rounding costs nothing but roundness.
    """
    return compiled.with_data(
        **{
            CENTRE: np.asarray(chosen.centre, dtype=float),
            DIRECTIONS: np.ascontiguousarray(chosen.directions, dtype=np.float32),
            GAINS: np.asarray(chosen.scale, dtype=float) - 1,
        }
    )
