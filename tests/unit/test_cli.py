"""The command line: status of every ending, plain messages, and results that a failed run leaves as they were."""

import inspect
import json
import os
import re
from dataclasses import replace
from importlib import import_module
from typing import get_args

import pytest
from typer.testing import CliRunner

import reeuncert.running
from reeuncert.case.serial import case_to_json
from reeuncert.cli import app
from reeuncert.cli.options import SamplerName
from reeuncert.cli.run import _command_line
from reeuncert.cli.terminal import parse_options
from reeuncert.errors import CaseError, SamplingError
from reeuncert.indicators.stored import read_results
from reeuncert.inference.sample import QUICK_DRAWS
from reeuncert.inference.samplers import SAMPLERS
from reeuncert.report import write_results
from reeuncert.result.folder import output_folder
from reeuncert.result.result import Result
from reeuncert.studies.jobs import FitOptions
from reeuncert.testing import toy_posterior

FILES = [
    "checks.csv",
    "flows.csv",
    "headlines.csv",
    "indicators.csv",
    "mixtures.csv",
    "posterior.nc",
    "provenance.json",
    "report.html",
    "results.xlsx",
]


def _cli(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def posterior():
    return toy_posterior(draws=40, years=2)


def test_the_command_of_a_result_can_be_typed_again(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/lib/reeuncert/__main__.py", "run", "toy", "--out=/home/someone/results/toy"])
    assert _command_line() == "reeuncert run toy --out=toy"


@pytest.fixture
def sampled(monkeypatch, posterior):
    """`reeuncert run` without its sampler: the draws are synthetic."""
    dt = posterior.copy(deep=False)
    dt.attrs = {**posterior.attrs, "complete": "yes", "approximate": "no"}
    monkeypatch.setattr(reeuncert.running, "_sampled", lambda case, settings, stored: dt)
    return dt


def test_a_real_run(tmp_path):
    """The only test here that samples: a bundled case, from its tables to its files."""
    out = tmp_path / "run"
    found = _cli("run", "small_metal", "--out", out, "--preview", "--seed", 1)
    assert found.exit_code == 0, found.output
    assert sorted(p.name for p in out.iterdir()) == FILES
    assert "Approximate: a quick look that has not converged; quote nothing of it." in found.stdout
    assert "Case 'small_metal': 16 flows, 5 years" in found.stderr
    dt = read_results(out)
    assert dt.attrs["approximate"] == "yes"
    assert dt.attrs["seed"] == 1
    assert dt["posterior"]["mass_flow"].sizes["draw"] == QUICK_DRAWS
    assert "<strong>Approximate.</strong>" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "provenance.json").read_text())["sampler"] == "hmc"


def test_run_says_what_it_found_and_where(sampled, tmp_path):
    found = _cli("run", "small_metal", "--out", tmp_path / "run", "--tables")
    assert found.exit_code == 0, found.output
    text = " ".join(found.stdout.split())
    assert "A toy system of three regions" in text
    assert re.search(r"In 2002, [\d.]+ % \([\d.]+ to [\d.]+\) of South's refined imports came from North\.", text)
    assert re.search(r"2001 [\d.]+ \([\d.]+ to [\d.]+\) \*", text)  # 160 draws have not converged
    assert re.search(r"Checks: \d+ of \d+ checks failed", text)  # as many as there are checks of draws this few
    assert f"Files in {tmp_path / 'run'}: {', '.join(FILES)}" in text


def test_the_end_of_a_run_is_short_and_breaks_no_identifier(sampled, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    name, case = "a_very_long_identifier_of_a_flow_of_a_case", Result(sampled).case
    headlines = (replace(case.headlines[0], sentence=f"It is {{median}} of {name} and {name}."),) * 40
    sampled.attrs["case_json"] = case_to_json(replace(case, headlines=headlines))
    found = _cli("run", "small_metal", "--out", tmp_path / "run")
    assert found.exit_code == 0, found.output
    assert found.stdout.count("\n") < 60
    assert f" {name} " in found.stdout
    assert "2001 " not in found.stdout
    assert " passed " not in found.stdout
    assert str(tmp_path / "run" / "report.html") in found.stdout
    assert all(len(line) <= 60 for line in found.stdout.splitlines() if str(tmp_path) not in line)


def test_choices_are_those_that_exist():
    assert get_args(SamplerName) == tuple(SAMPLERS)
    found = _cli("run", "small_metal", "--sampler", "stan")
    assert found.exit_code == 2
    assert all(name in found.stderr for name in SAMPLERS)


def test_a_command_hands_over_what_its_function_takes():
    passed_on = {*inspect.signature(reeuncert.running.run).parameters, *FitOptions.__annotations__}
    handed = 0
    for command in app.registered_commands:
        assert command.callback is not None
        if found := re.search(r'hand_over\("(\w+)\.(\w+)"', inspect.getsource(command.callback)):
            function = getattr(import_module(f"reeuncert.cli.{found[1]}"), found[2])
            options = inspect.signature(command.callback).parameters
            bound = inspect.signature(function).bind(**dict.fromkeys(options))
            rest = [
                name for name, kind in inspect.signature(function).parameters.items() if kind.kind == kind.VAR_KEYWORD
            ]
            assert {name for one in rest for name in bound.arguments.get(one, ())} <= passed_on
            handed += 1
    assert handed == inspect.getsource(import_module("reeuncert.cli.app")).count('hand_over("')


def test_the_newest_report_is_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    assert "there is no 'results/*/report.html' here" in _cli("open").stderr
    for age, name in enumerate(("new", "old")):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "report.html").write_text("")
        os.utime(tmp_path / "results" / name / "report.html", (1e9 - age, 1e9 - age))
    assert _cli("open").exit_code == 0
    assert _cli("open", "results/old").exit_code == 0
    assert [address.rsplit("/", 2)[-2] for address in opened] == ["new", "old"]
    assert _cli("open", "nowhere").exit_code == 2


def test_quiet_says_nothing_strict_ends_with_1_and_the_folder_is_named_after_the_case(sampled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = _cli("run", "small_metal", "--quiet", "--strict")
    assert (found.exit_code, found.output) == (1, "")  # a check failed, and the files are written all the same
    assert sorted(p.name for p in (tmp_path / "results" / "small_metal").iterdir()) == FILES


def test_an_interrupted_run_is_kept_and_ends_with_130(sampled, tmp_path):
    sampled.attrs["complete"] = "no"
    found = _cli("run", "small_metal", "--out", tmp_path / "run")
    assert found.exit_code == 130
    assert f"Interrupted: the draws made until then were kept, in {tmp_path / 'run'}." in found.stderr
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == FILES
    assert "<strong>Interrupted.</strong>" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def written(posterior, tmp_path_factory):
    """The files of a run, by name."""
    folder = tmp_path_factory.mktemp("written")
    write_results(posterior, folder)
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture
def earlier(written, tmp_path):
    """A folder with a result of an earlier run, and its content."""
    (tmp_path / "run").mkdir()
    for name, content in written.items():
        (tmp_path / "run" / name).write_bytes(content)
    return tmp_path / "run", written


def _untouched(earlier):
    folder, before = earlier
    return {p.name: p.read_bytes() for p in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere"], "nowhere: case 'nowhere' is not known; use one of: china_us_row,"),
        (["run", "./nowhere"], "the folder does not exist; check the path"),
        (["run", "small_metal", "--option", "x"], "--option: 'x' is not a choice; write --option name=value"),
        (["run", "small_metal", "--option", "a=b"], "a"),
    ],
)
def test_bad_input_ends_with_2_and_touches_nothing(arguments, message, earlier):
    found = _cli(*arguments, "--out", earlier[0])
    assert found.exit_code == 2
    assert found.stderr.splitlines()[0] == f"Reading case '{arguments[1]}' …"
    assert found.stderr.splitlines()[1].startswith(("Error: ", "Case '"))
    assert message in found.stderr
    assert "Traceback" not in found.output
    assert _untouched(earlier)


def test_every_problem_of_a_case_is_listed(tmp_path, earlier):
    case = tmp_path / "bad"
    case.mkdir()
    (case / "case.toml").write_text("name = 'bad'\n")
    found = _cli("run", case, "--out", earlier[0])
    assert found.exit_code == 2
    assert re.search(r"^Error: \d+ problems found:\n  case.toml", found.stderr, re.MULTILINE)
    assert _untouched(earlier)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (SamplingError("the log density is not finite"), 2, "Error: the log density is not finite"),
        (KeyboardInterrupt("there are no draws to keep"), 130,
         "Interrupted: nothing was written (there are no draws to keep)."),
    ],
)  # fmt: skip
def test_a_run_that_fails_later_touches_nothing(monkeypatch, earlier, error, status, message):
    def fail(case, request, chains):
        raise error

    monkeypatch.setattr(reeuncert.running, "_sampled", fail)
    found = _cli("run", "small_metal", "--out", earlier[0])
    assert found.exit_code == status
    assert message in found.stderr
    assert _untouched(earlier)


def test_a_folder_in_use_is_refused_before_sampling(sampled, tmp_path):
    with output_folder(tmp_path / "run"):
        found = _cli("run", "small_metal", "--out", tmp_path / "run")
    assert found.exit_code == 2
    assert f"Error: another run is writing to '{tmp_path / 'run'}'; wait until it has finished" in found.stderr


def test_a_disk_without_room_is_refused_before_sampling(sampled, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("reeuncert.running.shutil.disk_usage", lambda path: usage)
    found = _cli("run", "small_metal", "--out", tmp_path / "run")
    assert found.exit_code == 2
    assert "MB, and the disk has less; free some space, choose another place with --out" in found.stderr
    assert not (tmp_path / "run").exists()


def test_check_and_cases():
    found = _cli("check", "small_metal")
    assert found.exit_code == 0, found.output
    assert "Case 'small_metal' can be used: 0 errors" in found.stdout
    assert _cli("check", "nowhere").exit_code == 2
    listed = _cli("cases")
    assert listed.exit_code == 0
    assert "small_metal" in listed.stdout
    assert "china_us_row" in listed.stdout


def test_report_of_a_result(earlier, tmp_path):
    folder, before = earlier
    found = _cli("report", folder / "posterior.nc")
    assert found.exit_code == 0, found.output
    assert f"Report: {folder / 'report.html'}" in found.stdout
    assert len((folder / "report.html").read_bytes()) == pytest.approx(len(before["report.html"]), rel=0.05)
    assert _cli("report", folder, "--out", tmp_path / "other.html").exit_code == 0
    assert "A toy system of three regions" in (tmp_path / "other.html").read_text(encoding="utf-8")
    (folder / "posterior.nc").write_bytes(before["posterior.nc"][:5000])
    broken = _cli("report", folder)
    assert broken.exit_code == 2
    assert "is not the file that provenance.json" in broken.stderr
    alone = _cli("report", folder / "posterior.nc")
    assert alone.exit_code == 2
    assert "cannot be read: it was cut short" in alone.stderr


def test_tables_of_a_run(earlier):
    indicators = earlier[1]["indicators.csv"].decode().splitlines()
    assert indicators[0].startswith("indicator,region,partner,product,end_use,year,unit,mean,median,eti90_lb,eti90_ub")
    checks = earlier[1]["checks.csv"].decode().splitlines()
    assert checks[0] == "check,status,value,threshold,message"
    assert checks[1].startswith("balance,passed,")


def test_options():
    assert parse_options(["a=b", "c = d"]) == {"a": "b", "c": "d"}
    with pytest.raises(CaseError, match="'a' is given twice; keep one of them"):
        parse_options(["a=b", "a=c"])
    assert _cli("run", "--draws", "1").exit_code == 2
    assert _cli("--help").exit_code == 0
