"""Runs jobs on a Dask cluster; a worker that dies loses its fit only until another worker has made it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from reeuncert.errors import SamplingError
from reeuncert.studies.cache import Kept, package_version
from reeuncert.studies.jobs import Fit, Job
from reeuncert.studies.runners import PoolLostError

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 15.0
"""How long to wait for a scheduler to answer."""

WORKER_SECONDS = 60.0
"""How long to wait for a worker when all have gone; a nanny needs some seconds to start another."""

_START = "start it with `dask scheduler` and `dask worker`, or leave client away to run on this machine"


class DaskPool:
    """The workers of a Dask cluster, each a slot; ``client`` is a `distributed.Client`, a cluster such as
    `distributed.LocalCluster`, or the address of a scheduler. Every worker must have this version of the package.
    """

    def __init__(self, client: Any) -> None:
        if find_spec("distributed") is None:
            raise SamplingError("Dask is not installed; install it with `pip install 'reeuncert[dask]'`")
        self._client, self._owned = _connected(client)
        self._running: set[Any] = set()
        try:
            _require_workers(self._client)
        except BaseException:
            if self._owned:
                self._client.close()
            raise

    def slots(self) -> Sequence[str]:
        """Addresses of the workers there are now."""
        end = time.monotonic() + WORKER_SECONDS
        while True:
            found = self._workers()
            if found or self._running or time.monotonic() > end:
                break
            time.sleep(0.5)
        if not found and not self._running:
            raise PoolLostError(f"the Dask cluster has had no worker for {WORKER_SECONDS:.0f} seconds; start some")
        return found

    def submit(self, slot: str, fit: Fit, job: Job) -> _DaskJob:
        # If the worker dies, Dask gives the job to any other; only the scheduling by shape is lost then.
        future = self._client.submit(
            fit, job, key=f"{job.name}-{uuid.uuid4().hex}", pure=False, workers=[slot], allow_other_workers=True
        )
        begun = _DaskJob(future)
        self._running.add(begun)
        return begun

    def finished(self, futures: Collection[_DaskJob], seconds: float) -> Collection[_DaskJob]:
        end = time.monotonic() + seconds
        while True:
            done = [future for future in futures if future.done()]
            if done or time.monotonic() > end:
                self._running -= set(done)
                return done
            time.sleep(0.05)

    def is_lost(self, error: BaseException) -> bool:
        """Never: Dask has begun a job again several times before it gives up (``KilledWorker``)."""
        return False

    def renew(self, slot: str) -> None:
        """Nothing to do: nannies start new workers."""

    def close(self) -> None:
        """Give up what still runs; a client that was given stays open."""
        for job in self._running:
            job.cancel()
        self._running.clear()
        if self._owned:
            self._client.close()

    def _workers(self) -> list[str]:
        lost = PoolLostError(
            "the Dask cluster was lost while it worked; start it again, and the study goes on from here"
        )
        if self._client.status != "running":
            raise lost
        try:
            info = self._client.scheduler_info(n_workers=-1)
        except (OSError, RuntimeError, ValueError) as error:
            raise lost from error
        return sorted(str(address) for address in info["workers"])


class _DaskJob:
    """A Dask future with the interface of `concurrent.futures.Future`."""

    def __init__(self, future: Future[Kept]) -> None:
        self._future = future

    def done(self) -> bool:
        return bool(self._future.done())

    def exception(self) -> BaseException | None:
        if self._future.status in ("cancelled", "lost"):
            return PoolLostError("the Dask cluster dropped this fit; start the study again")
        error = self._future.exception()
        return error if isinstance(error, BaseException) else None

    def result(self) -> Kept:
        return self._future.result()

    def cancel(self) -> None:
        self._future.cancel()


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
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SamplingError(f"the Dask cluster at '{address}' cannot be reached ({reason}); {_START}") from error


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
