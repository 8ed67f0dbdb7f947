"""Attributes of any type are stored; no file names the folders of a user; records are short in a notebook."""

import dataclasses
import datetime
import json
from pathlib import Path

import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.files import named
from reeuncert.indicators.stored import read_results, write_netcdf
from reeuncert.result.io import provenance
from reeuncert.testing import toy_case, toy_posterior


@pytest.fixture(scope="module")
def made():
    whole = toy_posterior(chains=1, draws=4, years=2)
    flows = xr.DataTree.from_dict({"posterior": whole["posterior"].to_dataset()})
    flows.attrs = dict(whole.attrs)
    return flows


@pytest.fixture
def dt(made):
    return made.copy()


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, "null"),
        (True, "true"),
        ({"a": 1}, '{"a": 1}'),
        (Path("x"), "x"),
        (datetime.date(2024, 1, 1), '"2024-01-01"'),
        (10**30, str(10**30)),
        ([1.5, 2.5], [1.5, 2.5]),
        ("text", "text"),
    ],
)
def test_attributes_of_any_type_are_stored(dt, tmp_path, value, stored):
    dt.attrs["note"] = value
    dt["posterior"].attrs["note"] = value
    dt["posterior"]["mass_flow"].attrs["note"] = value
    write_netcdf(dt, tmp_path / "posterior.nc")
    assert read_results(tmp_path / "posterior.nc").attrs["note"] == stored
    assert json.loads(json.dumps(provenance(dt)))["note"] == stored
    assert dt.attrs["note"] is value


def test_an_attribute_without_a_name_is_named(dt, tmp_path):
    dt.attrs[3] = "x"
    with pytest.raises(ree.errors.OutputError, match="the attribute 3 of '/' has no name"):
        write_netcdf(dt, tmp_path / "posterior.nc")


def test_files_name_no_folder_of_a_user(dt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named(tmp_path / "a" / "b") == "a/b"
    for path, kept in (("/home/maria/ore", "ore"), (str(tmp_path / "cases" / "ore"), "cases/ore"), ("", "")):
        dt.attrs["case_json"] = case_to_json(dataclasses.replace(toy_case(2), path=path))
        write_netcdf(dt, tmp_path / "posterior.nc")
        assert case_from_json(read_results(tmp_path / "posterior.nc").attrs["case_json"]).path == kept
        assert b"maria" not in (tmp_path / "posterior.nc").read_bytes()


def test_large_records_take_a_few_lines_in_a_notebook():
    case, model = ree.read_case("small_metal"), ree.build_model("small_metal")
    for record in (case, case.system, model.reeuncert, model.reeuncert.evidence):
        assert len(repr(record)) < 600
        assert record._repr_html_().startswith("<pre>")
    assert "14 rows of evidence" in repr(case)
