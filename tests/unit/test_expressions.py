"""Indicators that a case defines in case.toml: checked with their lines, computed as any other, shown everywhere."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reeuncert as ree
from reeuncert.calibration.recovery import quantities
from reeuncert.case.records import Expression, Headline
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.edits.scenario import Scenario
from reeuncert.indicators import UnknownIndicatorError, registry
from reeuncert.indicators.printing import heading
from reeuncert.indicators.stored import read_results, write_netcdf
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.studies.jobs import FitSettings
from reeuncert.studies.sensitivity import plan_study
from reeuncert.system.definition import Selector
from reeuncert.testing import toy_posterior

TEXT = """

[[indicator]]
name = "loss_rate"
title = "Losses over ore"
numerator = {quantity = "loss", origin = "{region}"}
denominator = {quantity = "ore", origin = "{region}"}
cumulated = true

[[indicator]]
name = "traded"
numerator = {quantity = "trade", origin = "{partner}", destination = "{region}", product = "{product}"}

[[headline]]
indicator = "loss_rate"
region = "South"
year = 2020
sentence = "South lost {median} {unit} ({lower} to {upper})."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = Path(__file__).parents[2] / "models" / "small_metal"
    return Path(shutil.copytree(root, tmp_path / "my_case"))


def write(folder: Path, text: str) -> Path:
    file = folder / "case.toml"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    return folder


def with_own(dt):
    case = replace(
        Result(dt).case,
        indicators=(
            Expression("loss_rate", "Losses over ore", "%", Selector.of(quantity="loss", origin="{region}"),
                       Selector.of(quantity="ore", origin="{region}"), True),
            Expression("traded", "", "mass", Selector.of(quantity="trade", origin="{partner}", destination="{region}",
                                                         product="{product}")),
        ),
    )  # fmt: skip
    out = dt.copy(deep=False)
    out.attrs = {**dt.attrs, "case_json": case_to_json(case)}
    return out


def test_it_is_read_from_the_file_with_a_headline(folder):
    case = ree.read_case(write(folder, TEXT))
    assert [(of.name, of.unit, of.cumulated) for of in case.indicators] == [
        ("loss_rate", "%", True),
        ("traded", "mass", False),
    ]
    assert case_from_json(case_to_json(case)).indicators == case.indicators


def test_a_result_with_indicators_may_be_pickled(monkeypatch):
    result = Result(ree.add_indicators(with_own(toy_posterior(draws=20, years=3))))
    before = ree.indicator_table(result.dt)
    sent = pickle.dumps(result)
    monkeypatch.setattr(registry, "declared", {})  # as in a new process
    got = pickle.loads(sent)
    pd.testing.assert_frame_equal(ree.indicator_table(got.dt), before)
    assert {"loss_rate", "traded"} <= set(before["indicator"])


def test_it_is_computed_as_a_sum_of_flows_says_and_survives_a_file(tmp_path: Path):
    dt = with_own(toy_posterior(draws=20, years=3))
    out = ree.add_indicators(dt)
    mass = mass_flow(dt).fillna(0.0)
    named = {name: mass[name].values for name in ("quantity", "origin", "destination", "product")}

    def total(chosen):
        return mass.isel(flow=chosen).sum("flow").transpose("chain", "draw", "year").values

    lost = total((named["quantity"] == "loss") & (named["origin"] == "South"))
    ore = total((named["quantity"] == "ore") & (named["origin"] == "South"))
    derived = out["derived"].to_dataset()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(ore > 0, lost / ore, np.nan)
    np.testing.assert_allclose(derived["loss_rate"].sel(region="South").values, expected)
    summed = lost.cumsum(-1) / ore.cumsum(-1)
    np.testing.assert_allclose(derived["loss_rate_cumulated"].sel(region="South").values, summed)
    sent = (named["quantity"] == "trade") & (named["origin"] == "South") & (named["destination"] == "North")
    at = {"region": "North", "partner": "South", "product": "all"}
    np.testing.assert_allclose(derived["traded"].sel(at).values, total(sent))
    assert derived["traded"].attrs["units"] == "kt"
    row = ree.summary(out, "loss_rate", region="South", year=2001).iloc[0]
    assert heading(row) == "Losses over ore: South [%]"
    write_netcdf(out, tmp_path / "posterior.nc")
    back = read_results(tmp_path / "posterior.nc")
    np.testing.assert_allclose(back["derived"]["loss_rate"].values, derived["loss_rate"].values, rtol=1e-8)


@pytest.mark.parametrize(
    ("old", "new", "column", "message"),
    [
        ('"loss_rate"\ntitle', '"imports"\ntitle', "indicator.1.name", "there is an indicator 'imports' already"),
        ('"traded"', '"loss_rate"', "indicator.2.name", "there is an indicator 'loss_rate' already"),
        ('"traded"', '"a-b"', "indicator.2.name", "'a-b' is no name of an indicator"),
        ('quantity = "ore"', 'quantity = "oer"', "indicator.1.denominator", "quantity 'oer' is not known"),
        ('origin = "{region}"}\nden', 'orign = "{region}"}\nden', "indicator.1.numerator", "did you mean 'origin'?"),
        ('"{partner}"', '"{partnr}"', "indicator.2.numerator", "placeholder '{partnr}' is not known"),
        ('denominator = {', 'unit = "mass"\ndenominator = {', "indicator.1", "a mass has no denominator"),
        ('cumulated = true', 'unit = "kg"', "indicator.1.unit", "'kg' is not allowed; use one of: mass, %, 1"),
        ('"{product}"', '"salt", end_use = "glass"', "indicator.2.numerator", "no flow has all of these attributes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_before_sampling(folder, old, new, column, message):
    assert old in TEXT
    found = ree.check_case(write(folder, TEXT.replace(old, new, 1))).errors
    lines = (folder / "case.toml").read_text(encoding="utf-8").splitlines()
    told = next(p for p in found if p.column == column)
    assert message in told.message
    number = int(column.split(".")[1])
    starts = [k + 1 for k, line in enumerate(lines) if line == "[[indicator]]"]
    assert starts[number - 1] <= told.line < starts[number - 1] + 7


def of_case(dt, name, *indicators):
    case = replace(Result(dt).case, name=name, indicators=indicators)
    out = dt.copy(deep=False)
    out.attrs = {**dt.attrs, "case_json": case_to_json(case)}
    return out


def test_an_indicator_of_another_case_is_none_of_this_one(folder):
    dt = toy_posterior(draws=4, years=2)
    ree.add_indicators(with_own(dt))
    headline = '\n[[headline]]\nindicator = "loss_rate"\nregion = "South"\nyear = 2020\nsentence = "{median}"\n'
    (problem,) = ree.check_case(write(folder, headline)).errors
    assert "'loss_rate' is no indicator" in problem.message
    with pytest.raises(UnknownIndicatorError, match="'loss_rate' is no indicator"):
        ree.add_indicators(dt, ["loss_rate"])
    with pytest.raises(UnknownIndicatorError, match="'loss_rate' is no indicator"):
        ree.summary(ree.add_indicators(dt), "loss_rate")


def test_two_cases_may_give_one_name_to_different_indicators():
    dt, region = toy_posterior(draws=20, years=2), {"region": "South", "year": 2001}
    lost = Expression("lost", "Mass lost", "mass", Selector.of(quantity="loss", origin="{region}"))
    rate = replace(lost, title="Losses over ore", unit="%", denominator=Selector.of(quantity="ore", origin="{region}"))
    a, alone = (ree.add_indicators(of_case(dt, "a", lost)) for _ in range(2))
    before = ree.summary(alone, "lost", **region)
    b = ree.add_indicators(of_case(dt, "b", rate))
    assert heading(ree.summary(b, "lost", **region).iloc[0]) == "Losses over ore: South [%]"
    after = ree.summary(a, "lost", **region)
    pd.testing.assert_frame_equal(after, before)
    assert heading(after.iloc[0]) == "Mass lost: South [kt]"


def test_a_headline_on_it_is_compared_with_a_case_that_has_none():
    dt = toy_posterior(draws=20, years=2)
    asked = (Headline("loss_rate", region="South", year=2001),)
    with_one = with_own(dt)
    with_one.attrs["case_json"] = case_to_json(replace(Result(with_one).case, headlines=asked))
    row = ree.compare(*map(ree.add_indicators, (with_one, dt))).table.set_index("indicator").loc["loss_rate"]
    assert (row["headline"], row["unit"]) == ("Losses over ore · South · 2001", "1")
    assert (np.isfinite(row["a_median"]), np.isfinite(row["b_median"])) == (True, False)


def test_studies_and_calibrations_keep_it(folder):
    (job,) = plan_study(ree.read_case(write(folder, TEXT)), [Scenario("base")], FitSettings())
    assert "loss_rate" in job.keep.indicators
    dt = with_own(toy_posterior(draws=4, years=2))
    labels, _ = quantities(dt["posterior"].to_dataset(), Result(dt).case, ["loss_rate"])
    assert "loss_rate" in set(labels["group"])


def test_a_report_shows_it():
    dt = with_own(toy_posterior(chains=2, draws=20, years=3))
    from reeuncert.report.page import render

    result = Result(ree.add_indicators(dt))
    assert "Losses over ore" in render(result)
    assert result._repr_html_().startswith("<pre>&lt;Result of &#x27;toy&#x27;")
