"""Balanced flows as a PyTensor operation with gradient."""

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

from reeuncert.balance import masses
from reeuncert.balance.network import Network
from reeuncert.balance.packing import Packed

_N_ARRAYS = len(Packed._fields) + 1
"""Arrays that describe a network: `Packed`, and the place of each flow in it."""


class BalancedFlows(Op):
    """(u, arrays of the network …) → (log flow, log-Jacobian, what the gradient needs).

    The network comes as vectors of integers, so that one compiled function serves every network.
    """

    __props__ = ()

    def make_node(self, u: Any, *network: Any) -> Apply:  # type: ignore[override]  # named for what it takes
        arrays = [pt.as_tensor(array) for array in network]
        log_flow = pt.tensor(dtype="float64", shape=arrays[-1].type.shape)
        return Apply(self, [pt.as_tensor(u, dtype="float64"), *arrays], [log_flow, pt.dscalar(), pt.dvector()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        for storage, value in zip(output_storage, masses.forward(*inputs), strict=True):
            storage[0] = np.asarray(value)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        room: Any = node.inputs[1 + Packed._fields.index("room")]
        return [shapes[-1], (), (2 * shapes[1][0] + room[0].astype("int64"),)]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True, True, False], *[[False] * 3] * _N_ARRAYS]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        # An unused result has an empty gradient, so the graph needs no sizes.
        given = [
            pt.constant(empty) if isinstance(cotangent.type, DisconnectedType) else cotangent
            for empty, cotangent in zip([np.zeros(0), np.zeros(())], cotangents[:2], strict=True)
        ]
        (grad,) = _balanced_flows_adjoint.make_node(*given, *inputs[1:], outputs[2]).outputs
        return [grad, *(disconnected_type() for _ in range(_N_ARRAYS))]


class BalancedFlowsAdjoint(Op):
    """Gradient with respect to the coordinates, given those with respect to the results of `BalancedFlows`."""

    __props__ = ()

    def make_node(self, to_log_flow: Any, to_jacobian: Any, *rest: Any) -> Apply:  # type: ignore[override]  # named for what it takes
        floats = [pt.as_tensor(value, dtype="float64") for value in (to_log_flow, to_jacobian)]
        return Apply(self, [*floats, *(pt.as_tensor(array) for array in rest)], [pt.dvector()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        output_storage[0][0] = masses.backward(inputs[0], float(inputs[1]), *inputs[2:])

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        first = 2
        return [(shapes[first][0] - shapes[first + Packed._fields.index("out_start")][0] + 1,)]


# Typed by hand: PyTensor leaves the number of inputs and outputs of an operation open.
_balanced_flows: Any = BalancedFlows()
_balanced_flows_adjoint: Any = BalancedFlowsAdjoint()


@register_funcify_default_op_cache_key(BalancedFlows)
def _compile_flows(op: Op, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def balanced_flows(u, *network):  # type: ignore[no-untyped-def]  # numba infers
        log_flow, log_jacobian, held = masses.forward(u, *network)
        return log_flow, np.asarray(log_jacobian), held

    return balanced_flows, masses.VERSION


@register_funcify_default_op_cache_key(BalancedFlowsAdjoint)
def _compile_adjoint(op: Op, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def balanced_flows_adjoint(to_log_flow, to_jacobian, *rest):  # type: ignore[no-untyped-def]  # numba infers
        return masses.backward(to_log_flow, to_jacobian.item(), *rest)

    return balanced_flows_adjoint, masses.VERSION


def _apply(u: Any, network: Network) -> list[TensorVariable]:
    # Shared variables are inputs of the compiled function; constants would be built into it, and recompiled with it.
    arrays = network.packed._asdict() | {"visible": network.visible}
    inputs = [shared(a, name=f"network_{name}", shape=a.shape, borrow=True) for name, a in arrays.items()]
    return list(_balanced_flows.make_node(u, *inputs).outputs)


def balanced_flows(u: Any, network: Network) -> TensorVariable:
    """Log flows that balance, from free coordinates.

    Coordinates (n_coordinates,) are logs of inputs and log-ratios of shares, in the order of
    ``network.coordinate_name``; the logs of the flows (n_edges,) are of each flow in each year in which it exists, in
    the unit of the inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from reeuncert.system.definition import Flow, Process, SystemDefinition
    >>> system = SystemDefinition(
    ...     (Process("smelter", reference_outflow=("metal",)),),
    ...     (
    ...         Flow("ore", "outside", "smelter", "ore", years=(2000,)),
    ...         Flow("metal", "smelter", "outside", "end_use", years=(2000,)),
    ...         Flow("slag", "smelter", "outside", "loss", years=(2000,)),
    ...     ),
    ...     (2000,),
    ... )
    >>> network = Network.from_system(system)
    >>> log_flow = balanced_flows(np.array([np.log(10.0), np.log(0.25)]), network)
    >>> np.exp(log_flow.eval()).round(6).tolist()
    [10.0, 8.0, 2.0]
    """
    return _apply(u, network)[0]


def balanced_flows_with_jacobian(u: Any, network: Network) -> tuple[TensorVariable, TensorVariable]:
    """Log flows, and the log-Jacobian that turns a density on flows into one on coordinates.

    log |∂x/∂u| for Lebesgue measure on the flows that balance, up to a constant: Σ_outflows log x − Σ_processes log s −
    log det(I − P) + Σ_inputs log b. It does not depend on groups or references.
    """
    log_flow, log_jacobian, _ = _apply(u, network)
    return log_flow, log_jacobian
