"""Commands under odd arguments: every ending is one of those documented, and nothing but our words comes out."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import reeuncert.running
from reeuncert.cli import app
from reeuncert.errors import SamplingError

TIMES = int(os.environ.get("REEUNCERT_FUZZ", "1"))
ODD = (
    *("", " ", "0", "-1", "1e3", "٣", "99999999999999999999999", "nan", "True", "\u202e", "a" * 3000, "../../x"),
    *("/proc/x", "=1+1", "--", "-", "--out", "a=b", "gap=", "=", "\udcff", "/dev/null", "/dev/full", "{median}"),
    *("~nobody/x", "\x1b[31m"),
)
SAMPLED = reeuncert.running._sampled
NAMES = ("--out", "--draws", "--tune", "--thin", "--chains", "--seed", "--sampler", "--option", "--resume", "--preview")


@pytest.fixture(autouse=True, scope="module")
def _no_sampling():
    def stop(*_):
        raise SamplingError("no sampling here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reeuncert.running, "_sampled", stop)
        yield


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def ended_well(arguments: list[str], statuses: set[int]) -> None:
    found = CliRunner().invoke(app, arguments)
    assert found.exception is None or isinstance(found.exception, SystemExit), repr(found.exception)
    assert found.exit_code in statuses, (found.exit_code, found.output)
    assert "Traceback" not in found.output
    if found.stderr.startswith("Error: "):  # ours, not that of the parser of arguments
        assert all(c.isprintable() or c == "\n" for c in found.stderr)


@settings(max_examples=40 * TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.one_of(st.sampled_from(ODD), st.text(max_size=20))), max_size=3))
def test_run(pairs):
    ended_well(["run", "small_metal", *(word for pair in pairs for word in pair)], {2})


@settings(max_examples=40 * TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["run", "check", "report", "structures"]), st.one_of(st.sampled_from(ODD), st.text(max_size=20)))
def test_the_case_or_result(command, word):
    ended_well([command, "--", word], {2})


def test_a_seed_that_cannot_be_is_refused_before_sampling(monkeypatch):
    monkeypatch.setattr(reeuncert.running, "_sampled", SAMPLED)
    found = CliRunner().invoke(app, ["run", "small_metal", "--quiet", "--seed", str(2**32)])
    assert found.exit_code == 2
    assert found.stderr == "Error: seed is 4294967296; give a whole number from 0 to 4,294,967,295\n"
