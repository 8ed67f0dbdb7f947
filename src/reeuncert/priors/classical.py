"""Free coordinates whose prior is a density of masses or shares, inside a PyMC model."""

from __future__ import annotations

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows, balanced_flows_with_jacobian
from reeuncert.case.records import Case
from reeuncert.priors.density import density_potential, shares_of_flows
from reeuncert.priors.scale import CoordinateScale
from reeuncert.priors.start import feasible_start


def flows_with_density(case: Case, network: Network) -> TensorVariable:
    """Log flows from free coordinates under the measures ``mass`` and ``shares``; call it inside a model.

    Adds to the model ``u`` (coordinate), flat, on the scale of `CoordinateScale`, with a start that nearly fits, and
    the potential ``prior_density``: the density of the priors table with all volumes.
    """
    scale = CoordinateScale.of(case, network)
    free = pm.Flat("u", dims="coordinate", initval=scale.invert(feasible_start(case, network)))
    u, log_volume = scale.apply(free)
    if case.prior_measure == "mass":
        log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
        density = density_potential(case, network, log_flow, log_jacobian, pt.zeros(network.n_edges))
    else:
        log_flow = balanced_flows(u, network)
        density = density_potential(case, network, log_flow, pt.zeros(()), shares_of_flows(network, log_flow))
    pm.Potential("prior_density", density + log_volume)
    return log_flow
