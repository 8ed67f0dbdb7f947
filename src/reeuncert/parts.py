"""The parts of a result that only inform (a check, a table, a section, a figure): one that fails is named, with its
reason, and everything else is made. Draws are worth more than what is said of them. A part may be made in a process of
its own, while this one does something else (`beside`).
"""

import json
import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

import xarray as xr

from reeuncert import machine
from reeuncert.errors import SamplingError
from reeuncert.machine import available_cores

ATTRIBUTE = "failed_parts"
"""Attribute of a result that names the parts which could not be made while it was sampled."""


@dataclass(frozen=True)
class Failed:
    """A part that could not be made: what it is, kind and message of the error, and where it happened: the line of this
    package and that of the library below it.
    """

    part: str
    reason: str
    where: str

    def __str__(self) -> str:
        return f"{self.reason} [{self.where}]"


_COLLECTED: ContextVar[list[Failed] | None] = ContextVar("failed parts", default=None)


@contextmanager
def collecting(failed: list[Failed]) -> Iterator[None]:
    """Add the parts that fail inside the block to a list."""
    token = _COLLECTED.set(failed)
    try:
        yield
    finally:
        _COLLECTED.reset(token)


def attempt[T](part: str, make: Callable[[], T]) -> T | Failed:
    """Make a part, or return the reason of its failure. Interrupts are passed to the caller."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001  # the declared boundary: whatever it was, it costs this part alone
        found = Failed(part, _reason(error), _where(error))
    collected = _COLLECTED.get()
    if collected is not None:
        collected.append(found)
    return found


def with_failed(dt: xr.DataTree, failed: Iterable[Failed]) -> xr.DataTree:
    """The result, with further parts that could not be made among its attributes."""
    every = [*failed_of(dt), *failed]
    if every:
        dt.attrs[ATTRIBUTE] = json.dumps([asdict(f) for f in every], ensure_ascii=False)
    return dt


def failed_of(dt: xr.DataTree) -> list[Failed]:
    """Parts that could not be made while a result was sampled."""
    return [Failed(**fields) for fields in json.loads(dt.attrs.get(ATTRIBUTE, "[]"))]


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:400]}" if text else type(error).__name__


def _where(error: BaseException) -> str:
    frames = [(f.f_globals.get("__name__", "?"), line) for f, line in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames[1:] if frame[0].partition(".")[0] == "reeuncert"]
    told = dict.fromkeys([*ours[-1:], *frames[-1:]])
    return ", ".join(f"{module} line {line}" for module, line in told)


_CHILD = """
import pickle, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
size, sys.path[:] = pickle.load(sys.stdin.buffer)
request = sys.stdin.buffer.read(size)
from reeuncert.parts import answer
answer(request)
"""
"""Reads the request before it imports the package: until then the parent waits."""


@contextmanager
def beside[T](part: str, make: Callable[..., T], *args: Any) -> Iterator[Callable[[], T | Failed]]:
    """Make a part with a function of a module in another process during the block.

    Gives a function that waits for the part, or for the reason why it could not be made. The process does not hear
    Ctrl-C. It is ended with the block, or when this process ends. On a single core the part is made in this process,
    when it is asked for.
    """
    if available_cores() == 1:
        yield partial(attempt, part, partial(make, *args))
        return
    with TemporaryFile() as said:
        process = attempt(part, partial(_start, pickle.dumps((part, make, args)), said))
        if isinstance(process, Failed):
            yield lambda: process
            return
        try:
            yield partial(_awaited, part, process, said)
        finally:
            process.kill()
            process.communicate()


def _start(request: bytes, said: IO[bytes]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-P", "-c", _CHILD], stdin=pipe, stdout=pipe, stderr=said)
    assert process.stdin is not None
    process.stdin.write(pickle.dumps((len(request), sys.path)) + request)
    process.stdin.flush()  # it stays open: its end tells the process that this one has ended
    return process


def _awaited(part: str, process: subprocess.Popen[bytes], said: IO[bytes]) -> Any:
    assert process.stdout is not None
    answered = process.stdout.read()
    found = attempt(part, partial(_refuse_unanswered, process.wait(), said))
    return found or pickle.loads(answered)


def _refuse_unanswered(status: int, said: IO[bytes]) -> None:
    if status:
        said.seek(0)
        last = said.read().decode(errors="replace").strip().rpartition("\n")[2]
        told = f": {last}" if last else ", as it does when memory runs out"
        raise SamplingError(f"the process that made it ended with status {status}{told}")


def answer(request: bytes) -> None:
    """Make what another process asks for, and write it or its failure to standard output."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed meanwhile is no answer
    part, make, args = pickle.loads(request)
    machine.beside_another = True
    machine.keep_freed_memory()
    with out:
        pickle.dump(attempt(part, partial(make, *args)), out)


def _end_with_parent() -> None:
    os.read(0, 1)  # returns when the parent closes its end
    os._exit(1)
