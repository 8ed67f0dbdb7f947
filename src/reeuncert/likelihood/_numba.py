"""How the kernels of this package are compiled and kept on disk.

numba knows a cached function by the date of its own file, so that a kernel that calls a kernel of another file keeps an
old one alive. The functions that Python calls are therefore kept under a fingerprint of all the kernels' sources, in
PyTensor's folder of compiled code; what they call is compiled into them and needs no cache of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numba
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

KERNEL_FILES = ("../words/error_laws.py", "_numba.py", "tails.py", "packing.py", "kernels.py", "op.py", "predictive.py")


@cache
def kernel_version() -> int:
    """Fingerprint of the kernels' sources."""
    folder = Path(__file__).parent
    text = b"".join((folder / name).read_bytes() for name in KERNEL_FILES)
    return int.from_bytes(sha256(text).digest()[:6], "big")


# Without a word a function inherits `fastmath` from whoever calls it first: PyTensor's would reorder sums (slower: most
# are short) and would make results depend on which process filled the cache.
_compile = partial(numba.njit, error_model="numpy", fastmath=False)


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a kernel that other kernels call: infinite bounds allowed, and no exception for a division by zero."""
    return cast(F, _compile()(function))


def compiled_entry[F: Callable[..., Any]](function: F) -> F:
    """Compile a function that Python calls, and keep it on disk."""
    CACHED_SRC_FUNCTIONS[function] = f"{function.__module__}.{function.__qualname__}_{kernel_version()}"
    return cast(F, _compile(cache=True)(function))
