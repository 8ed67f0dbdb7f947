"""Each prior measure with each sampler, with and without a pilot run, from a case folder to a result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import reeuncert as ree
from case_files import changed, write_case
from reeuncert.cli.run import run_case
from reeuncert.inference import samplers
from reeuncert.inference.checkpoint import FOLDER
from reeuncert.inference.prior import convertible
from reeuncert.inference.sample import QUICK_CHAINS
from reeuncert.inference.whitening import compile_for_sampling
from reeuncert.model import build_model
from reeuncert.testing import assert_mass_balance

HEAD = "prior,group,kind,flow,mode,family,a,b\n"
PRIORS = {
    "mass": f"{HEAD}all,flows,flow,ore+output+tailings+opening+stock+imports+use,each,lognormal,5,0.5\n",
    "shares": f"{HEAD}inputs,inputs,input,ore+opening+imports,each,lognormal,5,0.5\n"
    "parts,yields,share,output+tailings,each,dirichlet,2,\nrest,stocks,share,use+stock,each,dirichlet,1,\n",
}
MEASURES = ("coordinates", "mass", "shares")
SHORT = {"draws": 8, "tune": 60, "chains": 2, "seed": 1, "quiet": True}
CLASSES = {
    "coordinates": {"mining", "recoveries", "stocks", "trade"},
    "mass": {"flows"},
    "shares": {"inputs", "yields", "stocks"},
}


def folder(place: Path, measure: str) -> Path:
    """The tiny case under a measure, with a headline that says all that its indicator needs."""
    toml = changed("case.toml", "regions =", f'prior_measure = "{measure}"\nregions =')
    return write_case(place, case_toml=toml, **{} if measure == "coordinates" else {"priors_csv": PRIORS[measure]})


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model of each measure, and what it is compiled to."""
    built = {m: build_model(ree.read_case(folder(tmp_path_factory.mktemp(m), m))) for m in MEASURES}
    return {m: (model, compile_for_sampling(model)) for m, model in built.items()}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("sampler", "pilot"), [("hmc", True), ("nutpie", True), ("nutpie", False)])
def test_every_measure_with_every_sampler(models, measure, sampler, pilot):
    model, compiled = models[measure]
    whole = sampler == "nutpie" and pilot
    prior = 6 if whole else 0
    dt = ree.sample(
        model,
        sampler=sampler,
        pilot=pilot,
        cores=1,
        prior_draws=prior,
        likelihood_terms=whole,
        compiled=compiled,
        **SHORT,
    )
    assert dt.attrs["sampler"] == sampler
    assert_mass_balance(dt)
    if not whole:
        return
    assert {"posterior", "log_likelihood", "log_prior", "sample_stats"} <= set(dt.children)
    assert_mass_balance(dt, group="prior")
    assert dt["prior"]["mass_flow"].sizes["draw"] == prior
    assert CLASSES[measure] <= set(dt["log_prior"].data_vars)
    # The terms and, but for the volume of the coordinates, all of the density that was sampled.
    total = sum(
        v.sum([d for d in v.dims if d not in ("chain", "draw")]) for v in dt["log_likelihood"].data_vars.values()
    )
    total = total + sum(dt["log_prior"].data_vars.values())
    assert np.isfinite(total).all()
    if measure == "mass":  # the terms of the prior are the density of its table
        mass = dt["posterior"]["mass_flow"].values
        density = -0.5 * (np.log(mass / 5) / 0.5) ** 2 - np.log(mass * 0.5 * np.sqrt(2 * np.pi))
        np.testing.assert_allclose(dt["log_prior"]["flows"], np.nansum(density, axis=(2, 3)), rtol=1e-9)


@pytest.mark.parametrize(
    "measure", [m if m == "mass" else pytest.param(m, marks=pytest.mark.slow) for m in MEASURES]
)  # each is compiled again by PyMC
def test_draws_of_pymc_outlive_what_fails_after_them(models, measure, tmp_path, monkeypatch):
    model, _ = models[measure]
    arguments = {**SHORT, "sampler": "pymc", "cores": 1, "prior_draws": 0, "likelihood_terms": False}
    dt = ree.sample(model, **arguments, checkpoint=tmp_path)
    assert_mass_balance(dt)
    monkeypatch.setattr(samplers.pm, "sample", lambda **_: pytest.fail("sampled again"))
    again = ree.sample(model, **arguments, checkpoint=tmp_path, resume=True)
    xr.testing.assert_equal(again["posterior"].to_dataset(), dt["posterior"].to_dataset())
    xr.testing.assert_equal(again["sample_stats"].to_dataset(), dt["sample_stats"].to_dataset())


def test_initial_values_are_put_back(models):
    model, _ = models["mass"]
    before = dict(model.rvs_to_initial_values)
    with convertible(model):
        assert not any(v is not None for v in model.rvs_to_initial_values.values())
    assert dict(model.rvs_to_initial_values) == before
    assert any(v is not None for v in before.values())


@pytest.mark.parametrize("preview", [False, True])
def test_a_run_under_mass_ends_with_its_report(models, tmp_path, monkeypatch, preview):
    out = tmp_path / "out"
    case = str(folder(tmp_path / "case", "mass"))
    monkeypatch.setattr(samplers, "compile_for_sampling", lambda *_, **__: models["mass"][1])
    held = []
    if preview:  # its page is that of any run; what is tested is that the draws are there before it
        monkeypatch.setattr(
            "reeuncert.report.files.render", lambda _: held.extend(out.glob(f"{FOLDER}*/chain-*")) or ""
        )
    assert run_case(case, out=out, draws=8, tune=60, chains=2, seed=1, preview=preview, quiet=True) == 0
    assert {"posterior.nc", "report.html", "checks.csv"} <= {p.name for p in out.iterdir()}
    assert not list(out.glob(f"{FOLDER}*"))
    assert len(held) == (QUICK_CHAINS if preview else 0)
