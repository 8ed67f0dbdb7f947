"""What a world without trade loses."""

import reeuncert.plots as ree_plots
from reeuncert.counterfactuals import no_trade
from reeuncert.testing import toy_posterior

world = no_trade(toy_posterior(), year=2004)
figure = ree_plots.plot_lost_consumption(world)
