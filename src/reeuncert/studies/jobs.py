"""One scenario as work to be done: what is sent to a process, and what comes back."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from reeuncert.studies.fitted import Fitted


@dataclass(frozen=True)
class FitSettings:
    """How every scenario is sampled; see `reeuncert.sample`."""

    draws: int = 500
    tune: int = 150
    thin: int = 1
    chains: int = 2
    seed: int = 1


@dataclass(frozen=True)
class Job:
    """A scenario ready to be fitted, by any process on any machine that has this package.

    Parameters
    ----------
    name, key
        Of the scenario, and the fingerprint of all that is asked.
    shape
        Jobs of the same shape can use one compiled model.
    case_json
        The changed case.
    left_out
        Ids of rows of evidence that count nothing.
    indicators
        Names of the indicators to keep.
    like_json
        A case of the same shape, whose pilot run serves this fit too; empty: its own. It is the base of the study, so
        that the result of a scenario does not depend on which others are asked for.
    cores
        Chains that may run at a time; None: as many as the process has cores.
    """

    name: str
    key: str
    shape: str
    case_json: str
    left_out: tuple[str, ...]
    settings: FitSettings
    indicators: tuple[str, ...]
    like_json: str = ""
    cores: int | None = None


Fit = Callable[[Job], Fitted]
"""What turns a job into a result; it is sent to processes by its name, so it must be a function of a module."""


@dataclass(frozen=True)
class Failure:
    """Why a scenario has no result.

    Parameters
    ----------
    reason
        In one line.
    trace
        Where it happened, for whoever looks into it.
    """

    reason: str
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        first = (str(error).strip().splitlines() or [""])[0]
        kind = type(error).__name__
        trace = "".join(traceback.format_exception(error))
        return cls(f"{kind}: {first}" if first else kind, trace)


def choose(pending: Sequence[Job], held: frozenset[str], taken: frozenset[str]) -> int | None:
    """Which job a free process should take, so that as few models as possible are compiled.

    Parameters
    ----------
    pending
        Jobs that wait.
    held
        Shapes that this process has compiled.
    taken
        Shapes that other processes have compiled.

    Returns
    -------
    int or None
        Position of the job: one of a shape that this process has; else of the largest group that no process has;
        else of the largest group, since an idle process helps nobody. None when nothing waits.

    Examples
    --------
    >>> jobs = [Job(n, n, s, "", (), FitSettings(), ()) for n, s in zip("abcd", "xxyy")]
    >>> choose(jobs, frozenset("y"), frozenset("x")), choose(jobs, frozenset(), frozenset("x"))
    (2, 2)
    >>> choose(jobs, frozenset(), frozenset()), choose([], frozenset(), frozenset())
    (0, None)
    """
    if not pending:
        return None
    size: dict[str, int] = {}
    for job in pending:
        size[job.shape] = size.get(job.shape, 0) + 1

    def worth(position: int) -> tuple[bool, bool, int, int]:
        shape = pending[position].shape
        return (shape in held, shape not in taken, size[shape], -position)

    return max(range(len(pending)), key=worth)


class Outcome:
    """Runs something and keeps its result or its error, whatever that is, in a future.

    A scenario may fail in any of the libraries below it; that must not lose the others, and is reported in full.
    """

    def __init__(self) -> None:
        self.future: Future[Fitted] = Future()

    def __enter__(self) -> Outcome:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Exception):
            self.future.set_exception(error)
            return True
        return False
