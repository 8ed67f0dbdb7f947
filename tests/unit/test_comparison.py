"""Two results side by side: a shift beyond chance is told from noise, and every difference of the cases is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import reeuncert as ree
from reeuncert.case.serial import case_to_json
from reeuncert.cli.app import app
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.stored import write_netcdf
from reeuncert.questions.comparison import APART, NOISE, ONE, SAME, SHIFT
from reeuncert.result.result import Result
from reeuncert.testing import toy_posterior


@pytest.fixture(scope="module")
def dt():
    return toy_posterior(draws=200, years=3)


def told(dt, case, factor=1.0):
    """The result as one of another case, with its headline of unrecorded trade larger by a factor."""
    out = dt.copy(deep=True)
    out["derived"]["smuggled_mass_cumulated"] = factor * dt["derived"]["smuggled_mass_cumulated"]
    out.attrs = {**dt.attrs, "case_json": case_to_json(case)}
    return out


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, SAME), (1.001, NOISE), (1.08, SHIFT), (2.0, APART)])
def test_a_verdict_weighs_the_difference_against_chance_and_interval(dt, factor, verdict):
    table = ree.compare(dt, told(dt, Result(dt).case, factor)).table
    assert table["verdict"].tolist() == [SAME, verdict]
    row = table.iloc[1]
    draws = dt["derived"]["smuggled_mass_cumulated"].sel(region="South", partner="North", year=2003)
    np.testing.assert_allclose(row["difference"], (factor - 1) * float(np.median(draws)), rtol=1e-9, atol=1e-12)
    assert 0 < row["a_mcse_median"] < 0.1 * (row["a_eti90_ub"] - row["a_eti90_lb"])


def test_what_differs_is_named_down_to_the_field(dt):
    case = Result(dt).case
    first = case.system.flows[0]
    flows = (replace(first, product="powder"), *case.system.flows[1:], replace(first, name="another"))
    more = replace(case.headlines[0], indicator="mine_production", partner="", product="")
    other = replace(
        case, system=replace(case.system, flows=flows), headlines=(*case.headlines[:1], more), options={"gap": "flat"}
    )
    out = told(dt, case)
    out.attrs |= {"case_json": case_to_json(other), "seed": 9, "target_accept": 0.99, "versions": '{"numpy": "9"}'}
    found = ree.compare(dt, out)
    rows = {tuple(row) for row in found.differences.values.tolist()}
    assert {("flows", first.name, "product", first.product, "powder"), ("flows", "another", "", "", "there")} <= rows
    assert ("options", "gap", "", "", "there") in rows
    assert {("run", "seed", "", "0", "9"), ("run", "target_accept", "", "", "0.99")} <= rows
    assert {("version", "numpy", "", "", "9")} <= rows
    assert found.table["indicator"].tolist() == ["import_dependence", "smuggled_mass_cumulated", "mine_production"]


def test_a_value_that_one_lacks_is_said_to_be_in_one_only(dt):
    longer = toy_posterior(draws=20, years=4)
    table = ree.compare(dt, longer).table
    assert table["verdict"].tolist().count(ONE) == 1
    assert ree.plots.comparison_data(ree.compare(dt, longer))["difference"].notna().all()


def test_an_error_that_is_no_missing_value_is_not_taken_for_one(dt):
    other = dt.copy(deep=False)
    held = dt["derived"].to_dataset()
    other["derived"] = xr.DataTree(held.assign(import_dependence=held["import_dependence"].isel(chain=0)))
    with pytest.raises(ReeUncertError, match="'import_dependence' has lost its dim 'chain'"):
        ree.compare(dt, other)


def test_masses_in_two_units_are_not_compared(dt):
    case = Result(dt).case
    other = told(dt, replace(case, system=replace(case.system, unit="t REO")))
    with pytest.raises(ReeUncertError, match="masses are in kt and in t REO"):
        ree.compare(dt, other)


def test_published_values_need_a_table(dt):
    with pytest.raises(ReeUncertError, match="case 'toy' has no published values"):
        ree.compare(dt, "published")
    with pytest.raises(ReeUncertError, match="give two different texts"):
        ree.compare(dt, dt, names=("x", "x"))


@pytest.mark.parametrize("backend", ["matplotlib", "plotly"])
def test_both_libraries_draw_the_dumbbells(dt, backend):
    assert ree.plots.plot_comparison(ree.compare(dt, told(dt, Result(dt).case, 1.1)), backend=backend) is not None


def test_the_command_prints_and_writes(dt, tmp_path: Path):
    for name, factor in (("one.nc", 1.0), ("two.nc", 1.0)):
        write_netcdf(told(dt, Result(dt).case, factor), tmp_path / name)
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "one.nc"), str(tmp_path / "two.nc"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "one.nc against two.nc: 2 values, 2 same" in done.output
    assert sorted(path.name for path in out.iterdir()) == ["comparison.csv", "comparison.svg", "differences.csv"]
