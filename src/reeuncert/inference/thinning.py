"""Keeping every so-manieth draw of a chain, without forgetting the divergences of the others."""

from __future__ import annotations

import numpy as np
import xarray as xr

FORGETFUL = ("diverging", "reached_max_treedepth")
"""Statistics of a draw that count for a kept one if any since the last kept one had them."""


def thin_draws(posterior: xr.Dataset, stats: xr.Dataset, thin: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Every ``thin``-th draw, numbered anew.

    Parameters
    ----------
    posterior, stats
        Draws and their statistics, dims chain, draw, …
    thin
        1 keeps all.

    Returns
    -------
    tuple of Dataset
        A draw that is kept counts as diverging if any since the last kept one diverged.
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
    # A copy: a view would hold all the draws in memory.
    return posterior.isel(pick).assign_coords(fresh).copy(deep=True), fewer
