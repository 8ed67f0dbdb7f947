"""Makes a part of a result in a process of its own, while this one does something else."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

from reeuncert import machine
from reeuncert.errors import SamplingError
from reeuncert.machine import available_cores
from reeuncert.parts import Failed, attempt

_CHILD = """
import pickle, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
size, sys.path[:] = pickle.load(sys.stdin.buffer)
request = sys.stdin.buffer.read(size)
from reeuncert.beside import answer
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
