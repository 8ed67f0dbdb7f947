"""Reported figures among their predictions."""

import numpy as np
import xarray as xr

import reeuncert.plots as ree_plots
from reeuncert.case.serial import case_to_json
from reeuncert.testing import flow_dataset, toy_flows
from reeuncert.validation.reader import read_case

case = read_case("small_metal")
draws = 0.6 * toy_flows(case.system, 0.5, np.random.default_rng(1), 200)  # in place of sample(build_model(case))
dt = xr.DataTree.from_dict({"posterior": flow_dataset(case.system, draws[None])})
dt.attrs["case_json"] = case_to_json(case)
figure = ree_plots.plot_evidence(dt)
