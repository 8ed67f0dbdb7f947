"""The section of the report on what to collect next."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.case.labels import Labels
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.checks import all_checks
from reeuncert.checks.result import CheckResult, CheckTable
from reeuncert.indicators.headlines import all_scaled
from reeuncert.questions.overview import overview
from reeuncert.report.page import render
from reeuncert.report.sections import SECTIONS, Section, learned
from reeuncert.result.result import Result
from reeuncert.testing import toy_posterior, toy_terms

ONLY = (Section("next", "What to collect next", learned.next_steps, "a headline"),)


@pytest.fixture(scope="module")
def toy() -> xr.DataTree:
    return toy_posterior(chains=2, draws=200, years=3)


def page(dt: xr.DataTree) -> str:
    checks = CheckTable((CheckResult("balance", "passed", 0.0, "<= 1e-9", "Every process balances."),))
    result = Result(dt)
    result.keep(all_checks, checks)
    return " ".join(render(result, sections=ONLY).split())


def test_the_report_has_the_section() -> None:
    assert [s.title for s in SECTIONS].index("What to collect next") < [s.id for s in SECTIONS].index("evidence")


def test_each_answer_names_its_best_measurement(toy: xr.DataTree) -> None:
    text, labels = page(toy), Labels(Result(toy).case).flows
    for one in overview(toy):
        best = one.measurements.iloc[0]
        every = ree.value_of_information(toy, {"indicator": one.target.indicator, **one.target.at}, error=0.1)
        # What was screened out could not have been better.
        assert best["narrowing"] == pytest.approx(every["narrowing"].iloc[0], abs=0.03)
        assert f"<li>{labels[best['flow']]} {best['measured_year']} " in text
    assert "Where its uncertainty comes from" not in text  # made-up draws have no coordinates
    assert "narrower by" in text


@pytest.mark.parametrize(("other", "shown"), [(0.41, True), (-0.2, True), (1.6, False), (-0.6, False)])
def test_shares_are_of_the_variance_and_a_sum_far_from_it_has_none(other: float, shown: bool) -> None:
    rows = [
        ("source", "customs", 3, 0.5, 0.1),
        ("prior class", "end_uses", 5, 0.3, 0.1),
        ("source", "other", 1, 0.01, 0.0),
        ("source", "rest of sources", 9, other - 0.02, 0.0),
        ("rest", "not linear", 0, 0.21 - other, 0.1),
    ]
    found = learned.origins(pd.DataFrame(rows, columns=["kind", "component", "inputs", "share", "se"]))
    assert found is not None
    assert found["total"] == pytest.approx(0.79 + other)
    parts = {(part["name"], part["kind"]): part["share"] for part in found["parts"]}
    assert bool(parts) is shown
    if shown:
        assert parts.items() >= {("customs", "source"): 0.5, ("end_uses", "prior"): 0.3}.items()
    assert ("other", "source") not in parts


def test_sources_and_priors_that_move_an_answer_are_those_of_power_scaling(toy: xr.DataTree) -> None:
    result = Result(toy_terms(toy))
    found, power = learned.next_steps(result), result.once(all_scaled)
    assert found is not None
    assert found["has_origins"]
    moved = set()
    for row, one in zip(found["rows"], overview(result.dt), strict=True):
        own = power[(power["quantity"] == one.target.label) & power["kind"].ne("evidence") & power["sensitive"]]
        slopes = dict(zip(own["component"], own["moves"], strict=True))
        assert {m["component"]: m["moves"] for m in row["moved"]}.items() <= slopes.items()
        assert len(row["moved"]) == min(len(slopes), learned.SHOWN)
        assert row["origins"] is None  # made-up draws have no coordinates
        moved |= {m["component"] for m in row["moved"]}
    assert moved & {"customs", "survey"}
    text = page(result.dt)
    assert all(name in text for name in ("moved most by", *moved))


def test_a_case_without_headlines_says_so(toy: xr.DataTree) -> None:
    out = toy.copy(deep=False)
    case = case_from_json(str(toy.attrs["case_json"]))
    out.attrs = {**toy.attrs, "case_json": case_to_json(replace(case, headlines=()))}
    assert "What to collect next (a headline)" in page(out)
    assert learned.next_steps(Result(out)) is None
