"""Each prior measure with each sampler, with and without a pilot run, from a case folder to a result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reeuncert as ree
from case_files import changed, write_case
from reeuncert.cli.run import run_case
from reeuncert.errors import SamplingError
from reeuncert.inference.prior import convertible
from reeuncert.model import build_model
from reeuncert.testing import assert_mass_balance

HEAD = "prior,group,kind,flow,mode,family,a,b\n"
PRIORS = {
    "mass": f"{HEAD}all,flows,flow,ore+output+tailings+opening+stock+imports+use,each,lognormal,5,0.5\n",
    "shares": f"{HEAD}inputs,inputs,input,ore+opening+imports,each,lognormal,5,0.5\n"
    "parts,yields,share,output+tailings,each,dirichlet,2,\nrest,stocks,share,use+stock,each,dirichlet,1,\n",
}
MEASURES = ("coordinates", "mass", "shares")
SHORT = {"draws": 30, "tune": 150, "chains": 2, "seed": 1, "quiet": True}


def folder(place: Path, measure: str) -> Path:
    """The tiny case under a measure, with a headline that says all that its indicator needs."""
    toml = changed("case.toml", "regions =", f'prior_measure = "{measure}"\nregions =')
    return write_case(place, case_toml=toml, **{} if measure == "coordinates" else {"priors_csv": PRIORS[measure]})


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model of each measure."""
    return {m: build_model(ree.read_case(folder(tmp_path_factory.mktemp(m), m))) for m in MEASURES}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("sampler", "pilot"), [("nutpie", True), ("nutpie", False), ("pymc", True), ("pymc", False)])
def test_every_measure_with_every_sampler(models, measure, sampler, pilot):
    prior = 20 if sampler == "nutpie" and pilot else 0
    dt = ree.sample(models[measure], sampler=sampler, pilot=pilot, cores=1, prior_draws=prior, **SHORT)
    assert {"posterior", "log_likelihood", "log_prior", "sample_stats"} <= set(dt.children)
    assert_mass_balance(dt)
    if prior:
        assert_mass_balance(dt, group="prior")
        assert dt["prior"]["mass_flow"].sizes["draw"] == prior
    classes = {
        "coordinates": {"mining", "recoveries", "stocks", "trade"},
        "mass": {"flows"},
        "shares": {"inputs", "yields", "stocks"},
    }
    assert classes[measure] <= set(dt["log_prior"].data_vars)
    # The terms and, but for the volume of the coordinates, all of the density that was sampled.
    total = sum(
        v.sum([d for d in v.dims if d not in ("chain", "draw")]) for v in dt["log_likelihood"].data_vars.values()
    )
    total = total + sum(dt["log_prior"].data_vars.values())
    assert np.isfinite(total).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_numpyro_says_that_it_cannot(models, measure):
    with pytest.raises(SamplingError, match="nutpie"):
        ree.sample(models[measure], sampler="numpyro", **SHORT)


def test_terms_of_the_prior_are_the_density_of_the_table(models):
    dt = ree.sample(models["mass"], prior_draws=0, **SHORT)
    mass = dt["posterior"]["mass_flow"].values
    density = -0.5 * (np.log(mass / 5) / 0.5) ** 2 - np.log(mass * 0.5 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(dt["log_prior"]["flows"], np.nansum(density, axis=(2, 3)), rtol=1e-9)


def test_initial_values_are_put_back(models):
    model = models["mass"]
    before = dict(model.rvs_to_initial_values)
    with convertible(model):
        assert not any(v is not None for v in model.rvs_to_initial_values.values())
    assert dict(model.rvs_to_initial_values) == before
    assert any(v is not None for v in before.values())


@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_a_run_under_mass_ends_with_its_report(tmp_path, sampler):
    out = tmp_path / "out"
    case = str(folder(tmp_path / "case", "mass"))
    settings = {"draws": 30, "tune": 150, "chains": 2, "seed": 1, "sampler": sampler, "quiet": True}
    assert run_case(case, out=out, **settings) == 0
    assert {"posterior.nc", "report.html", "checks.csv"} <= {p.name for p in out.iterdir()}
