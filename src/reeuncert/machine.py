"""What the machine offers: how many cores there are, and where compiled code can be kept."""

import atexit
import ctypes
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

import platformdirs

from reeuncert.errors import OutputError
from reeuncert.files import expanded

CACHE_VARIABLE = "REEUNCERT_CACHE_DIR"
_FLAGS = "PYTENSOR_FLAGS"

beside_another = False
"""Whether this process works beside one that needs the same kernels (`reeuncert.parts.beside`): it compiles them in the
reverse order, so that each process can read what the other has compiled.
"""


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every platform
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Let this process keep the memory of arrays that it frees for the next ones, where the C library can (glibc).

    By default every larger array goes back to the system, which fills the next one with zeros page by page.
    """
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt"):
        for option in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            ctypes.CDLL(None).mallopt(option, 1 << 30)


def cache_folder() -> Path:
    """Where compiled code is kept between runs: ``REEUNCERT_CACHE_DIR``, or the user's folder for such files."""
    named = os.environ.get(CACHE_VARIABLE)
    return expanded(named) if named else platformdirs.user_cache_path("reeuncert")


@cache
def tell_once(text: str) -> None:
    """Say something on standard error, the first time only."""
    print(text, file=sys.stderr, flush=True)


def place_compiled_code() -> None:
    """Choose PyTensor's folder of compiled code when PyTensor is first imported, and not before.

    What compiles nothing (`check`, `new`, `cases`) needs no folder. A ``base_compiledir`` in ``PYTENSOR_FLAGS`` goes
    before `cache_folder`. Where the folder cannot be used, a temporary one takes its place until the process ends.
    """
    if "pytensor" not in sys.modules:
        sys.meta_path.insert(0, _BeforePyTensor())


class _BeforePyTensor(MetaPathFinder):
    """Finds no module; PyTensor reads its settings once, while it is imported, and cannot be told later."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name == "pytensor":
            sys.meta_path.remove(self)
            _choose_folder()


def _choose_folder() -> None:
    flags = os.environ.get(_FLAGS, "")
    named = dict(part.partition("=")[::2] for part in shlex.split(flags.replace(",", " ")))
    if "compiledir" in named:
        return
    wanted = expanded(named["base_compiledir"]) if "base_compiledir" in named else cache_folder()
    reason = _unusable(wanted)
    folder = wanted
    if reason:
        folder = _temporary(wanted, reason)
        tell_once(
            f"Compiled code cannot be kept in '{wanted}' ({reason}): this run compiles again and keeps nothing. "
            f"Name another folder in the environment variable {CACHE_VARIABLE}."
        )
    # The last of two settings counts.
    os.environ[_FLAGS] = ",".join([*filter(None, [flags]), f"base_compiledir={shlex.quote(str(folder))}"])


def _temporary(wanted: Path, reason: str) -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="reeuncert-compiled-"))
    except OSError as error:
        raise OutputError(
            f"there is no folder for compiled code: '{wanted}' cannot be used ({reason}), nor can a temporary one "
            f"({error.strerror or error}); name a folder in the environment variable {CACHE_VARIABLE}"
        ) from error
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # a forked process must not take it from its parent
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def _unusable(folder: Path) -> str:
    """Why nothing can be written in a folder of compiled code; empty if it can."""
    if not folder.is_absolute():  # as `~/.cache` of somebody without a home
        return "it is no absolute path"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        inside = [p for p in folder.iterdir() if p.name == "numba" or p.name.startswith("compiledir_")]
        for place in (folder, *inside):
            with tempfile.TemporaryFile(dir=place) as file:
                file.write(bytes(8192))
    except OSError as error:
        return error.strerror or str(error)
    return ""
