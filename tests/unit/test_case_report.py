"""What `check_case` reports of a case."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from case_files import FILES, changed, write_case
from reeuncert.errors import ArgumentError, Problem
from reeuncert.validation.reader import problems_of, read_case
from reeuncert.validation.report import check_case, number_warnings


def test_a_report_says_what_is_in_a_case(tmp_path: Path) -> None:
    report = check_case(write_case(tmp_path))
    assert report.passed
    lines = str(report).splitlines()
    assert lines[0] == f"Case '{tmp_path.name}' can be used: 0 errors, 1 warning."
    assert "'options.scope': no row names" in lines[1]
    assert lines[2:] == [
        *(f"  {line}" for line in repr(report.case).splitlines()),
        "  evidence that says zero of flows that do not exist: none",
        "  overlapping rows of one lineage without a shared offset: none",
        "  prints in more than one row: none",
        "  constants that no indicator reads: quota",
    ]


def test_a_report_warns_of_wide_priors_and_files_that_are_not_read(tmp_path: Path) -> None:
    write_case(tmp_path, priors_csv=changed("priors.csv", "each,20,30,0.5,0.2", "each,20,30,3.5,0.2"))
    (tmp_path / "factors.csv").unlink()
    (tmp_path / "factor.csv").write_text(FILES["factors.csv"])
    (tmp_path / "evidence.csv").unlink()
    warnings = [str(w) for w in check_case(tmp_path).warnings]
    assert "factor.csv: the file is not read; did you mean 'factors.csv'?" in warnings
    assert any(w.startswith("priors.csv: the prior that the table implies for flow 'ore' in") for w in warnings)
    assert (
        "priors.csv line 2, column 'level_sd': the spreads add up to a log-sd of 3.51, a factor of 320 either way "
        "(90 %); where it is above 1, say why in reason, or tighten the row"
    ) in warnings


def test_a_report_lists_errors_instead_of_raising_them(tmp_path: Path) -> None:
    write_case(tmp_path, priors_csv=changed("priors.csv", "each,20,30,", "each,x,30,"))
    report = check_case(tmp_path)
    assert not report.passed
    assert report.errors == (
        Problem("priors.csv", 2, "median", "'x' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3"),
    )
    assert str(report).splitlines()[0] == f"Case '{tmp_path.name}' cannot be used: 1 error, 1 warning."


def test_a_case_that_was_changed_in_memory_is_checked_too(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path))
    assert problems_of(case) == ()
    fewer = dataclasses.replace(case, priors=case.priors[:-1])
    assert [str(p) for p in check_case(fewer).errors] == [
        "priors.csv, column 'flow': no row covers the input 'imports' in 2001-2002; add a row of kind input"
    ]


def test_only_a_spread_on_the_log_scale_can_be_too_narrow_in_itself() -> None:
    case = read_case("small_metal")
    families = ("lognormal", "logistic_normal", "truncated_normal", "gamma")
    rows = [dataclasses.replace(case.priors[0], family=word, a=0.5, b=1e-6, line=k) for k, word in enumerate(families)]
    found = number_warnings(dataclasses.replace(case, priors=tuple(rows)))
    assert [families[problem.line] for problem in found if problem.column == "b"] == ["lognormal", "logistic_normal"]


def test_choices_for_a_case_that_is_read_already_are_refused(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path))
    with pytest.raises(ArgumentError, match="check_case: the case is read already, with its choices: leave out scope"):
        check_case(case, scope="wide")
