"""The likelihood kernels as two PyTensor operations with gradients of their own.

Both take every array as an input, so that one compiled function serves every case. Further outputs store values for the
gradient, so that the backward pass needs no exponentials and tails.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from reeuncert.balance.op import KernelOp
from reeuncert.likelihood import kernels
from reeuncert.likelihood.kernels import KERNEL_VERSION, compiled_entry
from reeuncert.likelihood.packing import unpack_rows, unpack_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled_entry
def _quantities(log_flow: Floats, log_offset: Floats, layout: Ints, coefficient: Floats) -> tuple[Floats, Floats]:
    summed, sums = unpack_sums(layout, coefficient)
    x = np.zeros(log_flow.size)
    for edge in summed:
        x[edge] = np.exp(log_flow[edge])
    eta = np.empty(layout[0])
    kernels.quantities(eta, x, log_flow, log_offset, sums)
    return eta, x


@compiled_entry
def _quantities_pullback(
    cotangent: Floats, x: Floats, log_flow: Floats, log_offset: Floats, layout: Ints, coefficient: Floats
) -> tuple[Floats, Floats]:
    sums = unpack_sums(layout, coefficient)[1]
    flow_gradient = np.zeros(log_flow.size)
    offset_gradient = np.zeros(log_offset.size)
    kernels.quantities_pullback(flow_gradient, offset_gradient, cotangent, x, log_flow, log_offset, sums)
    return flow_gradient, offset_gradient


@compiled_entry
def _row_logp(value: Floats, eta: Floats, sigma: Floats, code: Ints, bound: Floats) -> tuple[Floats, Floats, Floats]:
    logp = np.empty(eta.size)
    d_eta = np.empty(eta.size)
    d_sigma = np.empty(eta.size)
    kernels.row_logp(logp, d_eta, d_sigma, value, eta, sigma, unpack_rows(code, bound))
    return logp, d_eta, d_sigma


class SelectedQuantities(KernelOp):
    """Reported quantities from log flows: outputs eta (row), and the masses that its gradient needs (edge)."""

    kernel = staticmethod(_quantities)
    version = KERNEL_VERSION
    takes = ("float64", "float64", "int64", "float64")
    gives = (pt.dvector, pt.dvector)
    differentiable = 2

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Variable]:
        return self.completed(SelectedQuantitiesPullback().make_node(cotangents[0], outputs[1], *inputs).outputs)


class SelectedQuantitiesPullback(KernelOp):
    """Gradient of `SelectedQuantities` with respect to log flows and log offsets."""

    kernel = staticmethod(_quantities_pullback)
    version = KERNEL_VERSION
    takes = ("float64", "float64", *SelectedQuantities.takes)
    gives = (pt.dvector, pt.dvector)


class RowLogp(KernelOp):
    """Log likelihood of each row, and its derivatives with respect to eta and sigma (outputs 1 and 2)."""

    kernel = staticmethod(_row_logp)
    version = KERNEL_VERSION
    takes = ("float64", "float64", "float64", "int64", "float64")
    gives = (pt.dvector, pt.dvector, pt.dvector)
    differentiable = 3

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Variable]:
        if not all(isinstance(cotangent.type, DisconnectedType) for cotangent in cotangents[1:]):
            raise NotImplementedError("the likelihood has no second derivatives")
        by_eta = cotangents[0] * outputs[1]
        return self.completed([-by_eta, by_eta, cotangents[0] * outputs[2]])


def selected_quantities(log_flow: Any, log_offset: Any, layout: Any, coefficient: Any) -> TensorVariable:
    """Quantity of every row on its own scale (row): log for levels and ratios, logit for shares, plain for additive
    rows. From the log masses (edge) and log offsets (offset value) by the sums of
    `reeuncert.likelihood.packing.pack_sums`.
    """
    return SelectedQuantities().make_node(log_flow, log_offset, layout, coefficient).outputs[0]


def row_logp(value: Any, eta: Any, sigma: Any, code: Any, bound: Any) -> TensorVariable:
    """Log likelihood of every row (row). Figure, model's quantity and scale of the error are on the scale of the row
    (row); ``code`` and ``bound`` are from `reeuncert.likelihood.packing.pack_rows`.
    """
    return RowLogp().make_node(value, eta, sigma, code, bound).outputs[0]
