"""Keeping every so-manieth draw: which are kept, and what is not forgotten with the others."""

import numpy as np
import xarray as xr

from reeuncert.inference.thinning import thin_draws


def drawn(draws: int) -> tuple[xr.Dataset, xr.Dataset]:
    x = xr.DataArray(np.arange(2.0 * draws).reshape(2, draws), dims=("chain", "draw"))
    diverging = xr.zeros_like(x, dtype=bool)
    diverging[0, 3] = True
    steps = xr.DataArray(np.arange(2 * draws).reshape(2, draws), dims=("chain", "draw"))
    coords = {"chain": [0, 1], "draw": np.arange(draws)}
    return xr.Dataset({"x": x}, coords=coords), xr.Dataset({"diverging": diverging, "n_steps": steps}, coords=coords)


def test_every_third_draw_is_kept_and_renumbered():
    posterior, stats = thin_draws(*drawn(10), 3)
    assert posterior["x"].values.tolist() == [[2, 5, 8], [12, 15, 18]]
    assert posterior["draw"].values.tolist() == [0, 1, 2]
    assert stats["n_steps"].values.tolist() == [[2, 5, 8], [12, 15, 18]]


def test_a_divergence_between_kept_draws_is_not_forgotten():
    _, stats = thin_draws(*drawn(10), 3)
    assert stats["diverging"].values.tolist() == [[False, True, False], [False, False, False]]


def test_no_thinning_keeps_all_and_a_chain_cut_off_before_the_first_kept_draw_has_none():
    assert thin_draws(*drawn(4), 1)[0].sizes["draw"] == 4
    assert thin_draws(*drawn(4), 5)[0].sizes["draw"] == 0
