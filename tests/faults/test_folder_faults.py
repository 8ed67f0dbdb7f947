"""A folder of results under faults of the machine: it holds the earlier result or the new one, never parts of both."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import re
import signal
import stat
import time
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from faults.processes import start
from reeuncert.cli.app import main
from reeuncert.errors import OutputError
from reeuncert.files import write_whole
from reeuncert.indicators.stored import read_results, stage_results
from reeuncert.report import write_report
from reeuncert.report.files import revise_results
from reeuncert.result.folder import LOCK, MARK, STAGED, output_folder
from reeuncert.result.io import POSTERIOR, PROVENANCE
from reeuncert.testing import toy_posterior

NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)


def small(draws: int) -> xr.DataTree:
    """A result without its indicators, which is written in no time."""
    dt = toy_posterior(chains=1, draws=draws, years=2)
    tree = xr.DataTree.from_dict({"posterior": dt["posterior"].to_dataset()})
    tree.attrs = dt.attrs
    return tree


@pytest.fixture(scope="module")
def result():
    return small(8)


@pytest.fixture(scope="module")
def other():
    return small(9)


def write(dt, folder, text="report") -> None:
    with output_folder(folder) as staging:
        tables = {"flows.csv": pd.DataFrame({"a": [1.0]}), "indicators.csv": pd.DataFrame({"b": [text]})}
        stage_results(staging, dt, tables, {"report.html": text})
        staging.commit()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def belongs_together(folder: Path) -> bool:
    """Whether the files are those whose hashes the provenance states."""
    stated = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["files_sha256"]
    return stated == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in stated}


@pytest.mark.parametrize("renames", range(1, 11))
def test_kill_9_while_files_are_put_in_place(result, other, tmp_path, renames):
    """Five files, each moved aside and replaced: killed after every number of renames."""
    folder = tmp_path / "run"
    write(result, folder, "first")

    def work() -> None:
        real, count = os.replace, 0

        def replace(source, target):
            nonlocal count
            real(source, target)
            count += 1
            if count == renames:
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = replace
        write(other, folder, "second")

    assert start(work, tmp_path / "log").wait() == -signal.SIGKILL
    with output_folder(folder):  # what every next run does first
        pass
    assert sorted(contents(folder)) == ["flows.csv", "indicators.csv", "posterior.nc", "provenance.json", "report.html"]
    assert [p.name for p in folder.iterdir() if p.is_dir()] == []
    assert belongs_together(folder)
    assert (folder / "report.html").read_text() == "second"
    assert read_results(folder)["posterior"].sizes["draw"] == 9


def test_kill_9_while_files_are_staged_leaves_the_earlier_result(result, other, tmp_path):
    folder = tmp_path / "run"
    write(result, folder, "first")
    before = contents(folder)

    def work() -> None:
        with output_folder(folder) as staging:
            stage_results(staging, other, {}, {"report.html": "second"})
            os.kill(os.getpid(), signal.SIGKILL)

    assert start(work, tmp_path / "log").wait() == -signal.SIGKILL
    assert {name: text for name, text in contents(folder).items() if name != LOCK} == before
    assert list(folder.glob(f"{STAGED}*"))
    write(other, folder, "third")
    assert not list(folder.glob(f"{STAGED}*"))
    assert belongs_together(folder)


def test_kill_9_while_a_report_is_written_again_leaves_the_earlier_report(result, tmp_path):
    (tmp_path / "report.html").write_text("earlier")

    def work() -> None:
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_report(result, tmp_path / "report.html")

    assert start(work, tmp_path / "log").wait() == -signal.SIGKILL
    assert (tmp_path / "report.html").read_text() == "earlier"
    write_report(result, tmp_path / "report.html")
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_two_processes_and_one_folder(result, tmp_path):
    folder = tmp_path / "run"

    def work() -> None:
        with output_folder(folder):
            time.sleep(600)

    holder = start(work, tmp_path / "log")
    holder.wait_for(lambda: bool(list(folder.glob(f"{STAGED}*"))))
    with pytest.raises(OutputError) as caught:
        write(result, folder)
    assert str(caught.value) == (
        f"another run is writing to '{folder}'; wait until it has finished, or choose another place with --out"
    )
    holder.signal(signal.SIGKILL)
    holder.wait()
    write(result, folder)  # the lock of the dead is none
    assert belongs_together(folder)


def as_nobody() -> None:
    """Root writes anywhere: give that up, in a process of its own."""
    if os.geteuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def test_a_read_only_folder_as_a_user_without_rights(result, tmp_path_factory):
    # Every folder on the way must be open to others, which those of pytest are not.
    place = Path(os.path.realpath(os.environ.get("TMPDIR", "/tmp"))) / f"reeuncert-faults-{os.getpid()}"
    folder = place / "run"
    folder.mkdir(parents=True)
    try:
        place.chmod(0o755)
        folder.chmod(0o555)
        log = tmp_path_factory.mktemp("log") / "log"

        def work() -> None:
            as_nobody()
            try:
                write(result, folder)
            except OutputError as error:
                print(error)

        assert start(work, log).wait() == 0
        assert log.read_text().strip() == (
            f"cannot write results to '{folder}': no permission to write there; earlier results were left as they "
            "were; choose another place with --out"
        )
        assert list(folder.iterdir()) == []
    finally:
        folder.chmod(0o755)
        folder.rmdir()
        place.rmdir()


@pytest.mark.parametrize("place", ["/proc/reeuncert", "/dev/null", "/dev/null/run"])
def test_places_that_are_no_folder_for_results(result, place):
    with pytest.raises(OutputError, match=re.escape(f"cannot write results to '{place}': ")) as caught:
        write(result, place)
    assert str(caught.value).endswith(("choose another place with --out", "it is a file; give the name of a folder"))


def mounted(kind: bytes, target: Path, flags: int, options: bytes) -> bool:
    """Mount a file system in a namespace of this process alone; False where that is not allowed."""
    CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
    if LIBC.unshare(CLONE_NEWNS) or LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        return False
    return LIBC.mount(b"none", bytes(target), kind, flags, options) == 0


def on_a_disk_of_its_own(work, tmp_path, options: bytes, flags: int = 0) -> tuple[int, str]:
    """Run on a small file system in memory; status 77 where the machine does not let us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def all_of_it() -> int:
        return (work(disk) or 0) if mounted(b"tmpfs", disk, flags, options) else 77

    child = start(all_of_it, tmp_path / "log")
    return child.wait(), child.said


def limited_to(size: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk(result, other, tmp_path):
    """A disk with a result on it that has no room for a second; where none can be mounted, a limit is set."""
    size = 4_000_000

    def work(disk: Path) -> int:
        write(result, disk / "run", "first")
        before = contents(disk / "run")
        with (disk / "ballast").open("wb") as file:
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            file.write(b"x" * (free - 20_000))
        try:
            write(other, disk / "run", "second")
        except OutputError as error:
            print(error)
        assert contents(disk / "run") == before
        (disk / "ballast").unlink()
        write(other, disk / "run", "third")
        assert belongs_together(disk / "run")
        return 0

    status, said = on_a_disk_of_its_own(work, tmp_path, b"size=%d" % size)
    if status == 77:
        folder = tmp_path / "run"
        write(result, folder, "first")
        before = contents(folder)

        def limited() -> None:
            limited_to(20_000)
            try:
                write(other, folder, "second")
            except OutputError as error:
                print(error)

        child = start(limited, tmp_path / "log")
        assert child.wait() == 0
        assert contents(folder) == before
        write(other, folder, "third")
        assert belongs_together(folder)
        assert "a file would be larger than this system allows; earlier results were left as they were" in child.said
    else:
        assert status == 0, said
        assert "the disk is full; earlier results were left as they were; free some space, or choose another" in said


def test_a_disk_mounted_read_only(result, tmp_path):
    MS_RDONLY = 1

    def work(disk: Path) -> int:
        try:
            write(result, disk / "run")
        except OutputError as error:
            print(error)
        return 0

    status, said = on_a_disk_of_its_own(work, tmp_path, b"", MS_RDONLY)
    if status == 77:  # the same error from the system, without the mount
        with pytest.raises(OutputError, match="no permission to write there"), output_folder(tmp_path / "run"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    else:
        assert status == 0, said
        assert "no permission to write there; earlier results were left as they were" in said


def test_a_result_cut_in_half_is_refused_by_readers_and_commands(result, tmp_path, capsys, monkeypatch):
    write(result, tmp_path, "earlier")
    whole = (tmp_path / POSTERIOR).read_bytes()
    (tmp_path / POSTERIOR).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OutputError, match="cannot be read: it was cut short, is damaged or is no netCDF-4 file"):
        read_results(tmp_path / POSTERIOR)
    message = "is not the file that provenance.json beside it speaks of"
    with pytest.raises(OutputError, match=message):
        read_results(tmp_path)
    monkeypatch.setattr("sys.argv", ["reeuncert", "report", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert (tmp_path / "report.html").read_text() == "earlier"
    write(result, tmp_path)
    assert read_results(tmp_path)["posterior"].sizes["draw"] == 8


def windows_opens(path, *arguments, real=os.open, **named):
    """Windows opens no folder."""
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    return real(path, *arguments, **named)


def windows_flushes(handle, real=os.fsync):
    """Windows flushes a file only through a handle that may write."""
    if (fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE) == os.O_RDONLY:
        raise OSError(errno.EBADF, "Bad file descriptor")
    return real(handle)


def share_flushes(handle, real=os.fsync):
    """Many shares flush no folder."""
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, "Invalid argument")
    return real(handle)


@pytest.mark.parametrize(
    "rules", [{"open": windows_opens, "fsync": windows_flushes}, {"fsync": share_flushes}], ids=["windows", "share"]
)
def test_a_system_that_flushes_no_folder_writes_results_and_reports(result, tmp_path, monkeypatch, rules):
    for name, rule in rules.items():
        monkeypatch.setattr(os, name, rule)
    write(result, tmp_path / "run")
    assert belongs_together(tmp_path / "run")
    write_whole(tmp_path / "table.csv", b"a\n")
    assert (tmp_path / "table.csv").read_bytes() == b"a\n"


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS])
def test_a_share_without_locks_keeps_two_runs_apart_all_the_same(result, tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    folder = tmp_path / "run"
    with output_folder(folder), pytest.raises(OutputError) as caught:
        write(result, folder)
    assert str(caught.value).endswith(
        f"choose another place with --out; if there is none (it was killed), delete '{folder / MARK}'"
    )
    write(result, folder)
    assert sorted(contents(folder)) == [
        "flows.csv",
        "indicators.csv",
        "posterior.nc",
        "provenance.json",
        "report.html",
    ]


@pytest.mark.parametrize("renames", range(1, 10))
def test_a_folder_between_two_results_is_mended_on_reading(result, other, tmp_path, monkeypatch, renames):
    folder = tmp_path / "run"
    write(result, folder, "first")
    real, count = os.replace, 0

    def replace(source, target):
        nonlocal count
        count += 1
        if count > renames:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)  # neither forwards nor back
        with pytest.raises(OutputError, match=r"stand side by side there\. Nothing is lost"):
            write(other, folder, "second")
        with pytest.raises(OutputError, match="are of two results"):
            read_results(folder)
    assert read_results(folder)["posterior"].sizes["draw"] == 9
    assert belongs_together(folder)
    assert (folder / "report.html").read_text() == "second"


def test_an_interrupt_between_two_renames_brings_the_earlier_result_back(result, other, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    write(result, folder, "first")
    before, real, count = contents(folder), os.replace, 0

    def replace(source, target):
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            write(other, folder, "second")
    assert contents(folder) == before
    assert not list(folder.glob(f"{STAGED}*"))


def test_a_result_that_is_changed_is_held_from_reading_to_writing(result, other, tmp_path, monkeypatch):
    write(result, tmp_path / "run")
    before = contents(tmp_path / "run")

    def meanwhile(dt: xr.DataTree) -> xr.DataTree:
        assert dt["posterior"].sizes["draw"] == 8
        write(other, tmp_path / "run")
        return dt

    with pytest.raises(OutputError, match="another run is writing to"):
        revise_results(tmp_path / "run", meanwhile)
    assert contents(tmp_path / "run") == before

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def never(_: xr.DataTree) -> xr.DataTree:
        raise AssertionError("worked before it was known that nothing can be written")

    monkeypatch.setattr("reeuncert.result.folder.tempfile.mkdtemp", full)
    with pytest.raises(OutputError, match="the disk is full"):
        revise_results(tmp_path / "run", never)


def test_draws_of_another_run_are_refused_and_changed_tables_named(result, other, tmp_path):
    write(result, tmp_path / "one")
    write(other, tmp_path / "two")
    (tmp_path / "one" / "flows.csv").write_text("a\n2.0\n")
    with pytest.warns(UserWarning, match="flows.csv in .* changed after the run had written them"):
        assert read_results(tmp_path / "one")["posterior"].sizes["draw"] == 8
    (tmp_path / "one" / POSTERIOR).write_bytes((tmp_path / "two" / POSTERIOR).read_bytes())
    with pytest.raises(OutputError, match="taken from another run"):
        read_results(tmp_path / "one")
    assert read_results(tmp_path / "one" / POSTERIOR)["posterior"].sizes["draw"] == 9
    (tmp_path / "one" / PROVENANCE).unlink()
    assert read_results(tmp_path / "one")["posterior"].sizes["draw"] == 9
