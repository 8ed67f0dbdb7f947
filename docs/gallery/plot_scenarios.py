"""A value under every scenario of a study."""

import pandas as pd
import xarray as xr

import reeuncert as ree
import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

# In earnest: study = ree.sensitivity(case, …). Here, results of three seeds stand for three scenarios.
results = [toy_posterior(years=3, seed=seed)["derived"].to_dataset()[["import_dependence"]] for seed in (0, 1, 2)]
draws = xr.concat(results, xr.Variable("scenario", ["base", "customs less trusted", "no stocks"]))
quantiles = draws.quantile([0.05, 0.25, 0.5, 0.75, 0.95], ("chain", "draw"), skipna=False, keep_attrs=True)
study = ree.Study(quantiles, draws, *3 * [pd.DataFrame()])
where = {"region": "South", "partner": "North", "product": "refined", "year": 2003}
figure = ree_plots.plot_scenarios(study, "import_dependence", coords=where)
