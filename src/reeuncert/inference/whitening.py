"""Sample a model in coordinates in which its posterior is nearly round.

Tight figures pin down a few hundred combinations of flows (a sum over products, a yield times an input) and leave the
rest to the prior, so that the posterior is a needle in some directions and wide in most. NUTS with a diagonal metric
takes short steps along all of them. Here the sampler moves in y instead of the model's own parameters x,

    x = x̂ + y + Σ_j (λ_j^{-1/2} − 1) v_j v_jᵀ y,

with x̂ the mode and v_j, λ_j the stiff eigenvectors of the negative Hessian there (λ above `STIFF`). The map is
linear, so that the posterior that is sampled is exactly that of the model, however good or bad the mode and the
Hessian are; only speed depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import shared
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import graph_replace
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.shape import specify_shape
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from reeuncert.balance.compiled import kernel, source_version
from reeuncert.inference.compiled import CompiledModel, compile_model

Array = NDArray[np.float64]

WHITENED = "whitened"
CENTRE = "whitening_centre"
STIFF = 4.0
"""Directions whose curvature exceeds that of the prior by more than this factor are scaled."""
FIRST_GUESS = 256
STEP = 1e-4
MODE_STEPS = 400

_VERSION = source_version(__file__)


@kernel(_VERSION)
def _stretch(y, directions, columns, gains):  # type: ignore[no-untyped-def]  # numba infers
    """Y + V diag(gains) Vᵀ y; V comes twice, by rows and by columns, so that both products run along memory."""
    along = (np.dot(columns, y.astype(np.float32)) * gains).astype(np.float32)
    return y + np.dot(directions, along)


class Stretch(Op):
    """(y, V, Vᵀ, gains) → y + V diag(gains) Vᵀ y; symmetric, so that it is its own gradient."""

    __props__ = ()

    def make_node(self, y: Any, *columns: Any) -> Apply:  # type: ignore[override]  # named for what it takes
        y = pt.as_tensor(y, dtype="float64")
        return Apply(self, [y, *(pt.as_tensor(c) for c in columns)], [y.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = _stretch(*inputs)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [shapes[0]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False], [False], [False]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        return [
            _stretch_op.make_node(cotangents[0], *inputs[1:]).outputs[0],
            *(disconnected_type() for _ in inputs[1:]),
        ]


_stretch_op = Stretch()


@register_funcify_default_op_cache_key(Stretch)
def _compile_stretch(op: Stretch, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def stretch(y, directions, columns, gains):  # type: ignore[no-untyped-def]  # numba infers
        return _stretch(y, directions, columns, gains)

    return stretch, _VERSION


def whitened_model(model: pm.Model) -> pm.Model:
    """The same posterior over one flat vector ``whitened``, whose linear map to the model's parameters is data.

    Parameters
    ----------
    model
        Any PyMC model with continuous free variables.

    Returns
    -------
    pymc.Model
        Free variable ``whitened``; the log density of ``model`` as a potential; every free variable and deterministic
        of ``model`` as a deterministic of the same name and dims. As built, the map is the identity; `whiten` sets it.
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
        none = np.zeros((int(ends[-1]), 0), dtype=np.float32)
        columns = [
            shared(none, name="whitening_directions", shape=(None, None)),
            shared(none.T.copy(), name="whitening_columns", shape=(None, None)),
            shared(np.zeros(0), name="whitening_gains", shape=(None,)),
        ]
        x = shared(centre, name=CENTRE, shape=centre.shape) + _stretch_op(y, *columns)
        pieces = [x[a:b].reshape(shape) for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)]
        given = {value: specify_shape(p, value.type.shape) for value, p in zip(values, pieces, strict=True)}
        log_density, *graphs = graph_replace([log_density, *graphs], given, strict=False)
        pm.Potential("log_density", log_density)
        for variable, graph in zip(shown, graphs, strict=True):
            pm.Deterministic(variable.name, graph, dims=model.named_vars_to_dims.get(variable.name))
    return sampling


def compile_whitened(model: pm.Model, *, store: Sequence[str] | None = None) -> CompiledModel:
    """Compile the `whitened_model` of a model.

    Parameters
    ----------
    model
        From `reeuncert.build_model`.
    store
        Names of deterministics to keep in every draw, by default all; free variables are always kept.

    Returns
    -------
    CompiledModel
        Its free parameters are those of ``whitened``: the model's own, unconstrained, until `whiten` sets the map.
    """
    free = [variable.name for variable in model.free_RVs]
    names = [v.name for v in model.deterministics] if store is None else list(store)
    return compile_model(whitened_model(model), store=[*free, *names])


def is_whitened(compiled: CompiledModel) -> bool:
    """Whether `whiten` can set the map of a compiled model: whether it was made by `compile_whitened`."""
    return any(variable.name == CENTRE for variable in compiled.compiled.shared_var_keys)


def whiten(compiled: CompiledModel) -> CompiledModel:
    """Set the map of a compiled `whitened_model` to the mode and the stiff directions of its posterior.

    Parameters
    ----------
    compiled
        A compiled `whitened_model`; its data may have been changed by ``with_data`` since it was compiled.

    Returns
    -------
    CompiledModel
        The same compiled code, whose chains start around the mode with a standard-normal jitter.
    """
    plain = compiled.with_data(**_map_data(np.zeros((compiled.size, 0)), np.zeros(0)))
    with threadpool_limits(1):  # vectors this short lose more to the waking of threads than they gain
        mode = _mode(plain)
        curvature, directions = _stiff_directions(plain, mode)
    centre = plain.data(CENTRE)
    set_up = compiled.with_data(whitening_centre=centre + mode, **_map_data(directions, curvature))
    return set_up.with_starts(lambda seed: np.random.default_rng(seed).standard_normal(compiled.size))


def _mode(compiled: CompiledModel) -> Array:
    def downhill(point: Array) -> tuple[float, Array]:
        value, gradient = compiled.log_density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(point))

    found = minimize(
        downhill, np.zeros(compiled.size), jac=True, method="L-BFGS-B", options={"maxiter": MODE_STEPS, "maxcor": 20}
    )
    return np.asarray(found.x, dtype=float)


def _stiff_directions(compiled: CompiledModel, mode: Array) -> tuple[Array, Array]:
    """Eigenvalues above `STIFF` of the negative Hessian at a point, and their eigenvectors in columns."""

    def curvature_along(direction: Array) -> Array:
        step = STEP * np.ravel(direction)
        return (compiled.log_density(mode - step)[1] - compiled.log_density(mode + step)[1]) / (2 * STEP)

    size = mode.size
    wanted = min(FIRST_GUESS, size - 1)
    if size <= 2 * FIRST_GUESS:  # small enough to look at every direction
        hessian = np.array([curvature_along(row) for row in np.eye(size)])
        values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
        return values[values > STIFF], vectors[:, values > STIFF]
    operator = LinearOperator((size, size), matvec=curvature_along, dtype=float)
    start = np.random.default_rng(0).standard_normal(size)
    while True:
        values, vectors = eigsh(operator, k=wanted, which="LA", v0=start, tol=1e-4)
        if values.min() <= STIFF or wanted == size - 1:
            return values[values > STIFF], vectors[:, values > STIFF]
        wanted = min(2 * wanted, size - 1)


def _map_data(directions: Array, curvature: Array) -> dict[str, NDArray[Any]]:
    """The stiff directions as the data that the map reads; in single precision, which halves the way from memory.

    The map is what these numbers say, on the way there and back: their rounding costs nothing but roundness.
    """
    return {
        "whitening_directions": np.ascontiguousarray(directions, dtype=np.float32),
        "whitening_columns": np.ascontiguousarray(directions.T, dtype=np.float32),
        "whitening_gains": 1 / np.sqrt(curvature) - 1,
    }
