"""What a world without trade loses."""

import reeuncert as ree
import reeuncert.plots as ree_plots
from reeuncert.counterfactuals import NoTrade
from reeuncert.testing import toy_posterior

world = ree.run_counterfactual(toy_posterior(), NoTrade(), year=2004)
figure = ree_plots.plot_lost_consumption(world)
