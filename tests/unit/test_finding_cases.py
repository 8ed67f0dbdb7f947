"""Cases are found by name, by folder, or not at all."""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path

import pytest

from case_files import problems_in, write_case
from reeuncert.errors import CaseError
from reeuncert.reading.bundled import bundled_cases, bundled_folder, find_case
from reeuncert.validation.reader import read_case

KNOWN = ", ".join(bundled_cases())


def test_bundled_cases_are_found_by_name() -> None:
    assert "china_us_row" in bundled_cases()
    assert find_case("china_us_row") == bundled_folder() / "models" / "china_us_row"


def test_an_installed_package_finds_its_cases_inside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_case(tmp_path / "_bundled" / "models" / "tiny")
    monkeypatch.setattr(importlib.resources, "files", lambda _: tmp_path)
    assert bundled_folder() == tmp_path / "_bundled"
    assert bundled_cases() == ("tiny",)
    assert read_case("tiny").name == "tiny"
    monkeypatch.setattr(importlib.resources, "files", lambda _: tmp_path / "elsewhere" / "src" / "reeuncert")
    with pytest.raises(CaseError, match="the folder of the bundled cases is missing from the installation"):
        bundled_folder()


def test_a_folder_is_found_by_path_or_plain_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_case(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert find_case("mine") == Path("mine")
    assert read_case("./mine").name == read_case(Path("mine")).name == "tiny"


def test_a_word_that_means_two_cases_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_case(tmp_path / "small_metal")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CaseError, match=r"write \./small_metal for the folder, or .* for the bundled case"):
        find_case("small_metal")
    assert read_case("./small_metal").name == "tiny"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "china_us_rwo",
            f"china_us_rwo: case 'china_us_rwo' is not known; use one of: {KNOWN}; did you mean "
            "'china_us_row'?; or give the folder of a case, e.g. ./my_case",
        ),
        ("../../etc", "../../etc: the folder does not exist; check the path"),
        ("no\\such", "no\\such: the folder does not exist; check the path"),
        ("a\0b", "'a\\x00b': this is no path; give the name of a case, or its folder"),
        (
            "a\u202eb",
            f"a\\u202eb: case 'a\\u202eb' is not known; use one of: {KNOWN}; or give the folder of a case, "
            "e.g. ./my_case",
        ),
    ],
)
def test_what_is_no_case_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(CaseError) as error:
        read_case(name)
    assert [str(p) for p in error.value.problems] == [says]


def test_a_file_and_a_folder_without_a_case_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(CaseError, match="the folder is a file; give the folder that holds it"):
        read_case(tmp_path / "x.txt")
    with pytest.raises(CaseError, match=r"case\.toml: the file is missing; it was looked for at"):
        read_case(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write_case(tmp_path, covariates_csv=None)
    os.mkfifo(tmp_path / "covariates.csv")
    assert problems_in(tmp_path)[0].startswith("covariates.csv: the file is missing; it was looked for at ")
