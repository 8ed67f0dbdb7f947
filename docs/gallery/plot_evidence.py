"""Reported figures among their predictions."""

import reeuncert as ree
import reeuncert.plots as ree_plots

dt = ree.sample(ree.build_model(ree.read_case("small_metal")), draws=200, tune=300, chains=2, seed=1)
figure = ree_plots.plot_evidence(dt)
