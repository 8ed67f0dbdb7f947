"""The command that calibrates: what it refuses, prints and writes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import reeuncert as ree
from reeuncert.calibration.result import Calibration
from reeuncert.cli import app
from reeuncert.cli.studies import coverage_table, write_calibration, years_of
from reeuncert.cli.terminal import console
from reeuncert.errors import CaseError


@pytest.fixture
def found() -> Calibration:
    rng = np.random.default_rng(1)
    labels = pd.DataFrame(
        [("flows", "trade", f"flow {k}", 2016) for k in range(6)] + [("headlines", "reliance", "North", 2016)],
        columns=["kind", "group", "quantity", "year"],
    )
    fits = pd.DataFrame({"simulation": range(20), "r_hat": 1.01})
    return Calibration("toy", labels, rng.random((20, 7)), fits)


def test_years_may_be_one_or_a_span():
    case = ree.read_case("small_metal")
    assert years_of("2017 - 2018", case) == [2017, 2018]
    assert years_of("2017", case) == [2017]


@pytest.mark.parametrize("text", ["soon", "2016-", "2016-last", "-2018"])
def test_other_spans_are_refused(text: str):
    with pytest.raises(CaseError) as refused:
        years_of(text, ree.read_case("small_metal"))
    assert str(refused.value) == (
        f"1 problem found:\n  --years: '{text}' is not a range of years; write e.g. --years 2016-2020"
    )


def test_the_command_refuses_a_bad_span_before_anything_is_compiled():
    done = CliRunner().invoke(app, ["calibrate", "small_metal", "--years", "soon"])
    assert done.exit_code == 2
    assert "'soon'" in done.stderr


def test_the_table_has_a_row_for_each_class(found: Calibration):
    page = console()
    with page.capture() as shown:
        page.print(coverage_table(found))
    lines = shown.get().splitlines()
    assert lines[0].strip() == "toy: truths inside central intervals, 20 simulations"
    assert [line.split()[0] for line in lines[-2:]] == ["flows", "headlines"]


def test_tables_and_figure_are_written(found: Calibration, tmp_path: Path):
    written = write_calibration(found, tmp_path)
    names = [path.name for path in written]
    tables = [f"toy_{name}.csv" for name in ("coverage", "coverage_by_group", "quantities", "fits")]
    assert names == [*tables, "toy.png"]
    coverage = pd.read_csv(written[0]).set_index("kind")
    assert coverage.loc["flows", "quantities"] == 6
    expected = np.mean(np.abs(found.position[:, :6] - 0.5) <= 0.45)
    assert coverage.loc["flows", "coverage90"] == pytest.approx(expected, abs=1e-4)
    assert len(pd.read_csv(written[2])) == 7
    assert len(pd.read_csv(written[3])) == 20
