"""Flows from the mine to the end use."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior()
figure = ree_plots.plot_sankey(dt, coords={"year": 2004})
