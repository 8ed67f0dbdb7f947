"""Studies without a refit, held against refits of the small case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.case.records import Case, ErrorClass, Evidence, Source
from reeuncert.edits import edit_of
from reeuncert.edits.base import Edited
from reeuncert.edits.scenario import Scenario
from reeuncert.errors import CaseError, ReeUncertError
from reeuncert.indicators.registry import UnknownIndicatorError
from reeuncert.inference.refit import Refitter
from reeuncert.questions.nested import interval_width
from reeuncert.result.tables import mass_flow
from reeuncert.studies.engine import make_fits
from reeuncert.studies.jobs import FitSettings, JobMaker
from reeuncert.studies.scores import compare_scores, fold_jobs, fold_of_rows, predictions
from reeuncert.system.definition import Selector

ERROR = 0.05
MEASURED = (("salt_to_north", 2020), ("north_stock", 2020), ("south_salt", 2019))
"""Flows that are measured: one that decides the value, one that helps, one that tells it nothing new."""
NAMES = ["import_dependence", "apparent_consumption", "embodied_dependence_mined"]
VALUE = {"indicator": "apparent_consumption", "region": "North", "product": "refined", "year": 2020}


@pytest.fixture(scope="module")
def refitter() -> Refitter:
    """The small case with a row for each flow that may be measured; weight 0 leaves it out."""
    case = ree.read_case("small_metal")
    nan = float("nan")
    rows = [
        Evidence(f"new-{flow}", Selector.of(flow=flow), (year,), "level", None, 10.0, nan, nan, "kt", "Li", "exact",
                 "new", "new")
        for flow, year in MEASURED
    ]  # fmt: skip
    return Refitter(
        replace(
            case,
            evidence=(*case.evidence, *rows),
            classes={**case.classes, "new": ErrorClass("new", "normal", ERROR, 0.0, False)},
            sources={**case.sources, "new": Source("new", "New", "", "", "", "", "new", "new")},
        )
    )


@pytest.fixture(scope="module")
def base(refitter: Refitter) -> xr.DataTree:
    weight = [0.0 if row.source_id == "new" else 1.0 for row in refitter.rows]
    dt = refitter.fit(weight=weight, draws=1000, tune=500, chains=4, seed=1, likelihood_terms=True)
    return ree.add_indicators(dt, NAMES)


def width_after(refitter: Refitter, base: xr.DataTree, flow: str, year: int, outcomes: int) -> float:
    """Mean width of the interval over refits with what a measurement might say."""
    log = np.log(mass_flow(base).sel(flow=flow, year=year).values.ravel())
    noise = np.random.default_rng(0).permutation((np.arange(outcomes) + 0.5) / outcomes)
    said = np.quantile(log, (np.arange(outcomes) + 0.5) / outcomes)
    from scipy.stats import norm

    said = said + ERROR * norm.ppf(noise)
    ids = [row.id for row in refitter.rows]
    weight = np.array([1.0 if row.source_id != "new" or row.id == f"new-{flow}" else 0.0 for row in refitter.rows])
    reported = refitter.record.evidence.value.copy()
    widths = []
    for seed, value in enumerate(said):
        reported[ids.index(f"new-{flow}")] = value
        dt = refitter.fit(weight=weight, reported=reported, draws=500, tune=400, chains=2, seed=seed)
        draws = ree.add_indicators(dt, ["apparent_consumption"])["derived"]["apparent_consumption"]
        at = {k: v for k, v in VALUE.items() if k != "indicator"}
        widths.append(interval_width(draws.sel(at).values.ravel()))
    return float(np.mean(widths))


def check_against_refits(refitter: Refitter, base: xr.DataTree, outcomes: int, tolerance: float) -> pd.DataFrame:
    table = ree.value_of_information(base, VALUE, error=ERROR).set_index(["flow", "measured_year"])
    found = []
    for flow, year in MEASURED:
        row = table.loc[flow, year]
        refitted = 1 - width_after(refitter, base, flow, year, outcomes) / row["eti90_width"]
        found.append((flow, row["narrowing"], refitted))
        assert row["narrowing"] == pytest.approx(refitted, abs=tolerance), found
    return pd.DataFrame(found, columns=["flow", "draws", "refits"])


def test_expected_narrowing_is_that_of_refits(refitter: Refitter, base: xr.DataTree) -> None:
    found = check_against_refits(refitter, base, outcomes=5, tolerance=0.12)
    assert found["draws"].iloc[0] > 0.15
    assert found.sort_values("refits", ascending=False)["flow"].iloc[0] == found["flow"].iloc[0]


@pytest.mark.slow
def test_expected_narrowing_is_that_of_many_refits(refitter: Refitter, base: xr.DataTree) -> None:
    check_against_refits(refitter, base, outcomes=24, tolerance=0.05)


def test_the_value_itself_is_worth_most_and_noise_is_told(base: xr.DataTree) -> None:
    table = ree.value_of_information(base, VALUE, error=0.02)
    assert table["flow"].iloc[0] == "north_use"
    assert table["narrowing"].is_monotonic_decreasing
    assert (table["noise"] >= 0).all()
    assert table["noise"].median() < 0.05
    assert (table["error_used"] >= table["error"]).all()
    assert len(table) == int(mass_flow(base).notnull().any(["chain", "draw"]).sum())
    worse = ree.value_of_information(base, VALUE, error=0.5, flows="north_use")
    assert worse["narrowing"].iloc[0] < table["narrowing"].iloc[0]


def test_series_and_sources_are_ranked_too(base: xr.DataTree) -> None:
    series = ree.value_of_information(base, VALUE, of="series", error=0.02, flows={"quantity": "apparent_consumption"})
    assert series["flow"].tolist()[0] == "north_use"
    one = ree.value_of_information(base, VALUE, error=0.02, flows="north_use").set_index("measured_year")
    assert series["narrowing"].iloc[0] == pytest.approx(one.loc[2020, "narrowing"], abs=0.1)
    sources = ree.value_of_information(base, VALUE, of="sources", error=0.02).set_index("source")
    assert sources.loc["customs-south", "figures"] == 3
    assert sources["narrowing"].between(0, 1).all()
    assert sources["narrowing"].idxmax() in ("customs-south", "customs-north", "new")


def test_a_table_of_one_flow_is_worth_what_the_flow_is(base: xr.DataTree) -> None:
    found = ree.value_of_tables(base, [VALUE], by="flow", error=0.02).set_index("flow")
    assert found.index[0] == "north_use"
    every = ree.value_of_information(base, VALUE, error=0.02)
    one = every[every["measured_year"] == 2020].set_index("flow")["narrowing"]
    assert (found["narrowing"] - one.reindex(found.index).fillna(0.0)).abs().max() < 0.1
    assert found["together"].iloc[0] == pytest.approx(found["narrowing"].iloc[0])
    sides = ree.value_of_tables(base, [VALUE], by=("quantity", "product"), error=0.02)
    assert sides["narrowing"].is_monotonic_decreasing
    assert sides["figures"].max() > 1
    with pytest.raises(ReeUncertError, match="a table is named by attributes of flows"):
        ree.value_of_tables(base, [VALUE], by="office")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"error": 0.0}, "error is 0; a measurement has a relative error above 0, e.g. 0.1 for 10 %"),
        ({"error": float("nan")}, "value_of_information: error is nan; give a number of at least 0"),
        ({"error": 0.0, "of": "rows"}, "of is 'rows'; use one of: flows, series, sources; error is 0; a "
         "measurement has a relative error above 0, e.g. 0.1 for 10 %"),
        ({"flows": "north_usee"}, "flow 'north_usee' is not known; use one of: "),
        ({"flows": {"quantity": "tradee"}}, "quantity 'tradee' is not known; use one of: "),
        ({"flows": {"kolour": "red"}}, "attribute of flows 'kolour' is not known; use one of: flow, from_process, "
         "to_process, quantity, product, origin, destination, route, end_use"),
        ({"flows": {"quantity": "ore", "origin": "North", "route": "registered", "product": "concentrate"}},
         "no flow of the case has quantity = ore, origin = North, route = registered, product = concentrate"),
        ({"of": "sources", "flows": "north_use"}, "of='sources' asks about all that each source reports: leave out "
         "flows"),
        ({"years": 2020}, "indicator 'apparent_consumption' has no dim 'years'; its dims: "),
    ],
)  # fmt: skip
def test_bad_questions_get_one_clear_answer(base: xr.DataTree, named: dict, message: str) -> None:
    with pytest.raises(ReeUncertError) as error:
        ree.value_of_information(base, VALUE, **named)
    assert str(error.value).startswith(message)


def test_a_value_must_be_one(base: xr.DataTree) -> None:
    with pytest.raises(
        UnknownIndicatorError, match=r"^'import_dependance' is no indicator; did you mean 'import_dependence'"
    ):
        ree.value_of_information(base, "import_dependance")
    with pytest.raises(ReeUncertError) as error:
        ree.power_scaling(base, [{"indicator": "apparent_consumption", "product": "refined", "year": 2020}])
    assert str(error.value) == (
        "'apparent_consumption' has more than one value: name its region (region: ['South', 'North'])"
    )
    with pytest.raises(ReeUncertError, match=r"^'West' is no region of indicator 'apparent_consumption'"):
        ree.sobol(base, "apparent_consumption", region="West", product="refined", year=2020)
    with pytest.raises(ReeUncertError, match=r"has no dim 'regoin'; .*; did you mean 'region'\?$"):
        ree.sobol(base, "apparent_consumption", regoin="North", product="refined", year=2020)
    with pytest.raises(ReeUncertError, match=r"^region is given twice, as 'North' and 'South'$"):
        ree.sobol(base, VALUE, region="South")
    with pytest.raises(ReeUncertError, match=r"^\{'indicator': None\} names no value"):
        ree.sobol(base, {"indicator": None})
    with pytest.raises(ReeUncertError) as error:
        ree.questions.tornado(base, 7)
    assert str(error.value) == "case 'small_metal' has 3 headlines, numbered from 0: 7 is none"
    with pytest.raises(ReeUncertError) as error:
        ree.questions.tornado(base, "stock_change", region="North", product="refined", year=2020)
    assert str(error.value).startswith("'stock_change' has not been computed for this result: call add_indicators(dt, ")


def test_power_scaling_names_who_decides(base: xr.DataTree) -> None:
    table = ree.power_scaling(base)
    case = ree.read_case("small_metal")
    components = len({row.group for row in case.priors}) + len(
        {row.lineage for row in case.evidence}
    )  # none of weight 0
    assert table.groupby("indicator", sort=False).size().tolist() == [components] * 3
    value = ree.power_scaling(base, [VALUE]).set_index("component")
    assert set(value["kind"]) == {"prior class", "source"}
    # Customs of both sides report the imports that the value is made of; stocks are known from the prior alone.
    mined = table[table["indicator"] == "embodied_dependence_mined"].set_index("component")
    assert mined.index[0] == "stocks"
    assert bool(mined.loc["stocks", "sensitive"])
    assert value.loc["association", "psense"] < value.loc["stocks", "psense"]
    assert set(ree.power_scaling(base, [VALUE], of="source")["kind"]) == {"source"}
    with pytest.raises(ReeUncertError, match=r"^of is 'row'; use some of: prior class, source$"):
        ree.power_scaling(base, of="row")
    bare = xr.DataTree.from_dict({name: base[name].to_dataset() for name in ("posterior", "derived")})
    bare.attrs = base.attrs
    with pytest.raises(ReeUncertError, match=r"^this result holds no group 'log_prior'; sample the case with "):
        ree.power_scaling(bare)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "prior_spread", "group": "stocks", "factor": 1.15},
        {"kind": "prior_median", "prior": "stock of North", "factor": 1.2},
        {"kind": "source_width", "error_class": "customs", "factor": 1.3},
        {"kind": "leave_out", "lineage": "association"},
    ],
    ids=lambda change: change["kind"],
)
def test_reweighting_is_a_refit_without_a_refit(refitter: Refitter, base: xr.DataTree, change: dict) -> None:
    # The rows of new measurements were left out of the result, and stay so.
    left_out = {"kind": "leave_out", "source": "new"}
    found = ree.reweight(base_without_new(base), change)
    assert found.reliable
    assert "reliable; worth" in repr(found)
    edited = Scenario.of("changed", change, left_out).apply(Edited(refitter.case))
    weight = [0.0 if row.id in edited.left_out else 1.0 for row in refitter.rows]
    dt = refitter.fit(edited.case, weight=weight, draws=1000, tune=500, chains=4, seed=5)
    dt = ree.add_indicators(dt, NAMES)
    table = found.summary()
    refitted = ree.headlines(dt)
    for (_, row), (_, other) in zip(table.iterrows(), refitted.iterrows(), strict=True):
        width = other["eti90_ub"] - other["eti90_lb"]
        # 4 standard errors of a median: about 1.25 sd / √n each, the weights being worth some 500 draws at the least.
        assert row["median"] == pytest.approx(other["median"], abs=0.08 * width)
        assert row["eti90_ub"] - row["eti90_lb"] == pytest.approx(width, rel=0.2)


def base_without_new(base: xr.DataTree) -> xr.DataTree:
    """The result as of the case without the rows that were left out of its fit."""
    from reeuncert.case.serial import case_from_json, case_to_json

    case = case_from_json(str(base.attrs["case_json"]))
    out = base.copy(deep=False)
    kept = tuple(row for row in case.evidence if row.source_id != "new")
    out.attrs = {**base.attrs, "case_json": case_to_json(replace(case, evidence=kept))}
    groups = [str(g) for g in out["posterior"]["source_group"].values]
    posterior = out["posterior"].to_dataset()
    out["posterior"] = xr.DataTree(posterior.isel(source_group=[i for i, g in enumerate(groups) if "new" not in g]))
    return out


def test_unreliable_weights_are_refused_or_marked(base: xr.DataTree) -> None:
    dt = base_without_new(base)
    change = {"kind": "leave_out", "lineage": "survey+customs-south+customs-north"}
    with pytest.raises(ReeUncertError) as error:
        ree.reweight(dt, change)
    assert str(error.value).startswith(
        "without lineage 'survey', 'customs-south', 'customs-north': the draws of this result do not reach the "
        "posterior after the change (Pareto k "
    )
    assert "run it again instead: ree.sensitivity(case, [...])" in str(error.value)
    found = ree.reweight(dt, change, despite_k=True)
    assert not found.reliable
    assert "UNRELIABLE" in repr(found)
    assert not found.summary()["reliable"].any()


def test_reweighting_refuses_what_draws_cannot_tell(base: xr.DataTree) -> None:
    dt = base_without_new(base)
    with pytest.raises(ReeUncertError, match=r"^nothing is changed; give a change, e\.g\. "):
        ree.reweight(dt)
    with pytest.raises(ReeUncertError, match=r"^the change touches flows or years, which draws of other flows cannot"):
        ree.reweight(dt, {"kind": "without_flows", "flow": "salt_to_south"})
    with pytest.raises(CaseError, match="group of priors 'stokcs'"):
        ree.reweight(dt, {"kind": "prior_spread", "group": "stokcs", "factor": 2.0})


def test_changes_are_made_in_the_order_in_which_they_are_given(base: xr.DataTree) -> None:
    group = next(row.group for row in ree.read_case("small_metal").priors)
    words = [{"kind": "prior_spread", "group": group, "factor": factor} for factor in (1.02, 1.01)]
    found = ree.reweight(base_without_new(base), words[0], edit_of(words[1]), despite_k=True)
    assert found.what == Scenario.of("x", *words).what
    turned = ree.reweight(base_without_new(base), edit_of(words[1]), words[0], despite_k=True)
    assert turned.what == Scenario.of("x", *words[::-1]).what


def test_variance_is_shared_out(base: xr.DataTree) -> None:
    base = base_without_new(base)
    table = ree.sobol(base, VALUE).set_index("component")
    assert table["first"].sum() == pytest.approx(1.0)
    assert abs(table.loc["not linear", "first"]) < 0.3
    assert table["first"].drop("not linear").idxmax() in ("stocks", "trade", "customs-north", "customs-south")
    assert set(table["kind"]) == {"prior class", "source", "rest"}
    with pytest.raises(ReeUncertError, match=r"^under is 'both'; use one of: posterior, prior$"):
        ree.sobol(base, VALUE, under="both")
    with pytest.raises(ReeUncertError, match=r"^samples is 100; it must be a power of 2, e\.g\. 256$"):
        ree.sobol(base, VALUE, under="prior", samples=100)


def test_before_any_figure_only_what_feeds_the_value_matters(base: xr.DataTree) -> None:
    table = ree.sobol(base, VALUE, under="prior").set_index("component")
    pd.testing.assert_frame_equal(table, ree.sobol(base, VALUE, under="prior", seed=0).set_index("component"))
    assert table.loc["mining", "first"] > 0.5
    assert table.loc["end uses", "total"] == pytest.approx(0.0, abs=1e-12)
    assert table["first"].sum() == pytest.approx(1.0, abs=0.2)
    assert (table["total"] >= table["first"] - table["first_ci"] - table["total_ci"]).all()


def test_a_tornado_swings_about_the_median(base: xr.DataTree) -> None:
    table = ree.questions.tornado(base, VALUE)
    assert table["swing"].is_monotonic_decreasing
    assert (table["pareto_k"] < 0.7).mean() > 0.7
    top = table[table["reliable"]].iloc[0]
    assert min(top["less"], top["more"]) < top["base"] < max(top["less"], top["more"])
    assert set(ree.questions.tornado(base, VALUE, of="source")["kind"]) == {"source"}


def test_figures_left_out_are_predicted() -> None:
    """Sources said to be ten times as wrong as they are predict left-out figures worse, and get no weight."""
    settings = FitSettings(draws=300, tune=300, seed=2)
    base = ree.read_case("small_metal")

    def scores(case: Case) -> pd.DataFrame:
        jobs = fold_jobs(case, 3, settings, JobMaker(base), "")
        return predictions(jobs, make_fits([fold.job for fold in jobs.values()], {"cache": False, "progress": False}))

    wide = {"kind": "source_width", "error_class": "statistics+customs", "factor": 10.0}
    wrong = Scenario.of("off", wide).apply(Edited(base)).case
    found = compare_scores({"as it is": scores(base), "off": scores(wrong)})
    assert np.isfinite(found.rows[["as it is", "off"]]).all(axis=None)
    assert found.table.index[0] == "as it is"
    assert found.weights["as it is"] > 0.75
    assert sum(found.weights.values()) == pytest.approx(1.0)
    assert set(found.by_source().index) == {"survey", "customs-south", "customs-north", "association"}


def test_structures_without_a_figure_in_common_cannot_be_compared() -> None:
    table = pd.DataFrame({"row": ["M1"], "source": "s", "lineage": "l", "fold": "f", "log_score": [0.0]})
    with pytest.raises(ReeUncertError, match="no figure in common"):
        compare_scores({"all of it refused": table[:0], "a": table, "b": table})


def test_folds_cover_every_row_once(refitter: Refitter) -> None:
    rows = refitter.rows
    assert set(fold_of_rows(rows, range(len(rows)), "sources")) == {row.lineage for row in rows}
    folds = fold_of_rows(rows, range(len(rows)), 4)
    assert set(folds) == {0, 1, 2, 3}
    survey = [f for f, row in zip(folds, rows, strict=True) if row.lineage == "survey"]
    assert len(set(survey)) == 4
    with pytest.raises(ReeUncertError) as error:
        fold_of_rows(rows, range(len(rows)), 1)
    assert str(error.value) == (
        f"folds is 1; give 'sources', a number from 2 to {len(rows)} (there are so many records), or a fold for "
        "the ids of rows"
    )
    assert [f for f in fold_of_rows(rows, range(len(rows)), {"M1": 0, "M2": 1}) if f is not None] == [0, 1]
    with pytest.raises(ReeUncertError, match=r"^row of evidence 'M11' is not known; .*did you mean 'M1'"):
        fold_of_rows(rows, range(len(rows)), {"M11": 0})
