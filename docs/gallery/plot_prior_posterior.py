"""Prior and posterior of single quantities."""

import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

dt = toy_posterior()
figure = ree_plots.plot_prior_posterior(dt, "net_import_reliance", coords={"year": 2004})
