"""Slips that pass for data: `check` says something of all but a few that are harmless, and of a sound case nothing."""

from __future__ import annotations

import gzip
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

import reeuncert as ree
from reeuncert.reading.bundled import new_case
from reeuncert.validation.report import CaseReport, check_case

SLIPS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "slips.toml").read_text("utf-8"))["slip"]
MOST_HARMLESS = 10


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_case(tmp_path_factory.mktemp("sound") / "my_case")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "my_case"))


def said(report: CaseReport) -> list[str]:
    return [str(problem) for problem in (*report.errors, *report.warnings)]


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text("utf-8")
    assert old in text, f"{old!r} is not in {file}"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def test_of_a_sound_case_nothing_is_said(sound: Path) -> None:
    assert said(check_case(sound)) == []


@pytest.mark.parametrize("name", ["china_us_row", "small_metal"])
def test_of_the_bundled_cases_nothing_is_said(name: str) -> None:
    assert said(check_case(name)) == []


def test_hardly_any_slip_passes() -> None:
    harmless = [slip["what"] for slip in SLIPS if slip.get("harmless")]
    assert len(SLIPS) >= 75
    assert len(harmless) <= MOST_HARMLESS


@pytest.mark.parametrize("slip", SLIPS, ids=[f"{slip['file']}: {slip['what']}" for slip in SLIPS])
def test_a_slip_is_mentioned(folder: Path, slip: dict[str, Any]) -> None:
    if "append" in slip:
        with (folder / slip["file"]).open("a", encoding="utf-8") as stream:
            stream.write(slip["append"])
    else:
        change(folder, slip["file"], slip["old"], slip["new"])
    found = said(check_case(folder))
    if slip.get("harmless"):
        assert found == []
    else:
        places = [slip["file"], *slip.get("also", ())]
        assert any(text.startswith(place) for place in places for text in found), found


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("evidence.csv", True),
        ("evidence.CSV", True),
        ("Evidence.csv", True),
        ("evidence/figures.csv", True),
        ("evidence/FIGURES.CSV", True),
        ("evidence.xls", False),
        ("evidence.tsv", False),
        ("evidence.csv.txt", False),
        ("evidences.csv", False),
        ("evidence/figures.xls", False),
        ("evidence/figures.csv.gz", False),
        ("evidence/upland/figures.csv", False),
        ("figures/evidence.csv", False),
    ],
)
def test_evidence_is_read_or_missed_aloud(folder: Path, name: str, read: bool) -> None:
    content = (folder / "evidence.csv").read_bytes()
    (folder / "evidence.csv").unlink()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    report = check_case(folder)
    assert report.passed
    if read:
        assert said(report) == []
        assert "14 rows of evidence from 4 sources" in str(report)
    else:
        assert any(warning.file == name for warning in report.warnings)
        assert any("prior alone" in warning.message for warning in report.warnings)
        with pytest.warns(UserWarning, match="the file is not read"):
            ree.read_case(folder)


def test_a_name_in_other_letters_is_read_on_systems_that_take_them_for_one(folder: Path) -> None:
    os.link(folder / "sources.csv", folder / "Sources.csv")  # as macOS and Windows find both names
    assert said(check_case(folder)) == []


@pytest.mark.parametrize("name", ["._figures.csv", "~$figures.csv", "~$figures.xlsx"])
def test_what_a_system_leaves_behind_is_no_evidence(folder: Path, name: str) -> None:
    (folder / "evidence").mkdir()
    (folder / "evidence.csv").rename(folder / "evidence" / "figures.csv")
    (folder / "evidence" / name).write_bytes(b"\x00\x05\x16\x07 Mac OS X \xb0\x00ATTR")
    report = check_case(folder)
    assert report.passed
    assert [warning.file for warning in report.warnings] == [f"evidence/{name}"]


def test_results_and_prose_beside_a_case_are_not_missed(folder: Path) -> None:
    (folder / "results").mkdir()
    (folder / "results" / "provenance.json").write_text("{}")
    (folder / "results" / "indicators.csv").write_text("a\n1\n")
    (folder / "notes.txt").write_text("to do")
    (folder / ".git").mkdir()
    (folder / ".git" / "index.csv").write_text("a\n")
    assert said(check_case(folder)) == []
