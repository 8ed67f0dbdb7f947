"""The parts of a result that only inform (a check, a table, a section, a figure): one that fails is named, with its
reason, and everything else is made. Draws are worth more than what is said of them.
"""

import json
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass

import xarray as xr

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
    """Make a part, or return the reason of its failure. Interrupts are passed to the caller.

    Examples
    --------
    >>> attempt("table of nothing", lambda: 1 + 1)
    2
    >>> attempt("table of nothing", lambda: [][1]).reason
    'IndexError: list index out of range'
    """
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
