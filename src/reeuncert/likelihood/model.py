"""The likelihood as variables of a PyMC model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.shape_utils import rv_size_is_none
from pytensor.compile.sharedvalue import shared
from pytensor.tensor.variable import TensorVariable

from reeuncert.case.records import ErrorTails
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.laws import error_of
from reeuncert.likelihood.op import row_logp, selected_quantities
from reeuncert.likelihood.packing import pack_rows
from reeuncert.likelihood.parameters import WIDTH_LOG_SD
from reeuncert.words.error_laws import DENSITY, NORMAL

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

    ``log_flow`` is the log mass of every edge of the network (edge), in the unit of the case.

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
    """Random errors as PyTensor variables: `reeuncert.likelihood.predictive.draw_errors` inside a graph."""
    shape = _shape(sigma, size)
    normal = pm.Normal.dist(0.0, 1.0, size=shape)
    student = pm.StudentT.dist(nu=tails.degrees_of_freedom, mu=0.0, sigma=1.0, size=shape)
    errors: TensorVariable = error_of(normal, student, _uniform(sigma, size), sigma, family, tails, pt.where)
    return errors


def _uniform(like: Any, size: Any) -> TensorVariable:
    return pm.Uniform.dist(0.0, 1.0, size=_shape(like, size))


def _shape(like: Any, size: Any) -> Any:
    return like.shape if rv_size_is_none(size) else size
