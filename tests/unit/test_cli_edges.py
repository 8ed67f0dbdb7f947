"""Where the system itself refuses: no room for output, no memory, no folder; each ends in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full and ulimit are of Linux")


def shell(command: str, **where: object) -> subprocess.CompletedProcess[str]:
    script = command.replace("reeuncert", f"{sys.executable} -m reeuncert", 1)
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=300, **where)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of the program's own."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("OpenBLAS", "Reading "))]
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_version_and_short_help():
    assert shell("reeuncert --version").stdout == "reeuncert 0.1.0\n"
    assert "Usage:" in shell("reeuncert check -h").stdout


def test_names_are_letters_also_where_the_system_knows_ascii_only(tmp_path):
    """Arguments, files that are read and written, and what is printed, with LANG=C and without the UTF-8 of Python."""
    (tmp_path / "größe_world.csv").write_text("Country,Type,Prod_t_2018\nSüdland,Mine,5\n", encoding="utf-8")
    shutil.copytree(Path(__file__).parents[2] / "models" / "small_metal", tmp_path / "Fäll")
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell("reeuncert import usgs-mcs größe_world.csv --case Fäll", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "größe_world.csv line 2" in done.stdout
    assert "region,Südland," in (tmp_path / "Fäll" / "imports" / "usgs-mcs.csv").read_text(encoding="utf-8")


def test_a_full_output_is_an_error():
    for command in ("--version", "check small_metal"):
        done = shell(f"reeuncert {command} > /dev/full")
        assert done.returncode == 2
        assert "the disk is full" in said(done)


def test_a_deleted_folder_is_an_error(tmp_path):
    done = shell("mkdir gone; cd gone; rmdir ../gone; reeuncert run small_metal", cwd=tmp_path)
    assert done.returncode == 2
    assert "No such file or directory" in said(done)


@pytest.mark.parametrize(
    ("kilobytes", "command"),
    [
        (60_000, "check small_metal"),
        (200_000, "check small_metal"),
        (300_000, "run small_metal --out there --quiet"),
        (500_000, "run small_metal --out there --quiet"),
    ],
)
def test_too_little_memory_is_an_error(kilobytes, command, tmp_path):
    done = shell(f"ulimit -v {kilobytes}; reeuncert {command}", cwd=tmp_path)
    assert done.returncode != 0
    # OpenBLAS may end the process by itself, with a line of its own.
    assert "OpenBLAS error: Memory allocation still failed" in done.stderr or said(done)
