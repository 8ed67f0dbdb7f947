"""What was learned has one rule: every table, check, figure and page gives the same width ratio, rank and verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from reeuncert.checks import check
from reeuncert.indicators.headlines import headlines
from reeuncert.indicators.registry import lookup
from reeuncert.indicators.summary import indicator_table, summary
from reeuncert.plots.learning import learning_data
from reeuncert.report.sections import answers, learned
from reeuncert.result.learning import COLUMNS, FIXED, learning_of_draws
from reeuncert.result.result import Result
from reeuncert.result.tables import flow_table
from reeuncert.testing import toy_posterior

RULE = list(COLUMNS)


@pytest.fixture(scope="module")
def toy() -> xr.DataTree:
    return toy_posterior(chains=2, draws=40, years=3)


def by_hand(posterior: np.ndarray, prior: np.ndarray, *, mass: bool) -> tuple[float, float]:
    """Width ratio and rank of one quantity, from its draws."""
    after, before = (draws[np.isfinite(draws)] for draws in (posterior.ravel(), prior.ravel()))
    rank = float((before < np.median(after)).mean())
    if mass and after.min() > 0 and before.min() > 0:
        after, before = np.log(after), np.log(before)
    width, known = (float(np.diff(np.quantile(draws, [0.05, 0.95]))[0]) for draws in (after, before))
    return (width / known if known > 0 else np.nan), rank


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left[RULE].reset_index(drop=True), right[RULE].reset_index(drop=True), rtol=1e-9)


def test_flows_are_compared_on_the_log_scale_in_tables_figures_and_report(toy: xr.DataTree) -> None:
    table = flow_table(toy)
    for row in table.to_dict("records"):
        at = {"flow": row["flow"], "year": row["year"]}
        draws = (toy[group]["mass_flow"].sel(at).values for group in ("posterior", "prior"))
        # Quantiles are interpolated between draws, so that the log of a quantile is not quite that of the logs.
        assert [row["width_ratio"], row["prior_below_median"]] == pytest.approx(by_hand(*draws, mass=True), rel=0.01)
    figure = learning_data(toy, coords={"year": sorted(set(table["year"]))})
    keys = ["flow", "year"]
    assert_same(figure.sort_values(keys), table.sort_values(keys))
    page = pd.DataFrame(learned.content(Result(toy))["flows"])
    assert_same(page.sort_values("flow"), learning_data(toy).sort_values("flow"))


def test_indicators_agree_in_tables_headlines_check_and_report(toy: xr.DataTree) -> None:
    table = indicator_table(toy)
    for name, part in table.groupby("indicator", sort=False):
        assert_same(summary(toy, name), part)
        assert_same(summary(toy, name, prob=0.5, kind="hdi"), part)
    lines = headlines(toy)
    labels = ["region", "partner", "product", "end_use", "year"]
    merged = lines.merge(table, on=["indicator", *labels], suffixes=("", "_t"))
    assert len(merged) == len(lines) > 0
    assert_same(lines, merged[[f"{c}_t" for c in RULE]].set_axis(RULE, axis=1))
    told = check(toy, ["assumption"])["rests on assumption"].table
    called = [
        f"{row['indicator']} ({', '.join(str(row[c]) for c in labels if row[c] != '')})"
        for row in lines.to_dict("records")
    ]
    assert_same(told.set_index("headline").loc[called], lines)
    cards = answers.content(Result(toy))["cards"]
    assert [card["words"] for card in cards] == lines["verdict"].tolist()
    assert [card["ratio"] for card in cards] == pytest.approx(lines["width_ratio"].tolist(), nan_ok=True)


@pytest.mark.parametrize("name", ["mine_production", "stock_change", "import_dependence"])
def test_the_scale_is_that_of_the_quantity(toy: xr.DataTree, name: str) -> None:
    mass = lookup(name).unit == "mass"
    for row in summary(toy, name).to_dict("records"):
        at = {d: row[d] for d in toy["derived"][name].dims if d not in ("chain", "draw")}
        draws = [toy[group][name].sel(at).values for group in ("derived", "derived_prior")]
        expected = by_hand(*draws, mass=mass)
        assert [row["width_ratio"], row["prior_below_median"]] == pytest.approx(expected, rel=0.01, nan_ok=True)


def test_widths_and_verdicts_by_hand() -> None:
    prior = np.exp(np.linspace(-1, 1, 201))[:, None]
    assert learning_of_draws(100 * prior**0.5, prior, mass=True).width_ratio == pytest.approx(0.5)
    linear = learning_of_draws(prior - prior.mean(), prior, mass=True)  # negative: no logarithm
    assert linear.width_ratio == pytest.approx(1.0)
    assert np.isnan(learning_of_draws(prior, np.ones((5, 1)), mass=False).width_ratio)
    assert learning_of_draws(np.ones((5, 1)), np.ones((5, 1)), mass=False).verdict.tolist() == [FIXED]
    words = [learning_of_draws(prior**r, prior, mass=True).verdict[0] for r in (0.49, 0.5, 0.79, 0.81)]
    assert words == [
        *("informed by the evidence", "rests partly on the prior", "rests partly on the prior", "rests on the prior")
    ]
    assert learning_of_draws(3 * prior, prior, mass=True).verdict[0] == "rests partly on the prior"
