"""The likelihood kernels as two PyTensor operations with gradients of their own.

Both take every array as an input, so that one compiled function serves every case. Further outputs store values for the
gradient, so that the backward pass needs no exponentials and tails.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.shape_utils import rv_size_is_none
from pytensor.compile.sharedvalue import shared
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from reeuncert.case.records import ErrorTails
from reeuncert.likelihood import kernels
from reeuncert.likelihood._numba import KERNEL_VERSION, compiled_entry
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.laws import error_of
from reeuncert.likelihood.packing import pack_rows, unpack_rows, unpack_sums
from reeuncert.likelihood.parameters import WIDTH_LOG_SD
from reeuncert.words.error_laws import DENSITY, NORMAL

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
        raise NotImplementedError

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


REPORTED_DATA = "reported_value"
"""Data container of the reported figures, on the scale of each row; changed by `pymc.set_data` in a refit."""

WEIGHT_DATA = "row_weight"
"""Data container of row weights: 1, or 0 to leave a row out of a refit."""


def add_likelihood(model: pm.Model, log_flow: Any, evidence: EvidenceModel) -> None:
    """Add the evidence of a case to a model.

    Adds the coordinates ``evidence``, ``source_group``, ``learned_source`` and ``offset_value``, and the variables

    * ``source_width_z`` (learned_source), standard normal, and ``source_width`` (source_group): the half-width of the
      central 68 % of the errors of each lineage and class;
    * ``offset_z`` (offset_value), standardised by the law of its offset, and ``log_offset`` (offset_value);
    * ``reported`` (evidence), observed, on the scale of each row (log, logit or plain). The reported figures are the
      data container ``reported_value``, so that another set of figures can be fitted without compiling again; a row
      counts ``row_weight`` times, which is 1, or 0 to leave it out.

    Variables that the evidence does not need are left out; without rows nothing is added.

    Parameters
    ----------
    model
        The model that ``log_flow`` belongs to.
    log_flow
        Log mass of every edge of the network (edge), in the unit of the case.
    evidence
        From `reeuncert.likelihood.compile.compile_evidence`.

    Examples
    --------
    A flow of which one source says 100 and another 120 (see ``tests/unit/test_likelihood_model.py``)::

        with pm.Model() as model:
            log_flow = pm.Normal("log_flow", 4.0, 1.0, shape=network.n_edges)
        add_likelihood(model, log_flow, compile_evidence(case, network))
    """
    if not evidence.n_rows:
        return
    with model:
        model.add_coord("evidence", evidence.ids)
        sigma = _row_sigma(model, evidence)
        log_offset = _log_offset(model, evidence)
        # Inputs, not constants: code that embeds long constant arrays runs slower, and serves one case only.
        sums = _shared(evidence.quantity_arrays, ("evidence_layout", "evidence_coefficient"))
        arrays = _shared(evidence.row_arrays, ("evidence_code", "evidence_bound"))
        eta = selected_quantities(log_flow, log_offset, *sums)
        weight = pm.Data(WEIGHT_DATA, np.ones(evidence.n_rows), dims="evidence")

        def logp(value: Any, eta: Any, sigma: Any) -> TensorVariable:
            by_row = row_logp(value, eta, sigma, *arrays)
            # A row with weight 0 must give 0 even where its log likelihood is -inf.
            return pt.where(pt.gt(weight, 0.0), weight * by_row, 0.0)

        def dist(eta: Any, sigma: Any, size: Any) -> TensorVariable:
            other = _uniform(eta, size) < evidence.weight
            return (
                eta
                + symbolic_errors(sigma, evidence.family, evidence.tails, size)
                - pt.where(other, evidence.shift, 0.0)
            )

        observed = pm.Data(REPORTED_DATA, evidence.value, dims="evidence")
        pm.CustomDist("reported", eta, sigma, logp=logp, dist=dist, observed=observed, dims="evidence")


def _shared(arrays: Sequence[NDArray[Any]], names: Sequence[str]) -> list[Any]:
    """Inputs of the compiled code, by the names used in a refit."""
    return [shared(array, name=name) for array, name in zip(arrays, names, strict=True)]


def _row_sigma(model: pm.Model, evidence: EvidenceModel) -> Any:
    """Scale of the error of every row (row), and the variables of the widths that are learned."""
    groups = evidence.widths
    own, multiplier, median, floor = _shared(
        (evidence.own_widths, evidence.multiplier, groups.median, groups.floor),
        ("row_width", "row_multiplier", "source_width_median", "source_width_floor"),
    )
    if not groups.label:
        return own * multiplier
    model.add_coord("source_group", groups.label)
    width: Any = median
    if groups.learned.any():
        model.add_coord("learned_source", evidence.learned_source)
        z = pm.Normal("source_width_z", 0.0, 1.0, dims="learned_source")
        which = np.flatnonzero(groups.learned)
        middle, least = median[which], floor[which]
        learned = pt.sqrt(least**2 + (middle**2 - least**2) * pt.exp(2.0 * WIDTH_LOG_SD * z))
        width = pt.set_subtensor(width[which], learned)
    width = pm.Deterministic("source_width", width, dims="source_group")
    return pt.concatenate([width, own])[evidence.width_index] * multiplier


def _log_offset(model: pm.Model, evidence: EvidenceModel) -> Any:
    """Log-offsets (offset_value), and their variables."""
    offsets = evidence.offsets
    if not offsets.label:
        return np.zeros(0)
    model.add_coord("offset_value", offsets.label)
    mean, scale = _shared((offsets.mean, offsets.scale), ("offset_mean", "offset_scale"))
    if np.all(offsets.family == NORMAL):
        z = pm.Normal("offset_z", 0.0, 1.0, dims="offset_value")
    else:
        z = _standardised(scale, offsets.family, evidence.tails)
    return pm.Deterministic("log_offset", mean + scale * z, dims="offset_value")


def _standardised(scale: Any, family: NDArray[np.int64], tails: ErrorTails) -> TensorVariable:
    """Offsets in units of their scale, each with the law of its family (offset_value)."""
    zero = np.zeros(family.size)
    packed = pack_rows(family, np.full(family.size, DENSITY), zero, zero, zero, zero, tails)
    arrays = _shared(packed, ("offset_code", "offset_bound"))

    def logp(value: Any, scale: Any) -> TensorVariable:
        return row_logp(value * scale, zero, scale, *arrays) + pt.log(scale)

    def dist(scale: Any, size: Any) -> TensorVariable:
        return symbolic_errors(scale, family, tails, size) / scale

    return pm.CustomDist("offset_z", scale, logp=logp, dist=dist, dims="offset_value")


def symbolic_errors(sigma: Any, family: NDArray[np.int64], tails: ErrorTails, size: Any = None) -> TensorVariable:
    """Random errors as PyTensor variables: `reeuncert.likelihood.laws.draw_errors` inside a graph."""
    shape = _shape(sigma, size)
    normal = pm.Normal.dist(0.0, 1.0, size=shape)
    student = pm.StudentT.dist(nu=tails.degrees_of_freedom, mu=0.0, sigma=1.0, size=shape)
    errors: TensorVariable = error_of(normal, student, _uniform(sigma, size), sigma, family, tails, pt.where)
    return errors


def _uniform(like: Any, size: Any) -> TensorVariable:
    return pm.Uniform.dist(0.0, 1.0, size=_shape(like, size))


def _shape(like: Any, size: Any) -> Any:
    return like.shape if rv_size_is_none(size) else size
