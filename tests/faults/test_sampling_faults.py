"""`reeuncert run` killed, interrupted, out of disk: what is kept, what is said, and that the next run works."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import reeuncert.cli.show
import reeuncert.inference.sample
import reeuncert.inference.samplers
import reeuncert.report.files
from faults.processes import Child, start
from reeuncert.checks.result import CheckTable
from reeuncert.cli.app import main
from reeuncert.indicators.stored import read_results, stage_results
from reeuncert.inference.checkpoint import FOLDER
from reeuncert.inference.whitening import compile_for_sampling
from reeuncert.model import build_model
from reeuncert.result.folder import Staging
from reeuncert.result.result import Result
from reeuncert.validation.reader import read_case

FILES = ["posterior.nc", "provenance.json"]
SETTINGS = ("--draws", "60", "--tune", "200", "--thin", "20", "--chains", "12", "--seed", "11")
"""Four chains, side by side, take about a second; most of their draws are not kept, so that files are small."""


@pytest.fixture(scope="module", autouse=True)
def _compiled_once():
    """Every process here samples the same compiled code; terms of the likelihood and the prior are left out."""
    model = build_model(read_case("small_metal"))
    compiled = compile_for_sampling(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reeuncert.inference.samplers, "compile_for_sampling", lambda model: compiled)
        patch.setattr(reeuncert.inference.sample, "terms", lambda *_: {})
        patch.setattr(reeuncert.inference.sample, "prior_groups", lambda *_: {})
        # What is made of the draws afterwards takes longer than they do, and is tested elsewhere.
        patch.setattr(reeuncert.indicators.compute, "with_indicators", Result)
        patch.setattr(reeuncert.checks, "check_table", lambda _: CheckTable([]))
        patch.setattr(reeuncert.report.files, "commit_results", commit_draws)
        patch.setattr(reeuncert.cli.show, "show_result", lambda *_, **__: None)
        yield


def commit_draws(result: Result, staging: Staging) -> tuple[Path, ...]:
    stage_results(staging, result.dt, {})
    return staging.commit()


def run(out: Path, *more: str, before=lambda: None, log: str = "run.log") -> Child:
    """`reeuncert run small_metal` in a process of its own."""

    def work() -> None:
        before()
        sys.argv = ["reeuncert", "run", "small_metal", "--out", str(out), *SETTINGS, *more]
        main()

    return start(work, out.parent / log)


def chains(out: Path) -> list[str]:
    return sorted(p.name for p in (out / FOLDER).glob("chain-*.nc"))


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")}


def draws(out: Path) -> xr.Dataset:
    return read_results(out)["posterior"].to_dataset()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The result of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    child = run(out)
    assert child.wait() == 0, child.said
    assert names(out) == FILES
    return out


def killed(out: Path) -> None:
    """A run killed with SIGKILL when its first chain is stored."""
    child = run(out)
    child.wait_for(lambda: bool(chains(out)))
    child.signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert 1 <= len(chains(out)) < 12, "too late: the chains had all finished"


def test_kill_9_then_resume_gives_the_same_draws_as_a_run_without_interruption(whole, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    before = contents(out)
    killed(out)
    assert contents(out) == before, "an earlier result was touched"
    stored = len(chains(out))
    child = run(out, "--resume")
    assert child.wait() == 0, child.said
    assert f"of these {stored} are there already" in child.said
    assert names(out) == FILES, "something was left behind"
    xr.testing.assert_identical(draws(out), draws(whole))
    assert read_results(out).attrs["complete"] == "yes"


def test_kill_9_then_a_fresh_run_says_that_there_is_a_checkpoint_and_works(whole, tmp_path):
    out = tmp_path / "run"
    killed(out)
    stored = len(chains(out))
    child = run(out)
    assert child.wait() == 0, child.said
    assert f"There is a checkpoint of an earlier run in '{out / FOLDER}' ({stored} of 12 chains, seed 11, begun " in (
        child.said
    )
    assert "to go on with the earlier run instead, press Ctrl-C now and add --resume." in child.said
    assert names(out) == FILES
    xr.testing.assert_identical(draws(out), draws(whole))


def test_ctrl_c_keeps_draws_and_chains_and_resume_completes_them(whole, tmp_path):
    out = tmp_path / "run"
    child = run(out)
    child.wait_for(lambda: bool(chains(out)))
    child.signal(signal.SIGINT)
    assert child.wait() == 130, child.said
    stored = chains(out)
    assert 1 <= len(stored) < 12
    assert f"Interrupted: the draws made until then were kept, in {out}." in child.said
    assert f"Finished chains are kept in '{out / FOLDER}' ({len(stored)} of 12 chains, seed 11, begun " in child.said
    assert "the same command with --resume goes on from there." in child.said
    kept = read_results(out)
    assert kept.attrs["complete"] == "no"
    assert kept["posterior"].sizes["chain"] >= len(stored)
    child = run(out, "--resume")
    assert child.wait() == 0, child.said
    assert names(out) == FILES
    xr.testing.assert_identical(draws(out), draws(whole))


def test_resume_with_other_settings_is_refused_before_anything_is_compiled(tmp_path):
    out = tmp_path / "run"
    killed(out)
    stored = chains(out)
    child = run(out, "--resume", "--draws", "50", "--seed", "12")
    assert child.wait() == 2
    assert (
        f"Error: the checkpoint in '{out / FOLDER}' is of another run: draws is 60 there and 50 here; seed is 11 there "
        "and 12 here. Resume with the settings of that run, or run without --resume to start over"
    ) in child.said
    assert "Compiling" not in child.said
    assert chains(out) == stored


def limited(size: int):
    """No file may grow beyond a size, as on a disk that is full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return limit


def test_a_disk_that_fills_up_while_results_are_written_costs_no_sampling(whole, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    before = contents(out)
    largest_chain = 120_000  # posterior.nc holds four of them
    child = run(out, "--seed", "12", before=limited(largest_chain))
    assert child.wait() == 2, child.said
    assert f"Error: cannot write results to '{out}'" in child.said
    assert "a file would be larger than this system allows; earlier results were left as they were" in child.said
    assert "(12 of 12 chains, seed 12, begun " in child.said
    assert contents(out) == before
    child = run(out, "--seed", "12", "--resume")
    assert child.wait() == 0, child.said
    assert "of these 12 are there already" in child.said
    assert names(out) == FILES
    assert read_results(out).attrs["seed"] == 12
    assert not np.array_equal(draws(out)["z"], draws(whole)["z"])


def test_a_disk_too_full_for_a_chain_does_not_stop_the_run(tmp_path):
    out = tmp_path / "run"
    child = run(out, before=limited(5_000))
    assert child.wait() == 2, child.said
    assert child.said.count("A finished chain could not be stored in") == 1
    assert "(a file would be larger than this system allows); the run goes on, but if it is killed" in child.said
    assert "100 % of the draws" in child.said
    assert f"Error: cannot write results to '{out}'" in child.said
    assert not chains(out)
    assert os.path.exists(out) is False or not contents(out)


def test_two_runs_into_one_folder_at_once(whole, tmp_path):
    out = tmp_path / "run"
    first = run(out)
    first.wait_for(lambda: (out / ".reeuncert.lock").exists())
    second = run(out, "--seed", "99", log="second.log")
    assert second.wait() == 2
    assert second.said.endswith(
        f"Error: another run is writing to '{out}'; wait until it has finished, or choose another place with --out\n"
    )
    assert first.wait() == 0, first.said
    xr.testing.assert_identical(draws(out), draws(whole))


def test_sigterm_leaves_earlier_results_and_finished_chains(whole, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    before = contents(out)
    child = run(out)
    child.wait_for(lambda: bool(chains(out)))
    child.signal(signal.SIGTERM)
    assert child.wait() == -signal.SIGTERM
    assert contents(out) == before
    stored = len(chains(out))
    assert 1 <= stored < 12
    child = run(out, "--resume")
    assert child.wait() == 0, child.said
    assert f"of these {stored} are there already" in child.said
    xr.testing.assert_identical(draws(out), draws(whole))


def little_memory() -> None:
    """What the process holds now, and 100 MB more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + 100_000_000
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_without_memory_a_run_ends_in_one_line_and_leaves_earlier_results(whole, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    before = contents(out)
    child = run(out, "--draws", "100000", "--thin", "1", "--quiet", before=little_memory)
    assert child.wait() == 2, child.said
    assert child.said.startswith("Error: there is not enough memory")
    assert child.said.count("\n") == 1
    assert contents(out) == before
