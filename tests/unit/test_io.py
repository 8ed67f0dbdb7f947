"""Results on disk: complete or untouched, one run at a time, read back as written, harmless in a spreadsheet."""

import errno
import json
import os
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from reeuncert.case.serial import case_from_json
from reeuncert.errors import OutputError
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.stored import read_results, stage_results, write_netcdf
from reeuncert.result.folder import output_folder
from reeuncert.result.io import csv_text, provenance
from reeuncert.result.tables import flow_table
from reeuncert.testing import toy_posterior


@pytest.fixture(scope="module")
def result():
    dt = toy_posterior(draws=10, years=3)
    dt.attrs |= {"versions": json.dumps({"python": "3.13"}), "command": "reeuncert run toy", "long": "x" * 200_000}
    return dt


def _write(dt, folder, name="flows.csv"):
    with output_folder(folder) as staging:
        stage_results(staging, dt, {name: pd.DataFrame({"a": [1.0]})}, {"report.html": "<p>é</p>"})
        return staging.commit()


def _names(folder):
    return sorted(p.name for p in Path(folder).iterdir())


def test_written_and_read_back(result, tmp_path):
    files = _write(result, tmp_path / "deep" / "run")
    assert [p.name for p in files] == ["flows.csv", "posterior.nc", "provenance.json", "report.html"]
    assert _names(tmp_path / "deep" / "run") == [p.name for p in files]
    back = read_results(tmp_path / "deep" / "run")
    assert set(back.children) == set(result.children)
    assert back.attrs == result.attrs
    for group, error in (("posterior", 1e-6), ("prior", 1.3e-4), ("sample_stats", 1e-6)):
        xr.testing.assert_allclose(back[group].to_dataset(), result[group].to_dataset(), error)
    np.testing.assert_allclose(
        back["derived"]["net_import_reliance"], result["derived"]["net_import_reliance"], rtol=1e-6
    )
    assert back["derived"]["net_import_reliance"].attrs == result["derived"]["net_import_reliance"].attrs
    xr.testing.assert_identical(read_results(files[1]).to_dataset(), back.to_dataset())


def test_provenance_is_plain_json_with_the_hashes_of_the_files(result, tmp_path):
    _write(result, tmp_path / "run")
    found = json.loads((tmp_path / "run" / "provenance.json").read_text(encoding="utf-8"))
    assert found["versions"] == {"python": "3.13"}
    assert found["command"] == "reeuncert run toy"
    assert "case_json" not in found
    assert set(found["files_sha256"]) == {"flows.csv", "posterior.nc", "report.html"}
    assert provenance(result)["seed"] == 0


def test_a_failure_leaves_the_earlier_result_untouched(result, tmp_path):
    folder = tmp_path / "run"
    _write(result, folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with output_folder(folder) as staging:
        stage_results(staging, result, {"flows.csv": pd.DataFrame({"b": [2.0]})})  # and never committed
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_what_is_staged_in_two_steps_is_what_is_written_at_once(result, tmp_path):
    more = result.copy()
    more["structures"] = xr.DataTree(xr.Dataset({"value": ("structure", [1.0, 2.0])}))
    more.attrs |= {"failed_parts": "[]", "command": "another"}
    with output_folder(tmp_path) as staging:
        stage_results(staging, result, {"flows.csv": pd.DataFrame({"a": [1.0]})})
        stage_results(staging, more, {"checks.csv": pd.DataFrame({"b": [1.0]})})
        staging.commit()
    assert _names(tmp_path) == ["checks.csv", "flows.csv", "posterior.nc", "provenance.json"]
    write_netcdf(more, tmp_path / "once.nc")
    found, wanted = (read_results(tmp_path / name) for name in (".", "once.nc"))
    assert found.attrs == wanted.attrs
    xr.testing.assert_identical(found, wanted)


def test_a_failed_rename_brings_every_earlier_file_back(result, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    _write(result, folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    real = os.replace

    def replace(source, target):
        if Path(target) == folder / "provenance.json" and "former" not in str(source):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OutputError, match="Input/output error; earlier results were left as they were"):
        _write(toy_posterior(draws=4, years=2), folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_folder_made_for_a_run_that_fails_goes_away_again(tmp_path):
    with pytest.raises(KeyboardInterrupt), output_folder(tmp_path / "run"):
        raise KeyboardInterrupt
    assert _names(tmp_path) == []


def test_files_of_the_user_in_the_folder_stay(result, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    _write(result, tmp_path)
    _write(result, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(_names(tmp_path)) == 5


def test_two_runs_into_one_folder(tmp_path):
    with output_folder(tmp_path / "run"):
        message = (
            f"another run is writing to '{tmp_path / 'run'}'; wait until it has finished, "
            "or choose another place with --out"
        )
        with pytest.raises(OutputError) as caught, output_folder(tmp_path / "run"):
            pass
        assert str(caught.value) == message
    with output_folder(tmp_path / "run"):
        pass


def test_a_lock_file_left_by_a_dead_run_does_not_matter(tmp_path):
    (tmp_path / ".reeuncert.lock").touch()
    with output_folder(tmp_path):
        pass
    assert _names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "cannot write results to '{}': no permission to write there; earlier results were left as they "
                       "were; choose another place with --out"),
        (errno.EROFS, "cannot write results to '{}': no permission to write there; earlier results were left as they "
                      "were; choose another place with --out"),
        (errno.ENOSPC, "cannot write results to '{}': the disk is full; earlier results were left as they were; free "
                       "some space, or choose another place with --out"),
    ],
)  # fmt: skip
def test_a_file_system_that_refuses(tmp_path, monkeypatch, number, message):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("reeuncert.result.folder.tempfile.mkdtemp", refuse)
    with pytest.raises(OutputError) as caught, output_folder(tmp_path / "run"):
        pass
    assert str(caught.value) == message.format(tmp_path / "run")


def test_a_file_system_that_is_full_while_writing(result, tmp_path):
    _write(result, tmp_path / "run")
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutputError, match="cannot write"):
            _write(result, tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(OutputError, match="it is a file; give the name of a folder"), output_folder(tmp_path / "run"):
        pass


def test_a_file_that_was_cut_short(result, tmp_path):
    _write(result, tmp_path)
    whole = (tmp_path / "posterior.nc").read_bytes()
    for length in (len(whole) // 2, 100, 0):
        (tmp_path / "posterior.nc").write_bytes(whole[:length])
        with pytest.raises(OutputError, match="cannot be read: it was cut short, is damaged or is no netCDF-4 file"):
            read_results(tmp_path / "posterior.nc")
        with pytest.raises(OutputError, match=r"is not the file that provenance\.json beside it speaks of"):
            read_results(tmp_path)


def test_no_result_there(tmp_path):
    with pytest.raises(OutputError) as caught:
        read_results(tmp_path / "x.nc")
    assert str(caught.value) == (
        f"there is no result at '{tmp_path / 'x.nc'}'; give a posterior.nc, or the folder of a run that holds one"
    )
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(OutputError, match="is a netCDF file, but no result of this package"):
        read_results(tmp_path / "other.nc")


def test_netcdf_of_its_own(result, tmp_path):
    write_netcdf(result, tmp_path / "a.nc")
    back = read_results(tmp_path / "a.nc")["posterior"]["mass_flow"]
    xr.testing.assert_allclose(back, result["posterior"]["mass_flow"], rtol=4.7e-10, atol=0)
    with pytest.raises(OutputError, match="cannot write"):
        write_netcdf(result, tmp_path / "no" / "a.nc")


def test_a_file_holds_flows_that_balance_and_no_indicators(result, tmp_path):
    with_indicators = add_indicators(result)
    write_netcdf(with_indicators, tmp_path / "a.nc")
    with xr.open_datatree(tmp_path / "a.nc", engine="h5netcdf") as stored:
        assert not {"derived", "derived_prior"} & set(stored.children)
        mass = stored["posterior"]["mass_flow"].load()
    system = case_from_json(result.attrs["case_json"]).system
    for process in (p.name for p in system.processes):
        into = [f.name for f in system.flows if f.to_process == process != f.from_process]
        out = [f.name for f in system.flows if f.from_process == process != f.to_process]
        stocks = [f.name for f in system.flows if f.from_process == process == f.to_process]
        if not stocks:
            inflow, outflow = mass.sel(flow=into).sum("flow"), mass.sel(flow=out).sum("flow")
            assert float((abs(inflow - outflow) / inflow.where(inflow > 0)).max()) < 1e-9
    back = read_results(tmp_path / "a.nc")
    for group, error in (("derived", 1e-8), ("derived_prior", 1e-3)):
        # A difference of flows is as exact as these are.
        size = float(np.abs(with_indicators["prior" if group == "derived_prior" else "posterior"]["mass_flow"]).max())
        there = with_indicators[group].to_dataset()
        xr.testing.assert_allclose(back[group].to_dataset(), there, error, error * size)
    assert back.attrs.keys() == with_indicators.attrs.keys()


def test_an_indicator_that_cannot_be_computed_again_is_kept(result, tmp_path):
    held = add_indicators(result, ["imports"])
    held["derived"] = held["derived"].to_dataset().assign(own=held["derived"]["imports"] * 2)
    write_netcdf(held, tmp_path / "a.nc")
    back = read_results(tmp_path / "a.nc")["derived"].to_dataset()
    assert set(back.data_vars) == {*held["derived"].data_vars}
    xr.testing.assert_allclose(back["own"], held["derived"]["own"])


def test_no_spreadsheet_finds_a_formula():
    table = pd.DataFrame(
        {
            "=cmd": ["=1+1", "+a", "-b", "@c", "\td", "fine", None],
            "value": [-1.5, 1e-9, np.nan, 123456789.0, 0.0, 2.0, 3.0],
            "count": range(7),
        }
    )
    text = csv_text(table)
    assert text.splitlines()[0] == "'=cmd,value,count"
    assert text.splitlines()[1] == "'=1+1,-1.5,0"
    assert text.splitlines()[4] == "'@c,1.2345679e+08,3"
    assert text.splitlines()[7] == ",3,6"
    assert "\r" not in text


def test_flow_table_has_a_row_for_every_flow_and_year(result):
    table = flow_table(result)
    mass = result["posterior"]["mass_flow"]
    assert len(table) == int(np.isfinite(mass[0, 0]).sum())
    assert table.columns.tolist() == [
        *("flow", "from_process", "to_process", "quantity", "product", "origin", "destination", "route", "end_use"),
        *("year", "unit", "mean", "median", "eti90_lb", "eti90_ub", "ess_bulk", "ess_tail", "r_hat"),
        *("prior_median", "prior_eti90_lb", "prior_eti90_ub", "width_ratio", "prior_below_median", "against_prior"),
    ]
    row = table[(table["flow"] == "mine_production_South") & (table["year"] == 2002)].iloc[0]
    draws = mass.sel(flow="mine_production_South", year=2002).values
    before = result["prior"]["mass_flow"].sel(flow="mine_production_South", year=2002).values
    assert row["median"] == pytest.approx(np.median(draws))
    assert row["eti90_ub"] == pytest.approx(np.quantile(draws, 0.95))
    assert row["prior_eti90_lb"] == pytest.approx(np.quantile(before, 0.05))
    width = np.log(np.quantile(before, 0.95) / np.quantile(before, 0.05))
    assert row["width_ratio"] == pytest.approx(np.log(row["eti90_ub"] / row["eti90_lb"]) / width)
    assert row["prior_below_median"] == pytest.approx((before < row["median"]).mean())
    assert row["unit"] == "kt"


def test_no_flows_no_table():
    with pytest.raises(OutputError, match="this result holds no flows"):
        flow_table(xr.DataTree())
