"""`reeuncert sensitivity`: what it lists, what it writes, and how it ends."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import reeuncert as ree
import studies
from reeuncert.cli import app
from reeuncert.studies import refits

TEXT = """\
[[scenario]]
name = "rich mine"
why = "Nobody has drilled the south."
changes = [{kind = "prior_median", prior = "ore of South", factor = 3}]

[[scenario]]
name = "fails or not"
changes = [{kind = "leave_out", lineage = "association"}]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    marks = tmp_path / "marks"
    marks.mkdir()
    monkeypatch.setenv(studies.MARKS, str(marks))
    monkeypatch.setenv("REEUNCERT_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def _cli(*arguments):
    return CliRunner().invoke(app, ["sensitivity", *(str(a) for a in arguments)])


def test_a_dry_run_lists_what_would_be_fitted(file: Path):
    found = _cli("small_metal", "--scenarios", file, "--dry-run")
    assert found.exit_code == 0, found.output
    text = " ".join(found.stdout.split())
    assert "median of 'ore of South' × 3" in text
    assert "3 scenarios of 1 structure; nothing was fitted." in text


def test_a_study_is_told_and_written(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refits, "refit", studies.toy_fit)
    out = tmp_path / "out"
    found = _cli("small_metal", "--scenarios", file, "--out", out, "--jobs", 1, "--draws", 40)
    assert found.exit_code == 0, found.output
    assert "Headlines that change: a median outside the other's 90 % interval" in found.stdout
    assert "Apparent consumption · North" in " ".join(found.stdout.split())
    assert sorted(path.name for path in out.iterdir()) == [
        "checks.csv", "conclusions.csv", "headlines.csv", "indicators.csv", "scenarios.csv", "study.nc",
    ]  # fmt: skip
    assert pd.read_csv(out / "scenarios.csv")["scenario"].tolist() == ["base", "rich mine", "fails or not"]
    assert ree.read_study(out / "study.nc").has_base


def test_a_failed_scenario_is_told_and_strict_ends_with_one(file: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(refits, "refit", studies.failing_fit)
    found = _cli("small_metal", "--scenarios", file, "--out", tmp_path, "--jobs", 1, "--draws", 40, "--strict")
    assert found.exit_code == 1
    assert "Failed: fails or not: SamplingError: the sampler could not start" in found.stderr
    assert "2 of 3 scenarios fitted" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["small_metal"], "there is no file of scenarios at '"),
        (["small_metal", "--scenarios", "absent.toml"], "there is no file of scenarios at 'absent.toml'; write one"),
        (["smal_metal"], "case 'smal_metal' is not known"),
    ],
)
def test_bad_input_ends_with_two(arguments: list[str], message: str):
    found = _cli(*arguments)
    assert found.exit_code == 2
    assert message in found.stderr


def test_the_scenarios_of_the_bundled_case_can_be_read():
    from reeuncert.reading.bundled import find_case

    found = ree.studies.read_scenarios(find_case("china_us_row") / "scenarios.toml")
    assert found
    assert all(scenario.why for scenario in found)


@pytest.mark.slow
def test_the_scenarios_of_the_bundled_case_can_be_made():
    found = _cli("china_us_row", "--dry-run", "--no-cache")
    assert found.exit_code == 0, found.output
    assert "16 scenarios of 6 structures; nothing was fitted." in " ".join(found.stdout.split())
