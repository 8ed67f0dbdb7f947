"""Runs jobs: here one after another, in several processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from reeuncert.errors import SamplingError
from reeuncert.files import first_line
from reeuncert.machine import available_cores
from reeuncert.studies.cache import Kept, package_version
from reeuncert.studies.jobs import Failure, Fit, Job, choose

if TYPE_CHECKING:
    from distributed import Client

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


_DROPPED = PoolLostError("the Dask cluster dropped this fit; start the study again")


class Pool:
    """Where jobs run; a slot takes one job at a time and remembers what it has compiled."""

    def slots(self) -> Sequence[str]:
        """Slots there are now; raises `PoolLostError` when there will be none."""
        raise NotImplementedError

    def submit(self, slot: str, fit: Fit, job: Job) -> Any:
        """Begin a job; returns a future."""
        raise NotImplementedError

    def finished(self, futures: Collection[Any], seconds: float) -> Collection[Any]:
        """Futures that are done, waiting a while for the first of them."""
        return wait(futures, timeout=seconds, return_when=FIRST_COMPLETED).done

    def is_lost(self, error: BaseException) -> bool:
        """Whether an error means that the process ended under the job, rather than that the job failed."""
        return False

    def renew(self, slot: str) -> None:
        """Put a new process in the place of one that ended, where nothing else does."""

    def close(self) -> None:
        """End all processes, at once, where there are any."""


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
                error = _DROPPED if future.cancelled() else future.exception()
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


class HerePool(Pool):
    """One job after another, in this process."""

    def slots(self) -> Sequence[str]:
        return ("here",)

    def submit(self, slot: str, fit: Fit, job: Job) -> Future[Kept]:
        future: Future[Kept] = Future()
        try:
            future.set_result(fit(job))
        except Exception as error:  # noqa: BLE001  # whatever it was, the other fits go on
            future.set_exception(error)
        return future


class ProcessPool(Pool):
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

    def is_lost(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)

    def renew(self, slot: str) -> None:
        executor = self._executors.pop(slot, None)
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)

    def close(self) -> None:
        for slot in self._names:
            self.renew(slot)


CONNECT_SECONDS = 15.0
"""How long to wait for a scheduler to answer."""

WORKER_SECONDS = 60.0
"""How long to wait for a worker when all have gone; a nanny needs some seconds to start another."""

_START = "start it with `dask scheduler` and `dask worker`, or leave client away to run on this machine"


class DaskPool(Pool):
    """The workers of a Dask cluster, each a slot; ``client`` is a `distributed.Client`, a cluster such as
    `distributed.LocalCluster`, or the address of a scheduler. Every worker must have this version of the package.

    No fit is lost: Dask begins it several times before it gives up (``KilledWorker``), and nannies start new workers.
    """

    def __init__(self, client: Any) -> None:
        if find_spec("distributed") is None:
            raise SamplingError("Dask is not installed; install it with `pip install 'reeuncert[dask]'`")
        self._client, self._owned = _connected(client)
        self._executor = self._client.get_executor(pure=False, allow_other_workers=True)
        self._running: set[Future[Kept]] = set()
        try:
            _require_workers(self._client)
        except BaseException:
            if self._owned:
                self._client.close()
            raise

    def slots(self) -> Sequence[str]:
        """Addresses of the workers there are now."""
        end = time.monotonic() + WORKER_SECONDS
        while not (found := self._workers()) and not self._running and time.monotonic() < end:
            time.sleep(0.5)
        if not found and not self._running:
            raise PoolLostError(f"the Dask cluster has had no worker for {WORKER_SECONDS:.0f} seconds; start some")
        return found

    def submit(self, slot: str, fit: Fit, job: Job) -> Future[Kept]:
        # If the worker dies, Dask gives the job to any other; only the scheduling by shape is lost then.
        future: Future[Kept] = self._executor.submit(fit, job, key=f"{job.name}-{uuid.uuid4().hex}", workers=[slot])
        self._running.add(future)
        return future

    def finished(self, futures: Collection[Any], seconds: float) -> Collection[Any]:
        done = super().finished(futures, seconds)
        self._running.difference_update(done)
        return done

    def close(self) -> None:
        """Give up what still runs; a client that was given stays open."""
        if self._client.status == "running":
            self._executor.shutdown(wait=False)
        if self._owned:
            self._client.close()

    def _workers(self) -> list[str]:
        lost = PoolLostError(
            "the Dask cluster was lost while it worked; start it again, and the study goes on from here"
        )
        if self._client.status != "running":
            raise lost
        try:
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, RuntimeError, ValueError, LookupError) as error:
            raise lost from error
        return sorted(map(str, workers))


def _connected(given: Any) -> tuple[Client, bool]:
    """A client that answers, and whether we opened it."""
    from distributed import Client

    if isinstance(given, Client):
        if given.status != "running":
            raise SamplingError(f"the Dask client is not connected (it is {given.status}); {_START}")
        return given, False
    address = given if isinstance(given, str) else getattr(given, "scheduler_address", "")
    if not isinstance(address, str) or not address:
        raise SamplingError(
            f"client is a {type(given).__name__}; give a distributed.Client, a cluster, or the address of a scheduler, "
            "e.g. 'tcp://127.0.0.1:8786'"
        )
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False), True
    except (OSError, ValueError, TimeoutError) as error:
        message = f"the Dask cluster at '{address}' cannot be reached ({first_line(error)}); {_START}"
        raise SamplingError(message) from error


def _require_workers(client: Client) -> None:
    if not client.scheduler_info(n_workers=-1)["workers"]:
        raise SamplingError(f"the Dask cluster has no workers; {_START}")
    here = package_version()
    try:
        found = client.run(package_version)
    except (ImportError, AttributeError) as error:
        raise SamplingError(
            f"the workers of the Dask cluster do not have this package ({error}); install reeuncert {here} there"
        ) from error
    odd = [f"{address} ({version})" for address, version in found.items() if version != here]
    if odd:
        raise SamplingError(
            f"workers of the Dask cluster have another version of this package than {here}: {', '.join(odd)}; "
            "install the same version everywhere"
        )


def local_pool(jobs: int | None, fits: int) -> Pool:
    """A pool of this machine for some number of fits."""
    if jobs is not None and jobs < 1:
        raise SamplingError(f"jobs is {jobs}; it must be at least 1, or None for as many as there are cores")
    count = min(jobs or available_cores(), max(fits, 1))
    return HerePool() if count == 1 else ProcessPool(count)
