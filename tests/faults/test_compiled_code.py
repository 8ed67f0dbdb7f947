"""The folder of compiled code in every state that a disk can be in: it is never needed, and named once."""

from __future__ import annotations

import os
import pickle
import re
import resource
import shlex
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numba
import pytensor.link.numba.cache
import pytest
from filelock import FileLock
from numba.core import event

from faults.processes import start
from reeuncert import machine
from reeuncert.compiling import kept
from reeuncert.errors import OutputError
from reeuncert.machine import CACHE_VARIABLE, tell_once

NOBODY = 65534


def doubled(x):
    return 2.0 * x


def use():
    """The function as a new process would find it: its value, and whether it came from the disk."""
    function = kept(doubled, "doubled_1")
    return function(1.5), sum(function.stats.cache_hits.values())


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with the code of one function in it."""
    place = tmp_path / "numba"
    place.mkdir()
    monkeypatch.setattr(pytensor.link.numba.cache, "NUMBA_CACHE_PATH", place)
    tell_once.cache_clear()
    assert [use(), use()] == [(3.0, 0), (3.0, 1)]
    return place


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


CONTENTS = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "nearly whole": lambda content: content[:-60],
    "garbage": lambda content: bytes(range(256)) * 8,
    "a changed bit": flipped,
    "another object": lambda content: pickle.dumps(numba.__version__) + pickle.dumps(7),
    "text": lambda content: b"<html></html>",
}


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("state", CONTENTS)
def test_a_damaged_file_is_compiled_anew_and_named_once(folder, capfd, suffix, state):
    (path,) = folder.glob(f"*{suffix}")
    path.write_bytes(CONTENTS[state](path.read_bytes()))
    assert use() == (3.0, 0)
    assert use() == (3.0, 1)  # it was mended
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert str(folder) in said[0]
    assert CACHE_VARIABLE in said[0]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("kind", ["folder", "link to nothing", "missing"])
def test_what_is_no_file_is_compiled_anew(folder, suffix, kind):
    (path,) = folder.glob(f"*{suffix}")
    path.unlink()
    if kind == "folder":
        path.mkdir()
        (path / "inside").touch()
    elif kind == "link to nothing":
        path.symlink_to("nothing")
    assert use() == (3.0, 0)
    assert use() == (3.0, 1)


def test_files_of_another_program_are_read(folder):
    for path in folder.glob("*.nb*"):
        content = path.read_bytes()
        path.write_bytes(content[: content.rindex(b"sha256:")])
    assert use() == (3.0, 1)


def test_a_folder_that_was_deleted_comes_back(folder):
    shutil.rmtree(folder)
    assert use() == (3.0, 0)
    assert use() == (3.0, 1)


def test_a_folder_deleted_while_a_function_is_compiled(folder):
    class Deletes(event.Listener):
        def on_start(self, event):
            shutil.rmtree(folder, ignore_errors=True)

        def on_end(self, event):
            pass

    shutil.rmtree(folder)
    folder.mkdir()
    with event.install_listener("numba:compile", Deletes()):
        assert use() == (3.0, 0)
    assert use() == (3.0, 1)


class Waits(event.Listener):
    """While a function is compiled, says so and waits for a moment."""

    def __init__(self, folder: Path):
        self.folder = folder

    def on_start(self, event):
        (self.folder / "begun").touch()
        time.sleep(0.5)

    def on_end(self, event):
        pass


def test_what_another_process_compiles_is_waited_for_and_read(folder, tmp_path):
    shutil.rmtree(folder)
    folder.mkdir()

    def compiles() -> int:
        with event.install_listener("numba:compile", Waits(tmp_path)):
            return 0 if use() == (3.0, 0) else 1

    other = start(compiles, tmp_path / "log")
    other.wait_for((tmp_path / "begun").exists)
    assert use() == (3.0, 1)
    assert other.wait() == 0, other.said


def test_another_process_is_not_waited_for_without_end(folder, monkeypatch):
    """One that failed to compile a function may live on."""
    for path in folder.glob("*.nb*"):
        path.unlink()
    monkeypatch.setattr("reeuncert.compiling.LONGEST_WAIT", 0.2)
    (lock,) = folder.glob("*.lock")
    with FileLock(lock):
        assert use() == (3.0, 0)
    assert use() == (3.0, 1)


def test_a_folder_replaced_by_a_file(folder, capfd):
    shutil.rmtree(folder)
    folder.write_text("no folder")
    assert [use(), use()] == [(3.0, 0), (3.0, 0)]
    assert capfd.readouterr().err.count("could not be kept") == 1


@contextmanager
def another_user():
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def full_disk():
    """No file may grow: what is written fails as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("state", ["read-only", "unreadable", "full"])
def test_a_folder_in_which_nothing_can_be_written(folder, capsys, state):
    if state == "full":
        for path in folder.iterdir():
            path.unlink()
        trouble = full_disk
    elif os.geteuid() != 0:
        pytest.skip("only the superuser can become another user")
    else:
        trouble = another_user
        for path in folder.iterdir():
            path.unlink() if state == "read-only" else path.chmod(0o600)
        for place in (folder, *folder.parents[:3]):
            place.chmod(0o555)
    with trouble():
        found = [use(), use()]
    assert found == [(3.0, 0), (3.0, 0)]
    assert len(set(capsys.readouterr().err.splitlines())) in (1, 2)


@pytest.fixture
def chosen(monkeypatch):
    """The folder that a process would choose under some variables."""

    def choose(**variables: str | None) -> str:
        tell_once.cache_clear()
        for name, value in {"PYTENSOR_FLAGS": None, CACHE_VARIABLE: None, **variables}.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        machine._choose_folder()
        return shlex.split(os.environ["PYTENSOR_FLAGS"].split("base_compiledir=")[-1])[0]

    return choose


def test_the_folder_is_that_of_the_user_or_the_one_named(chosen, tmp_path, capfd):
    named = tmp_path / "with space, and comma"
    assert chosen(REEUNCERT_CACHE_DIR=str(named)) == str(named)
    assert chosen(XDG_CACHE_HOME=str(tmp_path)) == str(tmp_path / "reeuncert")
    assert chosen(PYTENSOR_FLAGS=f"floatX=float64,base_compiledir={tmp_path}/own") == f"{tmp_path}/own"
    assert os.environ["PYTENSOR_FLAGS"].startswith("floatX=float64,")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("state", ["no home", "relative", "a file", "its part is a file", "full", "read-only"])
def test_without_a_folder_the_run_goes_on_in_a_temporary_one(chosen, tmp_path, capfd, state):
    wanted = tmp_path / "code"
    if state == "a file":
        wanted.touch()
    elif state == "its part is a file":
        wanted.mkdir()
        (wanted / "numba").touch()
    name = {"no home": "/dev/null/home/cache", "relative": "code", "read-only": "/proc/code"}.get(state)
    if state == "full":
        with pytest.raises(OutputError, match="there is no folder for compiled code"), full_disk_everywhere():
            chosen(REEUNCERT_CACHE_DIR=str(wanted))
        return
    found = chosen(REEUNCERT_CACHE_DIR=name or str(wanted))
    assert re.search(r"reeuncert-compiled-\w+$", found)
    assert Path(found).stat().st_mode & 0o777 == 0o700
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert f"'{name or wanted}'" in said
    assert CACHE_VARIABLE in said


@contextmanager
def full_disk_everywhere():
    with full_disk(), pytest.MonkeyPatch.context() as patch:

        def refused(**_):
            raise OSError(28, "No space left on device")

        patch.setattr(machine.tempfile, "mkdtemp", refused)
        yield


def test_nothing_is_chosen_until_pytensor_is_imported(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    machine.place_compiled_code()
    assert not any(isinstance(finder, machine._BeforePyTensor) for finder in sys.meta_path)
    monkeypatch.delitem(sys.modules, "pytensor")
    machine.place_compiled_code()
    assert isinstance(sys.meta_path[0], machine._BeforePyTensor)
