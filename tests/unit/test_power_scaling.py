"""The power-scaling sensitivity of a quantity to a component, against ArviZ and exact densities."""

import arviz as az
import numpy as np
import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.case.serial import case_to_json
from reeuncert.result.powerscale import Normals, prior_classes, sensitivity
from reeuncert.result.result import Result


def test_sensitivity_is_that_of_arviz():
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=(4, 500)), rng.normal(size=(4, 500))
    parts = {"a": -0.5 * (x - 1) ** 2, "b": -0.5 * (0.3 * x + noise) ** 2}
    ours = sensitivity({"x": x}, parts).set_index("component")["psense"]
    data = {n: xr.Dataset({n: (("chain", "draw"), v)}) for n, v in {"x": x, **parts}.items()}
    tree = xr.DataTree.from_dict({"posterior": data["x"], "log_prior": xr.merge([data["a"], data["b"]])})
    for name in parts:
        theirs = float(az.psense(tree, group="prior", group_var_names=[name])["x"])
        assert ours[name] == pytest.approx(theirs, rel=0.05, abs=0.003)
    assert ours["a"] > 0.05


def test_sensitivity_of_a_component_that_has_nothing_to_do_with_it_is_noise():
    rng = np.random.default_rng(4)
    z = rng.normal(size=(4, 500, 2000))
    parts = {"large": 20 * rng.normal(size=(4, 500)), "coordinates": Normals(z)}
    table = sensitivity({"x": rng.normal(size=(4, 500))}, parts).set_index("component")
    assert (table["psense"] < 4 * table["noise"]).all()
    assert not table["sensitive"].any()
    assert abs(table.loc["large", "moves"]) < 2
    assert table.loc["coordinates", "noise"] < 0.02


def test_standard_normal_coordinates_tell_what_their_log_density_tells():
    z = np.random.default_rng(5).normal([0.0, 1.0, 0.0], size=(4, 4000, 3))
    x = {"x": z @ [0.6, 0.8, 0.0]}
    exact = sensitivity(x, {"class": -0.5 * np.square(z).sum(axis=2)})["psense"][0]
    assert sensitivity(x, {"class": Normals(z)})["psense"][0] == pytest.approx(exact, rel=0.1)


def test_classes_have_the_names_of_the_table_also_without_coordinates():
    case = ree.read_case("small_metal")
    density = xr.Dataset({"end_uses": (("chain", "draw"), np.zeros((1, 4)))})
    posterior = xr.Dataset({"mass_flow": (("chain", "draw"), np.ones((1, 4)))}, coords={"year": [2016]})
    dt = xr.DataTree.from_dict({"posterior": posterior, "log_prior": density})
    dt.attrs["case_json"] = case_to_json(case)
    assert list(prior_classes(Result(dt))) == ["end uses"]


def test_a_source_counted_twice_moves_a_normal_answer_by_half_its_slope_to_all_of_it():
    z = np.random.default_rng(0).standard_normal((4, 100_000))
    for precision in (0.1, 1.0, 10.0):  # of one figure, 1.0, against a prior N(0, 1)
        mean, twice = (k * precision / (1 + k * precision) for k in (1, 2))
        sd = (1 + precision) ** -0.5
        draws = mean + sd * z
        slope = sensitivity({"answer": draws}, {"figure": -precision / 2 * (1.0 - draws) ** 2}).loc[0, "moves"] * sd
        assert 0.5 * slope - 0.01 < twice - mean < slope + 0.01
