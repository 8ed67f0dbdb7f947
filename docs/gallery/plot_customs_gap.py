"""The customs gap."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior()
figure = ree_plots.plot_customs_gap(dt, coords={"region": "South", "partner": "North"})
