"""A value under every scenario of a study."""

import xarray as xr

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

# In earnest: study = reeuncert.sensitivity(case, …). Here, results of three seeds stand for three scenarios.
results = [toy_posterior(years=3, seed=seed)["derived"].to_dataset()[["import_dependence"]] for seed in (0, 1, 2)]
study = xr.concat(results, xr.Variable("scenario", ["base", "customs less trusted", "no stocks"]))
where = {"region": "South", "partner": "North", "product": "refined", "year": 2003}
figure = ree_plots.plot_scenarios(study, "import_dependence", coords=where)
