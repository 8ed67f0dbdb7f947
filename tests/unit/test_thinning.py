"""Keeping every so-manieth draw: which are kept, and what is not forgotten with the others."""

import numpy as np
import xarray as xr

from reeuncert.checks import check
from reeuncert.inference.chains import thin_draws
from reeuncert.result.diagnostics import bfmi
from reeuncert.testing import toy_posterior


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


def test_the_energy_fraction_of_a_slow_chain_is_no_better_for_thinning():
    """A chain whose energy creeps: of every sixth draw alone it would look well explored."""
    rng = np.random.default_rng(1)
    energy = np.zeros((2, 6000))
    for step in range(1, 6000):
        energy[:, step] = 0.97 * energy[:, step - 1] + rng.normal(size=2)
    stats = xr.Dataset({"energy": (("chain", "draw"), energy)}, coords={"chain": [0, 1], "draw": np.arange(6000)})
    _, kept = thin_draws(stats.rename(energy="x"), stats, 6)
    whole, thinned = bfmi(energy), bfmi(kept["energy"], kept["energy_before"])
    assert whole.max() < 0.1
    assert bfmi(kept["energy"]).min() > 0.25, "thinning alone would make it look better"
    np.testing.assert_allclose(thinned, whole, rtol=0.15)


def test_a_result_of_thinned_draws_is_judged_by_single_steps():
    dt = toy_posterior(chains=2, draws=50, years=2)
    stats = dt["sample_stats"].to_dataset()
    energy = stats["energy"]
    assert check(dt, ["geometry"])["energy fraction"].status == "passed"
    dt["sample_stats"] = stats.assign(energy_before=energy + 0.1 * float(energy.std()))
    found = check(dt, ["geometry"])["energy fraction"]
    assert found.status == "failed"
    assert found.value < 0.02
