"""A folder of results that is either as it was or complete: staged inside it, locked, and put in place by renames."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reeuncert.errors import OutputError
from reeuncert.files import UNFINISHED, explained, flush

if sys.platform != "win32":
    import fcntl


LOCK = ".reeuncert.lock"
STAGED = ".reeuncert-writing-"
FORMER = "former"


@dataclass(frozen=True)
class Staging:
    """Where files wait until all are written.

    Parameters
    ----------
    target
        Folder that will hold them.
    place
        Hidden folder inside it in which to write them (so on the same disk, where a rename cannot fail half-way).
    """

    target: Path
    place: Path

    def commit(self) -> tuple[Path, ...]:
        """Put every staged file in its place; if one cannot be, all earlier files come back.

        Returns
        -------
        tuple of Path
            The files of the result.
        """
        staged = sorted(p for p in self.place.iterdir() if p.is_file())
        for path in staged:
            flush(path)
        former = self.place / FORMER
        former.mkdir()
        done: list[Path] = []
        try:
            for path in staged:
                final = self.target / path.name
                if final.exists():
                    os.replace(final, former / path.name)
                os.replace(path, final)
                done.append(final)
        except OSError:
            for path in staged:
                if (self.target / path.name) in done:
                    (self.target / path.name).unlink()
                if (former / path.name).exists():
                    os.replace(former / path.name, self.target / path.name)
            raise
        flush(self.target)
        return tuple(done)


@contextmanager
def output_folder(folder: str | Path) -> Iterator[Staging]:
    """Hold a folder for one run: checks that it can be written, and keeps other runs out until the end.

    Nothing changes in the folder until `Staging.commit`; what was staged is removed in any case.

    Parameters
    ----------
    folder
        It and its parents are made if need be.

    Yields
    ------
    Staging

    Raises
    ------
    OutputError
        If the folder cannot be written, is a file, or another run is writing to it; and in place of any error of the
        file system inside the block.
    """
    target = Path(folder).expanduser()
    shown = str(folder)
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
                    shutil.rmtree(place, ignore_errors=True)
        finally:
            if made and not any(target.iterdir()):
                target.rmdir()


def _clear_after_a_killed_run(target: Path) -> None:
    """Finish or remove what a run that was killed left behind; the lock says that no other run is at it.

    A run killed while it put its files in place had written all of them before: the rest is put in place, so that the
    files in the folder are those of one run.
    """
    for place in sorted(target.glob(f"{STAGED}*")):
        if (place / FORMER).is_dir():
            for path in sorted(p for p in place.iterdir() if p.is_file()):
                os.replace(path, target / path.name)
        shutil.rmtree(place, ignore_errors=True)
    for path in target.glob(f"{UNFINISHED}*"):
        if time.time() - path.stat().st_mtime > 3600:  # a younger one may be that of a report being written again
            path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path, shown: str) -> Iterator[None]:
    """Hold a lock file; the system drops the lock when the process ends, however it ends."""
    busy = OutputError(
        f"another run is writing to '{shown}'; wait until it has finished, or choose another place with --out"
    )
    handle = _acquire(path, busy)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, busy: OutputError) -> int:
    if sys.platform == "win32":  # no such lock there: a file that only one can make stands in for it
        try:
            return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        except FileExistsError:
            raise busy from None
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise busy from None
            raise
        # The holder before us may have removed the file between our opening and locking it: then lock the new one.
        try:
            if os.stat(path).st_ino == os.fstat(handle).st_ino:
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)
