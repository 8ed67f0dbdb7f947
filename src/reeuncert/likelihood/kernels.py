"""Numba kernels: reported quantities from flows, and the log likelihood of each row with its derivatives."""

from __future__ import annotations

import math

import numpy as np

from reeuncert.likelihood._numba import compiled
from reeuncert.likelihood.tails import (
    normal_log_interval,
    normal_log_pdf,
    t4_log_interval,
    t4_log_pdf,
)

STUDENT_T, CUSTOMS, NORMAL = 0, 1, 2
"""Codes of the error families (``additive`` is NORMAL on a plain quantity)."""

DENSITY, INTERVAL = 0, 1
"""Codes of the forms: density at a value, probability of an interval (either end may be infinite)."""

OUTLIER_WEIGHT = 0.1
"""Share of customs records with a wrong heading or a missing consignment."""

OUTLIER_SD = 2.0
"""Log-sd of such records."""

LOG_CORE_WEIGHT = math.log(1.0 - OUTLIER_WEIGHT)
LOG_OUTLIER_WEIGHT = math.log(OUTLIER_WEIGHT)


@compiled
def _log_sum(log_flow: np.ndarray, edge: np.ndarray, coefficient: np.ndarray, start: int, stop: int) -> float:
    """Log of Σ c exp(log x), shifted by the largest term (for flows beyond the range of a double)."""
    largest = -math.inf
    for k in range(start, stop):
        term = log_flow[edge[k]] + math.log(coefficient[k])
        if term > largest:
            largest = term
    total = 0.0
    for k in range(start, stop):
        total += math.exp(log_flow[edge[k]] + math.log(coefficient[k]) - largest)
    return largest + math.log(total)


@compiled
def _sum(x: np.ndarray, edge: np.ndarray, coefficient: np.ndarray, start: int, stop: int) -> float:
    total = 0.0
    for k in range(start, stop):
        total += coefficient[k] * x[edge[k]]
    return total


@compiled
def quantities(
    x: np.ndarray,
    log_flow: np.ndarray,
    log_offset: np.ndarray,
    plain: np.ndarray,
    num_ptr: np.ndarray,
    num_edge: np.ndarray,
    num_coef: np.ndarray,
    den_ptr: np.ndarray,
    den_edge: np.ndarray,
    den_coef: np.ndarray,
    off_ptr: np.ndarray,
    off_index: np.ndarray,
    off_weight: np.ndarray,
    eta: np.ndarray,
) -> None:
    """Fill ``eta`` (row): log A - log B + offset, or A / B exp(offset) for plain rows; B = 1 without a denominator.

    ``x`` = exp(``log_flow``) (edge); sums A and B are given by row pointers, edges and coefficients; coefficients of
    rows that are not plain are positive. ``log_offset`` has one value per offset value.
    """
    for r in range(eta.size):
        offset = 0.0
        for k in range(off_ptr[r], off_ptr[r + 1]):
            offset += off_weight[k] * log_offset[off_index[k]]
        a = _sum(x, num_edge, num_coef, num_ptr[r], num_ptr[r + 1])
        has_denominator = den_ptr[r + 1] > den_ptr[r]
        b = 1.0
        if has_denominator:
            b = _sum(x, den_edge, den_coef, den_ptr[r], den_ptr[r + 1])
        if plain[r]:
            eta[r] = a / b * math.exp(offset)
            continue
        if 0.0 < a < math.inf and 0.0 < b < math.inf:
            eta[r] = math.log(a) - math.log(b) + offset
            continue
        value = _log_sum(log_flow, num_edge, num_coef, num_ptr[r], num_ptr[r + 1])
        if has_denominator:
            value -= _log_sum(log_flow, den_edge, den_coef, den_ptr[r], den_ptr[r + 1])
        eta[r] = value + offset


@compiled
def _add_log_gradient(
    gradient: np.ndarray,
    cotangent: float,
    x: np.ndarray,
    log_flow: np.ndarray,
    edge: np.ndarray,
    coefficient: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Add cotangent · d log Σ c x / d log x to ``gradient`` (edge)."""
    if stop - start == 1:
        gradient[edge[start]] += cotangent
        return
    total = _sum(x, edge, coefficient, start, stop)
    if 0.0 < total < math.inf:
        factor = cotangent / total
        for k in range(start, stop):
            gradient[edge[k]] += factor * coefficient[k] * x[edge[k]]
    else:
        total = _log_sum(log_flow, edge, coefficient, start, stop)
        for k in range(start, stop):
            gradient[edge[k]] += cotangent * coefficient[k] * math.exp(log_flow[edge[k]] - total)


@compiled
def quantities_pullback(
    cotangent: np.ndarray,
    x: np.ndarray,
    log_flow: np.ndarray,
    log_offset: np.ndarray,
    plain: np.ndarray,
    num_ptr: np.ndarray,
    num_edge: np.ndarray,
    num_coef: np.ndarray,
    den_ptr: np.ndarray,
    den_edge: np.ndarray,
    den_coef: np.ndarray,
    off_ptr: np.ndarray,
    off_index: np.ndarray,
    off_weight: np.ndarray,
    flow_gradient: np.ndarray,
    offset_gradient: np.ndarray,
) -> None:
    """Add the pullback of `quantities` to ``flow_gradient`` (edge) and ``offset_gradient`` (offset value)."""
    for r in range(cotangent.size):
        g = cotangent[r]
        if g == 0.0:
            continue
        n0, n1, d0, d1 = num_ptr[r], num_ptr[r + 1], den_ptr[r], den_ptr[r + 1]
        if plain[r]:
            offset = 0.0
            for k in range(off_ptr[r], off_ptr[r + 1]):
                offset += off_weight[k] * log_offset[off_index[k]]
            b = 1.0
            if d1 > d0:
                b = _sum(x, den_edge, den_coef, d0, d1)
            factor = g * math.exp(offset) / b
            eta = _sum(x, num_edge, num_coef, n0, n1) * factor  # times the cotangent
            for k in range(n0, n1):
                flow_gradient[num_edge[k]] += factor * num_coef[k] * x[num_edge[k]]
            for k in range(d0, d1):
                flow_gradient[den_edge[k]] -= eta / b * den_coef[k] * x[den_edge[k]]
            for k in range(off_ptr[r], off_ptr[r + 1]):
                offset_gradient[off_index[k]] += eta * off_weight[k]
            continue
        for k in range(off_ptr[r], off_ptr[r + 1]):
            offset_gradient[off_index[k]] += g * off_weight[k]
        _add_log_gradient(flow_gradient, g, x, log_flow, num_edge, num_coef, n0, n1)
        if d1 > d0:
            _add_log_gradient(flow_gradient, -g, x, log_flow, den_edge, den_coef, d0, d1)


@compiled
def _component(
    student: bool, form: int, low: float, high: float, width: float, scale: float
) -> tuple[float, float, float]:
    """Log probability of one error law at residual ``low`` (density) or between ``low`` and ``high``.

    Returns the log probability and its derivatives with respect to the centre and to ``scale``.
    """
    a = low / scale
    if form == 0:
        if student:
            slope = 5.0 * a / (4.0 + a * a)
            return t4_log_pdf(a) - math.log(scale), slope / scale, (a * slope - 1.0) / scale
        return normal_log_pdf(a) - math.log(scale), a / scale, (a * a - 1.0) / scale
    b = high / scale
    if student:
        logp = t4_log_interval(a, b, width / scale)
        at_a = math.exp(t4_log_pdf(a) - logp) if a > -math.inf else 0.0
        at_b = math.exp(t4_log_pdf(b) - logp) if b < math.inf else 0.0
    else:
        logp = normal_log_interval(a, b, width / scale)
        at_a = math.exp(normal_log_pdf(a) - logp) if a > -math.inf else 0.0
        at_b = math.exp(normal_log_pdf(b) - logp) if b < math.inf else 0.0
    edge_a = a * at_a if a > -math.inf else 0.0
    edge_b = b * at_b if b < math.inf else 0.0
    return logp, (at_a - at_b) / scale, (edge_a - edge_b) / scale


@compiled
def _family(family: int, form: int, low: float, high: float, width: float, sigma: float) -> tuple[float, float, float]:
    """Log probability under one family, with derivatives with respect to centre and sigma."""
    if family == 2:
        return _component(False, form, low, high, width, sigma)
    core, core_eta, core_sigma = _component(True, form, low, high, width, sigma)
    if family == 0:
        return core, core_eta, core_sigma
    wrong, wrong_eta, _ = _component(False, form, low, high, width, OUTLIER_SD)
    core += LOG_CORE_WEIGHT
    wrong += LOG_OUTLIER_WEIGHT
    largest = max(core, wrong)
    total = largest + math.log(math.exp(core - largest) + math.exp(wrong - largest))
    share = math.exp(core - total)
    return total, share * core_eta + (1.0 - share) * wrong_eta, share * core_sigma


@compiled
def row_logp(
    value: np.ndarray,
    eta: np.ndarray,
    sigma: np.ndarray,
    family: np.ndarray,
    form: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    shift: np.ndarray,
    weight: np.ndarray,
    logp: np.ndarray,
    d_eta: np.ndarray,
    d_sigma: np.ndarray,
) -> None:
    """Fill log likelihood (row) and its derivatives with respect to ``eta`` and ``sigma`` (row).

    ``value`` is the reported figure on the scale of the row (log, logit or plain). An interval runs from ``value +
    lower`` to ``value + upper``. With probability ``weight`` the sentence means ``value + shift`` instead (two readings).
    """
    for r in range(eta.size):
        width = upper[r] - lower[r]
        residual = value[r] - eta[r]
        total, total_eta, total_sigma = _family(
            family[r], form[r], residual + lower[r], residual + upper[r], width, sigma[r]
        )
        w = weight[r]
        if w > 0.0:
            residual += shift[r]
            other, other_eta, other_sigma = _family(
                family[r], form[r], residual + lower[r], residual + upper[r], width, sigma[r]
            )
            total += math.log1p(-w)
            other += math.log(w)
            largest = max(total, other)
            both = largest + math.log(math.exp(total - largest) + math.exp(other - largest))
            share = math.exp(total - both)
            total_eta = share * total_eta + (1.0 - share) * other_eta
            total_sigma = share * total_sigma + (1.0 - share) * other_sigma
            total = both
        logp[r] = total
        d_eta[r] = total_eta
        d_sigma[r] = total_sigma
