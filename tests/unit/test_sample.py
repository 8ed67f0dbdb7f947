"""Sampling a small model: layout, provenance, repeatable seeds, starting points, refits and interruption."""

import json
import os
import re
import shutil
import signal
from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor
import pytest
import xarray as xr
from scipy.stats import norm

from reeuncert.case.serial import case_from_json
from reeuncert.errors import ModelError, OutputError, SamplingError
from reeuncert.inference.chains import Chain, joined
from reeuncert.inference.compiled import compile_model
from reeuncert.inference.messages import Messages
from reeuncert.inference.prior import sample_prior
from reeuncert.inference.sample import sample
from reeuncert.inference.samplers import good_start
from reeuncert.inference.whitening import compile_whitened
from reeuncert.model import build_model
from reeuncert.result import powerscale
from reeuncert.testing import assert_mass_balance
from reeuncert.validation.reader import read_case
from toy.model import toy_case, toy_model

SHORT = {"draws": 200, "tune": 200, "chains": 2, "quiet": True}


@pytest.fixture(scope="module")
def model():
    return toy_model()


@pytest.fixture(scope="module")
def compiled(model):
    return compile_whitened(model)


@pytest.fixture(scope="module")
def as_it_is(model):
    """Compiled in the model's own parameters."""
    return compile_model(model)


@pytest.fixture(scope="module")
def result(model, compiled):
    return sample(model, **SHORT, seed=3, prior_draws=400, compiled=compiled, command="reeuncert run toy")


def test_layout(result, model):
    assert set(result.children) == {
        *("posterior", "sample_stats", "prior", "prior_predictive", "log_likelihood", "log_prior", "observed_data"),
        "constant_data",
    }
    mass = result["posterior"]["mass_flow"]
    assert mass.dims == ("chain", "draw", "flow", "year")
    assert mass.dtype == np.float64
    assert mass.attrs == {"long_name": "mass of a flow in a year", "units": "kt REO"}
    given = result["constant_data"].to_dataset()
    assert list(given["from_process"].values) == ["outside", "mine", "mine", "market", "market"]
    assert list(given["end_use"].values) == ["", "", "", "", "magnets"]
    assert np.isnan(mass.sel(flow="tailings", year=2001)).all()
    assert np.isfinite(mass.sel(flow="tailings", year=2002)).all()
    assert result["prior"]["mass_flow"].sizes == {"chain": 1, "draw": 400, "flow": 5, "year": 3}
    assert result["prior_predictive"]["reported"].sizes == {"chain": 1, "draw": 400, "evidence": 4}
    assert result["observed_data"]["reported"].dims == ("evidence",)
    assert {"diverging", "energy", "energy_before", "lp", "n_steps", "step_size"} <= set(result["sample_stats"])
    assert_mass_balance(result)
    assert_mass_balance(result, group="prior")


def test_terms_of_likelihood_and_prior(result):
    posterior, terms = result["posterior"], result["log_likelihood"]
    assert terms["reported"].dims == ("chain", "draw", "evidence")
    assert list(terms["evidence"].values) == ["mine-2000", "mine-2001", "mine-2002", "use-2001"]
    assert list(terms["source"].values) == ["yearbook"] * 3 + ["survey"]
    assert set(powerscale.terms(result, "log_likelihood")) == {"yearbook", "survey"}
    level = np.log(posterior["mass_flow"].sel(flow="use", year=2001)) + posterior["log_offset"]
    np.testing.assert_allclose(terms["reported"].values[..., 3], norm.logpdf(np.log(18.0), level, 0.1), rtol=1e-9)
    prior = result["log_prior"]
    assert set(prior.data_vars) == {"inputs", "recoveries", "stocks", "offset_z"}
    z = posterior["z"].values
    np.testing.assert_allclose(prior["recoveries"], norm.logpdf(z[..., 3:5]).sum(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(prior["offset_z"], norm.logpdf(posterior["offset_z"]), rtol=1e-12)
    total = sum(v.sum([d for d in v.dims if d not in ("chain", "draw")]) for v in terms.data_vars.values())
    total = total + sum(prior.data_vars.values())
    np.testing.assert_allclose(total.values, result["sample_stats"]["lp"].values, rtol=1e-9)


def test_provenance(result, model):
    attrs = result.attrs
    assert (attrs["seed"], attrs["sampler"], attrs["complete"], attrs["approximate"]) == (3, "hmc", "yes", "no")
    assert attrs["command"] == "reeuncert run toy"
    assert attrs["numba_fastmath"] == "off"
    assert json.loads(attrs["versions"])["pymc"] == pm.__version__
    assert json.loads(attrs["file_sha256"]) == {"flows.csv": "0" * 64}
    assert len(attrs["case_sha256"]) == 64
    assert {"compile", "sample", "total"} <= set(json.loads(attrs["seconds"]))
    assert case_from_json(attrs["case_json"]).system == model.reeuncert.case.system


def test_posterior_is_pulled_to_the_evidence(result):
    mined = result["posterior"]["mass_flow"].sel(flow="concentrate").median(("chain", "draw"))
    np.testing.assert_allclose(mined, [20, 24, 30], rtol=0.08)


def test_same_seed_same_draws_other_seed_others(model, compiled):
    settings = {**SHORT, "prior_draws": 0, "likelihood_terms": False, "compiled": compiled}
    one, two, other = (sample(model, **settings, seed=s) for s in (5, 5, 6))
    for name in ("mass_flow", "z"):
        np.testing.assert_array_equal(one["posterior"][name], two["posterior"][name])
        assert not np.array_equal(one["posterior"][name], other["posterior"][name])


def test_a_seed_is_recorded_when_none_is_given(model, compiled):
    settings = {**SHORT, "prior_draws": 0, "likelihood_terms": False, "compiled": compiled, "store_z": False}
    one = sample(model, **settings)
    two = sample(model, **settings, seed=one.attrs["seed"])
    np.testing.assert_array_equal(one["posterior"]["mass_flow"], two["posterior"]["mass_flow"])
    assert "z" not in one["posterior"]
    assert "coordinate" not in one["posterior"].coords
    assert "prior" not in one.children


def test_fast_math_setting_of_pytensor_is_left_as_it_was(result):
    assert pytensor.config.numba__fastmath is True


def test_starts_are_near_the_mode_apart_and_repeatable(as_it_is):
    compiled = as_it_is
    starts = [good_start(compiled, seed) for seed in (1, 2)]
    assert compiled.log_density(starts[0])[0] > compiled.log_density(np.zeros(9))[0]
    assert not np.array_equal(*starts)
    np.testing.assert_array_equal(good_start(compiled, 1), starts[0])
    numeric = [(compiled.log_density(0.1 + e)[0] - compiled.log_density(0.1 - e)[0]) / 2e-5 for e in 1e-5 * np.eye(9)]
    np.testing.assert_allclose(compiled.log_density(np.full(9, 0.1))[1], numeric, rtol=1e-5, atol=1e-7)


def test_an_impossible_start_is_an_error_that_says_so(model, compiled):
    impossible = compiled.with_data(reported_value=np.full(4, np.nan))
    with pytest.raises(SamplingError, match="the log density is not finite at the centre of the prior"):
        sample(model, **SHORT, seed=1, compiled=impossible)


def test_a_model_compiled_as_it_is_samples_too(model, as_it_is, result):
    dt = sample(model, **SHORT, seed=3, prior_draws=0, likelihood_terms=False, compiled=as_it_is)
    ours, other = (np.log(t["posterior"]["mass_flow"].sel(flow="ore")) for t in (dt, result))
    np.testing.assert_allclose(ours.mean(("chain", "draw")), other.mean(("chain", "draw")), atol=0.05)


def test_refit_with_new_data_without_compiling(model, compiled):
    new = compiled.with_data(reported_value=np.log([40.0, 48.0, 60.0, 36.0]))
    dt = sample(model, **SHORT, seed=1, prior_draws=0, likelihood_terms=False, compiled=new)
    mined = dt["posterior"]["mass_flow"].sel(flow="concentrate").median(("chain", "draw"))
    np.testing.assert_allclose(mined, [40, 48, 60], rtol=0.08)


def test_interrupt_keeps_the_draws_so_far(model, compiled, capsys, monkeypatch):
    say = Messages.say

    def interrupting(self, text):
        say(self, text)
        if text.startswith("  10 % of the draws"):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Messages, "say", interrupting)
    dt = sample(
        model,
        **{**SHORT, "draws": 2_000_000, "quiet": False},
        seed=1,
        prior_draws=0,
        likelihood_terms=False,
        compiled=compiled,
    )
    kept = dt["posterior"].sizes["draw"]
    assert 100 < kept < 2_000_000
    assert dt.attrs["complete"] == "no"
    assert np.isfinite(dt["posterior"]["z"]).all()
    assert f"Interrupted: keeping {dt['posterior'].sizes['chain']} chains of {kept} draws made so far." in (
        capsys.readouterr().err
    )


def _chain(draws: int) -> Chain:
    coords = {"chain": [0], "draw": range(draws)}
    values = xr.DataArray(np.full((1, draws), float(draws)), dims=("chain", "draw"), coords=coords)
    return Chain(values.to_dataset(name="x"), values.to_dataset(name="lp"), complete=draws == 100)


def test_draws_so_far_are_the_largest_rectangle():
    kept = joined({0: _chain(100), 1: _chain(90), 3: _chain(20)})
    assert dict(kept.posterior.sizes) == {"chain": 2, "draw": 90}
    assert kept.posterior["x"][:, 0].values.tolist() == [100.0, 90.0]
    assert dict(kept.sample_stats.sizes) == {"chain": 2, "draw": 90}
    assert not kept.complete
    assert joined({0: _chain(100), 1: _chain(100)}).complete
    with pytest.raises(KeyboardInterrupt, match="interrupted while the chains were still tuning"):
        joined({})


def test_quiet_says_nothing_and_otherwise_lines_go_to_standard_error(model, compiled, capfd):
    sample(model, **SHORT, seed=1, prior_draws=0, likelihood_terms=False, compiled=compiled)
    assert capfd.readouterr() == ("", "")
    sample(model, **{**SHORT, "quiet": False}, seed=1, prior_draws=0, likelihood_terms=False, compiled=compiled)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[:3] == [
        "Finding the mode and the directions informed by the evidence …",
        "Learning the shape of the posterior from a pilot run …",
        "Sampling 2 chains of 200 + 200 draws (hmc) …",
    ]


@pytest.mark.parametrize("figures", ["none", "with widths of their own"])
def test_figures_without_a_width_of_a_source_are_sampled(figures):
    case = read_case("small_metal")
    rows = () if figures == "none" else tuple(replace(row, width=0.1) for row in case.evidence[:1])
    model = build_model(replace(case, evidence=rows))
    found = sample(model, draws=50, tune=50, chains=2, seed=5, quiet=True, prior_draws=50)
    assert_mass_balance(found)
    assert found["posterior"]["mass_flow"].sizes["draw"] == 50
    assert found["posterior"].sizes.get("source_group", 0) == 0


def test_prior_alone(model):
    one, two = (sample_prior(model, 300, seed=2, quiet=True) for _ in range(2))
    np.testing.assert_array_equal(one["prior"]["mass_flow"], two["prior"]["mass_flow"])
    assert_mass_balance(one, group="prior")
    ore = np.log(one["prior"]["mass_flow"].sel(flow="ore").values)
    assert abs(ore.mean() - np.log(25)) < 4 * 0.8 / np.sqrt(900)
    assert abs(ore.std() - 0.8) < 0.1


@pytest.mark.slow
def test_prior_with_a_density_on_flows_is_sampled_without_the_evidence():
    model = toy_model()
    with model:
        pm.Potential("on_flows", pm.logp(pm.Normal.dist(np.log(60.0), 0.1), pm.math.log(model["mass_flow"][0, 0])))
    dt = sample_prior(model, 600, seed=2, quiet=True)
    mass = dt["prior"]["mass_flow"]
    assert mass.sizes == {"chain": 1, "draw": 600, "flow": 5, "year": 3}
    assert abs(np.log(mass.sel(flow="ore", year=2000)).mean() - np.log(60.0)) < 0.05
    assert 20 < mass.sel(flow="ore", year=2001).median() < 31  # its prior, not the evidence of 24 / yield


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sampler": "stan"}, "sampler 'stan' is not known; use one of: hmc, nutpie, pymc"),
        (
            {"sampler": "nutpie", "thin": 2},
            "sampler 'nutpie' keeps every draw: leave out thin, or use the sampler 'hmc'",
        ),
        ({"draws": 0}, "draws is 0; give a whole number from 4 to 10,000,000"),
        ({"chains": 0}, "chains is 0; give a whole number from 1 to 10,000"),
        ({"seed": -1}, "seed is -1; give a whole number from 0 to 4,294,967,295"),
    ],
)
def test_wrong_settings_are_named(model, arguments, message):
    with pytest.raises(SamplingError, match=message):
        sample(model, **arguments)


def test_a_model_without_its_case_is_refused():
    with pm.Model() as plain:
        pm.Normal("z")
    with pytest.raises(ModelError, match=r"this model does not know its case; build it with reeuncert.build_model"):
        sample(plain)


@pytest.mark.slow
def test_the_sampler_of_pymc(model):
    dt = sample(model, **SHORT, seed=1, sampler="pymc", cores=1, prior_draws=0, likelihood_terms=False)
    assert dt["posterior"]["mass_flow"].sizes == {"chain": 2, "draw": 200, "flow": 5, "year": 3}
    assert {"diverging", "energy", "tree_depth", "lp"} <= set(dt["sample_stats"])


def test_case_of_the_result_is_that_of_the_model(result):
    assert case_from_json(result.attrs["case_json"]).evidence[0].id == toy_case().evidence[0].id


@pytest.fixture(scope="module")
def checkpointed(model, compiled, tmp_path_factory):
    """Arguments of a run, its result, and the folder with its chains."""
    folder = tmp_path_factory.mktemp("chains") / "checkpoint"
    arguments = {"draws": 60, "tune": 150, "thin": 3, "chains": 3, "prior_draws": 0, "likelihood_terms": False}
    arguments |= {"compiled": compiled, "progressbar": False}
    return arguments, sample(model, **arguments, seed=8, checkpoint=folder), folder


def test_a_checkpoint_changes_no_draw_and_holds_every_chain(model, checkpointed):
    arguments, dt, folder = checkpointed
    assert sorted(p.name for p in folder.iterdir()) == ["chain-0.nc", "chain-1.nc", "chain-2.nc", "run.json"]
    plain = sample(model, **{**arguments, "cores": 1}, seed=8)
    xr.testing.assert_identical(plain["posterior"].to_dataset(), dt["posterior"].to_dataset())
    xr.testing.assert_identical(plain["sample_stats"].to_dataset(), dt["sample_stats"].to_dataset())


def test_resume_samples_what_is_missing_or_damaged(model, checkpointed, tmp_path, capsys):
    arguments, dt, before = checkpointed
    folder = shutil.copytree(before, tmp_path / "checkpoint")
    (folder / "chain-0.nc").unlink()
    content = bytearray((folder / "chain-2.nc").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "chain-2.nc").write_bytes(content)
    again = sample(model, **arguments, checkpoint=folder, resume=True)
    xr.testing.assert_identical(again["posterior"].to_dataset(), dt["posterior"].to_dataset())
    assert again.attrs["seed"] == 8, "not the seed of the checkpoint"
    said = capsys.readouterr().err
    assert re.search(
        r"Stored chain 2 cannot be read \(it was damaged, or is of another run\); it is sampled again\.", said
    )
    assert "Sampling 3 chains of 150 + 180 draws (hmc); of these 1 are there already …" in said
    sample(model, **arguments, checkpoint=folder, resume=True)
    assert "of these 3 are there already" in capsys.readouterr().err


def test_a_checkpoint_of_another_run_or_model_is_refused(model, compiled, checkpointed):
    arguments, _, folder = checkpointed
    with pytest.raises(OutputError) as caught:
        sample(model, **{**arguments, "draws": 50}, seed=9, checkpoint=folder, resume=True)
    assert str(caught.value) == (
        f"the checkpoint in '{folder}' is of another run: draws is 60 there and 50 here; seed is 8 there and 9 here. "
        "Resume with the settings of that run, or run without --resume to start over"
    )
    changed = compiled.with_data(reported_value=np.log([40.0, 48.0, 60.0, 36.0]))
    with pytest.raises(OutputError, match="is of another model: its log density at the centre of the prior is"):
        sample(model, **{**arguments, "compiled": changed}, checkpoint=folder, resume=True)
    with pytest.raises(SamplingError, match="there is nothing to resume from: name the folder of the checkpoint"):
        sample(model, **arguments, resume=True)
    assert len(list(folder.iterdir())) == 4


def test_a_fresh_run_replaces_the_checkpoint_of_another(model, checkpointed, tmp_path):
    arguments, dt, before = checkpointed
    folder = shutil.copytree(before, tmp_path / "checkpoint")
    other = sample(model, **arguments, seed=9, checkpoint=folder)
    assert not np.array_equal(other["posterior"]["z"], dt["posterior"]["z"])
    again = sample(model, **arguments, checkpoint=folder, resume=True)
    xr.testing.assert_identical(again["posterior"].to_dataset(), other["posterior"].to_dataset())
