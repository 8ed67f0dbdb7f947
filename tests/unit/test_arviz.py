"""A result is one of PyMC's: what ArviZ offers for these works on the tree as it is."""

from dataclasses import replace

import arviz as az
import numpy as np
import pytest

import reeuncert as ree
from reeuncert.indicators.stored import read_results, write_netcdf

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:arviz_stats.*", "ignore:Estimated shape:UserWarning")


@pytest.fixture(scope="module")
def dt(tmp_path_factory):
    options = {"draws": 60, "tune": 100, "chains": 2, "seed": 1, "pilot": False, "quiet": True, "progressbar": False}
    path = tmp_path_factory.mktemp("result") / "posterior.nc"
    case = ree.read_case("small_metal")
    told = next(row for row in case.evidence if row.id == "N3")
    bound = replace(told, id="bound", lineage="other", value=1e250)  # holds in every draw
    write_netcdf(ree.sample(replace(case, evidence=(*case.evidence, bound)), **options), path)
    return read_results(path)


def test_summary(dt):
    table = az.summary(dt, ci_prob=0.9, round_to="none")
    mass = dt["posterior"]["mass_flow"].sel(flow="south_ore", year=2016)
    assert table.loc["mass_flow[south_ore, 2016]", "mean"] == pytest.approx(float(mass.mean()))
    assert {"z[south_ore 2016]", "source_width[survey (statistics)]"} <= set(table.index)


def test_plots_of_predictions(dt):
    assert dt["posterior_predictive"]["reported"].sizes == {"chain": 2, "draw": 60, "evidence": 14}
    assert az.plot_ppc_dist(dt, backend="none") is not None
    assert az.plot_loo_pit(dt, backend="none") is not None


def test_cross_validation_and_power_scaling(dt):
    found = az.loo(dt)
    assert found.n_data_points == 14  # the bound holds in every draw: it has no tail
    assert "bound" not in dt["observed_data"]["evidence"].values
    assert np.isfinite(found.elpd)
    assert np.isfinite(az.psense(dt, var_names=["z"])["z"]).all()


def test_new_figures_scatter_as_those_of_the_prior_do(dt):
    """Residuals of new figures have the width of their class: that of a figure nobody reported has no other source."""
    after = dt["posterior_predictive"]["reported"].sel(evidence="G1").values
    before = dt["prior_predictive"]["reported"].sel(evidence="G1").values
    assert 0.2 < after.std() < before.std() * 1.5
    assert not np.array_equal(after[0], after[1])


def test_flows_keep_their_attributes(dt):
    given = dt["constant_data"].to_dataset()
    trade = dt["posterior"]["mass_flow"].sel(flow=(given["quantity"] == "trade").values)
    assert set(trade["flow"].values) == {f.name for f in ree.read_case("small_metal").system.flows
                                         if f.quantity == "trade"}  # fmt: skip


def test_a_case_may_be_its_name_wherever_one_is_wanted():
    assert ree.build_model("small_metal").reeuncert.case.name == "small_metal"
    for wrong in ("no_such_case", 3):
        with pytest.raises(ree.ReeUncertError, match=r"no_such_case|give a case \(from read_case\), or the name"):
            ree.build_model(wrong)
