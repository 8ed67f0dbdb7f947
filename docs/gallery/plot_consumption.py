"""Consumption by region and end use."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior()
figure = ree_plots.plot_consumption(dt)
