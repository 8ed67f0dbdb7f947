"""The likelihood as variables of a PyMC model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.draws import draw_errors
from reeuncert.likelihood.kernels import DENSITY, NORMAL
from reeuncert.likelihood.op import row_logp, selected_quantities
from reeuncert.likelihood.widths import WIDTH_LOG_SD

REPORTED_DATA = "reported_value"
"""Name of the data container of the reported figures, on the scale of each row: swap it with `pymc.set_data` to refit."""


def add_likelihood(model: pm.Model, log_flow: Any, evidence: EvidenceModel) -> None:
    """Add the evidence of a case to a model.

    Adds the coordinates ``evidence``, ``source_group``, ``learned_source`` and ``offset_value``, and the variables

    * ``source_width_z`` (learned_source), standard normal, and ``source_width`` (source_group): the half-width of the
      central 68 % of the errors of each lineage and class;
    * ``offset_z`` (offset_value), standardised by the law of its offset, and ``log_offset`` (offset_value);
    * ``reported`` (evidence), observed, on the scale of each row (log, logit or plain). The reported figures are the data
      container ``reported_value``, so that another set of figures can be fitted without compiling again.

    Variables that the evidence has no use for are left out; without any row nothing is added.

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
        eta = selected_quantities(log_flow, log_offset, *evidence.quantity_arrays)
        arrays = evidence.row_arrays

        def logp(value: Any, eta: Any, sigma: Any) -> TensorVariable:
            return row_logp(value, eta, sigma, *arrays)

        def random(eta: Any, sigma: Any, rng: Any = None, size: Any = None) -> NDArray[np.float64]:
            shape = np.broadcast_shapes(np.shape(eta), np.shape(sigma)) if size is None else tuple(size)
            errors = draw_errors(np.broadcast_to(sigma, shape), evidence.family, rng)
            other = rng.random(shape) < evidence.weight
            drawn: NDArray[np.float64] = eta + errors - np.where(other, evidence.shift, 0.0)
            return drawn

        observed = pm.Data(REPORTED_DATA, evidence.value, dims="evidence")
        pm.CustomDist("reported", eta, sigma, logp=logp, random=random, observed=observed, dims="evidence")


def _row_sigma(model: pm.Model, evidence: EvidenceModel) -> Any:
    """Scale of the error of every row (row), and the variables of the widths that are learned."""
    groups = evidence.widths
    if not groups.label:
        return evidence.row_sigma(np.zeros(0))
    model.add_coord("source_group", groups.label)
    width: Any = pt.as_tensor(groups.median)
    if groups.learned.any():
        model.add_coord("learned_source", evidence.learned_source)
        z = pm.Normal("source_width_z", 0.0, 1.0, dims="learned_source")
        median, floor = groups.median[groups.learned], groups.floor[groups.learned]
        learned = pt.sqrt(floor**2 + (median**2 - floor**2) * pt.exp(2.0 * WIDTH_LOG_SD * z))
        width = pt.set_subtensor(width[np.flatnonzero(groups.learned)], learned)
    width = pm.Deterministic("source_width", width, dims="source_group")
    if not groups.learned.any():
        return evidence.row_sigma(groups.median)
    return pt.concatenate([width, pt.as_tensor(evidence.own_widths)])[evidence.width_index] * evidence.multiplier


def _log_offset(model: pm.Model, evidence: EvidenceModel) -> Any:
    """Log-offsets (offset_value), and their variables."""
    offsets = evidence.offsets
    if not offsets.label:
        return np.zeros(0)
    model.add_coord("offset_value", offsets.label)
    if np.all(offsets.family == NORMAL):
        z = pm.Normal("offset_z", 0.0, 1.0, dims="offset_value")
    else:
        z = pm.CustomDist(
            "offset_z", offsets.scale, logp=_standard_logp(offsets.family), random=_standard_random(offsets.family),
            dims="offset_value",
        )  # fmt: skip
    return pm.Deterministic("log_offset", offsets.mean + offsets.scale * z, dims="offset_value")


def _standard_logp(family: NDArray[np.int64]) -> Any:
    """Log density of offsets in units of their scale."""
    form = np.full(family.size, DENSITY)
    zero = np.zeros(family.size)

    def logp(value: Any, scale: Any) -> TensorVariable:
        density: TensorVariable = row_logp(value * scale, zero, scale, family, form, zero, zero, zero, zero) + pt.log(
            scale
        )
        return density

    return logp


def _standard_random(family: NDArray[np.int64]) -> Any:
    def random(scale: Any, rng: Any = None, size: Any = None) -> NDArray[np.float64]:
        shape = np.shape(scale) if size is None else tuple(size)
        drawn: NDArray[np.float64] = draw_errors(np.broadcast_to(scale, shape), family, rng) / scale
        return drawn

    return random
