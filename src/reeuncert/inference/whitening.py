"""Sample a model in coordinates in which its posterior is nearly round.

Tight figures pin down a few hundred combinations of flows (a sum over products, a yield times an input) and leave the rest to
the prior, so that the posterior is a needle in some directions and wide in most. NUTS with a diagonal metric takes short steps
along all of them. Here the sampler moves in y instead of the model's own parameters x,

    x = x̂ + y + Σ_j (λ_j^{-1/2} − 1) v_j v_jᵀ y,

with x̂ the mode and v_j, λ_j the stiff eigenvectors of the negative Hessian there (λ above `STIFF`). The map is linear, so the
posterior that is sampled is exactly that of the model, however good or bad the mode and the Hessian are; only speed depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import graph_replace
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from reeuncert.balance.compiled import kernel, source_version
from reeuncert.inference.compiled import CompiledModel

Array = NDArray[np.float64]

WHITENED = "whitened"
STIFF = 2.5
"""Directions whose curvature exceeds that of the prior by more than this factor are scaled."""
NEGLIGIBLE = 0.005
"""Entries of a stiff direction that would move it by less than this part of its own width are left out."""
FIRST_GUESS = 256
STEP = 1e-4
MODE_STEPS = 400

_VERSION = source_version(__file__)


@kernel(_VERSION)
def _stretch(y, starts, rows, values, gains):  # type: ignore[no-untyped-def]
    result = y.copy()
    for j in range(gains.size):
        along = 0.0
        for q in range(starts[j], starts[j + 1]):
            along += values[q] * y[rows[q]]
        along *= gains[j]
        for q in range(starts[j], starts[j + 1]):
            result[rows[q]] += along * values[q]
    return result


class Stretch(Op):
    """y + V diag(gains) Vᵀ y with sparse columns of V; symmetric, so that it is its own gradient."""

    __props__ = ()

    def make_node(self, y: Any, *columns: Any) -> Apply:
        y = pt.as_tensor(y, dtype="float64")
        return Apply(self, [y, *(pt.as_tensor(c) for c in columns)], [y.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = _stretch(*inputs)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [shapes[0]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False], [False], [False], [False]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        return [_stretch_op(cotangents[0], *inputs[1:]), *(disconnected_type() for _ in inputs[1:])]


_stretch_op = Stretch()


@register_funcify_default_op_cache_key(Stretch)
def _compile_stretch(op: Stretch, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def stretch(y, starts, rows, values, gains):  # type: ignore[no-untyped-def]
        return _stretch(y, starts, rows, values, gains)

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
        Free variable ``whitened``; the log density of ``model`` as a potential; every free variable and deterministic of ``model``
        as a deterministic of the same name and dims. As built, the map is the identity; `whiten` sets it.
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
        columns = [
            pm.Data("whitening_starts", np.zeros(1, dtype=np.int64)),
            pm.Data("whitening_rows", np.zeros(0, dtype=np.int64)),
            pm.Data("whitening_values", np.zeros(0)),
            pm.Data("whitening_gains", np.zeros(0)),
        ]
        x = pm.Data("whitening_centre", centre) + _stretch_op(y, *columns)
        pieces = [x[a:b].reshape(shape) for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)]
        given = {value: pt.specify_shape(p, value.type.shape) for value, p in zip(values, pieces, strict=True)}
        log_density, *graphs = graph_replace([log_density, *graphs], given, strict=False)
        pm.Potential("log_density", log_density)
        for variable, graph in zip(shown, graphs, strict=True):
            pm.Deterministic(variable.name, graph, dims=model.named_vars_to_dims.get(variable.name))
    return sampling


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
    plain = compiled.with_data(**_map_data(np.zeros((0, 0)), np.zeros(0)))
    with threadpool_limits(1):  # vectors this short lose more to the waking of threads than they gain
        mode = _mode(plain)
        curvature, directions = _stiff_directions(plain, mode)
    centre = plain.data("whitening_centre")
    set_up = compiled.with_data(whitening_centre=centre + mode, **_map_data(directions, curvature))
    return set_up.with_starts(lambda seed: np.random.default_rng(seed).standard_normal(compiled.size))


def _mode(compiled: CompiledModel) -> Array:
    def downhill(point: Array) -> tuple[float, Array]:
        value, gradient = compiled.log_density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(point))

    found = minimize(downhill, np.zeros(compiled.size), jac=True, method="L-BFGS-B", options={"maxiter": MODE_STEPS, "maxcor": 20})
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
    """Sparse columns of the stiff directions, as the data that the map reads."""
    limit = NEGLIGIBLE * np.sqrt(STIFF / curvature)
    kept = np.abs(directions) >= limit if curvature.size else np.zeros((0, 0), dtype=bool)
    column, row = np.nonzero(kept.T)
    return {
        "whitening_starts": np.concatenate([[0], np.cumsum(kept.sum(axis=0))]).astype(np.int64),
        "whitening_rows": row.astype(np.int64),
        "whitening_values": np.asarray(directions.T[column, row] if curvature.size else np.zeros(0), dtype=float),
        "whitening_gains": 1 / np.sqrt(curvature) - 1,
    }
