"""Run a function in a process of its own that can be killed; what was compiled before the fork is there in it."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 300.0
"""Seconds after which a process that should have ended counts as hung."""

SECONDS = 60.0
"""Seconds after which something that takes a moment counts as not happening."""


@dataclass
class Child:
    """A forked process, whose standard output and error go to a file."""

    pid: int
    log: Path
    _status: int | None = None

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Exit status; minus the number of the signal that killed it."""
        deadline = time.monotonic() + patience
        while self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"the process still ran after {patience} s; it said:\n{self.said}")
            else:
                time.sleep(0.02)
        return self._status

    def wait_for(self, happened: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until something is so, while the process runs."""
        deadline = time.monotonic() + patience
        while not happened():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
                raise AssertionError(f"the process ended with {self._status} before that; it said:\n{self.said}")
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"it did not happen in {patience} s; the process said:\n{self.said}")
            time.sleep(0.005)

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def start(work: Callable[[], int | None], log: Path) -> Child:
    """Begin to run a function in a forked process, which ends with the status that the function returns."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Threads of numerical libraries idle in the parent; the child starts its own.
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork")
        pid = os.fork()
    if pid:
        return Child(pid, log)
    status = 70
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        status = work() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  # whatever it was, a test reads it in the log
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until something is so that takes a moment."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def touch_and_wait(folder: Path) -> int:
    """Touch `begun`, wait for `go on`, give the process's number.

    It stands here because another process can import this package, but not a file of tests.
    """
    (folder / "begun").touch()
    wait_until((folder / "go on").exists)
    return os.getpid()


def children() -> list[int]:
    """Processes whose parent is this one (Linux)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has gone
            continue
        if int(fields[1]) == os.getpid():
            found.append(int(stat.parent.name))
    return found
