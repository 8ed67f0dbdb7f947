"""Which number to collect next."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior(draws=500)
figure = ree_plots.plot_value_of_information(dt, 0, error=0.05)
