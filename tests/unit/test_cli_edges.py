"""Where the system itself refuses: no room for output, no memory, no folder; each ends in one line."""

import subprocess
import sys

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
