"""The log density of `reeuncert.inference.density` and its gradient, compiled."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance import affine, elimination, masses
from reeuncert.balance.affine import product, product_transposed
from reeuncert.balance.masses import FURTHEST, Positions, exponentials, masses_back
from reeuncert.balance.masses import masses as all_masses
from reeuncert.compiling import kernel, source_version
from reeuncert.inference import stretching
from reeuncert.inference.stretching import stretch
from reeuncert.likelihood import parameters
from reeuncert.likelihood._numba import KERNEL_VERSION
from reeuncert.likelihood.kernels import family_logp, rows_of_masses
from reeuncert.likelihood.packing import unpack_rows, unpack_sums
from reeuncert.likelihood.parameters import WIDTH_LOG_SD
from reeuncert.words.error_laws import DENSITY

_FILES = (affine.__file__, elimination.__file__, masses.__file__, stretching.__file__, parameters.__file__)
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
        The network, see `reeuncert.balance.masses.MassNetwork`.
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
    """Write the exponentials of u = m + K z, unless u is too far out; whether it is not."""
    u, scratch = np.empty(z.size), np.empty(z.size)
    product(z, layout, factor, u)
    near = True
    for i in range(z.size):
        u[i] += mean[i]
        near &= abs(u[i]) <= FURTHEST
    if near:
        exponentials(u, scratch, exp_u)
    return near


@kernel(VERSION)
def _widths(z, median, floor, learned, own):  # type: ignore[no-untyped-def]  # numba infers
    """Width of every source and of every row that has its own."""
    width = np.concatenate((median, own))
    for i in range(learned.size):
        k = learned[i]
        width[k] = math.sqrt(floor[k] ** 2 + (median[k] ** 2 - floor[k] ** 2) * math.exp(2.0 * WIDTH_LOG_SD * z[i]))
    return width


@kernel(VERSION)
def _widths_back(to_sigma, index, multiplier, width, floor, learned, to_z):  # type: ignore[no-untyped-def]  # numba infers
    """Write the gradient with respect to the standard normals of the learned widths."""
    to_width = np.zeros(width.size)
    for r in range(to_sigma.size):
        to_width[index[r]] += to_sigma[r] * multiplier[r]
    for i in range(learned.size):
        k = learned[i]
        to_z[i] = to_width[k] * WIDTH_LOG_SD * (width[k] ** 2 - floor[k] ** 2) / width[k]


@kernel(VERSION)
def _offset_law(z, scale, family, tails, to_offset, to_z):  # type: ignore[no-untyped-def]  # numba infers
    """Log density of the standardised offsets; writes the gradient with respect to them."""
    total, form = 0.0, int(DENSITY)
    for i in range(z.size):
        error = scale[i] * z[i]
        logp, by_centre, _ = family_logp(family[i], form, error, error, 0.0, scale[i], tails)
        total += logp + math.log(scale[i])
        to_z[i] = (to_offset[i] - by_centre) * scale[i]
    return total


@kernel(VERSION, inline="always")
def log_density(y, gradient, numbers):  # type: ignore[no-untyped-def]  # numba infers
    """Log density at a point (size,); writes its gradient (size,). Not finite where either cannot be computed; the
    gradient is zero then.
    """
    (
        centre, directions, gains, factor_layout, factor, mean, coordinate, target, out_start, component_start, anchor,
        room, layout, coefficient, code, bound, value, counts, width_index, multiplier, own, median, floor, learned,
        offset_mean, offset_scale, offset_family,
    ) = numbers  # fmt: skip
    n, n_widths, edges = mean.size, learned.size, coordinate.size
    gradient[:] = 0.0
    x = np.empty(y.size)
    stretch(y, directions, gains, x)
    for i in range(x.size):
        x[i] += centre[i]
    z, width_z, offset_z = x[:n], x[n : n + n_widths], x[n + n_widths :]
    exp_u = np.empty(n + 1)
    if not _coordinates(z, factor_layout, factor, mean, exp_u):
        return -np.inf
    mass, share, kept = np.empty(edges), np.empty(edges), np.empty(room[0])
    nodes = np.empty(out_start.size)
    network = (coordinate, target, out_start, component_start, anchor, room)
    all_masses(network, exp_u, mass, share, nodes, kept)
    width = _widths(width_z, median, floor, learned, own)
    offset, sigma = offset_mean + offset_scale * offset_z, np.empty(value.size)
    for r in range(value.size):
        sigma[r] = width[width_index[r]] * multiplier[r]
    to_mass, to_offset, to_sigma = np.zeros(edges), np.zeros(offset.size), np.empty(value.size)
    laws = unpack_rows(code, bound)
    result = rows_of_masses(
        mass, to_mass, offset, to_offset, sigma, to_sigma, value, counts,
        unpack_sums(layout, coefficient)[1], laws,
    )  # fmt: skip
    to_x = np.empty(y.size)
    masses_back(network, mass, share, kept, to_mass, nodes, exp_u)  # exp_u has served, and takes the gradient
    product_transposed(exp_u, factor_layout, factor, to_x)
    _widths_back(to_sigma, width_index, multiplier, width, floor, learned, to_x[n : n + n_widths])
    result += _offset_law(offset_z, offset_scale, offset_family, laws[6], to_offset, to_x[n + n_widths :])
    result -= _HALF_LOG_TWO_PI * (n + n_widths)
    for i in range(n + n_widths):
        result -= 0.5 * x[i] * x[i]
        to_x[i] -= x[i]
    stretch(to_x, directions, gains, gradient)
    finite = True
    for i in range(gradient.size):
        finite &= abs(gradient[i]) < np.inf
    if not finite:
        gradient[:] = 0.0
        return np.nan
    return result
