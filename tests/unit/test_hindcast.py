"""Hindcasts: scores against their definitions, naive forecasts against what they claim, what was known at a date."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from reeuncert.case.records import Case, Offset
from reeuncert.case.restriction import restrict, with_flows
from reeuncert.case.serial import case_to_json
from reeuncert.cli.outlook import _years
from reeuncert.errors import ArgumentError, CaseError, OutputError
from reeuncert.outlook.hindcast import _printed, crps, hindcast, hindcast_verdict, known_by, naive_forecasts, scored
from reeuncert.outlook.plans import DelayPair, Plans, RampPoint
from reeuncert.outlook.stored import FILE, HINDCAST, hindcast_of, read_told, signed
from reeuncert.result.io import made
from reeuncert.result.result import Result
from reeuncert.testing import flow_dataset, toy_posterior
from reported import OFFSETS, case, row, select

YEARS = tuple(range(2000, 2011))
PAIR = DelayPair("A", "mining", "start", "study", 2010, 2012, "opened", 2014, "s")


def test_crps_is_its_definition() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=40), rng.normal(1, 2, size=30)
    apart = np.abs(x[:, None] - y).mean()
    assert crps(x, y) == pytest.approx(apart - np.abs(x[:, None] - x).mean() / 2)
    assert crps(x, y) > crps(y, y) > 0


def test_naive_forecasts_hold_what_they_promise() -> None:
    """Where the world is as they say: a random walk, and a line with noise."""
    rng = np.random.default_rng(2)
    walks = 50 * np.exp(np.cumsum(rng.normal(0, 0.1, (300, 18)), axis=1))
    lines = 50 + 2 * np.arange(18) + rng.normal(0, 1.5, (300, 18))
    for k, world in enumerate((walks, lines)):
        held = []
        for path in world:
            drawn = naive_forecasts(path[:14], 4, 400, rng)[k]
            low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
            held.append((path[14:] >= low) & (path[14:] <= high))
        assert 0.83 < np.mean(held) < 0.95


def test_last_value_of_a_closed_mine_stays_a_mass() -> None:
    last, trend = naive_forecasts(np.array([5.0, 3.0, 0.0, 0.0]), 3, 200, np.random.default_rng(1))
    assert (last >= 0).all()
    assert (trend >= 0).all()


def series(centre: float, yearly: float = 0.0, common: float = 0.0, years: tuple[int, ...] = YEARS) -> dict:
    """Growth of ten per cent a year; `yearly`: error of each draw and year, `common`: error of all draws of a year."""
    rng = np.random.default_rng(3)
    path = centre * np.exp(0.1 * np.arange(len(years)) + common * rng.normal(size=(20, 1, len(years))))
    drawn = np.exp(yearly * rng.normal(size=(400, len(years))))
    return {("mining", f"region {k}"): (years, path[k] * drawn) for k in range(20)}


def test_a_good_forecast_passes_and_a_sure_or_wrong_one_fails() -> None:
    truth, known = series(10, common=0.05), series(10, years=YEARS[:6])
    good = scored(known, series(10, yearly=0.05), truth)
    assert sorted(set(good["year"])) == list(YEARS[6:])
    assert 0.85 < good["inside90"].mean() < 0.95
    assert "passed" in hindcast_verdict(good)[0]
    for ahead in (series(10, yearly=0.5), series(10, yearly=0.01), series(20, yearly=0.05)):  # too wide, sure, wrong
        assert "failed" in hindcast_verdict(scored(known, ahead, truth))[0]


def test_only_what_was_known_then_is_learned_from() -> None:
    now = Plans(
        delays=(
            PAIR,
            DelayPair("B", "mining", "start", "study", 2014, 2016, "opened", 2016, "s"),
            DelayPair("C", "mining", "start", "study", 2013, 2014, "not_yet", 2015, "s"),
        ),
        ramp=(RampPoint("A", "mining", 1.0, 0.3, "s"), RampPoint("A", "mining", 6.0, 0.7, "s")),
    )
    early, late = known_by(now, Plans(), 2013.0), known_by(now, Plans(), 2016.0)
    assert [(p.project, p.outcome, p.outcome_date) for p in early.delays] == [("A", "not_yet", 2013.0)]
    assert [(p.project, p.outcome) for p in late.delays] == [("A", "opened"), ("B", "opened"), ("C", "not_yet")]
    assert late.delays[2].outcome_date == 2015
    assert early.ramp == ()
    assert [p.years_since_start for p in late.ramp] == [1.0]


def test_a_year_that_cannot_be_forecast_from_is_refused_before_any_fit(tmp_path: Path) -> None:
    dt = toy_posterior(draws=5, years=8)
    with pytest.raises(CaseError, match="leaves nothing"):
        hindcast(dt, [2001], folder=tmp_path)
    (tmp_path / "2005").mkdir()
    (tmp_path / "2005" / "projects.csv").touch()
    with pytest.raises(CaseError, match=r"no plans of 2006; the case has those of 2005"):
        hindcast(dt, [2006], folder=tmp_path)
    with pytest.raises(ArgumentError, match="'x' is no year"):
        _years("2012,x")


def test_the_hindcast_of_a_case_is_told_where_a_result_has_none(tmp_path: Path) -> None:
    truth = series(10, common=0.05)
    table = scored(series(10, years=YEARS[:6]), series(10, yearly=0.05), truth)
    dt = toy_posterior(draws=5, years=4)
    plans = tmp_path / "case" / "outlook"
    plans.mkdir(parents=True)
    (plans / "projects.csv").touch()
    case = replace(Result(dt).case, path=str(plans.parent))
    dt.attrs["case_json"] = case_to_json(case)
    result = Result(dt)
    assert hindcast_of(tmp_path, result) == ([], "")
    signed(table, result, 7).to_csv(plans / HINDCAST, index=False)
    said, of = hindcast_of(tmp_path, result)
    assert said[0] == hindcast_verdict(table)[0]
    assert "seed 7" in said[-1]
    assert "changed" not in said[-1]
    assert of == made(dt)
    dt.attrs["case_json"] = case_to_json(replace(case, errors=replace(case.errors, outlier_sd=3.0)))
    assert "changed" in hindcast_of(tmp_path, Result(dt))[0][-1]
    signed(table, result, 8).to_csv(tmp_path / HINDCAST, index=False)
    assert hindcast_of(tmp_path, result)[0] == hindcast_verdict(table)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "quantity,inside90,crps\n"])
def test_a_table_that_is_no_hindcast_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / HINDCAST).write_text(text)
    with pytest.raises(OutputError, match=r"hindcast\.csv' is no table that .*; delete it, or make it again"):
        hindcast_of(tmp_path, Result(toy_posterior(draws=5, years=4)))


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"result": "x"}', "{"])
def test_a_file_that_is_no_outlook_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(OutputError, match=r"outlook\.json' cannot be read .*run `reeuncert outlook` again"):
        read_told(tmp_path, Result(toy_posterior(draws=5, years=4)))


def sure(case: Case, draws: int) -> xr.DataTree:
    """A result in which every flow is 100 in every draw."""
    mass = np.where(case.system.exists, 100.0, np.nan)
    tree = xr.DataTree.from_dict(
        {"posterior": flow_dataset(case.system, np.broadcast_to(mass, (2, draws, *mass.shape)))}
    )
    tree.attrs = {"case_json": case_to_json(case)}
    return tree


def test_a_printed_figure_is_forecast_with_all_errors_of_its_source() -> None:
    """Its own width, the office's error of a year that the fit has not seen, and the bias that it has learned."""
    feed, normal = select(flow="feed"), {"source": "normal", "offsets": ("bias", "record")}
    later = row("later", feed, 2007, 110.0, **normal)
    whole = case(
        row("seen", feed, 2004, 90.0, **normal),
        later,
        replace(later, id="gross", basis="gross", value=220.0),
        replace(later, id="bound", selector=select(flow="tailings"), qualifier="at_least"),
        replace(later, id="unforeseen", selector=select(flow="imports")),
        row("two", feed, (2006, 2007), 200.0, **normal),
        offsets=OFFSETS | {"record": Offset("record", 0.05, 0.15, "year", "normal")},
    )
    future = restrict(whole, range(2003, 2010))
    future = replace(future, system=with_flows(future.system, [f for f in future.system.flows if f.name != "imports"]))
    fit, ahead = sure(restrict(whole, range(2000, 2006)), 10_000), sure(future, 10_000)
    learned = np.random.default_rng(4).normal([0.3, 9.0], [0.08, 0.0], (2, 10_000, 2))
    held = fit["posterior"].to_dataset().assign_coords(offset_value=["bias", "record 2004"])
    fit["posterior"] = xr.DataTree(held.assign(log_offset=(("chain", "draw", "offset_value"), learned)))
    table = _printed(whole, fit, ahead, seed=1).set_index("region")
    assert sorted(table.index) == ["gross", "later", "unforeseen"]  # no bound, nothing seen, nothing of several years
    assert table.loc["unforeseen", ["truth", "eti90_ub", "inside90", "crps"]].tolist() == [110.0, 0.0, 0.0, 110.0]
    assert table["truth"].tolist() == [110.0, 220.0, 110.0]
    spread = np.hypot(0.08, np.hypot(0.15, 0.1))
    middle = np.log([200.0, 100.0]) + 0.3 + 0.05
    expected = middle[:, None] + spread * np.array([-1.645, -0.674, 0.0, 0.674, 1.645])
    found = np.log(table.loc[["gross", "later"], ["eti90_lb", "eti50_lb", "median", "eti50_ub", "eti90_ub"]])
    np.testing.assert_allclose(found, expected, atol=0.01)
