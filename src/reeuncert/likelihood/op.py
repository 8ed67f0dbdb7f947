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
def _quantities(mass: Floats, log_offset: Floats, layout: Ints, coefficient: Floats) -> Floats:
    nothing = np.zeros(layout[0])
    kept = (np.empty(layout[0]), np.empty(layout[0]), np.empty(layout[0]))
    content, sums = kernels.multipliers(log_offset), unpack_sums(layout, coefficient)
    return np.negative(kernels.residuals(nothing, mass, log_offset, content, sums, kept))


@compiled_entry
def _quantities_back(
    cotangent: Floats, mass: Floats, log_offset: Floats, layout: Ints, coefficient: Floats
) -> tuple[Floats, Floats]:
    kept = (np.empty(layout[0]), np.empty(layout[0]), np.empty(layout[0]))
    content, sums = kernels.multipliers(log_offset), unpack_sums(layout, coefficient)
    kernels.residuals(cotangent, mass, log_offset, content, sums, kept)
    to_mass, to_offset = np.zeros(mass.size), np.zeros(log_offset.size)
    kernels.residuals_back(cotangent, np.abs(cotangent), mass, content, sums, kept, to_mass, to_offset)
    return to_mass, to_offset


@compiled_entry
def _row_logp(value: Floats, eta: Floats, sigma: Floats, code: Ints, bound: Floats) -> tuple[Floats, Floats, Floats]:
    logp, d_eta, d_sigma = np.empty(eta.size), value - eta, np.empty(eta.size)
    kernels.row_logp(d_eta, sigma, np.ones(eta.size), unpack_rows(code, bound), logp, d_sigma)
    return logp, d_eta, d_sigma


class Quantities(KernelOp):
    """Reported quantities (row) from masses (edge) and log offsets (offset value)."""

    kernel = staticmethod(_quantities)
    version = KERNEL_VERSION
    takes = ("float64", "float64", "int64", "float64")
    differentiable = 2

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Variable]:
        return self.completed(QuantitiesBack().make_node(cotangents[0], *inputs).outputs)


class QuantitiesBack(KernelOp):
    """Gradient of `Quantities` with respect to masses and log offsets."""

    kernel = staticmethod(_quantities_back)
    version = KERNEL_VERSION
    takes = ("float64", *Quantities.takes)
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
    return Quantities().make_node(pt.exp(log_flow), log_offset, layout, coefficient).outputs[0]


def row_logp(value: Any, eta: Any, sigma: Any, code: Any, bound: Any) -> TensorVariable:
    """Log likelihood of every row (row). Figure, model's quantity and scale of the error are on the scale of the row
    (row); ``code`` and ``bound`` are from `reeuncert.likelihood.packing.pack_rows`.
    """
    return RowLogp().make_node(value, eta, sigma, code, bound).outputs[0]
