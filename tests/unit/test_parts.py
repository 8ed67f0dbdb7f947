"""What only informs and fails is named with its reason; the draws and everything else are written."""

from __future__ import annotations

import gc
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

import reeuncert as ree
import reeuncert.running
from peers import build
from reeuncert.case.serial import case_to_json
from reeuncert.checks import CHECKS, check_table, run
from reeuncert.cli.app import app
from reeuncert.cli.run import run_case
from reeuncert.indicators.compute import with_indicators
from reeuncert.indicators.stored import read_results
from reeuncert.indicators.summary import all_indicators
from reeuncert.parts import Failed, attempt, collecting, failed_of, with_failed
from reeuncert.report import SECTIONS
from reeuncert.report.files import _OF_ITS_OWN, begin_results
from reeuncert.report.page import render
from reeuncert.result.folder import output_folder
from reeuncert.result.left_out import LeftOut
from reeuncert.result.result import Result
from reeuncert.system.definition import OUTSIDE
from reeuncert.testing import flow_dataset, toy_posterior, toy_terms

FILES = {
    *(
        "posterior.nc",
        "provenance.json",
        "flows.csv",
        "indicators.csv",
        "headlines.csv",
        "mixtures.csv",
        "checks.csv",
        "report.html",
        "results.xlsx",
    )
}


def broken(*_, **__):
    raise ZeroDivisionError("the abacus fell")


@pytest.fixture(scope="module")
def toy():
    return toy_posterior(chains=2, draws=30, years=2)


def test_an_interrupt_goes_on_and_errors_are_collected():
    def stop():
        raise KeyboardInterrupt

    with collecting(failed := []):
        assert isinstance(attempt("a part", broken), Failed)
        with pytest.raises(KeyboardInterrupt):
            attempt("a part", stop)
    assert [(f.part, f.reason) for f in failed] == [("a part", "ZeroDivisionError: the abacus fell")]
    assert f"{__name__.rpartition('.')[2]} line " in failed[0].where
    assert isinstance(attempt("memory", lambda: np.empty(10**18)), Failed)


def test_failed_parts_stay_with_a_result(toy):
    dt = with_failed(toy.copy(), [Failed("draws from the prior", "ValueError: none", "here line 1")])
    dt = with_failed(dt, [Failed("ü", "x", "y")])
    assert [f.part for f in failed_of(dt)] == ["draws from the prior", "ü"]
    assert [r.name for r in check_table(Result(dt)).not_run] == ["draws from the prior", "ü"]


def test_a_check_that_breaks_is_a_row_and_the_others_run(toy, monkeypatch):
    monkeypatch.setitem(CHECKS, "geometry", broken)
    table = ree.check(toy)
    (row,) = table.not_run
    assert (row.name, row.status) == ("geometry", "not run")
    assert "ZeroDivisionError: the abacus fell" in row.message
    assert not table.passed
    assert "1 could not be made" in table.verdict
    assert len(table) > len(CHECKS) - 1


def test_everything_that_can_be_made_is_written(toy, monkeypatch, tmp_path):
    monkeypatch.setitem(CHECKS, "geometry", broken)
    monkeypatch.setattr("reeuncert.indicators.summary._joined", broken)
    monkeypatch.setattr("reeuncert.report.sections.trade.figure", broken, raising=False)
    ree.write_results(toy, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == FILES - {"indicators.csv", "results.xlsx"}
    rows = pd.read_csv(tmp_path / "checks.csv").set_index("check")
    told = rows[rows["status"] == "not run"]["message"]
    assert {"geometry", "indicators.csv"} <= set(told.index)
    assert told.str.contains("the abacus fell").all()
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("the abacus fell") >= 2
    xr.testing.assert_allclose(read_results(tmp_path)["posterior"].to_dataset(), toy["posterior"].to_dataset(), 1e-6)


def test_a_page_that_cannot_be_made_costs_only_itself(toy, monkeypatch, tmp_path):
    monkeypatch.setattr("reeuncert.report.files.render", broken)
    ree.write_results(toy, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == FILES - {"report.html"}
    assert "report.html" in set(pd.read_csv(tmp_path / "checks.csv")["check"])


@pytest.mark.parametrize(("breaks", "status"), [(False, 0), (True, 1)])
def test_the_status_of_a_run_with_a_broken_part(toy, monkeypatch, tmp_path, capsys, breaks, status):
    monkeypatch.setattr(reeuncert.running, "_sampled", lambda *_: toy.copy())
    monkeypatch.setattr("reeuncert.report.files.render", lambda _: "page")
    if breaks:
        monkeypatch.setitem(CHECKS, "geometry", broken)
    assert run_case("small_metal", out=tmp_path / "out", seed=1) == status
    said = capsys.readouterr()
    assert ("not run" in said.out) == ("the abacus fell" in said.err) == breaks
    assert {p.name for p in (tmp_path / "out").iterdir()} >= FILES


@pytest.mark.parametrize(("chains", "draws"), [(1, 4), (1, 5), (2, 7), (1, 24), (1, 25), (4, 6)])
def test_few_draws_are_enough(chains, draws):
    result = with_indicators(toy_terms(toy_posterior(chains=chains, draws=draws, years=2)))
    if draws == 4:
        render(result)
    assert not check_table(result).not_run
    assert len(result.flows)
    assert len(result.once(all_indicators))


@pytest.fixture
def without_roles():
    """Draws of a case none of whose flows has a role that an indicator asks for."""
    flows = [build.flow("in", OUTSIDE, "mill", 2000), build.flow("out", "mill", OUTSIDE, 2000)]
    flows = [replace(f, product="metal") for f in (*flows, build.flow("slag", "mill", OUTSIDE, 2000))]
    case = build.case("plain", flows, {"mill": "out"}, [], [], year=2000, measure="mass", unit="t")
    processes = tuple(replace(p, region="North") for p in case.system.processes)
    system = replace(case.system, processes=processes)
    case = replace(case, system=system, regions=("North",), products=("metal",))
    rng = np.random.default_rng(1)
    ore, part = rng.lognormal(size=(2, 20)), rng.random((2, 20))
    mass = np.stack([ore, ore * part, ore * (1 - part)], axis=-1)[..., None]
    dt = xr.DataTree.from_dict({"posterior": flow_dataset(system, mass)})
    dt.attrs = {"case_json": case_to_json(case), "case_name": "plain", "seed": 1}
    return dt


def test_a_case_without_standard_roles(without_roles):
    result = with_indicators(without_roles)
    page = render(result)
    assert [r.name for r in check_table(result).not_run] == []
    assert len(result.flows) == 3
    assert len(result.once(all_indicators)) == 0
    assert all(f'<section id="{section.id}"' in page or section.needs for section in SECTIONS)


def resident() -> int:
    """Memory of this process in bytes (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("reports", [1, pytest.param(200, marks=pytest.mark.slow)])
def test_reports_in_a_row_keep_no_memory(reports):
    toy = toy_posterior(chains=1, draws=8, years=1)
    render(Result(toy))
    before = resident()
    for _ in range(reports):
        render(Result(toy))
    assert resident() - before < 60e6


def test_the_status_of_commands_that_write_a_result_again(toy, monkeypatch, tmp_path):
    monkeypatch.setattr("reeuncert.report.files.render", lambda _: "page")
    monkeypatch.setattr("reeuncert.report.page.render", lambda result: check_table(result) and "page")
    monkeypatch.setattr("reeuncert.cli.studies.leave_out", lambda *_, **__: LeftOut(pd.DataFrame({"scheme": []})))
    monkeypatch.setattr("reeuncert.cli.studies.left_out_table", lambda _: "")
    monkeypatch.setattr("reeuncert.cli.studies.add_left_out", lambda dt, *_: dt)
    monkeypatch.setattr("reeuncert.cli.studies.run_rivals", lambda *_, **__: None)
    monkeypatch.setattr("reeuncert.cli.studies.show_structures", lambda *_: None)
    monkeypatch.setattr("reeuncert.cli.studies.add_structures", lambda dt, _: dt)
    ree.write_results(toy, tmp_path)
    commands = ["report", str(tmp_path)], ["leave-out", str(tmp_path)], ["structures", str(tmp_path)]
    assert [CliRunner().invoke(app, command).exit_code for command in commands] == [0, 0, 0]
    monkeypatch.setitem(CHECKS, "geometry", broken)
    found = [CliRunner().invoke(app, command) for command in commands]
    assert [f.exit_code for f in found] == [1, 1, 1]
    assert all("geometry: " in f.stderr and "the abacus fell" in f.stderr for f in found)


def test_what_is_made_before_the_structures_are_known_does_not_ask_for_them(toy, monkeypatch, tmp_path):
    monkeypatch.setattr("reeuncert.indicators.summary._joined", broken)
    monkeypatch.setattr(Result, "structures", property(broken))
    result = with_indicators(toy_terms(toy))
    with output_folder(tmp_path) as staging:
        begin_results(result, staging)
    assert result.failed == []
    assert {*_OF_ITS_OWN} - set(result._kept) == {all_indicators, run.convergence}
