"""The log density written out, against PyTensor's, against differences, and where it does not serve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import reeuncert as ree
import reeuncert.inference.whitening
from reeuncert.case.records import Case, Content, Offset
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.density import compile_density, numbers_of, why_not, with_numbers
from reeuncert.inference.shape import around_mode
from reeuncert.inference.stretching import WHITENED
from reeuncert.inference.whitening import LinearMap, compile_for_sampling, compile_whitened, with_map
from reeuncert.model import build_model
from reeuncert.system.definition import Selector


@pytest.fixture(scope="module")
def case() -> Case:
    """With what rows share: a print, errors that last, a record by which is divided; and masses of an element."""
    toy = ree.read_case("small_metal")
    contents = [
        Content("in salt", "Na", Selector.of(product="salt"), 0.1, 0.2),
        Content("in ore", "Na", Selector.of(product="concentrate"), 0.2, 0.1, "year"),
    ]
    classes = {name: replace(error, persistent=0.1, eras=(2018,)) for name, error in toy.classes.items()}
    offsets = {"record": Offset("record", 0.0, 0.1, "year", "student_t")}
    rows = list(toy.evidence)
    rows[0] = replace(rows[0], element="Na", print="p. 1", offsets=("record",))
    rows[1] = replace(rows[1], print="p. 1")
    rows[2] = replace(
        rows[2], relation="ratio", of=Selector.of(product="salt", quantity="trade"), unit="ratio", value=2.0,
        of_years=(rows[2].years[0] - 1,), of_offsets=("record",), element="Na",
    )  # fmt: skip
    kept = {c.name: c for c in contents}
    return replace(toy, contents=kept, classes=classes, offsets=offsets, evidence=tuple(rows))


@pytest.fixture(scope="module")
def model(case: Case) -> pm.Model:
    return build_model(case)


@pytest.fixture(scope="module")
def ours(model: pm.Model) -> CompiledModel:
    return compile_density(model)


@pytest.fixture(scope="module")
def theirs(model: pm.Model) -> CompiledModel:
    return compile_whitened(model)


def some_map(size: int, k: int) -> LinearMap:
    rng = np.random.default_rng(3)
    directions, _ = np.linalg.qr(rng.normal(size=(size, k)))
    return LinearMap(0.1 * rng.normal(size=size), directions.T, rng.uniform(0.1, 0.9, k))


@pytest.mark.parametrize("k", [0, 1, 6])
def test_density_and_gradient_are_those_of_pytensor(ours: CompiledModel, theirs: CompiledModel, k: int):
    assert ours.size == theirs.size
    np.testing.assert_array_equal(ours.centre, theirs.centre)
    chosen = some_map(ours.size, k)
    one, other = with_map(ours, chosen), with_map(theirs, chosen)
    for seed in range(5):
        point = np.random.default_rng(seed).normal(size=ours.size)
        (value, gradient), (wanted, wanted_gradient) = one.log_density(point), other.log_density(point)
        assert value == pytest.approx(wanted, rel=1e-9, abs=1e-6)
        np.testing.assert_allclose(gradient, wanted_gradient, rtol=1e-5, atol=1e-5 * np.abs(wanted_gradient).max())


def test_the_gradient_is_that_of_the_density(ours: CompiledModel):
    point = np.random.default_rng(1).normal(size=ours.size)
    gradient = ours.log_density(point)[1]
    step = 1e-5
    ends = [[ours.log_density(point + sign * step * e)[0] for sign in (1, -1)] for e in np.eye(ours.size)]
    numerical = [(up - down) / (2 * step) for up, down in ends]
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-5)


def test_variables_of_the_model_are_those_of_pytensor(model: pm.Model, ours: CompiledModel, theirs: CompiledModel):
    chosen = some_map(ours.size, 5)
    one = with_map(ours, chosen)
    points = np.random.default_rng(2).normal(size=(2, 3, ours.size))
    stored = xr.DataArray(points, dims=("chain", "draw", "number"), coords={"chain": [0, 1]})
    found = one.unfolded(stored.to_dataset(name=WHITENED))
    directions = chosen.directions.astype(np.float32).astype(float)
    x = chosen.centre + points + ((points @ directions.T) * (chosen.scale - 1)) @ directions
    assert set(found.data_vars) == {v.name for v in (*model.free_RVs, *model.deterministics)}
    values = [model.rvs_to_values[v] for v in model.free_RVs]
    shapes = [np.shape(model.initial_point()[v.name]) for v in values]
    ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
    compute = model.compile_fn(model.unobserved_value_vars, inputs=values, point_fn=False)
    for chain, draw in np.ndindex(2, 3):
        parts = [x[chain, draw, a:b].reshape(s) for a, b, s in zip(ends[:-1], ends[1:], shapes, strict=True)]
        for variable, wanted in zip(model.unobserved_value_vars, compute(*parts), strict=True):
            if variable.name in found:
                shown = found[variable.name]
                np.testing.assert_allclose(shown.values[chain, draw], wanted, rtol=1e-9, err_msg=variable.name)
                assert shown.dims[2:] == model.named_vars_to_dims[variable.name]


def test_other_numbers_compile_nothing_and_are_those_of_the_other_model(case: Case, ours: CompiledModel):
    wider = replace(case, priors=tuple(replace(p, level_sd=2 * p.level_sd) for p in case.priors))
    other = build_model(wider)
    with other:
        pm.set_data({"row_weight": np.r_[0.0, np.ones(len(other.coords["evidence"]) - 1)]})
    fresh, changed = compile_density(other), with_numbers(with_map(ours, some_map(ours.size, 2)), other)
    assert changed.compiled.compiled_logp_func.address == ours.compiled.compiled_logp_func.address
    point = np.random.default_rng(5).normal(size=ours.size)
    unmapped = with_map(changed, LinearMap.of(fresh))
    assert unmapped.log_density(point)[0] == fresh.log_density(point)[0] != ours.log_density(point)[0]
    assert LinearMap.of(changed).scale.size == 2


@pytest.mark.parametrize("far", [1e4, 1e200, np.inf, np.nan])
def test_where_masses_overflow_there_is_no_density(ours: CompiledModel, far: float):
    point = np.zeros(ours.size)
    point[0] = far
    value, gradient = ours.log_density(point)
    assert value == -np.inf
    assert not gradient.any()


def test_a_row_left_out_says_nothing_however_impossible(model: pm.Model, ours: CompiledModel):
    rows = len(model.coords["evidence"])
    impossible = ours.with_data(reported_value=np.r_[np.nan, numbers_of(model).reported_value[1:]])
    assert impossible.log_density(ours.centre)[0] == -np.inf
    without = impossible.with_data(row_weight=np.r_[0.0, np.ones(rows - 1)])
    assert np.isfinite(without.log_density(ours.centre)[0])


def test_the_mode_is_found_and_chains_are_sampled(model: pm.Model, ours: CompiledModel):
    compiled = around_mode(ours)
    gradient = compiled.log_density(np.zeros(ours.size))[1]
    assert np.abs(gradient).max() < 0.1
    dt = ree.sample(model, draws=50, tune=50, chains=2, seed=1, cores=1, quiet=True, prior_draws=0)
    assert dt["posterior"]["mass_flow"].dims == ("chain", "draw", "flow", "year")
    assert dt["posterior"].sizes["draw"] == 50


def test_which_models_it_serves(case: Case, monkeypatch: pytest.MonkeyPatch):
    assert why_not(build_model(case)) == ""
    with build_model(case) as own:
        pm.Normal("demand", 0.0, 1.0)
        pm.Potential("wish", -(own["demand"] ** 2))
    assert why_not(own) == "it has variables of its own: demand, wish"
    monkeypatch.setattr(reeuncert.inference.whitening, "compile_whitened", lambda model: model)
    assert compile_for_sampling(own) is own
    assert why_not(pm.do(build_model(case), {})) == "it was not made by reeuncert.build_model, or is a copy"
