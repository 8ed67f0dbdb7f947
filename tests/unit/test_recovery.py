"""A known truth is found again: figures simulated from flows that balance, and the posterior that they give."""

import numpy as np
import pymc as pm

import reeuncert as ree
from reeuncert.likelihood.model import REPORTED_DATA
from reeuncert.likelihood.predictive import predictive_draws
from reeuncert.model import record_of


def test_the_posterior_covers_a_truth_drawn_from_the_prior():
    model = ree.build_model(ree.read_case("small_metal"))
    prior = ree.sample_prior(model, 50, seed=5, quiet=True)["prior"].to_dataset().isel(chain=0, draw=7)
    truth = prior["mass_flow"].values
    evidence = record_of(model).evidence
    others = {name: prior[name].values for name in ("source_width", "log_offset") if name in prior}
    reported = predictive_draws(evidence, truth, **others, rng=np.random.default_rng(6))
    with model:
        pm.set_data({REPORTED_DATA: reported})
    dt = ree.sample(model, draws=400, tune=400, chains=2, seed=7, quiet=True, prior_draws=0, likelihood_terms=False)
    there = np.isfinite(truth)
    lower, upper = ends(dt["posterior"]["mass_flow"].values[..., there])
    inside = (truth[there] >= lower) & (truth[there] <= upper)
    # 99 % intervals of some seventy correlated flows: a map or a likelihood that is wrong covers half of them at best.
    assert inside.mean() > 0.85
    at_first = ree.sample_prior(model, 500, seed=8, quiet=True)["prior"]["mass_flow"].values[..., there]
    lowest, highest = ends(at_first)
    assert np.log(upper / lower).mean() < np.log(highest / lowest).mean()  # and the figures taught something


def ends(draws: np.ndarray) -> np.ndarray:
    """Ends of the 99 % intervals of draws, shape (chain, draw, flow)."""
    return np.quantile(draws, [0.005, 0.995], axis=(0, 1))
