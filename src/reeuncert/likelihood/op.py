"""The likelihood kernels as two PyTensor operations with gradients of their own.

Both take every array as an input, so that one compiled function serves every case. Each returns what its gradient
needs as further outputs, so that the backward pass computes no exponential and no tail a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from reeuncert.likelihood import kernels

_FLOAT, _INT, _BOOL = "float64", "int64", "bool"
_QUANTITY_DTYPES = (_FLOAT, _FLOAT, _BOOL, *(_INT, _INT, _FLOAT) * 3)
_ROW_DTYPES = (_FLOAT, _FLOAT, _FLOAT, _INT, _INT, _FLOAT, _FLOAT, _FLOAT, _FLOAT)


@cache
def kernel_version() -> int:
    """Fingerprint of the kernels' source: part of the key under which PyTensor caches compiled code on disk."""
    folder = Path(__file__).parent
    text = b"".join((folder / name).read_bytes() for name in ("_numba.py", "tails.py", "kernels.py", "op.py"))
    return int.from_bytes(sha256(text).digest()[:6], "big")


def _vectors(op: Op, inputs: Sequence[Any], dtypes: Sequence[str]) -> list[TensorVariable]:
    if len(inputs) != len(dtypes):
        raise TypeError(f"{type(op).__name__} takes {len(dtypes)} vectors, not {len(inputs)}")
    tensors = [pt.as_tensor(i) for i in inputs]
    for position, (tensor, dtype) in enumerate(zip(tensors, dtypes, strict=True)):
        if tensor.type.ndim != 1:
            raise TypeError(f"input {position} of {type(op).__name__} must be a vector, not {tensor.type}")
        if tensor.type.dtype != dtype:
            tensors[position] = tensor.astype(dtype)
    return tensors


def _disconnected(variable: Variable) -> bool:
    return isinstance(variable.type, DisconnectedType)


class _VectorOp(Op):
    """An operation on vectors of fixed dtypes; only the first ``n_differentiable`` inputs carry a gradient."""

    __props__ = ()
    dtypes: tuple[str, ...] = ()
    n_outputs = 1
    n_differentiable = 0

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, _vectors(self, inputs, self.dtypes), [pt.dvector() for _ in range(self.n_outputs)])

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        raise NotImplementedError

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        for storage, result in zip(output_storage, self.function(*inputs), strict=True):
            storage[0] = result

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[i < self.n_differentiable] * self.n_outputs for i in range(len(node.inputs))]

    def _cotangents(self, gradients: Sequence[Variable]) -> list[Variable]:
        return [*gradients, *(disconnected_type() for _ in range(len(self.dtypes) - len(gradients)))]


@kernels.compiled
def _quantities(
    log_flow,
    log_offset,
    plain,
    num_ptr,
    num_edge,
    num_coef,
    den_ptr,
    den_edge,
    den_coef,
    off_ptr,
    off_index,
    off_weight,
):  # type: ignore[no-untyped-def]  # numba infers the types
    x = np.exp(log_flow)
    eta = np.empty(plain.size)
    kernels.quantities(
        x, log_flow, log_offset, plain, num_ptr, num_edge, num_coef,
        den_ptr, den_edge, den_coef, off_ptr, off_index, off_weight, eta,
    )  # fmt: skip
    return eta, x


@kernels.compiled
def _quantities_pullback(
    cotangent, x, log_flow, log_offset, plain, num_ptr, num_edge, num_coef,
    den_ptr, den_edge, den_coef, off_ptr, off_index, off_weight,
):  # type: ignore[no-untyped-def]  # numba infers the types  # fmt: skip
    flow_gradient = np.zeros(log_flow.size)
    offset_gradient = np.zeros(log_offset.size)
    kernels.quantities_pullback(
        cotangent, x, log_flow, log_offset, plain, num_ptr, num_edge, num_coef,
        den_ptr, den_edge, den_coef, off_ptr, off_index, off_weight, flow_gradient, offset_gradient,
    )  # fmt: skip
    return flow_gradient, offset_gradient


@kernels.compiled
def _row_logp(value, eta, sigma, family, form, lower, upper, shift, weight):  # type: ignore[no-untyped-def]  # numba infers
    logp = np.empty(eta.size)
    d_eta = np.empty(eta.size)
    d_sigma = np.empty(eta.size)
    kernels.row_logp(value, eta, sigma, family, form, lower, upper, shift, weight, logp, d_eta, d_sigma)
    return logp, d_eta, d_sigma


class SelectedQuantities(_VectorOp):
    """Reported quantities from log flows: outputs eta (row) and exp(log_flow) (edge), the latter for the gradient."""

    dtypes = _QUANTITY_DTYPES
    n_outputs = 2
    n_differentiable = 2
    default_output = 0

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(_quantities(*inputs))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        of_eta, of_mass = cotangents
        log_flow, log_offset, *arrays = inputs
        if _disconnected(of_eta):
            gradients = [pt.zeros_like(log_flow), pt.zeros_like(log_offset)]
        else:
            gradients = list(SelectedQuantitiesPullback()(of_eta, outputs[1], log_flow, log_offset, *arrays))
        if not _disconnected(of_mass):
            gradients[0] = gradients[0] + of_mass * outputs[1]
        return self._cotangents(gradients)


class SelectedQuantitiesPullback(_VectorOp):
    """Gradient of `SelectedQuantities` with respect to log flows and log offsets."""

    dtypes = (_FLOAT, _FLOAT, *_QUANTITY_DTYPES)
    n_outputs = 2

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(_quantities_pullback(*inputs))


class RowLogp(_VectorOp):
    """Log likelihood of each row, and its derivatives with respect to eta and sigma (outputs 1 and 2)."""

    dtypes = _ROW_DTYPES
    n_outputs = 3
    n_differentiable = 3
    default_output = 0

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(_row_logp(*inputs))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        if not all(_disconnected(c) for c in cotangents[1:]):
            raise NotImplementedError("the log likelihood of reported figures has first derivatives only")
        by_eta = cotangents[0] * outputs[1]
        return self._cotangents([-by_eta, by_eta, cotangents[0] * outputs[2]])


def _register(op_type: type[_VectorOp], function: Callable[..., Any]) -> None:
    @register_funcify_default_op_cache_key(op_type)
    def _funcify(op: Op, node: Apply | None = None, **_: Any) -> tuple[Callable[..., Any], int]:
        @numba_njit
        def call(*inputs):  # type: ignore[no-untyped-def]  # numba infers the types
            return function(*inputs)

        return call, kernel_version()


_register(SelectedQuantities, _quantities)
_register(SelectedQuantitiesPullback, _quantities_pullback)
_register(RowLogp, _row_logp)


def selected_quantities(log_flow: Any, log_offset: Any, *arrays: Any) -> TensorVariable:
    """Reported quantity of every row on the scale of the row.

    Parameters
    ----------
    log_flow
        Log mass (edge).
    log_offset
        Log offsets (offset value).
    arrays
        `reeuncert.likelihood.compile.EvidenceModel.quantity_arrays`.

    Returns
    -------
    TensorVariable
        eta (row): log for levels and ratios, logit for shares, plain for additive rows.
    """
    eta: TensorVariable = SelectedQuantities()(log_flow, log_offset, *arrays)
    return eta


def row_logp(value: Any, eta: Any, sigma: Any, *arrays: Any) -> TensorVariable:
    """Log likelihood of every row (row).

    Parameters
    ----------
    value, eta, sigma
        Reported figure, model's quantity (both on the scale of the row), and scale of the error (row).
    arrays
        `reeuncert.likelihood.compile.EvidenceModel.row_arrays`: family, form, lower, upper, shift, weight (row).
    """
    logp: TensorVariable = RowLogp()(value, eta, sigma, *arrays)
    return logp
