"""Thinning of chains; divergences of dropped draws are kept."""

import numpy as np
import xarray as xr

FORGETFUL = ("diverging", "reached_max_treedepth")
"""Statistics of a draw that count for a kept one if any since the last kept one had them."""

ENERGY, ENERGY_BEFORE = "energy", "energy_before"
"""Energy of a draw, and of the draw that the sampler made just before it: their difference is what one step changes."""


def thin_draws(posterior: xr.Dataset, stats: xr.Dataset, thin: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Every ``thin``-th draw, numbered anew.

    A draw that is kept counts as diverging if any since the last kept one diverged. Beside its energy stands that of
    the draw just before it, which may not be kept.
    """
    if thin == 1:
        return posterior, stats
    kept = posterior.sizes["draw"] // thin
    pick = {"draw": np.arange(thin - 1, kept * thin, thin)}
    fresh = {"draw": np.arange(kept)}
    fewer = stats.isel(pick).assign_coords(fresh)
    for name in FORGETFUL:
        if name in stats:
            whole = stats[name].values[:, : kept * thin]
            fewer[name] = (fewer[name].dims, whole.reshape(whole.shape[0], kept, thin).any(axis=-1))
    if ENERGY in stats:
        fewer[ENERGY_BEFORE] = (fewer[ENERGY].dims, stats[ENERGY].isel(draw=pick["draw"] - 1).values)
    # A copy: a view would hold all the draws in memory.
    return posterior.isel(pick).assign_coords(fresh).copy(deep=True), fewer
