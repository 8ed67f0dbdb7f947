"""Where scenarios run: which process takes which, processes that die, clusters that lose a worker or are not there."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reeuncert as ree
import studies
from reeuncert.errors import SamplingError
from reeuncert.studies.jobs import Failure, FitSettings, Job, choose
from reeuncert.studies.runners import HerePool, PoolLostError, ProcessPool, run_jobs
from reeuncert.studies.study import FINISHED, KEPT
from reeuncert.studies.summaries import Summary

CASE = ree.read_case("small_metal")


def job(name: str, shape: str = "a") -> Job:
    return Job(name, name, shape, "", (), FitSettings(), Summary())


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    monkeypatch.setenv(studies.MARKS, str(folder))
    return folder


class Line:
    """Slots that take a job each, and finish in the order in which they began; some lose their first job."""

    def __init__(self, slots: int, dying: frozenset[str] = frozenset(), lost_after: int = 10**6) -> None:
        self.names = [f"slot {k}" for k in range(slots)]
        self.dying, self.lost_after, self.closed = set(dying), lost_after, False
        self.shapes: dict[str, list[str]] = {}

    def slots(self) -> list[str]:
        if sum(map(len, self.shapes.values())) >= self.lost_after:
            raise PoolLostError("gone")
        return self.names

    def submit(self, slot: str, fit, job: Job):
        from concurrent.futures import Future

        self.shapes.setdefault(slot, []).append(job.shape)
        future: Future = Future()
        if job.name in self.dying:
            self.dying.discard(job.name)
            future.set_exception(ConnectionError("process gone"))
        else:
            future.set_result(fit(job))
        return future

    def finished(self, futures, seconds: float):
        return futures[:1]

    def is_lost(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)

    def renew(self, slot: str) -> None:
        self.shapes.setdefault(slot, []).append("renewed")

    def close(self) -> None:
        self.closed = True


@settings(max_examples=60, deadline=None)
@given(shapes=st.lists(st.sampled_from("abcd"), max_size=14), slots=st.integers(1, 4), data=st.data())
def test_every_job_is_done_once_whatever_dies(shapes: list[str], slots: int, data: st.DataObject):
    jobs = [job(f"{k}", shape) for k, shape in enumerate(shapes)]
    dying = data.draw(st.sets(st.sampled_from([j.name for j in jobs]))) if jobs else set()
    pool = Line(slots, frozenset(dying))
    found = list(run_jobs(jobs, lambda j: j.name, pool))  # type: ignore[arg-type, return-value]  # a stand-in
    assert sorted(j.name for j, _ in found) == sorted(j.name for j in jobs)
    assert all(result == j.name for j, result in found)
    assert pool.closed


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4), slots=st.integers(1, 4))
def test_a_process_changes_its_model_only_when_no_job_of_its_shape_is_left(sizes: list[int], slots: int):
    jobs = [job(f"{shape}{k}", shape) for shape, size in zip("abcd", sizes, strict=False) for k in range(size)]
    pool = Line(slots)
    list(run_jobs(jobs, lambda j: j.name, pool))  # type: ignore[arg-type, return-value]  # a stand-in
    for shapes in pool.shapes.values():
        runs = [s for k, s in enumerate(shapes) if k == 0 or s != shapes[k - 1]]
        assert len(runs) == len(set(runs))
    if slots == 1:
        compiled = sum(len(set(shapes)) for shapes in pool.shapes.values())
        assert compiled == len(sizes)


def test_a_free_process_takes_the_largest_group_that_nobody_has():
    jobs = [job("1", "a"), job("2", "b"), job("3", "b"), job("4", "c")]
    assert choose(jobs, frozenset(), frozenset()) == 1
    assert choose(jobs, frozenset(), frozenset("b")) == 0
    assert choose(jobs, frozenset("c"), frozenset("b")) == 3
    assert choose(jobs, frozenset(), frozenset("abc")) == 1
    assert choose([], frozenset(), frozenset()) is None


def test_a_job_that_dies_twice_is_given_up_and_the_others_go_on():
    class Deadly(Line):
        def submit(self, slot, fit, job):
            self.dying |= {"bad"} & {job.name}
            return super().submit(slot, fit, job)

    found = dict(run_jobs([job("bad"), job("good")], lambda j: j.name, Deadly(1)))  # type: ignore[arg-type, return-value]  # a stand-in
    results = {j.name: result for j, result in found.items()}
    assert results["good"] == "good"
    assert isinstance(results["bad"], Failure)
    assert results["bad"].reason == (
        "the process that fitted it ended 2 times, as it does when memory runs out; use fewer jobs at a time "
        "(ConnectionError: process gone)"
    )


def test_when_the_whole_pool_is_lost_the_rest_fails_and_what_is_done_stays():
    found = list(run_jobs([job("1"), job("2"), job("3")], lambda j: j.name, Line(1, lost_after=1)))  # type: ignore[arg-type, return-value]  # a stand-in
    assert found[0][1] == "1"
    assert [r.reason for _, r in found[1:] if isinstance(r, Failure)] == ["PoolLostError: gone"] * 2


def test_here_an_interrupt_is_not_taken_for_a_failure():
    def stop(_: Job):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_jobs([job("1")], stop, HerePool()))


def test_processes_of_this_machine_survive_the_death_of_one(marks: Path):
    scenarios = [
        {"name": "dies once", "changes": [{"kind": "leave_out", "lineage": "association"}]},
        {"name": "no stocks", "changes": [{"kind": "without_flows", "quantity": "stock+opening_stock"}]},
    ]
    found = ree.sensitivity(
        CASE, scenarios=scenarios, fit=studies.dying_fit, draws=20, jobs=2, cache=False, progress=False
    )
    assert found.scenarios["status"].tolist() == [FINISHED] * 3
    fits = [path.name.split()[:2] for path in marks.iterdir()]
    assert str(os.getpid()) not in {process for _, process in fits}
    keys = [key for key, _ in fits]
    (died,) = {key for key in keys if keys.count(key) == 2}
    assert len({process for key, process in fits if key == died}) == 2, "begun again in the process that ended"


@pytest.mark.slow
def test_a_study_of_50_scenarios_goes_on_when_a_process_is_killed(marks: Path):
    """Killed from outside, as the system does when memory runs out; nothing is lost or made again."""
    vary = {"prior_median[prior=ore of South]": [1 + k / 100 for k in range(1, 51)]}
    killed: list[int] = []

    def kill_one_after_ten() -> None:
        while len(begun := sorted(marks.iterdir(), key=lambda p: p.name.split()[2])) < 10:
            time.sleep(0.05)
        killed.append(int(begun[-1].name.split()[1]))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one_after_ten, daemon=True)
    killer.start()
    options = {"draws": 20, "cache": marks.parent / "kept", "progress": False}
    found = ree.sensitivity(CASE, vary, fit=studies.toy_fit, jobs=2, **options)
    killer.join(timeout=5)
    assert killed
    assert found.scenarios["status"].tolist() == [FINISHED] * 51
    assert len(list((marks.parent / "kept").glob("*.nc"))) == 51
    assert 51 <= len(list(marks.iterdir())) <= 52
    again = ree.sensitivity(CASE, vary, fit=studies.failing_fit, jobs=1, **options)
    assert set(again.scenarios["status"]) == {KEPT}


@pytest.mark.slow
def test_a_process_that_holds_compiled_models_is_not_taken_for_leaking():
    pool = ProcessPool(1)
    try:
        processes = [pool.submit("process 1", studies.process_that_grows, job(str(k))).result() for k in range(3)]
    finally:
        pool.close()
    assert len(set(processes)) == 1


@pytest.mark.slow
def test_a_dask_cluster_goes_on_when_one_of_its_two_workers_is_killed(marks: Path):
    vary = {"prior_median[prior=ore of South]": [0.5, 2, 3]}
    killed: list[int] = []

    def kill_the_first() -> None:
        while not (begun := sorted(marks.iterdir())):
            time.sleep(0.05)
        killed.append(int(begun[0].name.split()[1]))
        os.kill(killed[0], signal.SIGKILL)

    with studies.two_workers() as client:
        killer = threading.Thread(target=kill_the_first, daemon=True)
        killer.start()
        found = ree.sensitivity(
            CASE, vary, client=client, fit=studies.slow_fit, draws=20, cache=marks.parent / "kept", progress=False
        )
        killer.join(timeout=5)
        assert client.status == "running"
    assert killed
    assert found.scenarios["status"].tolist() == [FINISHED] * 4
    assert len({path.name.split()[1] for path in marks.iterdir()}) >= 2
    with pytest.raises(SamplingError, match=r"the Dask client is not connected \(it is closed\); start it with"):
        ree.sensitivity(CASE, vary, client=client, fit=studies.slow_fit, draws=21, cache=False, progress=False)
    again = ree.sensitivity(CASE, vary, fit=studies.slow_fit, draws=20, cache=marks.parent / "kept", progress=False)
    assert set(again.scenarios["status"]) == {KEPT}


def test_a_cluster_that_cannot_be_reached_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, marks: Path):
    monkeypatch.setattr("reeuncert.studies.runners.CONNECT_SECONDS", 1.0)
    vary = {"prior_median[prior=ore of South]": [2]}
    with pytest.raises(SamplingError) as caught:
        ree.sensitivity(CASE, vary, client="tcp://127.0.0.1:1", fit=studies.toy_fit, cache=False, progress=False)
    assert str(caught.value).startswith("the Dask cluster at 'tcp://127.0.0.1:1' cannot be reached (")
    assert str(caught.value).endswith(
        "; start it with `dask scheduler` and `dask worker`, or leave client away to run on this machine"
    )
    with pytest.raises(SamplingError, match=r"client is a int; give a distributed\.Client, a cluster, or the address"):
        ree.sensitivity(CASE, vary, client=3, fit=studies.toy_fit, cache=False, progress=False)
    assert not list(marks.iterdir())
