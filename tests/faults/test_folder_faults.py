"""A folder of results whose writing is killed, interrupted or shared: the earlier result or the new one, no parts."""

from __future__ import annotations

import errno
import os
import signal
import time

import pytest
import xarray as xr

from faults.processes import start
from faults.results import belongs_together, contents, small, write
from reeuncert.cli.app import main
from reeuncert.errors import OutputError
from reeuncert.indicators.stored import read_results, stage_results
from reeuncert.report import write_report
from reeuncert.report.files import revise_results
from reeuncert.result.folder import LOCK, STAGED, output_folder
from reeuncert.result.io import POSTERIOR, PROVENANCE


@pytest.fixture(scope="module")
def result():
    return small(8)


@pytest.fixture(scope="module")
def other():
    return small(9)


@pytest.mark.parametrize("renames", range(1, 11))
def test_kill_9_while_files_are_put_in_place(result, other, tmp_path, renames):
    """Five files, each moved aside and replaced: killed after every number of renames."""
    folder = tmp_path / "run"
    write(result, folder, "first")

    def work() -> None:
        real, count = os.replace, 0

        def replace(source, target):
            nonlocal count
            real(source, target)
            count += 1
            if count == renames:
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = replace
        write(other, folder, "second")

    assert start(work, tmp_path / "log").wait() == -signal.SIGKILL
    with output_folder(folder):  # what every next run does first
        pass
    assert sorted(contents(folder)) == ["flows.csv", "indicators.csv", "posterior.nc", "provenance.json", "report.html"]
    assert [p.name for p in folder.iterdir() if p.is_dir()] == []
    assert belongs_together(folder)
    assert (folder / "report.html").read_text() == "second"
    assert read_results(folder)["posterior"].sizes["draw"] == 9


def test_kill_9_while_files_are_staged_leaves_the_earlier_result(result, other, tmp_path):
    folder = tmp_path / "run"
    write(result, folder, "first")
    before = contents(folder)

    def work() -> None:
        with output_folder(folder) as staging:
            stage_results(staging, other, {}, {"report.html": "second"})
            os.kill(os.getpid(), signal.SIGKILL)

    assert start(work, tmp_path / "log").wait() == -signal.SIGKILL
    assert {name: text for name, text in contents(folder).items() if name != LOCK} == before
    assert list(folder.glob(f"{STAGED}*"))
    write(other, folder, "third")
    assert not list(folder.glob(f"{STAGED}*"))
    assert belongs_together(folder)


def test_kill_9_while_a_report_is_written_again_leaves_the_earlier_report(result, tmp_path):
    (tmp_path / "report.html").write_text("earlier")

    def work() -> None:
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_report(result, tmp_path / "report.html")

    assert start(work, tmp_path / "log").wait() == -signal.SIGKILL
    assert (tmp_path / "report.html").read_text() == "earlier"
    write_report(result, tmp_path / "report.html")
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_two_processes_and_one_folder(result, tmp_path):
    folder = tmp_path / "run"

    def work() -> None:
        with output_folder(folder):
            time.sleep(600)

    holder = start(work, tmp_path / "log")
    holder.wait_for(lambda: bool(list(folder.glob(f"{STAGED}*"))))
    with pytest.raises(OutputError) as caught:
        write(result, folder)
    assert str(caught.value) == (
        f"another run is writing to '{folder}'; wait until it has finished, or choose another place with --out"
    )
    holder.signal(signal.SIGKILL)
    holder.wait()
    write(result, folder)  # the lock of the dead is none
    assert belongs_together(folder)


def test_a_result_cut_in_half_is_refused_by_readers_and_commands(result, tmp_path, capsys, monkeypatch):
    write(result, tmp_path, "earlier")
    whole = (tmp_path / POSTERIOR).read_bytes()
    (tmp_path / POSTERIOR).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OutputError, match="cannot be read: it was cut short, is damaged or is no netCDF-4 file"):
        read_results(tmp_path / POSTERIOR)
    message = "is not the file that provenance.json beside it speaks of"
    with pytest.raises(OutputError, match=message):
        read_results(tmp_path)
    monkeypatch.setattr("sys.argv", ["reeuncert", "report", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert (tmp_path / "report.html").read_text() == "earlier"
    write(result, tmp_path)
    assert read_results(tmp_path)["posterior"].sizes["draw"] == 8


@pytest.mark.parametrize("renames", range(1, 10))
def test_a_folder_between_two_results_is_mended_on_reading(result, other, tmp_path, monkeypatch, renames):
    folder = tmp_path / "run"
    write(result, folder, "first")
    real, count = os.replace, 0

    def replace(source, target):
        nonlocal count
        count += 1
        if count > renames:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)  # neither forwards nor back
        with pytest.raises(OutputError, match=r"stand side by side there\. Nothing is lost"):
            write(other, folder, "second")
        with pytest.raises(OutputError, match="are of two results"):
            read_results(folder)
    assert read_results(folder)["posterior"].sizes["draw"] == 9
    assert belongs_together(folder)
    assert (folder / "report.html").read_text() == "second"


def test_an_interrupt_between_two_renames_brings_the_earlier_result_back(result, other, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    write(result, folder, "first")
    before, real, count = contents(folder), os.replace, 0

    def replace(source, target):
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            write(other, folder, "second")
    assert contents(folder) == before
    assert not list(folder.glob(f"{STAGED}*"))


def test_a_result_that_is_changed_is_held_from_reading_to_writing(result, other, tmp_path, monkeypatch):
    write(result, tmp_path / "run")
    before = contents(tmp_path / "run")

    def meanwhile(dt: xr.DataTree) -> xr.DataTree:
        assert dt["posterior"].sizes["draw"] == 8
        write(other, tmp_path / "run")
        return dt

    with pytest.raises(OutputError, match="another run is writing to"):
        revise_results(tmp_path / "run", meanwhile)
    assert contents(tmp_path / "run") == before

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def never(_: xr.DataTree) -> xr.DataTree:
        raise AssertionError("worked before it was known that nothing can be written")

    monkeypatch.setattr("reeuncert.result.folder.tempfile.mkdtemp", full)
    with pytest.raises(OutputError, match="the disk is full"):
        revise_results(tmp_path / "run", never)


def test_draws_of_another_run_are_refused_and_changed_tables_named(result, other, tmp_path):
    write(result, tmp_path / "one")
    write(other, tmp_path / "two")
    (tmp_path / "one" / "flows.csv").write_text("a\n2.0\n")
    with pytest.warns(UserWarning, match="flows.csv in .* changed after the run had written them"):
        assert read_results(tmp_path / "one")["posterior"].sizes["draw"] == 8
    (tmp_path / "one" / POSTERIOR).write_bytes((tmp_path / "two" / POSTERIOR).read_bytes())
    with pytest.raises(OutputError, match="taken from another run"):
        read_results(tmp_path / "one")
    assert read_results(tmp_path / "one" / POSTERIOR)["posterior"].sizes["draw"] == 9
    (tmp_path / "one" / PROVENANCE).unlink()
    assert read_results(tmp_path / "one")["posterior"].sizes["draw"] == 9
