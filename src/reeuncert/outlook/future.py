"""The future of the coordinates: drawn from their prior, given the posterior of the past.

No evidence speaks of future years, so that the posterior of an extended case is the posterior of the past times the
prior of the future given the past. The prior is one Gaussian, u ~ N(m, C), block by block, and the past is a subset P
of its coordinates: u_F | u_P ~ N(m_F + C_FP C_PP⁻¹ (u_P − m_P), C_FF − C_FP C_PP⁻¹ C_PF). So nothing is fitted again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.flows import Array
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import CoordinatePrior, coordinate_prior

MOST_AT_ONCE = 500
"""Draws whose flows of all years are in memory together."""


def past_coordinates(dt: xr.DataTree, case: Case) -> Array:
    """Coordinates of the posterior, array (sample, coordinate). Raises `ReeUncertError` if the case has no Gaussian
    prior on coordinates, or the draws do not hold them.
    """
    if case.prior_measure != "coordinates":
        raise ReeUncertError(
            f"an outlook needs a case with prior_measure = coordinates, whose paths run on; '{case.name}' has "
            f"'{case.prior_measure}'"
        )
    if "z" not in dt["posterior"]:
        raise ReeUncertError("this result holds no coordinates ('posterior/z'); use one that `sample` returned")
    z = dt["posterior"]["z"].transpose("chain", "draw", "coordinate").values
    prior = coordinate_prior(case, case_network(case))
    return np.asarray(prior.mean + prior.factor.apply(z.reshape(-1, z.shape[-1])))


def with_future(past: Array, case: Case, extended: Case, rng: np.random.Generator) -> tuple[Array, Network]:
    """Coordinates of an extended case: those of the past as they are, (sample, coordinate), and the others drawn given
    them; with the network of the extended case.

    >>> import reeuncert as ree
    >>> from reeuncert.case.extension import extend
    >>> case = ree.read_case("small_metal")
    >>> longer = extend(case, 2022)
    >>> past = np.tile(coordinate_prior(case, case_network(case)).mean, (5, 1))
    >>> u, network = with_future(past, case, longer, np.random.default_rng(1))
    >>> u.shape == (5, network.n_coordinates)
    True
    """
    network = case_network(extended)
    prior = coordinate_prior(extended, network)
    old = {label: k for k, label in enumerate(case_network(case).coordinate_labels)}
    source = np.array([old.get(label, -1) for label in network.coordinate_labels])
    return _draw(past, prior, source, rng), network


def _draw(past: Array, prior: CoordinatePrior, source: Array, rng: np.random.Generator) -> Array:
    u = np.empty((len(past), prior.mean.size))
    solved: dict[tuple[bytes, bytes], tuple[Array, Array]] = {}  # many paths have the same prior
    for block in prior.blocks:
        known = source[block.index] >= 0
        at, ahead = block.index[known], block.index[~known]
        u[:, at] = past[:, source[at]]
        if not ahead.size:
            continue
        key = block.covariance.tobytes(), known.tobytes()
        if key not in solved:
            both = block.covariance[np.ix_(~known, known)]
            gain = np.linalg.lstsq(block.covariance[np.ix_(known, known)], both.T, rcond=1e-12)[0].T
            left = block.covariance[np.ix_(~known, ~known)] - gain @ both.T
            size, axes = np.linalg.eigh((left + left.T) / 2)
            solved[key] = gain, axes * np.sqrt(np.maximum(size, 0.0))
        gain, root = solved[key]
        noise = rng.standard_normal((len(past), ahead.size)) @ root.T
        u[:, ahead] = prior.mean[ahead] + (u[:, at] - prior.mean[at]) @ gain.T + noise
    return u


def flows_from(u: Array, network: Network, first: int) -> Array:
    """Flows of the years from ``first`` on, array (flow, sample, year); NaN where a flow is absent."""
    start = network.system.year_index[first]
    shape = (len(network.system.flows), len(u), len(network.system.years) - start)
    out = np.full(shape, np.nan)
    kept = np.flatnonzero(network.edge_year >= start)
    for part in _parts(len(u)):
        edges = flows_of_draws(u[part], network)[:, kept]
        out[network.edge_flow[kept], part, network.edge_year[kept] - start] = edges.T
    return out


def _parts(size: int) -> Iterator[slice]:
    for first in range(0, size, MOST_AT_ONCE):
        yield slice(first, min(first + MOST_AT_ONCE, size))
