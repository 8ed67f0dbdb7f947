"""Net exports of one region to its partners in two years."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior()
figure = ree_plots.plot_net_exports(dt, coords={"exporter": "North", "year": [2001, 2004]})
