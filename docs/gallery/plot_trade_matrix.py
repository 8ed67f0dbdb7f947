"""Import dependence between the regions."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior()
figure = ree_plots.plot_trade_matrix(dt, coords={"year": 2004, "product": ["concentrate", "refined"]})
