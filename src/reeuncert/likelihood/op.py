"""The likelihood kernels as two PyTensor operations with gradients of their own.

Both take every array as an input, so that one compiled function serves every case. Further outputs store values for the
gradient, so that the backward pass needs no exponentials and tails.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from reeuncert.likelihood import kernels
from reeuncert.likelihood._numba import KERNEL_VERSION, compiled_entry
from reeuncert.likelihood.packing import unpack_rows, unpack_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FLOAT, _INT = "float64", "int64"


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


def _outputs(op: Op, *inputs: Any) -> list[Any]:
    return list(op.make_node(*inputs).outputs)


class _VectorOp(Op):
    """An operation on vectors of fixed dtypes.

    Only the first ``n_differentiable`` inputs carry a gradient, and of the outputs only the first; the others are there
    for the gradient's own use.
    """

    __props__ = ()
    dtypes: tuple[str, ...] = ()
    n_outputs = 1
    n_differentiable = 0

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, _vectors(self, inputs, self.dtypes), [pt.dvector() for _ in range(self.n_outputs)])

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        raise NotImplementedError  # an operation of each kernel gives its own

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        for storage, result in zip(output_storage, self.function(*inputs), strict=True):
            storage[0] = result

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[i < self.n_differentiable and o == 0 for o in range(self.n_outputs)] for i in range(len(self.dtypes))]

    def _cotangents(self, gradients: Sequence[Variable]) -> list[Variable]:
        return [*gradients, *(disconnected_type() for _ in range(len(self.dtypes) - len(gradients)))]


@compiled_entry
def _quantities(log_flow: Floats, log_offset: Floats, layout: Ints, coefficient: Floats) -> tuple[Floats, Floats]:
    summed, sums = unpack_sums(layout, coefficient)
    x = np.zeros(log_flow.size)
    for edge in summed:
        x[edge] = np.exp(log_flow[edge])
    eta = np.empty(layout[0])
    kernels.quantities(eta, x, log_flow, log_offset, *sums)
    return eta, x


@compiled_entry
def _quantities_pullback(
    cotangent: Floats, x: Floats, log_flow: Floats, log_offset: Floats, layout: Ints, coefficient: Floats
) -> tuple[Floats, Floats]:
    sums = unpack_sums(layout, coefficient)[1]
    flow_gradient = np.zeros(log_flow.size)
    offset_gradient = np.zeros(log_offset.size)
    kernels.quantities_pullback(flow_gradient, offset_gradient, cotangent, x, log_flow, log_offset, *sums)
    return flow_gradient, offset_gradient


@compiled_entry
def _row_logp(value: Floats, eta: Floats, sigma: Floats, code: Ints, bound: Floats) -> tuple[Floats, Floats, Floats]:
    logp = np.empty(eta.size)
    d_eta = np.empty(eta.size)
    d_sigma = np.empty(eta.size)
    kernels.row_logp(logp, d_eta, d_sigma, value, eta, sigma, *unpack_rows(code, bound))
    return logp, d_eta, d_sigma


class SelectedQuantities(_VectorOp):
    """Reported quantities from log flows: outputs eta (row), and the masses that its gradient needs (edge)."""

    dtypes = (_FLOAT, _FLOAT, _INT, _FLOAT)
    n_outputs = 2
    n_differentiable = 2
    default_output = 0

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(_quantities(*inputs))

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Variable]:
        return self._cotangents(_outputs(SelectedQuantitiesPullback(), cotangents[0], outputs[1], *inputs))


class SelectedQuantitiesPullback(_VectorOp):
    """Gradient of `SelectedQuantities` with respect to log flows and log offsets."""

    dtypes = (_FLOAT, _FLOAT, _FLOAT, _FLOAT, _INT, _FLOAT)
    n_outputs = 2

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(_quantities_pullback(*inputs))


class RowLogp(_VectorOp):
    """Log likelihood of each row, and its derivatives with respect to eta and sigma (outputs 1 and 2)."""

    dtypes = (_FLOAT, _FLOAT, _FLOAT, _INT, _FLOAT)
    n_outputs = 3
    n_differentiable = 3
    default_output = 0

    def function(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(_row_logp(*inputs))

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Variable]:
        by_eta = cotangents[0] * outputs[1]
        return self._cotangents([-by_eta, by_eta, cotangents[0] * outputs[2]])


def _register(op_type: type[_VectorOp], function: Callable[..., Any]) -> None:
    @register_funcify_default_op_cache_key(op_type)  # type: ignore[untyped-decorator]  # PyTensor has no types here
    def _funcify(op: Op, node: Apply | None = None, **_: Any) -> tuple[Callable[..., Any], int]:
        @numba_njit
        def call(*inputs: Any) -> Any:
            return function(*inputs)

        return call, KERNEL_VERSION


_register(SelectedQuantities, _quantities)
_register(SelectedQuantitiesPullback, _quantities_pullback)
_register(RowLogp, _row_logp)


def selected_quantities(log_flow: Any, log_offset: Any, layout: Any, coefficient: Any) -> TensorVariable:
    """Quantity of every row on its own scale (row): log for levels and ratios, logit for shares, plain for additive
    rows. From the log masses (edge) and log offsets (offset value) by the sums of
    `reeuncert.likelihood.packing.pack_sums`.
    """
    return _outputs(SelectedQuantities(), log_flow, log_offset, layout, coefficient)[0]


def row_logp(value: Any, eta: Any, sigma: Any, code: Any, bound: Any) -> TensorVariable:
    """Log likelihood of every row (row). Figure, model's quantity and scale of the error are on the scale of the row
    (row); ``code`` and ``bound`` are from `reeuncert.likelihood.packing.pack_rows`.
    """
    return _outputs(RowLogp(), value, eta, sigma, code, bound)[0]
