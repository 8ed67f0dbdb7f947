"""Runs jobs: here one after another, in several processes of this machine, or wherever a pool says."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from reeuncert.errors import SamplingError
from reeuncert.machine import available_cores
from reeuncert.studies.cache import Kept
from reeuncert.studies.jobs import Failure, Fit, Job, Outcome, choose

ATTEMPTS = 2
"""Times that a job is begun whose process ends under it."""

_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    "LOKY_MAX_MEMORY_LEAK_SIZE": "1e12",
}
"""Environment of a process that shares the machine with its like.

loky ends a process that has grown by 300 MB between two jobs, taking that for a leak; here it is a compiled model, to
be used again by the next.
"""


class PoolLostError(SamplingError):
    """Nothing is left that could run a job."""


class Pool(Protocol):
    """Where jobs run; a slot takes one job at a time and remembers what it has compiled."""

    def slots(self) -> Sequence[str]:
        """Slots there are now; raises `PoolLostError` when there will be none."""

    def submit(self, slot: str, fit: Fit, job: Job) -> Any:
        """Begin a job; returns a future."""

    def finished(self, futures: Collection[Any], seconds: float) -> Collection[Any]:
        """Futures that are done, waiting a while for the first of them."""

    def is_lost(self, error: BaseException) -> bool:
        """Whether an error means that the process ended under the job, rather than that the job failed."""

    def renew(self, slot: str) -> None:
        """Put a new process in the place of one that ended."""

    def close(self) -> None:
        """End all processes, at once."""


def run_jobs(jobs: Sequence[Job], fit: Fit, pool: Pool, *, begun: Any = None) -> Iterator[tuple[Job, Kept | Failure]]:
    """Run jobs and give their results as they come.

    Jobs of one shape go to the same process as far as possible. ``begun`` is called with each job as it begins. The
    pool is closed at the end, and when the caller stops listening.
    """
    pending = list(jobs)
    running: dict[Any, tuple[str, Job]] = {}
    held: dict[str, frozenset[str]] = {}
    tried: dict[str, int] = {}
    try:
        while pending or running:
            try:
                slots = pool.slots()
            except PoolLostError as lost:
                for job in [*(job for _, job in running.values()), *pending]:
                    yield job, Failure.of(lost)
                return
            for slot in slots if len(running) < len(slots) else ():
                busy = {place for place, _ in running.values()}
                if slot in busy or len(running) >= len(slots):
                    continue
                taken = frozenset().union(*(shapes for other, shapes in held.items() if other != slot))
                position = choose(pending, held.get(slot, frozenset()), taken)
                if position is None:
                    break
                job = pending.pop(position)
                held[slot] = held.get(slot, frozenset()) | {job.shape}
                tried[job.name] = tried.get(job.name, 0) + 1
                if begun is not None:
                    begun(job)
                running[pool.submit(slot, fit, job)] = (slot, job)
            for future in list(pool.finished(list(running), 0.2)):
                slot, job = running.pop(future)
                error = future.exception()
                if error is None:
                    yield job, future.result()
                elif not pool.is_lost(error):
                    yield job, Failure.of(error)
                else:
                    held.pop(slot, None)
                    pool.renew(slot)
                    if tried[job.name] < ATTEMPTS:
                        pending.append(job)
                    else:
                        yield job, _lost(error)
    finally:
        pool.close()


def _lost(error: BaseException) -> Failure:
    failure = Failure.of(error)
    return Failure(
        f"the process that fitted it ended {ATTEMPTS} times, as it does when memory runs out; "
        f"use fewer jobs at a time ({failure.reason})",
        failure.trace,
    )


class HerePool:
    """One job after another, in this process."""

    def slots(self) -> Sequence[str]:
        return ("here",)

    def submit(self, slot: str, fit: Fit, job: Job) -> Future[Kept]:
        outcome = Outcome()
        with outcome:
            outcome.future.set_result(fit(job))
        return outcome.future

    def finished(self, futures: Collection[Any], seconds: float) -> Collection[Any]:
        return list(futures)

    def is_lost(self, error: BaseException) -> bool:
        return False

    def renew(self, slot: str) -> None:
        """Nothing to renew."""

    def close(self) -> None:
        """Nothing to end."""


class ProcessPool:
    """Several processes of this machine, each an executor of its own: a job finds the process it should have."""

    def __init__(self, count: int) -> None:
        self._names = tuple(f"process {k + 1}" for k in range(count))
        self._executors: dict[str, Any] = {}

    def slots(self) -> Sequence[str]:
        return self._names

    def submit(self, slot: str, fit: Fit, job: Job) -> Future[Kept]:
        if slot not in self._executors:
            # loky, unlike the standard library, starts processes from scripts without a `__main__` guard, and from
            # notebooks.
            from loky import ProcessPoolExecutor  # type: ignore[import-untyped]  # published without types

            self._executors[slot] = ProcessPoolExecutor(max_workers=1, env=_ENVIRONMENT)
        future: Future[Kept] = self._executors[slot].submit(fit, job)
        return future

    def finished(self, futures: Collection[Any], seconds: float) -> Collection[Any]:
        return wait(futures, timeout=seconds, return_when=FIRST_COMPLETED).done

    def is_lost(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)

    def renew(self, slot: str) -> None:
        executor = self._executors.pop(slot, None)
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)

    def close(self) -> None:
        for slot in self._names:
            self.renew(slot)


def local_pool(jobs: int | None, fits: int) -> Pool:
    """A pool of this machine for some number of fits."""
    if jobs is not None and jobs < 1:
        raise SamplingError(f"jobs is {jobs}; it must be at least 1, or None for as many as there are cores")
    count = min(jobs or available_cores(), max(fits, 1))
    return HerePool() if count == 1 else ProcessPool(count)
