"""Cases that have other roles than the bundled ones: their files are written, and sections without content left out."""

from __future__ import annotations

import re

import pytest

from foreign import CASES, result_of
from reeuncert.checks import check_table
from reeuncert.indicators.stored import read_results
from reeuncert.report import SECTIONS
from reeuncert.report.files import write_results
from reeuncert.report.page import render
from reeuncert.result.result import Result

LEFT_OUT = {
    "small_metal": {"customs-gap", "unregistered"},
    "cobalt": {"unregistered"},
    "steel": {"answers", "triangle", "net-trade", "customs-gap", "unregistered", "no-trade", "next"},
    "network": {
        *(
            "answers",
            "dependence",
            "triangle",
            "net-trade",
            "customs-gap",
            "unregistered",
            "consumption",
            "no-trade",
            "next",
        ),
    },
}


@pytest.mark.parametrize("name", CASES)
def test_sections_are_left_out_where_a_case_has_nothing_for_them(name):
    result = Result(result_of(CASES[name]()))
    page = render(result)
    assert result.failed == []
    missing = {s.id: s for s in SECTIONS}
    for shown in re.findall(r'<section id="([a-z-]+)"', page):
        del missing[shown]
    assert set(missing) == LEFT_OUT[name] | {"outlook", "suppliers"}  # these show what a command has stored
    line = page.split('id="left-out"')[1].split("</p>")[0]
    assert all(f"{s.title} ({s.needs})" in line for s in missing.values())


def test_a_case_without_any_standard_role_writes_its_results(tmp_path):
    files = write_results(result_of(CASES["network"]()), tmp_path)
    assert {"flows.csv", "indicators.csv", "report.html"} <= {path.name for path in files}
    assert not check_table(Result(read_results(tmp_path))).not_run


@pytest.mark.parametrize("case", ["cobalt", "network"])
def test_an_interrupted_run_that_fails_its_checks_says_both(case):
    dt = result_of(CASES[case](), draws=8)
    dt.attrs["complete"] = "no"
    page = render(Result(dt))
    assert "<strong>Interrupted.</strong>" in page
    assert re.search(r'class="strip red".*?checks failed', page, flags=re.DOTALL)
    assert page.index("strip red") < page.index("<section")
