"""How kernels are compiled by numba, and how their machine code is kept on disk: never stale, and never needed.

Code that is kept lies in PyTensor's folder (see `reeuncert.machine.cache_folder`). It may be damaged, deleted or
impossible to write at any moment: then it is compiled again, or not kept, and the folder is named once.
"""

import io
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from glob import escape
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import numba
from filelock import BaseFileLock, FileLock
from numba.core import caching, dispatcher
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

from reeuncert.machine import CACHE_VARIABLE, tell_once

F = TypeVar("F", bound=Callable[..., Any])

_SEAL = b"sha256:"
_SEAL_BYTES = len(_SEAL) + 32

LONGEST_WAIT = 60.0
"""Seconds to wait while another process compiles a function, which it then keeps; longer than any takes."""

REORDER = {"reassoc", "contract", "nsz"}
"""For ``fastmath`` of loops that are to use vectors: sums in another order, a × b + c in one rounding."""

# Without a word a function inherits `fastmath` from whoever calls it first: PyTensor's would reorder sums (slower: most
# are short) and would make results depend on which process filled the cache.
_compile = partial(numba.njit, error_model="numpy", fastmath=False)


def source_version(*files: str) -> int:
    """A number that changes with the text of some source files, and with the options in this one.

    PyTensor keeps compiled functions on disk by the name of the operation; it does not see that a kernel which the
    operation calls was edited. This number, given to it as a version, tells it.
    """
    digest = sha256()
    for file in (__file__, *files):
        digest.update(Path(file).read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")


def compiled(function: F) -> F:  # noqa: UP047  # one F for both
    """Compile a kernel that only other kernels call: its code is part of theirs, and is not kept by itself."""
    return cast(F, _compile()(function))


@numba.extending.intrinsic
def _unowned(typing_context: Any, array: Any) -> Any:
    def made(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, values[0])
        held.meminfo = held.meminfo.type(None)
        return held._getvalue()

    return array(array), made


unowned = cast(Callable[[Any], Any], _unowned)
"""The same array in a kernel, whose references are not counted; the caller of the kernel holds it. To count them is an
atomic operation at every call of another kernel.
"""


def kernel(version: int, **options: Any) -> Callable[[F], F]:
    """Compile a function that Python calls, and keep it on disk: IEEE arithmetic, no exception for x / 0.

    Numba's own cache looks at the file of a function, not at the files of the functions that it calls; and it writes
    beside the source. So the code goes to the cache of PyTensor (``base_compiledir``) under a version that covers all
    of them: `source_version` of the file of the function and of every file that it calls. Options are those of
    ``numba.njit``.
    """

    def compile_kernel(function: F) -> F:
        return cast(F, kept(function, f"{function.__module__}_{version}", **options))

    return compile_kernel


def kept(function: Callable[..., Any], key: str, **options: Any) -> Any:
    """Compile a function and keep it on disk under a key that says all that its code depends on."""
    CACHED_SRC_FUNCTIONS[function] = key
    return _compile(cache=True, **options)(function)


class _SealedFile(caching.IndexDataCacheFile):
    """Numba's two files of a function, each with its checksum at the end, where ``pickle`` does not look.

    A changed bit in machine code would otherwise be executed. Files without a checksum are those of other programs.
    """

    def _load_index(self) -> Any:
        try:
            content = io.BytesIO(_opened(self._index_path))
        except FileNotFoundError:
            return {}
        if pickle.load(content) != self._version:
            return {}
        stamp, overloads = pickle.load(content)
        return overloads if stamp == self._source_stamp else {}

    def _load_data(self, name: str) -> Any:
        return pickle.loads(_opened(self._data_path(name)))

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[IO[bytes]]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:
            file.write(content.getvalue())
            file.write(_SEAL + sha256(content.getvalue()).digest())

    def discard(self) -> None:
        """Remove the files of this function, whatever they are."""
        folder = Path(self._cache_path)
        stem = self._index_name.removesuffix(".nbi")
        for path in (folder / self._index_name, *folder.glob(f"{escape(stem)}.*.nbc")):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _opened(path: str) -> bytes:
    content = Path(path).read_bytes()
    body, seal = content[:-_SEAL_BYTES], content[-_SEAL_BYTES:]
    if not seal.startswith(_SEAL):
        return content
    if sha256(body).digest() != seal.removeprefix(_SEAL):
        raise ValueError(f"{path} is damaged")
    return body


class KeptCode(caching.FunctionCache):
    """Numba's cache of a function, to which no state of the disk is an error.

    What is not there is compiled by one process at a time, the others wait for it. A kernel calls no kernel that calls
    it, so two processes never wait for each other.
    """

    def __init__(self, function: Any):
        super().__init__(function)
        held = self._cache_file
        self._cache_file: _SealedFile = _SealedFile(
            held._cache_path, held._index_name.removesuffix(".nbi"), held._source_stamp
        )
        path = Path(held._cache_path, held._index_name).with_suffix(".lock")
        self._lock: BaseFileLock = FileLock(path, timeout=LONGEST_WAIT, fallback_to_soft=False)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        load = partial(super().load_overload, sig, target_context)
        found, error = _tried(load)
        if found is None and error is None:
            _tried(self._lock.acquire)  # without a lock it is compiled twice
            found, error = _tried(load)
            if found is not None:
                self._lock.release()  # else when it is saved
        if error is not None:
            _tried(self._cache_file.discard)
            tell_once(f"Compiled code in '{self.cache_path}' is damaged, and is compiled again. {_FREE}")
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        save = partial(super().save_overload, sig, data)
        _, error = _tried(save)
        if error is not None:  # what was there is damaged, or the folder was deleted meanwhile
            _tried(partial(os.makedirs, self.cache_path, exist_ok=True))
            _tried(self._cache_file.discard)
            _, error = _tried(save)
        if error is not None:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            tell_once(f"Compiled code could not be kept in '{self.cache_path}' ({reason}). {_FREE}")
        self._lock.release()


_FREE = f"The folder may be deleted at any time; the environment variable {CACHE_VARIABLE} names another one."


def _tried(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """The result of reading or writing kept code, or what went wrong; the code can be compiled again in any case."""
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001  # a damaged pickle raises whatever its bytes ask for
        return None, error


# Numba has no setting for this; the dispatcher of every compiled function makes its cache by this name.
dispatcher.FunctionCache = KeptCode  # type: ignore[attr-defined,unused-ignore]  # imported there, not defined
