"""What is installed elsewhere is complete: the wheel carries the bundled case and runs it far from the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def run(command: list[str], cwd: Path, **environment: str) -> str:
    """Run a command and return what it printed; show everything it said if it fails."""
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def uv() -> str:
    found = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    assert found, "uv is needed to build the wheel: `python3 -m pip install uv`"
    return found


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run([uv, "build", "--wheel", "--python", sys.executable, "--out-dir", str(out), str(REPOSITORY)], cwd=out)
    (built,) = out.glob("reeuncert-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(uv: str, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    run(
        [
            uv,
            "pip",
            "install",
            "--offline",
            "--no-deps",
            "--python",
            sys.executable,
            "--target",
            str(target),
            str(wheel),
        ],
        cwd=target,
    )
    return target


def names_under(folder: Path) -> set[str]:
    kept = (p for p in folder.rglob("*") if p.is_file() and p.parent.name != "__pycache__")
    return {p.relative_to(folder).as_posix() for p in kept if not p.name.startswith(".")}


@pytest.mark.parametrize("folder", ["models", "data"])
def test_the_wheel_holds_every_bundled_table(wheel: Path, folder: str):
    expected = {f"reeuncert/_bundled/{folder}/{name}" for name in names_under(REPOSITORY / folder)}
    assert expected, f"{folder}/ is empty"
    assert expected <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_is_typed_and_licensed_and_ships_no_tests(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    assert "reeuncert/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_the_installed_package_is_not_the_checkout(installed: Path, tmp_path: Path):
    where = run(
        [sys.executable, "-c", "import reeuncert; print(reeuncert.__file__)"], cwd=tmp_path, PYTHONPATH=str(installed)
    )
    assert Path(where.strip()).is_relative_to(installed)


def test_cases_are_listed_from_an_empty_folder(installed: Path, tmp_path: Path):
    printed = run([sys.executable, "-m", "reeuncert", "cases"], cwd=tmp_path, PYTHONPATH=str(installed))
    assert "china_us_row" in printed
    assert not list(tmp_path.iterdir())


def test_the_bundled_case_is_checked_from_an_empty_folder(installed: Path, tmp_path: Path):
    run([sys.executable, "-m", "reeuncert", "check", "china_us_row"], cwd=tmp_path, PYTHONPATH=str(installed))
    assert not list(tmp_path.iterdir())
