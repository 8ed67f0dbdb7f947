"""How the kernels are compiled, and how their machine code is kept on disk without ever growing stale."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba as nb
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

F = TypeVar("F", bound=Callable[..., Any])


def source_version(*files: str) -> int:
    """A number that changes with the text of some source files.

    PyTensor keeps compiled functions on disk by the name of the operation; it does not see that a kernel which the
    operation calls was edited. This number, given to it as a version, tells it.

    Parameters
    ----------
    files
        Paths of source files.
    """
    digest = sha256()
    for file in files:
        digest.update(Path(file).read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")


def kernel(version: int) -> Callable[[F], F]:
    """Compile a function with numba: cached on disk, IEEE arithmetic, no exception for x / 0.

    Numba's own cache looks at the file of a function, not at the files of the functions that it calls; and it writes
    beside the source. So the code goes to the cache of PyTensor (``base_compiledir``) under a version that covers all
    of them.

    Parameters
    ----------
    version
        `source_version` of the file of the function and of every file that it calls.
    """

    def compile_kernel(function: F) -> F:
        CACHED_SRC_FUNCTIONS[function] = f"reeuncert_{version}"
        dispatcher: Any = nb.njit(cache=True, error_model="numpy")(function)
        return cast(F, dispatcher)

    return compile_kernel
