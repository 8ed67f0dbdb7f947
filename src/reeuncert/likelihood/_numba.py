"""How the kernels of this package are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a kernel with numba: cached on disk, IEEE arithmetic (infinite bounds are meant), no exceptions for x / 0."""
    result: F = numba.njit(cache=True, error_model="numpy")(function)
    return result
