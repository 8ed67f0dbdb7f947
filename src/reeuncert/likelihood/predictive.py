"""Pointwise log likelihood and predictive draws of every row from posterior (or prior) draws, in plain numpy."""

import math

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.case.records import ErrorTails
from reeuncert.likelihood import kernels
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.kernels import compiled_entry
from reeuncert.likelihood.laws import error_of
from reeuncert.likelihood.packing import tail_numbers, unpack_rows, unpack_sums
from reeuncert.words.error_laws import DENSITY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 500  # draws


@compiled_entry
def _quantities_of_draws(eta: Floats, mass: Floats, log_offset: Floats, layout: Ints, coefficient: Floats) -> None:
    n = eta.shape[1]
    sums, nothing, kept = unpack_sums(layout, coefficient), np.zeros(n), (np.empty(n), np.empty(n), np.empty(n))
    for s in range(mass.shape[0]):
        content = kernels.multipliers(log_offset[s])
        eta[s] = np.negative(kernels.residuals(nothing, mass[s], log_offset[s], content, sums, kept))


@compiled_entry
def _logp_of_draws(
    logp: Floats, slope: Floats, value: Floats, eta: Floats, sigma: Floats, code: Ints, bound: Floats
) -> None:
    unused, once = np.empty(eta.shape[1]), np.ones(eta.shape[1])
    laws = unpack_rows(code, bound)
    for s in range(eta.shape[0]):
        slope[s] = value - eta[s]
        kernels.row_logp(slope[s], sigma[s], once, laws, logp[s], unused)


def drawn(draws: xr.Dataset) -> tuple[Floats, Floats | None, Floats | None]:
    """Flows, widths and offsets of a result (chain, draw, …), as the functions below take them; None: it has none."""

    def held(name: str) -> Floats:
        return np.asarray(draws[name].transpose("chain", "draw", "flow", "year", ..., missing_dims="ignore").values)

    width, offset = (held(name) if name in draws else None for name in ("source_width", "log_offset"))
    return held("mass_flow"), width, offset


def predicted_quantities(evidence: EvidenceModel, mass_flow: Floats, log_offset: Floats | None = None) -> Floats:
    """Predicted quantity of every row without error, on the scale of the row.

    Flows (..., flow, year) are in the unit of the case, NaN where a flow does not exist; log-offsets (...,
    offset_value) may be left out where no row has one; the result is eta (..., row).
    """
    mass_flow = np.asarray(mass_flow, dtype=np.float64)
    batch = mass_flow.shape[:-2]
    parts = mass_flow if batch else mass_flow[None]
    position = evidence.edge_flow * mass_flow.shape[-1] + evidence.edge_year
    offsets = _offsets(log_offset, batch, len(evidence.offsets.label))
    eta = np.empty((math.prod(batch), evidence.n_rows))
    size = math.prod(batch[1:])
    step = max(1, _BLOCK // max(1, size))
    for start in range(0, len(parts), step):  # flows are the largest array: a copy of a block of draws is enough
        rows = slice(start * size, (start + step) * size)
        flat = parts[start : start + step].reshape(-1, mass_flow.shape[-2] * mass_flow.shape[-1])
        _quantities_of_draws(eta[rows], np.take(flat, position, axis=1), offsets[rows], *evidence.quantity_arrays)
    return eta.reshape(*batch, evidence.n_rows)


def log_likelihood(
    evidence: EvidenceModel,
    mass_flow: Floats,
    source_width: Floats | None = None,
    log_offset: Floats | None = None,
    value: Floats | None = None,
) -> Floats:
    """Log likelihood of every row for every draw (..., row), of the reported figures or of others on the scale of each
    row. Draws of flows and offsets are as in `predicted_quantities`, those of widths as in `EvidenceModel.row_sigma`.
    """
    return rows_of_draws(evidence, mass_flow, source_width, log_offset, value)[1]


def rows_of_draws(
    evidence: EvidenceModel,
    mass_flow: Floats,
    source_width: Floats | None = None,
    log_offset: Floats | None = None,
    value: Floats | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Predicted quantity and log likelihood of every row, and the derivative of the second by the first (..., row)."""
    eta = predicted_quantities(evidence, mass_flow, log_offset)
    sigma = np.ascontiguousarray(np.broadcast_to(evidence.row_sigma(source_width), eta.shape))
    flat = eta.reshape(-1, evidence.n_rows)
    logp, slope = np.empty_like(flat), np.empty_like(flat)
    reported = evidence.value if value is None else np.asarray(value, dtype=np.float64)
    _logp_of_draws(logp, slope, reported, flat, sigma.reshape(flat.shape), *evidence.row_arrays)
    return eta, logp.reshape(eta.shape), slope.reshape(eta.shape)


@compiled_entry
def _laws_of_offsets(logp: Floats, slope: Floats, error: Floats, scale: Floats, family: Ints, tails: Floats) -> None:
    for s in range(error.shape[0]):
        for k in range(error.shape[1]):
            at = error[s, k]
            logp[s, k], slope[s, k], _ = kernels.family_logp(family[k], int(DENSITY), at, 0.0, 0.0, scale[k], tails)


def offset_logp(evidence: EvidenceModel, log_offset: Floats) -> tuple[Floats, Floats]:
    """Log density of offsets (..., offset_value) under their laws, and minus its derivative with respect to them."""
    offsets = evidence.offsets
    error = np.ascontiguousarray(log_offset - offsets.mean).reshape(-1, offsets.scale.size)
    logp, slope = np.empty_like(error), np.empty_like(error)
    tails = np.array(tail_numbers(evidence.tails))
    _laws_of_offsets(logp, slope, error, offsets.scale, offsets.family, tails)
    return logp.reshape(log_offset.shape), slope.reshape(log_offset.shape)


def predictive_draws(
    evidence: EvidenceModel,
    mass_flow: Floats,
    source_width: Floats | None = None,
    log_offset: Floats | None = None,
    *,
    rng: np.random.Generator,
) -> Floats:
    """Predictive draws of every row, on the scale of the row (`EvidenceModel.to_unit` gives the unit of the row).

    One of two readings is drawn by its weight. For bounds and ranges, the underlying figure is drawn.
    """
    eta = predicted_quantities(evidence, mass_flow, log_offset)
    sigma = np.broadcast_to(evidence.row_sigma(source_width), eta.shape)
    other = rng.random(eta.shape) < evidence.weight
    return eta + draw_errors(sigma, evidence.family, evidence.tails, rng) - np.where(other, evidence.shift, 0.0)


def new_figures(evidence: EvidenceModel, mass_flow: Floats, known: xr.Dataset, rng: np.random.Generator) -> Floats:
    """Predictive draws of rows that a fit has not seen, from flows (sample, flow, year); see `predictive_draws`.

    Widths and offsets that the fit has learned are as drawn there (``known``, its chains and draws in the order of the
    samples). A width that it does not hold is that of its class; an offset is drawn from its law.
    """
    widths, offsets = evidence.widths, evidence.offsets
    width = np.tile(widths.median, (len(mass_flow), 1))
    offset = offset_draws(evidence, (len(mass_flow),), rng)
    for draws, name, dim, labels in (
        (width, "source_width", "source_group", widths.label),
        (offset, "log_offset", "offset_value", offsets.label),
    ):
        if name in known:
            position = known.indexes[dim].get_indexer(pd.Index(labels))
            held = known[name].transpose("chain", "draw", dim).values.reshape(len(draws), -1)
            draws[:, position >= 0] = held[:, position[position >= 0]]
    return predictive_draws(evidence, mass_flow, width, offset, rng=rng)


def offset_draws(evidence: EvidenceModel, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Draws (*shape, offset_value) of the offsets from their laws."""
    offsets = evidence.offsets
    scale = np.broadcast_to(offsets.scale, (*shape, offsets.scale.size))
    return offsets.mean + draw_errors(scale, offsets.family, evidence.tails, rng)


def draw_errors(sigma: Floats, family: Ints, tails: ErrorTails, rng: np.random.Generator) -> Floats:
    """Draw one error for each scale, see `reeuncert.likelihood.laws.error_of`."""
    normal = rng.standard_normal(sigma.shape)
    nu = tails.degrees_of_freedom
    student = normal / np.sqrt(rng.chisquare(nu, sigma.shape) / nu)
    errors: Floats = error_of(normal, student, rng.random(sigma.shape), sigma, family, tails)
    return errors


def _offsets(draws: Floats | None, batch: tuple[int, ...], size: int) -> Floats:
    """Draws (..., size) as a contiguous (sample, size)."""
    if draws is None:
        if size:
            raise ValueError(f"log_offset is needed: the evidence has {size} offset values")
        draws = np.zeros((*batch, 0))
    draws = np.asarray(draws, dtype=np.float64)
    if draws.shape != (*batch, size):
        raise ValueError(f"log_offset has shape {draws.shape}, not {(*batch, size)}")
    return np.ascontiguousarray(draws).reshape(math.prod(batch), size)
