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

from reeuncert.balance import kernels
from reeuncert.balance.anchors import Anchors
from reeuncert.balance.network import Network


class BalancedFlows(Op):
    """(u, layout, visible) → (log flow, log share, log-Jacobian, kept).

    The network comes as two vectors of integers, so that one compiled function serves every network. ``kept`` is stored
    for the gradient only.
    """

    __props__ = ()

    def make_node(self, u: Any, layout: Any, visible: Any) -> Apply:  # type: ignore[override]  # fixed arity
        u, layout, visible = pt.as_tensor(u, dtype="float64"), pt.as_tensor(layout), pt.as_tensor(visible)
        edges = pt.tensor(dtype="float64", shape=visible.type.shape)
        outputs = [edges, edges.type(), pt.dscalar(), pt.dvector()]
        return Apply(self, [u, layout, visible], outputs)

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        log_flow, log_share, log_jacobian, kept = kernels.forward(*inputs)
        for storage, value in zip(output_storage, (log_flow, log_share, np.asarray(log_jacobian), kept), strict=True):
            storage[0] = value

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [shapes[2], shapes[2], (), (pt.as_tensor(node.inputs[1])[5],)]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True, True, True, False], [False] * 4, [False] * 4]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        # An unused result has an empty gradient, so the graph needs no sizes.
        nothing = [np.zeros(0), np.zeros(0), np.zeros(())]
        given = [
            pt.constant(empty) if isinstance(cotangent.type, DisconnectedType) else cotangent
            for empty, cotangent in zip(nothing, cotangents[:3], strict=True)
        ]
        _, layout, visible = inputs
        (grad,) = _balanced_flows_adjoint.make_node(*given, layout, visible, outputs[3]).outputs
        return [grad, disconnected_type(), disconnected_type()]


class BalancedFlowsAdjoint(Op):
    """Gradient with respect to the coordinates, given those with respect to the results of `BalancedFlows`."""

    __props__ = ()

    def make_node(  # type: ignore[override]  # fixed arity
        self, to_log_flow: Any, to_log_share: Any, to_jacobian: Any, layout: Any, visible: Any, kept: Any
    ) -> Apply:
        floats = [pt.as_tensor(value, dtype="float64") for value in (to_log_flow, to_log_share, to_jacobian)]
        inputs = [*floats, pt.as_tensor(layout), pt.as_tensor(visible), pt.as_tensor(kept)]
        return Apply(self, inputs, [pt.dvector()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        to_log_flow, to_log_share, to_jacobian, layout, visible, kept = inputs
        output_storage[0][0] = kernels.backward(to_log_flow, to_log_share, float(to_jacobian), layout, visible, kept)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return [(pt.as_tensor(node.inputs[3])[4],)]


# Typed by hand: PyTensor leaves the number of inputs and outputs of an operation open.
_balanced_flows: Any = BalancedFlows()
_balanced_flows_adjoint: Any = BalancedFlowsAdjoint()


@register_funcify_default_op_cache_key(BalancedFlows)
def _compile_flows(op: Op, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def balanced_flows(u, layout, visible):  # type: ignore[no-untyped-def]  # numba infers
        log_flow, log_share, log_jacobian, kept = kernels.forward(u, layout, visible)
        return log_flow, log_share, np.asarray(log_jacobian), kept

    return balanced_flows, kernels.VERSION


@register_funcify_default_op_cache_key(BalancedFlowsAdjoint)
def _compile_adjoint(op: Op, node: Apply, **_: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def balanced_flows_adjoint(to_log_flow, to_log_share, to_jacobian, layout, visible, kept):  # type: ignore[no-untyped-def]  # numba infers
        return kernels.backward(to_log_flow, to_log_share, to_jacobian.item(), layout, visible, kept)

    return balanced_flows_adjoint, kernels.VERSION


def _to_inputs(u: Any, anchors: Anchors) -> TensorVariable:
    """`Anchors.to_inputs` as a graph, shape (n_coordinates,)."""
    u = pt.as_tensor(u)
    if not anchors.position.size:
        return u
    padded = pt.concatenate([u, pt.constant(np.array([0.0, -1e300]))])
    ratios = padded[anchors.outflows.ravel()].reshape(anchors.outflows.shape)
    top = pt.max(ratios, axis=1)
    total = top + pt.log(pt.sum(pt.exp(ratios - top[:, None]), axis=1))
    return pt.inc_subtensor(u[anchors.position], total - padded[anchors.delivered])


def _apply(u: Any, network: Network) -> list[TensorVariable]:
    # Shared variables are inputs of the compiled function; constants would be built into it, and recompiled with it.
    layout = shared(network.layout, name="network_layout", shape=network.layout.shape, borrow=True)
    visible = shared(network.visible, name="network_visible", shape=network.visible.shape, borrow=True)
    return list(_balanced_flows.make_node(_to_inputs(u, network.anchors), layout, visible).outputs)


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
    log_flow, _, log_jacobian, _ = _apply(u, network)
    return log_flow, log_jacobian
