"""Numba kernels: reported quantities from flows, and the log likelihood of each row with its derivatives."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import compiled, kernel, source_version
from reeuncert.lanes.functions import LANE_FILES, exp, log
from reeuncert.lanes.numbers import empty, load, store, where, zero
from reeuncert.likelihood.tails import normal_log_pdf, one_sided, t_log_pdf, two_sided
from reeuncert.words.error_laws import DENSITY, NORMAL, STUDENT_T

_FILES = ("tails.py", "packing.py", "kernels.py", "op.py", "predictive.py")
KERNEL_VERSION = source_version(*LANE_FILES, *(str(Path(__file__).with_name(name)) for name in _FILES))
"""That of the text of all kernels of the evidence."""
compiled_entry = kernel(KERNEL_VERSION)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled
def _multipliers(log_offset: Floats) -> Floats:
    """What multiplies a term, by the number of its content: 1, then the exponential of each offset value."""
    n = log_offset.shape[0]
    content = empty(n + 1, log_offset)
    store(content, 0, 1.0)
    for k in range(n):
        store(content, k + 1, exp(load(log_offset, k)))
    return content


@compiled
def _log_sum(
    log_flow: Floats, edge: Ints, coefficient: Floats, which: Ints, content: Floats, start: int, stop: int
) -> float:
    """Log of Σ c exp(log x), shifted by the largest term (for flows beyond the range of a double)."""
    largest = -math.inf
    for k in range(start, stop):
        term = log_flow[edge[k]] + math.log(coefficient[k] * content[which[k]])
        if term > largest:
            largest = term
    total = 0.0
    for k in range(start, stop):
        total += math.exp(log_flow[edge[k]] + math.log(coefficient[k] * content[which[k]]) - largest)
    return largest + math.log(total)


@compiled
def quantities(eta: Floats, x: Floats, log_flow: Floats, log_offset: Floats, sums: Any) -> None:
    """Fill ``eta`` (row): log A - log B + offset, or A / B exp(offset) for plain rows; B = 1 without a denominator.

    ``x`` = exp(``log_flow``) (edge); sums A and B are from `reeuncert.likelihood.packing.unpack_sums`; coefficients of
    rows that are not plain are positive. ``log_offset`` has one value per offset value.
    """
    (
        plain, num_ptr, num_edge, num_coef, num_content, den_ptr, den_edge, den_coef, den_content,
        off_ptr, off_index, off_weight,
    ) = sums  # fmt: skip
    # The sums are inlined: numba counts array references at every call.
    content = _multipliers(log_offset)
    for r in range(eta.size):
        offset = 0.0
        for k in range(off_ptr[r], off_ptr[r + 1]):
            offset += off_weight[k] * log_offset[off_index[k]]
        n0, n1, d0, d1 = num_ptr[r], num_ptr[r + 1], den_ptr[r], den_ptr[r + 1]
        if n1 - n0 == 1 and d0 == d1 and not plain[r]:
            eta[r] = log_flow[num_edge[n0]] + math.log(num_coef[n0] * content[num_content[n0]]) + offset
            continue
        a = 0.0
        for k in range(n0, n1):
            a += num_coef[k] * content[num_content[k]] * x[num_edge[k]]
        b = 1.0 if d0 == d1 else 0.0
        for k in range(d0, d1):
            b += den_coef[k] * content[den_content[k]] * x[den_edge[k]]
        if plain[r]:
            eta[r] = a / b * math.exp(offset)
        elif 0.0 < a < math.inf and 0.0 < b < math.inf:
            eta[r] = math.log(a / b) + offset
        else:
            eta[r] = _log_sum(log_flow, num_edge, num_coef, num_content, content, n0, n1) + offset
            if d1 > d0:
                eta[r] -= _log_sum(log_flow, den_edge, den_coef, den_content, content, d0, d1)


@compiled
def quantities_pullback(
    flow_gradient: Floats,
    offset_gradient: Floats,
    cotangent: Floats,
    x: Floats,
    log_flow: Floats,
    log_offset: Floats,
    sums: Any,
) -> None:
    """Add the pullback of `quantities` to ``flow_gradient`` (edge) and ``offset_gradient`` (offset value)."""
    (
        plain, num_ptr, num_edge, num_coef, num_content, den_ptr, den_edge, den_coef, den_content,
        off_ptr, off_index, off_weight,
    ) = sums  # fmt: skip
    content = _multipliers(log_offset)
    of_content = np.zeros(content.size)
    for r in range(cotangent.size):
        g = cotangent[r]
        if g == 0.0:
            continue
        n0, n1, d0, d1 = num_ptr[r], num_ptr[r + 1], den_ptr[r], den_ptr[r + 1]
        by_offset = g  # d eta / d offset, times the cotangent
        if n1 - n0 == 1 and d0 == d1 and not plain[r]:
            flow_gradient[num_edge[n0]] += g
            of_content[num_content[n0]] += g
        else:
            a = 0.0
            for k in range(n0, n1):
                a += num_coef[k] * content[num_content[k]] * x[num_edge[k]]
            b = 1.0 if d0 == d1 else 0.0
            for k in range(d0, d1):
                b += den_coef[k] * content[den_content[k]] * x[den_edge[k]]
            if plain[r]:
                offset = 0.0
                for k in range(off_ptr[r], off_ptr[r + 1]):
                    offset += off_weight[k] * log_offset[off_index[k]]
                of_a = g * math.exp(offset) / b
                by_offset = a * of_a
                of_b = by_offset / b
            else:
                of_a, of_b = g / a, g / b
            if plain[r] or (0.0 < a < math.inf and 0.0 < b < math.inf):
                for k in range(n0, n1):
                    by_log = of_a * num_coef[k] * content[num_content[k]] * x[num_edge[k]]
                    flow_gradient[num_edge[k]] += by_log
                    of_content[num_content[k]] += by_log
                for k in range(d0, d1):
                    by_log = of_b * den_coef[k] * content[den_content[k]] * x[den_edge[k]]
                    flow_gradient[den_edge[k]] -= by_log
                    of_content[den_content[k]] -= by_log
            else:
                _add_log_gradient(
                    flow_gradient, of_content, g, log_flow, num_edge, num_coef, num_content, content, n0, n1
                )
                _add_log_gradient(
                    flow_gradient, of_content, -g, log_flow, den_edge, den_coef, den_content, content, d0, d1
                )
        for k in range(off_ptr[r], off_ptr[r + 1]):
            offset_gradient[off_index[k]] += by_offset * off_weight[k]
    for k in range(log_offset.size):
        offset_gradient[k] += of_content[k + 1]


@compiled
def _add_log_gradient(
    gradient: Floats,
    of_content: Floats,
    cotangent: float,
    log_flow: Floats,
    edge: Ints,
    coefficient: Floats,
    which: Ints,
    content: Floats,
    start: int,
    stop: int,
) -> None:
    """Add cotangent · d log Σ c exp(log x) / d log x to ``gradient`` (edge) and ``of_content``, as `_log_sum`."""
    if start == stop:
        return
    total = _log_sum(log_flow, edge, coefficient, which, content, start, stop)
    for k in range(start, stop):
        by_log = cotangent * coefficient[k] * content[which[k]] * math.exp(log_flow[edge[k]] - total)
        gradient[edge[k]] += by_log
        of_content[which[k]] += by_log


@compiled
def _component(
    student: bool, form: int, residual: Any, lower: float, upper: float, scale: Any, nu: float
) -> tuple[Any, Any, Any]:
    """Log probability of one error law at a residual (density), or between ``residual`` + ``lower`` and + ``upper``.

    Returns the log probability and its derivatives with respect to the centre and to ``scale``.
    """
    inverse = 1.0 / scale
    if form == DENSITY:
        a = (residual + lower) * inverse
        slope = (nu + 1.0) * a / (nu + a * a) if student else a
        logp = (t_log_pdf(a, nu) if student else normal_log_pdf(a)) - log(scale)
        return logp, slope * inverse, (a * slope - 1.0) * inverse
    if lower == -math.inf or upper == math.inf:
        if lower == upper or (lower == -math.inf and upper == math.inf):  # no bound
            none = 0.0 * residual
            return none, none, none
        sign = 1.0 if upper == math.inf else -1.0
        u = sign * (residual + (lower if upper == math.inf else upper)) * inverse
        logp, hazard = one_sided(student, u, nu)
        hazard = hazard * inverse
        return logp, sign * hazard, u * hazard
    a, b = (residual + lower) * inverse, (residual + upper) * inverse
    logp = two_sided(a, b, (upper - lower) * inverse, nu if student else 0.0)
    at_a = exp((t_log_pdf(a, nu) if student else normal_log_pdf(a)) - logp)
    at_b = exp((t_log_pdf(b, nu) if student else normal_log_pdf(b)) - logp)
    return logp, (at_a - at_b) * inverse, (a * at_a - b * at_b) * inverse


@compiled
def family_logp(
    family: int, form: int, residual: Any, lower: float, upper: float, sigma: Any, tails: Floats
) -> tuple[Any, Any, Any]:
    """Log probability under one family, with derivatives with respect to centre and sigma."""
    if family == NORMAL:
        return _component(False, form, residual, lower, upper, sigma, 0.0)
    nu, log_core, log_outlier, outlier_sd = tails[0], tails[1], tails[2], tails[3]
    core, core_eta, core_sigma = _component(True, form, residual, lower, upper, sigma, nu)
    if family == STUDENT_T:
        return core, core_eta, core_sigma
    wrong, wrong_eta, _ = _component(False, form, residual, lower, upper, outlier_sd, 0.0)
    total, share = _mixture(core + log_core, wrong + log_outlier)
    return total, share * core_eta + (1.0 - share) * wrong_eta, share * core_sigma


@compiled
def _mixture(first: Any, second: Any) -> tuple[Any, Any]:
    """Log of exp(first) + exp(second), and the share of the first."""
    less = first < second
    ratio = exp(-abs(first - second))
    both = 1.0 + ratio
    share = 1.0 / both
    more = log(both) + (ratio - (both - 1.0)) * share  # log1p(ratio)
    return where(less, second, first) + more, where(less, ratio * share, share)


@compiled
def row_logp(
    logp: Floats, d_eta: Floats, d_sigma: Floats, value: Floats, eta: Floats, sigma: Floats, laws: Any
) -> None:
    """Fill log likelihood (row) and its derivatives with respect to ``eta`` and ``sigma`` (row).

    ``value`` is the reported figure on the scale of the row (log, logit or plain). An interval runs from ``value +
    lower`` to ``value + upper``. With probability ``weight`` the figure is ``value + shift`` (two readings). ``laws``
    are from `reeuncert.likelihood.packing.unpack_rows`.
    """
    family, form, lower, upper, shift, weight, tails = laws
    for r in range(eta.size):
        residual = value[r] - eta[r]
        total, total_eta, total_sigma = family_logp(family[r], form[r], residual, lower[r], upper[r], sigma[r], tails)
        w = weight[r]
        if w > 0.0:
            residual += shift[r]
            other, other_eta, other_sigma = family_logp(
                family[r], form[r], residual, lower[r], upper[r], sigma[r], tails
            )
            total, share = _mixture(total + math.log1p(-w), other + math.log(w))
            total_eta = share * total_eta + (1.0 - share) * other_eta
            total_sigma = share * total_sigma + (1.0 - share) * other_sigma
        logp[r] = total
        d_eta[r] = total_eta
        d_sigma[r] = total_sigma


@compiled
def rows_of_masses(
    mass: Floats,
    to_mass: Floats,
    log_offset: Floats,
    to_offset: Floats,
    sigma: Floats,
    to_sigma: Floats,
    value: Floats,
    counts: Floats,
    sums: Any,
    laws: Any,
) -> Any:
    """Log likelihood of all rows from masses, and its gradient: `quantities`, `row_logp` and the way back in one.

    Masses by edge, offsets by offset value, figures and scales of errors by row; the last dimension of masses, offsets
    and scales may be four points (`reeuncert.lanes.numbers`). The gradient is added to ``to_mass`` and
    ``to_offset``, and written to ``to_sigma``. A row that counts 0 times is not looked at. Sums and laws are
    from `reeuncert.likelihood.packing.unpack_sums` and `unpack_rows`.
    """
    (
        plain, num_ptr, num_edge, num_coef, num_content, den_ptr, den_edge, den_coef, den_content,
        off_ptr, off_index, off_weight,
    ) = sums  # fmt: skip
    family, form, lower, upper, shift, weight, tails = laws
    content = _multipliers(log_offset)
    n = value.size
    above, below, by_above, by_eta = empty(n, mass), empty(n, mass), empty(n, mass), empty(n, mass)
    # A loop for each step: the processor then works at several rows at once, each of which has to wait for itself only.
    for r in range(n):
        a, b = zero(mass), zero(mass)
        for k in range(num_ptr[r], num_ptr[r + 1]):
            a += num_coef[k] * load(content, num_content[k]) * load(mass, num_edge[k])
        for k in range(den_ptr[r], den_ptr[r + 1]):
            b += den_coef[k] * load(content, den_content[k]) * load(mass, den_edge[k])
        store(above, r, a)
        store(below, r, b + (1.0 if den_ptr[r] == den_ptr[r + 1] else 0.0))
    for r in range(n):
        offset, a, b = zero(mass), load(above, r), load(below, r)
        for k in range(off_ptr[r], off_ptr[r + 1]):
            offset += off_weight[k] * load(log_offset, off_index[k])
        multiplier = exp(offset) / b if plain[r] else 1.0 / a
        store(by_above, r, multiplier)
        store(by_eta, r, value[r] - (a * multiplier if plain[r] else log(a / b) + offset))
    result = zero(mass)
    for r in range(n):
        residual, scale, count = load(by_eta, r), load(sigma, r), counts[r]
        store(by_eta, r, 0.0)
        store(to_sigma, r, 0.0)
        if count <= 0.0:
            continue
        total, slope, by_sigma = family_logp(family[r], form[r], residual, lower[r], upper[r], scale, tails)
        if weight[r] > 0.0:
            other, other_slope, other_sigma = family_logp(
                family[r], form[r], residual + shift[r], lower[r], upper[r], scale, tails
            )
            total, share = _mixture(total + math.log(1.0 - weight[r]), other + math.log(weight[r]))
            slope = share * slope + (1.0 - share) * other_slope
            by_sigma = share * by_sigma + (1.0 - share) * other_sigma
        result += count * total
        store(by_eta, r, count * slope)
        store(to_sigma, r, count * by_sigma)
    for r in range(n):
        if counts[r] <= 0.0:
            continue
        of_a = load(by_eta, r) * load(by_above, r)
        by_offset = of_a * load(above, r)
        of_b = by_offset / load(below, r)
        for k in range(num_ptr[r], num_ptr[r + 1]):
            by_mass = of_a * num_coef[k] * load(content, num_content[k])
            e, c = num_edge[k], num_content[k]
            store(to_mass, e, load(to_mass, e) + by_mass)
            if c > 0:
                store(to_offset, c - 1, load(to_offset, c - 1) + by_mass * load(mass, e))
        for k in range(den_ptr[r], den_ptr[r + 1]):
            by_mass = of_b * den_coef[k] * load(content, den_content[k])
            e, c = den_edge[k], den_content[k]
            store(to_mass, e, load(to_mass, e) - by_mass)
            if c > 0:
                store(to_offset, c - 1, load(to_offset, c - 1) - by_mass * load(mass, e))
        for k in range(off_ptr[r], off_ptr[r + 1]):
            o = off_index[k]
            store(to_offset, o, load(to_offset, o) + by_offset * off_weight[k])
    return result
