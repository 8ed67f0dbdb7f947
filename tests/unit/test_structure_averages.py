"""Rival structures: their scores, the average over them, and the range that a result keeps."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import reeuncert as ree
from averaged import average_structures
from reeuncert.case.serial import case_to_json
from reeuncert.checks import all_checks
from reeuncert.checks.result import CheckTable
from reeuncert.cli.show import show_result
from reeuncert.cli.stored import run_compare
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.stored import write_netcdf
from reeuncert.report.page import render
from reeuncert.report.workbook import workbook
from reeuncert.result.result import Result
from reeuncert.result.structures import HOLDS, NOT_IDENTIFIED, StructureRun, Structures, add_structures
from reeuncert.studies.summaries import headline_values
from reeuncert.testing import toy_posterior


@pytest.mark.slow
def test_rival_structures_are_scored(tmp_path: Path) -> None:
    """Two structures of one case: stocks as they are, or hardly any, which figures cannot tell apart."""
    folder = tmp_path / "two_structures"
    shutil.copytree(Path(__file__).parents[2] / "models" / "small_metal", folder)
    text = (folder / "case.toml").read_text(encoding="utf-8")
    switch = '[options.stocks]\ndefault = "some"\nchoices = ["some", "few"]\ncompare = true\nhelp = "Invented."\n\n'
    (folder / "case.toml").write_text(text.replace("[[headline]]", switch + "[[headline]]", 1), encoding="utf-8")
    priors = pd.read_csv(folder / "priors.csv").assign(when="")
    row = priors[priors["prior"] == "stock of North"]
    rest = priors[priors["prior"] != "stock of North"]
    few = row.assign(prior="few stocks of North", median=0.02, when="stocks=few")
    pd.concat([rest, row.assign(when="stocks=some"), few]).to_csv(folder / "priors.csv", index=False)
    case = ree.read_case(folder)
    found = ree.score_structures(case, folds=3, draws=200, tune=300, chains=2)
    assert set(found.table.index) == {"some", "few"}
    assert len(found.rows) == len(case.evidence)
    assert abs(found.table["elpd_diff"].iloc[1]) < 2 * found.table["dse"].iloc[1] + 2.0
    assert "Predictive scores of 14 figures" in repr(found)
    with pytest.raises(ReeUncertError, match="case 'small_metal' names no rival structures"):
        ree.score_structures(ree.read_case("small_metal"))


def test_structures_are_averaged_and_their_range_kept() -> None:
    one, other = (toy_posterior(draws=100, years=2, seed=s) for s in (0, 9))
    table = average_structures({"tied": one, "free": other}, {"tied": 1.0, "free": 0.0})
    alone = ree.headlines(one)
    np.testing.assert_allclose(table["stacked_median"], alone["median"], rtol=0.02)
    both = average_structures({"tied": one, "free": other})
    assert (both["lowest_median"] <= both["median"]).all()
    assert (both["median"] <= both["highest_median"]).all()
    assert set(both["verdict"]) <= {HOLDS, NOT_IDENTIFIED}
    with pytest.raises(ReeUncertError) as error:
        average_structures({"tied": one, "free": other}, {"tied": -1.0, "loose": 1.0})
    assert str(error.value) == (
        "'loose' is no structure of these results; structure 'free' has no weight; the weight of 'tied' is -1; it must "
        "be 0 or more; the structures are: tied, free"
    )
    with pytest.raises(ReeUncertError, match=r"^1 structures are given; averaging needs two or more$"):
        average_structures({"tied": one})


@pytest.mark.parametrize("rivals", [True, False])
def test_whatever_is_of_one_structure_says_so_where_the_answers_are_averages(
    rivals: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dt, other = (toy_posterior(chains=2, draws=60, years=3, seed=s) for s in (0, 9))
    case = replace(Result(dt).case, options={"link": "tied"}, compare=("link",) if rivals else ())
    if rivals:
        runs = {name: StructureRun(*headline_values(of, case)) for name, of in (("tied", dt), ("free", other))}
        dt = add_structures(dt, Structures.of(runs))
    dt.attrs["case_json"] = case_to_json(case)
    result = Result(dt)
    result.keep(all_checks, CheckTable(()))
    found = re.split(r'<section id="([a-z-]+)"', render(result))
    told = {name for name, text in zip(found[1::2], found[2::2], strict=True) if "of the structure “tied”" in text}
    assert told == (set(found[1::2]) - {"answers", "verdict", "method"} if rivals else set())
    book = openpyxl.load_workbook(io.BytesIO(workbook(result)))
    sheets = {sheet.title: [[cell.value for cell in row] for row in sheet] for sheet in book}
    assert any("Structure" in row for row in sheets["About"]) is rivals
    assert all(("tied alone" in row) is rivals for row in sheets["Series"][1:])
    assert not any("tied alone" in row for row in sheets["Answers"])
    capsys.readouterr()
    show_result(result, tmp_path, tables=True)
    assert ("“tied” alone" in capsys.readouterr().out) is rivals
    write_netcdf(dt, tmp_path / "posterior.nc")
    beside = ree.compare(dt, dt)
    monkeypatch.setattr(ree, "compare", lambda *_, **__: beside)
    for with_what, says in (("published", rivals), (str(tmp_path), False)):
        run_compare(str(tmp_path), with_what, None)
        assert ("“tied” alone" in capsys.readouterr().out) is says


def test_a_table_that_is_changed_does_not_change_the_next() -> None:
    labels = pd.DataFrame({"indicator": ["imports"], "region": "A", "year": 2001, "unit": "kt"})
    runs = {name: StructureRun(labels, np.arange(100.0)[None]) for name in ("one", "two")}
    found = Structures.of(runs)
    for table in (found.table, found.averages):
        changed = table()
        changed["median"] = -1.0
        assert (table()["median"] > 0).all()
