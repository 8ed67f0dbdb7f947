"""The log density of `reeuncert.inference.density` and its gradient, compiled."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance import affine, masses
from reeuncert.balance.affine import product, product_transposed
from reeuncert.balance.edges import Positions
from reeuncert.balance.masses import FURTHEST, exponentials, masses_back
from reeuncert.balance.masses import masses as all_masses
from reeuncert.compiling import kernel, source_version
from reeuncert.inference import stretching
from reeuncert.inference.stretching import stretch
from reeuncert.lanes.functions import LANE_FILES, exp, sqrt
from reeuncert.lanes.numbers import empty, load, store, where, zero
from reeuncert.likelihood import parameters
from reeuncert.likelihood.kernels import KERNEL_VERSION, family_logp, rows_of_masses
from reeuncert.likelihood.packing import unpack_rows, unpack_sums
from reeuncert.likelihood.parameters import WIDTH_LOG_SD
from reeuncert.words.error_laws import DENSITY

_FILES = (*LANE_FILES, affine.__file__, masses.__file__, stretching.__file__, parameters.__file__)
VERSION = source_version(__file__, *_FILES) ^ KERNEL_VERSION

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

Floats = NDArray[np.float64]


class Numbers(NamedTuple):
    """All that the log density of a case depends on beside the point, as arrays.

    Parameters
    ----------
    whitening_centre, whitening_directions, whitening_gains
        The map from where the sampler moves to the model's own parameters, see `reeuncert.inference.whitening`.
    factor_layout, prior_factor, prior_mean
        K and m of u = m + K z, see `reeuncert.balance.affine`.
    coordinate, target, out_start, component_start, anchor, room
        The network, see `reeuncert.balance.edges.Packed`.
    evidence_layout, evidence_coefficient, evidence_code, evidence_bound
        Sums and laws of the rows, see `reeuncert.likelihood.packing`; edges in the kernels' order.
    reported_value, row_weight
        The reported figures on the scale of each row, and how often each row counts.
    width_index, row_multiplier, row_width
        Which width each row has, times what; widths that rows give themselves, which come after those of the sources.
    source_width_median, source_width_floor, learned
        Width of each source, and which of them are learned.
    offset_mean, offset_scale, offset_family
        The law of each offset value.
    """

    whitening_centre: Floats
    whitening_directions: NDArray[np.float32]
    whitening_gains: Floats
    factor_layout: NDArray[np.int64]
    prior_factor: Floats
    prior_mean: Floats
    coordinate: Positions
    target: Positions
    out_start: Positions
    component_start: Positions
    anchor: Positions
    room: Positions
    evidence_layout: Positions
    evidence_coefficient: Floats
    evidence_code: NDArray[np.int64]
    evidence_bound: Floats
    reported_value: Floats
    row_weight: Floats
    width_index: Positions
    row_multiplier: Floats
    row_width: Floats
    source_width_median: Floats
    source_width_floor: Floats
    learned: Positions
    offset_mean: Floats
    offset_scale: Floats
    offset_family: NDArray[np.int64]


# Kernels below take the arrays that they need, not all `Numbers`: an argument of thirty arrays is slow to hand over.


@kernel(VERSION)
def _coordinates(z, layout, factor, mean, exp_u):  # type: ignore[no-untyped-def]  # numba infers
    """Write the exponentials of u = m + K z, of 0 where u is too far out; largest |u|, at most `FURTHEST`."""
    u, scratch = empty(mean.size, z), empty(mean.size, z)
    product(z, layout, factor, u)
    far = zero(z)
    for i in range(mean.size):
        here = load(u, i) + mean[i]
        near = abs(here) < FURTHEST
        far = where(near, far, FURTHEST)
        store(u, i, where(near, here, 0.0))
    exponentials(u, scratch, exp_u)
    return far


@kernel(VERSION)
def _widths(z, median, floor, learned, own):  # type: ignore[no-untyped-def]  # numba infers
    """Width of every source and of every row that has its own."""
    width = empty(median.size + own.size, z)
    for k in range(median.size):
        store(width, k, median[k])
    for k in range(own.size):
        store(width, median.size + k, own[k])
    for i in range(learned.size):
        k = learned[i]
        least = floor[k] ** 2
        store(width, k, sqrt(least + (median[k] ** 2 - least) * exp(2.0 * WIDTH_LOG_SD * load(z, i))))
    return width


@kernel(VERSION)
def _widths_back(to_sigma, index, multiplier, width, floor, learned, to_z):  # type: ignore[no-untyped-def]  # numba infers
    """Write the gradient with respect to the standard normals of the learned widths."""
    to_width = empty(width.shape[0], to_sigma)
    to_width[:] = 0.0
    for r in range(index.size):
        k = index[r]
        store(to_width, k, load(to_width, k) + load(to_sigma, r) * multiplier[r])
    for i in range(learned.size):
        k = learned[i]
        own = load(width, k)
        store(to_z, i, load(to_width, k) * WIDTH_LOG_SD * (own * own - floor[k] ** 2) / own)


@kernel(VERSION)
def _offset_law(z, scale, family, tails, to_offset, to_z):  # type: ignore[no-untyped-def]  # numba infers
    """Log density of the standardised offsets; writes the gradient with respect to them."""
    total, form = zero(z), int(DENSITY)
    for i in range(scale.size):
        error = scale[i] * load(z, i)
        logp, by_centre, _ = family_logp(family[i], form, error, 0.0, 0.0, scale[i], tails)
        total += logp + math.log(scale[i])
        store(to_z, i, (load(to_offset, i) - by_centre) * scale[i])
    return total


@kernel(VERSION, inline="always")
def log_density(y, gradient, numbers):  # type: ignore[no-untyped-def]  # numba infers
    """Log density at a point (size,), or at four (size, LANES); writes the gradient of the same shape.

    Not finite where either cannot be computed; the gradient is zero then.
    """
    (
        centre, directions, gains, factor_layout, factor, mean, coordinate, target, out_start, component_start, anchor,
        room, layout, coefficient, code, bound, value, counts, width_index, multiplier, own, median, floor, learned,
        offset_mean, offset_scale, offset_family,
    ) = numbers  # fmt: skip
    n, n_widths, edges, size = mean.size, learned.size, coordinate.size, centre.size
    x = empty(size, y)
    stretch(y, directions, gains, x)
    for i in range(size):
        store(x, i, load(x, i) + centre[i])
    z, width_z, offset_z = x[:n], x[n : n + n_widths], x[n + n_widths :]
    exp_u = empty(n + 1, y)
    far = _coordinates(z, factor_layout, factor, mean, exp_u)
    mass, share, kept, nodes = empty(edges, y), empty(edges, y), empty(room[0], y), empty(out_start.size, y)
    network = (coordinate, target, out_start, component_start, anchor, room)
    all_masses(network, exp_u, mass, share, nodes, kept)
    width = _widths(width_z, median, floor, learned, own)
    offset, sigma = empty(offset_mean.size, y), empty(value.size, y)
    for k in range(offset_mean.size):
        store(offset, k, offset_mean[k] + offset_scale[k] * load(offset_z, k))
    for r in range(value.size):
        store(sigma, r, load(width, width_index[r]) * multiplier[r])
    to_mass, to_offset, to_sigma = empty(edges, y), empty(offset_mean.size, y), empty(value.size, y)
    to_mass[:] = 0.0
    to_offset[:] = 0.0
    laws = unpack_rows(code, bound)
    result = rows_of_masses(
        mass, to_mass, offset, to_offset, sigma, to_sigma, value, counts,
        unpack_sums(layout, coefficient), laws,
    )  # fmt: skip
    to_x = empty(size, y)
    masses_back(network, mass, share, kept, to_mass, nodes, exp_u)  # exp_u has served, and takes the gradient
    product_transposed(exp_u, factor_layout, factor, to_x)
    _widths_back(to_sigma, width_index, multiplier, width, floor, learned, to_x[n : n + n_widths])
    result += _offset_law(offset_z, offset_scale, offset_family, laws[6], to_offset, to_x[n + n_widths :])
    result -= _HALF_LOG_TWO_PI * (n + n_widths)
    for i in range(n + n_widths):
        own_x = load(x, i)
        result -= 0.5 * own_x * own_x
        store(to_x, i, load(to_x, i) - own_x)
    stretch(to_x, directions, gains, gradient)
    finite = 0.0 * result  # zero, or NaN
    for i in range(size):
        finite += 0.0 * load(gradient, i)
    good = finite + far < 0.5 * FURTHEST
    for i in range(size):
        store(gradient, i, where(good, load(gradient, i), 0.0))
    return where(good, result, where(far < 0.5 * FURTHEST, math.nan, -math.inf))
