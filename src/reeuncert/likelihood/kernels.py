"""Numba kernels: reported quantities from flows, and the log likelihood of each row with its derivatives."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import compiled, kernel, source_version
from reeuncert.lanes.functions import LANE_FILES, exp, log
from reeuncert.lanes.numbers import empty, load, store, where, zero
from reeuncert.likelihood.laws import log_density, one_sided, two_sided
from reeuncert.words import error_laws
from reeuncert.words.error_laws import DENSITY, NORMAL, OUTLIERS

_FILES = ("laws.py", "packing.py", "kernels.py", "op.py", "predictive.py")
KERNEL_VERSION = source_version(
    *LANE_FILES, error_laws.__file__, *(str(Path(__file__).with_name(name)) for name in _FILES)
)
"""That of the text of all kernels of the evidence."""
compiled_entry = kernel(KERNEL_VERSION)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled
def multipliers(log_offset: Floats) -> Floats:
    """What multiplies a term, by the number of its content: 1, then the exponential of each offset value."""
    n = log_offset.shape[0]
    content = empty(n + 1, log_offset)
    store(content, 0, 1.0)
    for k in range(n):
        store(content, k + 1, exp(load(log_offset, k)))
    return content


@compiled
def residuals(value: Floats, mass: Floats, log_offset: Floats, content: Floats, sums: Any, kept: Any) -> Any:
    """Reported value less quantity of every row: log A - log B + offset, or A / B exp(offset) for plain rows; B = 1
    without a denominator. ``kept`` holds the arrays (row) that are written for `residuals_back`: A, B, and the way from
    a derivative by the quantity to one by A.
    """
    (
        plain, num_ptr, num_edge, num_coef, num_content, den_ptr, den_edge, den_coef, den_content,
        off_ptr, off_index, off_weight,
    ) = sums  # fmt: skip
    above, below, by_above = kept
    n = value.size
    residual = empty(n, mass)
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
        store(residual, r, value[r] - (a * multiplier if plain[r] else log(a / b) + offset))
    return residual


@compiled
def residuals_back(
    by_quantity: Floats, counts: Floats, mass: Floats, content: Floats, sums: Any, kept: Any,
    to_mass: Floats, to_offset: Floats,
) -> None:  # fmt: skip
    """Add to ``to_mass`` (edge) and ``to_offset`` (offset value) what derivatives by quantities (row) mean for them. A
    row that counts 0 times is not looked at.
    """
    (
        _, num_ptr, num_edge, num_coef, num_content, den_ptr, den_edge, den_coef, den_content,
        off_ptr, off_index, off_weight,
    ) = sums  # fmt: skip
    above, below, by_above = kept
    for r in range(counts.size):
        if counts[r] <= 0.0:
            continue
        of_a = load(by_quantity, r) * load(by_above, r)
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


@compiled
def _component(
    core: int, form: int, residual: Any, lower: float, upper: float, scale: Any, nu: float
) -> tuple[Any, Any, Any]:
    """Log probability of a core at a residual (density), or between ``residual`` + ``lower`` and + ``upper``.

    Returns the log probability and its derivatives with respect to the centre and to ``scale``.
    """
    inverse = 1.0 / scale
    if form == DENSITY:
        a = (residual + lower) * inverse
        logp, slope = log_density(core, a, nu)
        return logp - log(scale), slope * inverse, (a * slope - 1.0) * inverse
    if lower == -math.inf or upper == math.inf:
        if lower == upper or (lower == -math.inf and upper == math.inf):  # no bound
            none = 0.0 * residual
            return none, none, none
        sign = 1.0 if upper == math.inf else -1.0
        u = sign * (residual + (lower if upper == math.inf else upper)) * inverse
        logp, hazard = one_sided(core, u, nu)
        hazard = hazard * inverse
        return logp, sign * hazard, u * hazard
    a, b = (residual + lower) * inverse, (residual + upper) * inverse
    logp = two_sided(core, a, b, (upper - lower) * inverse, nu)
    at_a, at_b = exp(log_density(core, a, nu)[0] - logp), exp(log_density(core, b, nu)[0] - logp)
    return logp, (at_a - at_b) * inverse, (a * at_a - b * at_b) * inverse


@compiled
def family_logp(
    family: int, form: int, residual: Any, lower: float, upper: float, sigma: Any, tails: Floats
) -> tuple[Any, Any, Any]:
    """Log probability under one family, with derivatives with respect to centre and sigma."""
    nu, log_core, log_outlier, outlier_sd = tails[0], tails[1], tails[2], tails[3]
    core, core_eta, core_sigma = _component(family & ~OUTLIERS, form, residual, lower, upper, sigma, nu)
    if family & OUTLIERS == 0:
        return core, core_eta, core_sigma
    wrong, wrong_eta, _ = _component(NORMAL, form, residual, lower, upper, outlier_sd, 0.0)
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
def row_logp(residual: Floats, sigma: Floats, counts: Floats, laws: Any, logp: Floats, d_sigma: Floats) -> None:
    """Write the log likelihood of every row, times how often it counts, and its derivative with respect to ``sigma``;
    ``residual`` is overwritten by that with respect to the quantity. A row that counts 0 times is not looked at.

    An interval runs from ``residual + lower`` to ``residual + upper``. With probability ``weight`` the figure is larger
    by ``shift`` (two readings). ``laws`` are from `reeuncert.likelihood.packing.unpack_rows`.
    """
    family, form, lower, upper, shift, weight, tails = laws
    for r in range(counts.size):
        away, scale, count = load(residual, r), load(sigma, r), counts[r]
        store(logp, r, 0.0)
        store(residual, r, 0.0)
        store(d_sigma, r, 0.0)
        if count <= 0.0:
            continue
        total, slope, by_sigma = family_logp(family[r], form[r], away, lower[r], upper[r], scale, tails)
        if weight[r] > 0.0:
            other, other_slope, other_sigma = family_logp(
                family[r], form[r], away + shift[r], lower[r], upper[r], scale, tails
            )
            total, share = _mixture(total + math.log(1.0 - weight[r]), other + math.log(weight[r]))
            slope = share * slope + (1.0 - share) * other_slope
            by_sigma = share * by_sigma + (1.0 - share) * other_sigma
        store(logp, r, count * total)
        store(residual, r, count * slope)
        store(d_sigma, r, count * by_sigma)


@compiled
def rows_of_masses(
    mass: Floats, to_mass: Floats, log_offset: Floats, to_offset: Floats, sigma: Floats, to_sigma: Floats,
    value: Floats, counts: Floats, sums: Any, laws: Any,
) -> Any:  # fmt: skip
    """Log likelihood of all rows from masses, and its gradient.

    Masses by edge, offsets by offset value, figures and scales of errors by row; the last dimension of masses, offsets
    and scales may be four points (`reeuncert.lanes.numbers`). The gradient is added to ``to_mass`` and
    ``to_offset``, and written to ``to_sigma``. A row that counts 0 times is not looked at. Sums and laws are
    from `reeuncert.likelihood.packing.unpack_sums` and `unpack_rows`.
    """
    n = value.size
    content = multipliers(log_offset)
    kept = (empty(n, mass), empty(n, mass), empty(n, mass))
    by_quantity = residuals(value, mass, log_offset, content, sums, kept)
    logp = empty(n, mass)
    row_logp(by_quantity, sigma, counts, laws, logp, to_sigma)
    residuals_back(by_quantity, counts, mass, content, sums, kept, to_mass, to_offset)
    result = zero(mass)
    for r in range(n):
        result += load(logp, r)
    return result
