"""Keeping every so-manieth draw: which are kept, and what is not forgotten with the others."""

import numpy as np
import xarray as xr

from reeuncert.inference.sample import thinned
from reeuncert.inference.samplers import Drawn


def drawn(draws: int) -> Drawn:
    x = xr.DataArray(np.arange(2.0 * draws).reshape(2, draws), dims=("chain", "draw"))
    diverging = xr.zeros_like(x, dtype=bool)
    diverging[0, 3] = True
    steps = xr.DataArray(np.arange(2 * draws).reshape(2, draws), dims=("chain", "draw"))
    coords = {"chain": [0, 1], "draw": np.arange(draws)}
    stats = xr.Dataset({"diverging": diverging, "n_steps": steps}, coords=coords)
    return Drawn(xr.Dataset({"x": x}, coords=coords), stats, complete=True)


def test_every_third_draw_is_kept_and_renumbered():
    kept = thinned(drawn(10), 3)
    assert kept.posterior["x"].values.tolist() == [[2, 5, 8], [12, 15, 18]]
    assert kept.posterior["draw"].values.tolist() == [0, 1, 2]
    assert kept.sample_stats["n_steps"].values.tolist() == [[2, 5, 8], [12, 15, 18]]


def test_a_divergence_between_kept_draws_is_not_forgotten():
    kept = thinned(drawn(10), 3)
    assert kept.sample_stats["diverging"].values.tolist() == [[False, True, False], [False, False, False]]


def test_a_run_that_made_fewer_draws_keeps_them():
    assert thinned(drawn(4), 5).posterior.sizes["draw"] == 4
    assert thinned(drawn(4), 1).posterior.sizes["draw"] == 4
