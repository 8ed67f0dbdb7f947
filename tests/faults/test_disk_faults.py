"""A folder of results on a disk that is full, read-only or of another system: the earlier result or the new one."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import stat
from pathlib import Path

import pytest

from faults.processes import start
from faults.results import belongs_together, contents, small, write
from reeuncert.errors import OutputError
from reeuncert.files import write_whole
from reeuncert.result.folder import MARK, output_folder

NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module")
def result():
    return small(8)


@pytest.fixture(scope="module")
def other():
    return small(9)


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
