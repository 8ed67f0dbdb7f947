"""Tables and sentences: intervals, what stands beside them, and the messages for what does not exist."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.case.records import Headline
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.errors import ArgumentError, ReeUncertError
from reeuncert.indicators.headlines import headlines
from reeuncert.indicators.printing import value
from reeuncert.indicators.summary import indicator_table, summary
from reeuncert.plots import indicator_data, plot_indicator
from reeuncert.report.figures import fans
from reeuncert.result.quantiles import spread
from reeuncert.result.result import Result
from reeuncert.studies.summaries import Summary
from reeuncert.testing import toy_posterior
from reeuncert.words.estimates import numbers

COLUMNS = [
    *("indicator", "region", "partner", "product", "end_use", "year", "unit", "mean", "median", "eti90_lb", "eti90_ub"),
    *("ess_bulk", "ess_tail", "r_hat", "prior_median", "prior_eti90_lb", "prior_eti90_ub"),
    *("width_ratio", "prior_below_median", "against_prior"),
]


@pytest.fixture(scope="module")
def toy() -> xr.DataTree:
    return toy_posterior(draws=50, years=3)


def test_a_summary_gives_posterior_and_prior_side_by_side(toy: xr.DataTree) -> None:
    found = summary(toy, "import_dependence", region="South", partner="North", product="refined")
    assert found.columns.tolist() == COLUMNS
    assert found["year"].tolist() == [2001, 2002, 2003]
    at = {"region": "South", "partner": "North", "product": "refined", "year": 2002}
    for group, start in (("derived", ""), ("derived_prior", "prior_")):
        draws = toy[group]["import_dependence"].sel(at).values.ravel()
        line = found[found["year"] == 2002].iloc[0]
        np.testing.assert_allclose(line[f"{start}median"], np.median(draws))
        expected = np.quantile(draws, [0.05, 0.95])
        np.testing.assert_allclose([line[f"{start}eti90_lb"], line[f"{start}eti90_ub"]], expected)
    ends = found[["eti90_lb", "eti90_ub", "prior_eti90_lb", "prior_eti90_ub"]].to_numpy()
    low, high, prior_low, prior_high = np.log(ends / (1 - ends)).T  # a share: odds
    np.testing.assert_allclose(found["width_ratio"], (high - low) / (prior_high - prior_low))
    assert (found["width_ratio"] < 1).all()
    assert (found["r_hat"] < 1.1).all()


def test_an_interval_is_named_by_its_probability(toy: xr.DataTree) -> None:
    found = summary(toy, "net_import_reliance", prob=0.5, year=2003)
    assert {"eti50_lb", "eti50_ub", "prior_eti50_lb", "prior_eti50_ub"} < set(found.columns)


@pytest.mark.parametrize("name", ["net_importer", "net_imports_peak"])
def test_an_event_has_a_probability_and_no_interval(toy: xr.DataTree, name: str) -> None:
    at = {"region": "South", "product": "refined"}
    told = toy.copy()
    told["derived"] = xr.DataTree(toy["derived"].to_dataset().copy())
    half = np.arange(50)[None, :, None] < [10, 20, 50]  # probabilities of 0.2, 0.4 and 1
    told["derived"][name] = toy["derived"][name].copy(data=toy["derived"][name].values.copy())
    told["derived"][name].loc[at] = half
    for table in (summary(told, name, prob=0.5, **at), indicator_data(told, name, coords=at)):
        assert table["median"].tolist() == pytest.approx([0.2, 0.4, 1.0])
        assert table.filter(like="eti").isna().all(axis=None)
        before = toy["derived_prior"][name].sel(at).mean(("chain", "draw"))
        np.testing.assert_allclose(table["prior_median"], before)
    row = summary(told, name, **at, year=2001)
    assert value(row.iloc[0]) == "20 %"
    assert row[["width_ratio", "prior_below_median"]].isna().all(axis=None)
    assert row["against_prior"].tolist() == ["not defined"]
    kept = Summary((name,))(told, Result(told).case, ()).data["indicators"][name].sel(at)
    assert np.isnan(kept.drop_sel(quantile=0.5)).all()
    assert len(plot_indicator(told, name, coords=at, backend="plotly").data) > 0
    assert name not in {one["name"] for one in fans(Result(told))["indicators"]}
    for ask in (ree.value_of_information, ree.verdicts):
        with pytest.raises(ReeUncertError, match=f"^'{name}' is 0 or 1 in a draw"):
            ask(told, {"indicator": name, **at, "year": 2001})
    case = Result(told).case
    headline = Headline(name, "South", "", "refined", 2001, "With {median} {unit}.")
    told.attrs["case_json"] = case_to_json(dataclasses.replace(case, headlines=(headline,)))
    with pytest.raises(ReeUncertError, match=f"^'{name}' is 0 or 1 in a draw"):
        headlines(told)


def test_rows_of_flows_that_the_system_does_not_have_are_left_out(toy: xr.DataTree) -> None:
    found = summary(toy, "smuggled_mass")
    assert set(zip(found["region"], found["partner"], strict=True)) == {("South", "North"), ("East", "North")}


def test_several_labels_may_be_chosen(toy: xr.DataTree) -> None:
    found = ree.summary(toy, "mine_production", region=["East", "North"], year=[2001, 2003])
    assert found[["region", "year"]].values.tolist() == [
        ["East", 2001],
        ["East", 2003],
        ["North", 2001],
        ["North", 2003],
    ]


@pytest.mark.parametrize(
    ("coords", "message"),
    [
        ({"partner": "North"}, "indicator 'mine_production' has no dim 'partner'; its dims: region, year"),
        (
            {"region": "Mars"},
            "'Mars' is no region of indicator 'mine_production'; there are: North, South, East",
        ),
        ({"year": 1999}, "'1999' is no year of indicator 'mine_production'; there are: 2001, 2002, 2003"),
    ],
)
def test_a_label_that_does_not_exist_is_answered_with_those_that_do(
    toy: xr.DataTree, coords: dict, message: str
) -> None:
    with pytest.raises(ReeUncertError) as caught:
        summary(toy, "mine_production", **coords)
    assert str(caught.value) == message


def test_an_indicator_that_was_not_computed_is_not_computed_in_passing(toy: xr.DataTree) -> None:
    bare = xr.DataTree.from_dict({"derived": toy["derived"].to_dataset()[["imports"]]})
    bare.attrs = toy.attrs
    with pytest.raises(ReeUncertError) as caught:
        summary(bare, "exports")
    assert str(caught.value) == (
        "'exports' has not been computed for this result: call add_indicators(dt, ['exports']) first; "
        "it holds ['imports']"
    )
    with pytest.raises(ReeUncertError, match=r"^this result holds no indicator: call add_indicators"):
        indicator_table(xr.DataTree())
    without_prior = summary(bare, "imports", region="South", product="all")
    assert without_prior[["prior_median", "width_ratio"]].isna().all(axis=None)
    assert set(without_prior["against_prior"]) == {"no prior"}


def test_the_table_of_all_indicators_is_tidy(toy: xr.DataTree) -> None:
    found = indicator_table(toy)
    assert found.columns.tolist() == COLUMNS
    keys = ["indicator", "region", "partner", "product", "end_use", "year"]
    assert not found.duplicated(keys).any()
    known = {name for name, values in toy["derived"].data_vars.items() if values.notnull().any()}
    assert set(found["indicator"]) == known
    assert found["median"].notna().all()


def test_an_indicator_over_labels_that_a_case_does_not_have_is_an_empty_table(toy: xr.DataTree) -> None:
    without = xr.DataTree.from_dict(
        {
            name: toy[name].to_dataset()[["end_use_consumption", "imports"]].isel(end_use=slice(0))
            for name in ("derived", "derived_prior")
        }
    )
    without.attrs = toy.attrs
    assert summary(without, "end_use_consumption").empty
    assert set(indicator_table(without)["indicator"]) == {"imports"}


def test_a_ratio_undefined_in_some_draws_is_summarised_over_the_others_if_they_are_few() -> None:
    draws = np.tile(np.linspace(0.0, 1.0, 101)[:, None], 3)
    draws[:5, 1] = np.nan
    draws[:20, 2] = np.nan
    found = spread(draws, prob=0.8)
    np.testing.assert_allclose(found.median[:2], [0.5, 0.525])
    np.testing.assert_allclose(found.lower[:2], [0.1, 0.145])
    np.testing.assert_allclose(found.mean[1], 0.525)
    assert np.isnan([found.median[2], found.mean[2], found.lower[2], found.upper[2]]).all()


def test_quantiles_are_those_of_numpy() -> None:
    draws = np.random.default_rng(3).lognormal(size=(137, 11))
    found = spread(draws, prob=0.9)
    expected = np.quantile(draws, [0.5, 0.05, 0.95], axis=0)
    np.testing.assert_allclose([found.median, found.lower, found.upper], expected)


def test_an_interval_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^prob is 90; it must lie between 0 and 1$"):
        spread(np.zeros((4, 1)), prob=90)


def test_headlines_are_sentences_with_median_and_interval(toy: xr.DataTree) -> None:
    found = headlines(toy)
    first, second = (found.iloc[i] for i in (0, 1))
    median, low, high = numbers(*(first[c] for c in ("median", "eti90_lb", "eti90_ub")), percent=True)
    assert first["sentence"] == f"In 2003, {median} % ({low} to {high}) of South's refined imports came from North."
    assert (second["indicator"], second["year"]) == ("smuggled_mass_cumulated", 2003)
    median, low, high = numbers(*(second[c] for c in ("median", "eti90_lb", "eti90_ub")))
    assert second["sentence"] == f"{median} kt ({low} to {high}) left North for South without a record of export."


def _with_headlines(dt: xr.DataTree, *said: Headline) -> xr.DataTree:
    """The result as if its case had these headlines."""
    out = dt.copy(deep=False)
    out.attrs["case_json"] = case_to_json(dataclasses.replace(case_from_json(dt.attrs["case_json"]), headlines=said))
    return out


@pytest.mark.parametrize(
    ("headline", "message"),
    [
        (
            Headline("net_import_reliance", region="South"),
            "a headline asks for 'net_import_reliance' over all years (year 0), but it has no cumulative "
            "variant; give a year, or use one of: apparent_consumption, ",
        ),
        (
            Headline("import_dependence", region="South", year=2002),
            "a headline on 'import_dependence' must also name its partner and product",
        ),
        (
            Headline("smuggled_mass", region="North", partner="East", year=2002),
            "a headline on 'smuggled_mass' asks for flows that the system does not have "
            "(region = North, partner = East, year = 2002)",
        ),
        (Headline("mine_production", region="Mars", year=2002), "'Mars' is no region of indicator 'mine_production'"),
    ],
)
def test_a_headline_that_cannot_be_filled_is_refused(toy: xr.DataTree, headline: Headline, message: str) -> None:
    with pytest.raises(ReeUncertError) as caught:
        headlines(_with_headlines(toy, headline))
    assert str(caught.value).startswith(message)


def test_the_product_of_a_headline_may_be_an_end_use(toy: xr.DataTree) -> None:
    said = Headline("world_end_use_share", product="magnets", sentence="Magnets took {median} {unit} of all.")
    found = headlines(_with_headlines(toy, said)).iloc[0]
    median, _, _ = numbers(*(found[c] for c in ("median", "eti90_lb", "eti90_ub")), percent=True)
    assert found["sentence"] == f"Magnets took {median} % of all."
    assert found["end_use"] == "magnets"


def test_a_sentence_may_name_the_years_of_the_result(toy: xr.DataTree) -> None:
    said = Headline("mine_production", "South", "", "", 0, "From {first_year} to {last_year}: {median} {unit}")
    assert headlines(_with_headlines(toy, said))["sentence"].iloc[0].startswith("From 2001 to 2003: ")


def test_a_result_without_a_case_has_no_headlines(toy: xr.DataTree) -> None:
    with pytest.raises(ReeUncertError, match=r"^this result holds no case \('case_json' among its attributes\)"):
        headlines(xr.DataTree.from_dict({"derived": toy["derived"].to_dataset()}))
    assert headlines(_with_headlines(toy)).empty


def test_headlines_of_a_result_without_indicators_are_refused() -> None:
    bare = xr.DataTree.from_dict({"posterior": toy_posterior(draws=5, years=2)["posterior"].to_dataset()})
    bare.attrs = toy_posterior(draws=5, years=2).attrs
    for ask in (ree.headlines, ree.verdicts, lambda dt: ree.sobol(dt, 0)):
        with pytest.raises(ReeUncertError, match=r"this result holds no indicator: call add_indicators\(dt\) first"):
            ask(bare)
