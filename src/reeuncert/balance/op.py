"""The kernels of paths and balanced flows as PyTensor operations with gradient."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import shared
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from reeuncert.balance import affine, masses
from reeuncert.balance.edges import Packed
from reeuncert.balance.factor import PathFactor
from reeuncert.balance.network import Network


class KernelOp(Op):
    """A kernel as an operation, in Python and compiled.

    A class names its kernel and that one's `source_version`, the elements of the kernel's inputs, the types of its
    outputs, and how many of the inputs, the first ones, `pullback` gives a gradient. Some outputs are there for the
    gradient's own use.
    """

    __props__: tuple[str, ...] = ()
    kernel: Callable[..., Any]
    version: int
    takes: tuple[str, ...]
    gives: tuple[Any, ...] = (pt.dvector,)
    differentiable = 0

    def make_node(self, *inputs: Any) -> Any:  # an `Apply`, whose outputs PyTensor types too widely
        tensors = [pt.cast(given, elements) for given, elements in zip(inputs, self.takes, strict=True)]
        return Apply(self, tensors, [kind() for kind in self.output_types(tensors)])

    def output_types(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """`gives`, or the same with shapes that follow from the inputs."""
        return self.gives

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        results = self.kernel(*inputs)
        for storage, result in zip(output_storage, results if len(self.gives) > 1 else [results], strict=True):
            storage[0] = result

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        # Without a gradient all are connected: to ask for one is then an error, not zero.
        count = self.differentiable or len(self.takes)
        return [[i < count] * len(self.gives) for i in range(len(self.takes))]

    def completed(self, gradients: Sequence[Variable]) -> list[Variable]:
        """Gradients of the first inputs, and none of the others."""
        return [*gradients, *(disconnected_type() for _ in self.takes[len(gradients) :])]


@register_funcify_default_op_cache_key(KernelOp)
def _compile(op: KernelOp, node: Apply | None = None, **_: Any) -> tuple[Callable[..., Any], int]:
    kernel = op.kernel

    @numba_njit
    def call(*inputs):  # type: ignore[no-untyped-def]  # numba infers
        return kernel(*inputs)

    return call, op.version


NETWORK = (*["uint32"] * len(Packed._fields), "int64")
"""Elements of the arrays that describe a network: `Packed`, and the place of each flow in it."""


class BalancedFlows(KernelOp):
    """(u, arrays of the network …) → (log flow, log-Jacobian, what the gradient needs).

    The network comes as arrays of integers, so that one compiled function serves every network.
    """

    kernel = staticmethod(masses.forward)
    version = masses.VERSION
    takes = ("float64", *NETWORK)
    gives = (pt.dvector, pt.dscalar, pt.dvector)
    differentiable = 1

    def output_types(self, inputs: Sequence[Any]) -> Sequence[Any]:
        return (pt.TensorType("float64", inputs[-1].type.shape), *self.gives[1:])

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        room: Any = node.inputs[1 + Packed._fields.index("room")]
        return [shapes[-1], (), (2 * shapes[1][0] + room[0].astype("int64"),)]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        # An unused result has an empty gradient, so the graph needs no sizes.
        given = [
            pt.constant(empty) if isinstance(cotangent.type, DisconnectedType) else cotangent
            for empty, cotangent in zip((np.zeros(0), np.zeros(())), cotangents[:2], strict=True)
        ]
        return self.completed(BalancedFlowsAdjoint().make_node(*given, *inputs[1:], outputs[2]).outputs)


class BalancedFlowsAdjoint(KernelOp):
    """Gradient with respect to the coordinates, given those with respect to the results of `BalancedFlows`."""

    kernel = staticmethod(masses.backward)
    version = masses.VERSION
    takes = ("float64", "float64", *NETWORK, "float64")

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        first = 2
        return [(shapes[first][0] - shapes[first + Packed._fields.index("out_start")][0] + 1,)]


class PathProduct(KernelOp):
    """(z, layout, values) → K z, or Kᵀ z where ``transposed``; differentiable in z alone."""

    __props__ = ("transposed",)
    version = affine.VERSION
    takes = ("float64", "int64", "float64")
    differentiable = 1

    def __init__(self, transposed: bool = False):
        self.transposed = transposed
        self.kernel = affine.new_product_transposed if transposed else affine.new_product

    def output_types(self, inputs: Sequence[Any]) -> Sequence[Any]:
        return (inputs[0].type,)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [shapes[0]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        return self.completed(PathProduct(not self.transposed).make_node(cotangents[0], *inputs[1:]).outputs)


def path_affine(z: Any, mean: Any, factor: PathFactor, values: Any = None) -> TensorVariable:
    """Coordinates u = mean + K z.

    z and mean have the shape (factor.size,); mean is an array or a ``pm.Data`` that a refit may change. ``values``, a
    ``pm.Data`` in place of ``factor.values``, lets a refit change K without recompiling. The gradient reaches z and
    mean, not the values of K.
    """
    if values is None:
        values = _held(factor.values, "factor_values")
    return pt.as_tensor(mean) + PathProduct().make_node(z, _held(factor.layout, "factor_layout"), values).outputs[0]


def _held(array: np.ndarray, name: str) -> Any:
    """A shared variable: an input of the compiled function; a constant would be built into it, and recompiled."""
    return shared(array, name=name, shape=array.shape, borrow=True)


def balanced_flows_with_jacobian(u: Any, network: Network) -> tuple[TensorVariable, TensorVariable]:
    """Log flows (n_edges,) that balance, from free coordinates (n_coordinates,), as graph; and the log-Jacobian that
    turns a density on flows into one on coordinates.

    log |∂x/∂u| for Lebesgue measure on the flows that balance, up to a constant: Σ_outflows log x − Σ_processes log s −
    log det(I − P) + Σ_inputs log b. It does not depend on groups or references.
    """
    arrays = network.packed._asdict() | {"visible": network.visible}
    inputs = [_held(array, f"network_{name}") for name, array in arrays.items()]
    log_flow, log_jacobian, _ = BalancedFlows().make_node(u, *inputs).outputs
    return log_flow, log_jacobian


def balanced_flows(u: Any, network: Network) -> TensorVariable:
    """Log flows that balance, from free coordinates.

    Coordinates (n_coordinates,) are logs of inputs and log-ratios of shares, in the order of
    ``network.coordinate_name``; the logs of the flows (n_edges,) are of each flow in each year in which it exists, in
    the unit of the inputs.
    """
    return balanced_flows_with_jacobian(u, network)[0]
