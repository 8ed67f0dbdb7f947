"""Which components move the median of a headline."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior, toy_terms

dt = toy_terms(toy_posterior(draws=500))
figure = ree_plots.plot_tornado(dt, 0)
