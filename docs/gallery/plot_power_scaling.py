"""Priors and sources that a headline is sensitive to."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior, toy_terms

dt = toy_terms(toy_posterior(draws=500))
where = {"region": "South", "partner": "North", "product": "refined", "year": 2006}
figure = ree_plots.plot_power_scaling(dt, "import_dependence", coords=where)
