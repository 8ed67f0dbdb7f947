"""A part made in another process: its value, why there is none, and that no process is left."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from math import sqrt
from pathlib import Path

import pytest

from faults.processes import SECONDS, children, start, touch_and_wait, wait_until
from reeuncert.parts import Failed, beside


def gone(pid: int) -> bool:
    """Whether a process has ended, perhaps unnoticed by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_the_value_comes_from_another_process_unless_there_is_one_core(monkeypatch):
    with beside("a part", os.getpid) as value:
        assert value() not in (os.getpid(), None)
    with beside("a part", print, "not the answer") as value:
        assert value() is None
    monkeypatch.setattr("reeuncert.parts.available_cores", lambda: 1)
    with beside("a part", os.getpid) as value:
        assert value() == os.getpid()
    with beside("a part", sqrt, -1.0) as value:
        assert isinstance(value(), Failed)


ENDED = "SamplingError: the process that made it ended with status"


@pytest.mark.parametrize(
    ("make", "argument", "reason"),
    [
        (sqrt, -1.0, "ValueError: "),
        (os._exit, 3, f"{ENDED} 3, as it does when memory runs out"),
        (sys.exit, "out of tea", f"{ENDED} 1: out of tea"),
    ],
)
def test_why_there_is_no_value(make, argument, reason):
    with beside("a part", make, argument) as value:
        found = value()
    assert isinstance(found, Failed)
    assert found.part == "a part"
    assert found.reason.startswith(reason)


def test_a_process_that_cannot_be_started_costs_this_part_alone(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with beside("a part", sqrt, 4.0) as value:
        assert value().reason.startswith("FileNotFoundError: ")


def test_no_process_is_left_after_an_error():
    before = set(children())
    with suppress(ZeroDivisionError), beside("a part", time.sleep, SECONDS):
        assert set(children()) != before
        raise ZeroDivisionError
    assert set(children()) == before


def test_ctrl_c_is_not_heard(tmp_path):
    before = set(children())
    with beside("a part", touch_and_wait, tmp_path) as value:
        (pid,) = set(children()) - before
        wait_until((tmp_path / "begun").exists)
        os.kill(pid, signal.SIGINT)
        (tmp_path / "go on").touch()
        assert value() == pid


def test_it_ends_with_the_process_that_asked(tmp_path):
    def ask() -> None:
        with beside("a part", time.sleep, SECONDS):
            (tmp_path / "pid").write_text(str(children()[0]))
            time.sleep(SECONDS)

    asking = start(ask, tmp_path / "log")
    asking.wait_for(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    asking.signal(signal.SIGKILL)
    asking.wait()
    wait_until(lambda: gone(int((tmp_path / "pid").read_text())))
