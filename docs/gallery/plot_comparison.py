"""Headlines of two results, side by side."""

import reeuncert as ree
import reeuncert.plots as ree_plots
from reeuncert.testing import toy_posterior

found = ree.compare(toy_posterior(years=3), toy_posterior(years=3, seed=1), names=("first", "second"))
figure = ree_plots.plot_comparison(found)
