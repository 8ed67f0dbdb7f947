"""The skeleton of a case: usable at once, complete, explained, and never written over anything."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import reeuncert as ree
import reeuncert.reading.bundled as new
import reeuncert.reading.state as reading
from reeuncert.cli import app
from reeuncert.errors import CaseError, OutputError

TABLES = {
    "classes.csv", "constants.csv", "covariates.csv", "evidence.csv", "factors.csv", "flows.csv", "offsets.csv",
    "priors.csv", "processes.csv", "sources.csv",
}  # fmt: skip


def test_the_skeleton_passes_its_check_with_every_option(tmp_path: Path) -> None:
    folder = ree.new_case(tmp_path / "my_metal")
    for choice in ("off", "on"):
        found = ree.check_case(str(folder), recycling=choice)
        assert found.passed
        assert not found.warnings


def test_it_has_every_table_that_a_case_may_have(tmp_path: Path) -> None:
    folder = ree.new_case(tmp_path / "deep" / "my_metal")
    assert {p.name for p in folder.iterdir()} == TABLES | {"case.toml", "README.md"}
    case = ree.read_case(folder)
    assert case.name == "my_metal"
    assert set(case.hashes) >= TABLES
    parts = (case.priors, case.evidence, case.sources, case.classes, case.offsets, case.factors, case.covariates)
    assert all(len(part) for part in (*parts, case.constants, case.headlines, case.options))


def test_its_readme_explains_every_column_and_every_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, list[str]] = {}
    read = reading.read_table

    def watched(path, file, columns, *rest, **more):
        asked[Path(path).name] = [c.name for c in columns]
        return read(path, file, columns, *rest, **more)

    monkeypatch.setattr(reading, "read_table", watched)
    folder = ree.new_case(tmp_path / "my_metal")
    ree.read_case(folder)
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# my_metal\n")
    explained = set(re.findall(r"`([a-z_]+)`", text))
    assert set(asked) == TABLES
    for table, columns in asked.items():
        missing = {c for c in columns if not c.startswith("of_")} - explained
        assert not missing, f"{table}: {missing}"
    for row in ree.read_case(folder).system.flows:
        assert row.quantity in explained


@pytest.mark.slow
def test_its_prior_balances_and_every_figure_is_possible(tmp_path: Path) -> None:
    """What a reader sees first, a preview of the prior, makes sense: the figures lie within it."""
    case = ree.read_case(ree.new_case(tmp_path / "my_metal"))
    model = ree.build_model(case)
    prior = ree.sample_prior(model, draws=200, seed=1)
    mass = prior["prior"]["mass_flow"].values
    exists = case.system.exists
    assert np.all(mass[..., exists] > 0)
    mined = prior["prior"].to_dataset()["mass_flow"].sel(flow="upland_mined", year=2020).values
    assert np.quantile(mined, 0.05) < 111 < np.quantile(mined, 0.95)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "my_metal").mkdir()
    assert ree.read_case(ree.new_case(tmp_path / "my_metal")).name == "my_metal"


def test_the_working_folder_is_no_place_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=r"'\.' is the working folder; give the name of a new folder"):
        ree.new_case(".")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "my_metal"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError) as told:
        ree.new_case(folder)
    assert str(told.value) == (
        f"the folder '{folder}' is not empty, and nothing is written over; give the name of a new folder"
    )
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(OutputError) as told:
        ree.new_case(file)
    assert str(told.value) == f"'{file}' is a file; give the name of a new folder"
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("my metal", "'my metal' cannot be the name of a case; use letters, digits, '_' and '-', e.g. ./my_case"),
        ("métal", "'métal' cannot be the name of a case; use letters, digits, '_' and '-', e.g. ./my_case"),
        (
            "small_metal",
            "a case 'small_metal' ships with the package; choose another name",
        ),
    ],
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(CaseError) as told:
        ree.new_case(tmp_path / name)
    assert [p.message for p in told.value.problems] == [says]
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new.Path, "write_text", full)
    with pytest.raises(OutputError) as told:
        ree.new_case(tmp_path / "my_metal")
    assert str(told.value) == (
        f"cannot make the folder '{tmp_path / 'my_metal'}': the disk is full; choose another place"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, ["new", "my_metal"])
    assert found.exit_code == 0
    assert found.stdout == "Made my_metal: read my_metal/README.md, then: reeuncert check my_metal\n"
    again = CliRunner().invoke(app, ["new", "my_metal"])
    assert again.exit_code == 2
    assert again.stderr == (
        "Error: the folder 'my_metal' is not empty, and nothing is written over; give the name of a new folder\n"
    )
