"""An indicator of dependence over the years."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior()
figure = ree_plots.plot_indicator(dt, "import_dependence", coords={"product": "refined"})
