"""Atomic writes of a result folder: staged inside it, locked, and moved by renames."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from reeuncert.errors import OutputError
from reeuncert.files import UNFINISHED, cause, expanded, explained, flush, flush_folder

LOCK = ".reeuncert.lock"
MARK = ".reeuncert.lock-of-a-run"
"""Lock file for file systems without locks; it remains if a run is killed."""
STAGED = ".reeuncert-writing-"
FORMER = "former"
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
"""Errors of file systems without locks: NFS without lock service, some FUSE and SMB mounts."""


@dataclass(frozen=True)
class Staging:
    """Staging area of the files until all are written. The hidden place inside the target is on the same disk, so that
    renames are atomic.
    """

    target: Path
    place: Path

    def commit(self) -> tuple[Path, ...]:
        """Move every staged file into place; if one fails, restore all earlier files."""
        staged = sorted(p for p in self.place.iterdir() if p.is_file())
        for path in staged:
            flush(path)
        former = self.place / FORMER
        former.mkdir()
        try:
            for path in staged:
                final = self.target / path.name
                if final.exists():
                    os.replace(final, former / path.name)
                os.replace(path, final)
        except BaseException:  # also Ctrl-C
            self._take_back(staged)
            raise
        flush_folder(self.target)
        return tuple(self.target / path.name for path in staged)

    def _take_back(self, staged: list[Path]) -> None:
        """Restore every earlier file, and move new ones back to the staging area."""
        former = self.place / FORMER
        try:
            for path in staged:
                final = self.target / path.name
                if not path.exists() and final.exists():
                    os.replace(final, path)
                if (former / path.name).exists():
                    os.replace(former / path.name, final)
            former.rmdir()
        except OSError as error:
            raise OutputError(
                f"the new files could not be put in place in '{self.target}', nor the earlier ones be brought back "
                f"({cause(error)}): files of two results stand side by side there. Nothing is lost: all new files are "
                f"there or in '{self.place.name}' inside it, and the next command that reads or writes results there "
                "puts them in place"
            ) from error


@contextmanager
def output_folder(folder: str | Path) -> Iterator[Staging]:
    """Lock a folder for one run, after checking that it can be written.

    The folder is created with its parents if missing. Nothing changes in it until `Staging.commit`; staged files are
    removed at the end. Errors of the file system inside the block become OutputError.
    """
    target, shown = expanded(folder), str(folder)
    with explained(f"cannot write results to '{shown}'"):
        if target.exists() and not target.is_dir():
            raise OutputError(f"cannot write results to '{shown}': it is a file; give the name of a folder")
        made = not target.exists()
        target.mkdir(parents=True, exist_ok=True)
        target = target.resolve()
        try:
            with _locked(target / LOCK, shown):
                _clear_after_a_killed_run(target)
                place = Path(tempfile.mkdtemp(prefix=STAGED, dir=target))
                try:
                    yield Staging(target, place)
                finally:
                    if not _between_two_results(place):
                        shutil.rmtree(place, ignore_errors=True)
        finally:
            if made:
                with suppress(OSError):  # it is not empty
                    target.rmdir()


def mend(folder: Path) -> None:
    """Complete the move of files of a killed run. If another run is doing it now, the folder holds files of two
    results: an error.
    """
    if not any(map(_between_two_results, folder.glob(f"{STAGED}*"))):
        return
    try:
        with output_folder(folder):
            pass
    except OutputError as error:
        raise OutputError(
            f"the files in '{folder}' are of two results: a run was ended while it put its files in place, and that "
            f"cannot be finished now ({error}); do it with the right to write there"
        ) from error


def _between_two_results(place: Path) -> bool:
    """Whether only some of the staged files are in place."""
    return (place / FORMER).is_dir() and any(path.is_file() for path in place.iterdir())


def _clear_after_a_killed_run(target: Path) -> None:
    """Finish or remove the staged files of a killed run; call it with the lock held.

    A run killed during the move had written all files before, so the rest is moved into place.
    """
    for place in sorted(target.glob(f"{STAGED}*")):
        if _between_two_results(place):
            for path in sorted(p for p in place.iterdir() if p.is_file()):
                os.replace(path, target / path.name)
        shutil.rmtree(place, ignore_errors=True)
    for path in target.glob(f"{UNFINISHED}*"):
        if time.time() - path.stat().st_mtime > 3600:  # a recent one may belong to a report being written
            path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path, shown: str) -> Iterator[None]:
    """Hold a lock file; the system releases the lock when the process ends."""
    try:
        lock: BaseFileLock = FileLock(path, timeout=0, fallback_to_soft=False)
        _acquire(lock, shown, "")
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        path.unlink(missing_ok=True)
        lock = SoftFileLock(path.with_name(MARK), timeout=0)
        _acquire(lock, shown, f"; if there is none (it was killed), delete '{path.with_name(MARK)}'")
    try:
        yield
    finally:
        with suppress(OSError):  # a waiting process sees that the file is gone; Windows deletes it afterwards
            path.unlink()
        lock.release()


def _acquire(lock: BaseFileLock, shown: str, or_else: str) -> None:
    try:
        lock.acquire()
    except Timeout:
        advice = f"wait until it has finished, or choose another place with --out{or_else}"
        raise OutputError(f"another run is writing to '{shown}'; {advice}") from None
