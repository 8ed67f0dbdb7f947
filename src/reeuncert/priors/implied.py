"""The prior of the flows that a priors table implies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.errors import Problem
from reeuncert.priors.checks import FILE
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.words.cells import condensed

MOST_ORDERS = 4.0
"""Width of the 90 % interval of an implied prior, in orders of magnitude, above which it gets a warning."""


def implied_flows(case: Case, draws: int = 500, seed: int = 1) -> tuple[Network, NDArray[np.float64]]:
    """Draw every flow from the prior of a case with ``prior_measure = "coordinates"``, without a model.

    Returns the network, whose ``edge_flow`` and ``edge_year`` label the columns, and the log of the mass of each edge
    in the unit of the case, shape (draw, edge).
    """
    network = case_network(case)
    prior = coordinate_prior(case, network)
    z = np.random.default_rng(seed).standard_normal((draws, network.n_coordinates))
    return network, np.log(flows_of_draws(prior.mean + prior.factor.apply(z), network))


def implied_warnings(case: Case, network: Network, log_flow: NDArray[np.float64]) -> list[Problem]:
    """Flows whose implied prior spans more than four orders of magnitude (ends of its 90 % interval)."""
    low, high = np.quantile(log_flow, [0.05, 0.95], axis=0) / np.log(10)
    found = []
    for index, flow in enumerate(case.system.flows):
        edges = np.flatnonzero((network.edge_flow == index) & (high - low > MOST_ORDERS))
        if edges.size:
            worst = edges[np.argmax((high - low)[edges])]
            years = condensed(case.system.years[k] for k in network.edge_year[edges])
            ends = f"{10 ** low[worst]:.2g} to {10 ** high[worst]:.2g} {case.system.unit}"
            message = f"the prior that the table implies for flow '{flow.name}' in {years} spans {ends} (90 %), more "
            message += "than four orders of magnitude; tighten the rows of the processes that feed it"
            found.append(Problem(FILE, 0, "", message))
    return found
