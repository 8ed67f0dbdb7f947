"""Where the variance of an indicator comes from, by class of input."""

import numpy as np
import xarray as xr

import reeuncert as ree
import reeuncert.plots as ree_plots
from reeuncert.case.serial import case_to_json
from reeuncert.testing import flow_dataset, toy_flows

# Under the prior, the indices are computed on the case itself; any draws will do to name the value.
case = ree.read_case("small_metal")
mass = toy_flows(case.system, 0.2, np.random.default_rng(0), 20).reshape(1, 20, -1, len(case.system.years))
dt = xr.DataTree.from_dict({"posterior": flow_dataset(case.system, mass)})
dt.attrs["case_json"] = case_to_json(case)
dt = ree.add_indicators(dt, ["apparent_consumption"])
where = {"region": "North", "product": "refined", "year": 2020}
figure = ree_plots.plot_sobol(dt, "apparent_consumption", coords=where, under="prior")
