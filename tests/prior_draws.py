"""A result without sampling: draws of the prior of a case."""

import numpy as np
import xarray as xr

from reeuncert.balance.forward import flows_of_draws
from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.testing import flow_dataset


def prior_result(case: Case, draws: int = 40) -> xr.DataTree:
    """Flows and coordinates of two chains of draws of the prior."""
    network = case_network(case)
    prior = coordinate_prior(case, network)
    z = np.random.default_rng(1).standard_normal((2, draws, network.n_coordinates))
    u = (prior.mean + prior.factor.apply(z)).reshape(-1, network.n_coordinates)
    mass = network.to_table(flows_of_draws(u, network))
    data = flow_dataset(case.system, mass.reshape(2, draws, *mass.shape[1:]))
    dt = xr.DataTree.from_dict({"posterior": data.assign(z=(("chain", "draw", "coordinate"), z))})
    dt.attrs = {"case_json": case_to_json(case), "case_name": case.name}
    return dt
