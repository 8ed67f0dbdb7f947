"""Outlook: the extension of a case, the future of the paths, the years that follow from plans, and the answers."""

import dataclasses
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from tests.outlook_tables import TABLES, write_plans
from tests.prior_draws import prior_result
from typer.testing import CliRunner

import reeuncert as ree
import reeuncert.plots as plots
from reeuncert.case.figures import median_in_year
from reeuncert.case.restriction import extend
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.cli import app
from reeuncert.errors import ArgumentError, CaseError, OutputError, ReeUncertError
from reeuncert.outlook.answers import Answer, answer_table, answers, compare_scenarios, drivers, project_table, told
from reeuncert.outlook.future import growth, openings, row_for, with_future
from reeuncert.outlook.plans import GrowthFigure, OutlookScenario, Plans, Project, Question
from reeuncert.outlook.reading import read_plans
from reeuncert.outlook.run import outlook
from reeuncert.outlook.stored import outlook_of, read_told
from reeuncert.plots.panels import Points
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.reading.bundled import find_case
from reeuncert.report.page import render
from reeuncert.report.sections import SECTIONS
from reeuncert.result.io import write_draws
from reeuncert.result.result import Result
from reeuncert.testing import assert_mass_balance, toy_posterior
from reeuncert.validation.reader import problems_of


@pytest.fixture(scope="module")
def case():
    case = ree.read_case("small_metal")
    source = dataclasses.replace(next(iter(case.sources.values())), source_id="invented-survey")
    return dataclasses.replace(case, sources={**case.sources, "invented-survey": source})


# The extension, and the future of the paths


def test_an_extended_case_is_a_case(case):
    longer = extend(case, 2024, reopened=["north_mine"])
    assert not problems_of(longer)
    assert case_to_json(case_from_json(case_to_json(longer))) == case_to_json(longer)
    flows = {f.name: f for f in longer.system.flows}
    assert flows["north_brine"].years == (2016, 2017, 2018, 2021, 2022, 2023, 2024)
    assert flows["north_opening_stock"].years == (2016,)
    prior = next(p for p in longer.priors if p.name == "ore of South")
    before = next(p for p in case.priors if p.name == "ore of South")
    medians = [median_in_year(prior, year) for year in (2016, 2018, 2020, 2024)]
    assert medians == pytest.approx([*(median_in_year(before, y) for y in (2016, 2018, 2020)), 40.0])
    cut = ree.restrict(longer, range(2018, 2024))
    again = next(p for p in cut.priors if p.name == "ore of South")
    assert [median_in_year(again, y) for y in (2018, 2020, 2023)] == pytest.approx([medians[1], 40.0, 40.0])
    with pytest.raises(ArgumentError, match="2020"):
        extend(case, 2020)


def test_the_future_follows_its_prior_given_the_past(case):
    """The whole prior, past and future, has the mean and the covariance of the extended case."""
    longer = extend(case, 2022)
    network, prior = case_network(case), coordinate_prior(case, case_network(case))
    draws = np.random.default_rng(2).standard_normal((20_000, network.n_coordinates))
    u, network = with_future(prior.mean + prior.factor.apply(draws), case, longer, np.random.default_rng(3))
    wanted = coordinate_prior(longer, network)
    np.testing.assert_allclose(u.mean(axis=0), wanted.mean, atol=0.03)
    for block in wanted.blocks:
        np.testing.assert_allclose(np.cov(u[:, block.index].T), block.covariance, atol=0.02)


# Future years


PROJECTS = (
    Project("Wells", "North", "mining", 30.0, "kt", "REO", 1.0, 2022.0, 2020.0, "study", "s"),
    Project("Pit", "South", "mining", 6.0, "kt", "REO", 1.0, 2022.5, 2020.0, "study", "s"),
)
GROWTH = (GrowthFigure("demand", "base", "", "", 0.05, 0.02, 0.02, 2020, 2030, "s"),)
SCENARIOS = (
    OutlookScenario("learned delays"),
    OutlookScenario("on time", delays="none"),
    OutlookScenario("one fails", delays="none", fails=("Wells",)),
)
QUESTIONS = (
    Question("import_dependence", "North", "South", "salt", "North's part", (0.5,), (2024, 2026)),
    Question("net_import_reliance", "North", says="North's reliance", lines=(0.5,), years=(2026,)),
)
PLANS = Plans(projects=PROJECTS, growth=GROWTH, scenarios=SCENARIOS, questions=QUESTIONS)


@pytest.fixture(scope="module")
def dt(case):
    return prior_result(case)


@pytest.fixture(scope="module")
def on_time(dt):
    return outlook(dt, PLANS, to=2026, scenario="on time")


def test_every_future_year_and_draw_balances(on_time, dt):
    assert_mass_balance(on_time, rtol=1e-9)
    years = on_time["posterior"]["year"].values.tolist()
    assert years == list(range(2016, 2027))
    mass = on_time["posterior"]["mass_flow"]
    past = dt["posterior"]["mass_flow"]
    np.testing.assert_allclose(mass.sel(year=past["year"]).values, past.values, rtol=1e-12)
    assert set(on_time["outlook"]["use"].values) == {"south_glass", "north_batteries", "north_glass"}


def test_scenarios_without_a_question_give_an_empty_table(dt):
    table = compare_scenarios(dt, dataclasses.replace(PLANS, questions=()), to=2022, seed=1)
    assert table.empty
    assert {"scenario", "year", "median"} <= set(table)


def test_a_case_without_projects_or_mines_has_an_outlook(tmp_path):
    for path in find_case("small_metal").glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text("utf-8").replace("mine_production", "production"), "utf-8")
    shutil.copy(find_case("small_metal") / "case.toml", tmp_path)
    world = outlook(prior_result(ree.read_case(tmp_path)), Plans(questions=QUESTIONS), to=2022)
    assert (world["outlook"].sizes["project"], world["outlook"].sizes["mine"]) == (0, 0)
    content = told(world, Plans(questions=QUESTIONS), answers(world, Plans(questions=QUESTIONS)))
    assert content["projects"] == []
    assert [row["year"] for row in content["shortage"]] == [2021, 2022]


def test_a_plant_that_opens_replaces_imports_and_relieves_shortage(on_time, dt):
    fails = outlook(dt, PLANS, to=2026, scenario="one fails")
    with_wells, without = (
        w["posterior"]["mass_flow"].sel(year=2026).median(("chain", "draw")) for w in (on_time, fails)
    )
    assert with_wells.sel(flow="north_mine_production") > 5.0
    assert without.sel(flow="north_mine_production").item() == pytest.approx(0.0, abs=1e-9)
    assert with_wells.sel(flow="salt_to_north") < 0.8 * without.sel(flow="salt_to_north")
    short = [w["outlook"]["shortage"].sum(("use", "year")).mean().item() for w in (on_time, fails)]
    assert short[0] < 0.7 * short[1]
    before = on_time["posterior"]["mass_flow"].sel(flow="north_mine_production", year=[2019, 2020, 2021])
    assert not (before.fillna(0.0) > 1e-9).any()


def test_no_band_of_demand_is_narrower_than_the_present(on_time, dt):
    present = dt["posterior"]["mass_flow"].sel(year=2020)
    for use in on_time["outlook"]["use"].values:
        width = np.log(present.sel(flow=use)).std().item()
        ahead = np.log(on_time["outlook"]["demand"].sel(use=use)).std(("chain", "draw"))
        assert (ahead > 0.97 * width).all()  # past growth, which goes on in part, and present are a little correlated
        assert ahead[-1] > width


def test_a_use_has_the_same_luck_in_every_scenario():
    rows = [GrowthFigure("demand", "base", "", name, 0.0, 1.0, 0.0, 2020, 2030, "s") for name in ("", "glass")]
    low = GrowthFigure("demand", "low", "", "", 0.0, 1.0, 0.0, 2020, 2030, "s")
    base, other = (
        [
            growth(row_for([*rows, low], "demand", s, "", n), row_for(rows, "demand", "base", "", n), n, 1, 5, 1)
            for n in ("glass", "salt")
        ]
        for s in ("base", "low")
    )
    np.testing.assert_array_equal(base, other)
    assert (base[0] != base[1]).all()


def test_projects_open_as_announced_or_late_or_never():
    years = range(2021, 2027)
    exact = openings(PLANS, SCENARIOS[1], years, 500, 1)
    assert set(exact.start[0]) == {2022.0}
    assert set(exact.start[1]) == {2022.5}
    assert not exact.working[:, :, 0].any()
    assert (np.diff(exact.working, axis=2) >= -1e-12).all()
    late = openings(PLANS, SCENARIOS[0], years, 500, 1)
    assert np.isinf(late.start).any()
    assert (late.start >= 2021.0).all()
    assert np.median(late.start) > 2022.5
    assert not openings(PLANS, SCENARIOS[2], years, 5, 1).working[0].any()


def test_limits_hold_and_what_cannot_be_is_told(case, dt, tmp_path):
    plans = read_plans(write_plans(tmp_path), case)
    limited = outlook(dt, plans, to=2024, scenario="on time")
    trade = limited["posterior"]["mass_flow"].sel(flow="salt_to_north")
    assert (trade.sel(year=2022) <= 0.5 * trade.sel(year=2020) + 1e-9).all()
    absent = dataclasses.replace(PROJECTS[0], stage="separation")
    with pytest.raises(CaseError, match="separation"):
        outlook(dt, Plans(projects=(absent,)), to=2022)
    bare = dt.copy()
    bare["posterior"] = xr.DataTree(dt["posterior"].to_dataset().drop_vars("z"))
    with pytest.raises(ReeUncertError, match="z"):
        outlook(bare, PLANS, to=2022)


# Answers


def test_answers_count_draws(on_time):
    reliance = answers(on_time, PLANS)[1]
    values = reliance.draws[:, -1]
    assert reliance.below(0.5, 2026) == pytest.approx(np.mean(values[np.isfinite(values)] < 0.5))
    first = reliance.sentences()[0]
    assert f"{100 * np.nanmedian(values):.0f}"[:1] in first
    assert "2020" in first
    assert "2026" in first
    table = answer_table([reliance])
    assert (table["eti90_lb"] <= table["eti50_lb"]).all()
    assert (table["eti50_ub"] <= table["eti90_ub"]).all()


def test_a_band_narrower_than_the_present_is_found():
    draws = np.array([[0.2, 0.4, 0.1], [0.8, 0.6, 0.9], [0.5, 0.5, 0.5]])
    assert Answer(QUESTIONS[1], "1", True, (2020, 2021, 2022), 2020, draws).narrower() == [2021]


@pytest.mark.parametrize(
    ("values", "when"),
    [
        ((0.4, 0.4, 0.6, 0.4), "in 2021, 2023, as in 2020 already."),
        ((0.6, 0.4, 0.4, 0.6), "in 2021-2022."),
        ((0.4, 0.6, 0.6, 0.6), "in 2020, but in no later year up to 2023."),
        ((0.6, 0.6, 0.6, 0.6), "; in no year up to 2023 is that more likely than not."),
    ],
)
def test_an_answer_names_the_years_and_the_present(values, when):
    said = Answer(QUESTIONS[1], "1", True, (2020, 2021, 2022, 2023), 2020, np.array([values] * 3)).sentences()
    assert said[1].endswith(when)


def test_what_moves_an_answer_is_found(dt):
    world = outlook(dt, PLANS, to=2026)
    reliance = answers(world, PLANS)[1]
    found = drivers(world, PLANS, reliance).set_index("cause")
    assert found.loc["Wells works", "difference"] < -0.1
    assert "Wells works" in found.index[:2]  # beside the mines of North, which are mostly these wells
    assert [cause for cause in found.index if "demand" in cause] == ["large demand"]
    assert abs(found.loc["Pit works", "difference"]) < abs(found.loc["Wells works", "difference"])
    works = project_table(world, PLANS).set_index("project")["works_by_2026"]
    start = world["outlook"]["start"].sel(project="Wells, mining").values
    assert works["Wells"] == pytest.approx(np.mean(start < 2027))


def test_scenarios_differ_by_what_they_assume_alone(dt):
    table = compare_scenarios(dt, PLANS, to=2024, seed=1)
    medians = table[table["indicator"] == "net_import_reliance"].set_index("scenario")["median"]
    assert medians["on time"] < medians["learned delays"] < medians["one fails"] + 1e-9
    assert set(table["year"]) == {2024}


def test_the_command_tells_and_writes(case, dt, tmp_path, monkeypatch):
    (tmp_path / "plans").mkdir()
    folder = write_plans(tmp_path / "plans")
    known = "survey"
    for file in folder.iterdir():
        file.write_text(file.read_text(encoding="utf-8").replace("invented-survey", known), encoding="utf-8")
    extra = (
        '[[answer]]\nindicator = "net_import_reliance"\nregion = "North"\nsays = "North\'s reliance"\nlines = [0.5]\n'
    )
    (folder / "scenarios.toml").write_text(TABLES["scenarios.toml"] + extra, encoding="utf-8")
    write_draws(dt, tmp_path / "posterior.nc")
    (tmp_path / "checks.csv").write_text("check,status\nbalance,passed\nR-hat of flows,failed\n", encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "100")
    given = [str(tmp_path / "posterior.nc"), "--to", "2024", "--plans", str(folder)]
    done = CliRunner().invoke(app, ["outlook", *given])
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    assert "North's reliance was" in text
    assert "R-hat of flows" in text
    assert "on time" in text
    assert set(pd.read_csv(tmp_path / "outlook.csv")["year"]) == set(range(2016, 2025))
    assert read_told(tmp_path, Result(dt))["projects"][0]["project"] == "New mine"
    assert "older" not in read_told(tmp_path, Result(dt))["warning"]
    later = dt.copy()
    later.attrs = {**dt.attrs, "created": "later"}
    assert "older" in read_told(tmp_path, Result(later))["warning"]
    wrong = CliRunner().invoke(app, ["outlook", *given, "--scenario", "in time"])
    assert wrong.exit_code == 2
    assert "in time" in wrong.stderr
    nothing = CliRunner().invoke(app, ["outlook", "small_metal"])
    assert nothing.exit_code == 2
    assert "reeuncert run small_metal" in nothing.stderr


def test_the_report_shows_bands_with_the_starts_of_projects(on_time):
    found = told(on_time, PLANS, answers(on_time, PLANS), warning="Doubtful.")
    result = Result(toy_posterior(draws=10, years=2))
    result.keep(outlook_of, found | {"hindcast": ["Forecasts of this kind failed.", "More."]})
    page = render(result, sections=[section for section in SECTIONS if section.id == "outlook"])
    assert not result.failed
    assert page.index("Forecasts of this kind failed.") < page.index("Doubtful.") < page.index("North&#39;s reliance")
    figures = re.findall(r'id="fig-outlook-\d".*?class="spec">(.*?)</script>', page, flags=re.DOTALL)
    starts = [[m for m in json.loads(spec)["panel"]["marks"] if m.get("s") == "square"] for spec in figures]
    assert [len(marks) for marks in starts] == [1, 1]  # the wells of North, in both
    without = Result(toy_posterior(draws=10, years=2))
    assert "reeuncert outlook" in render(without, sections=[s for s in SECTIONS if s.id == "outlook"])


@pytest.fixture(scope="module")
def found(on_time, dt):
    return told(on_time, PLANS, answers(on_time, PLANS), compare_scenarios(dt, PLANS, to=2026, seed=1, most=20))


def test_figures_show_the_answers_and_the_starts_of_projects(found, on_time):
    reliance = answers(on_time, PLANS)[1]
    table = plots.outlook_data(found, coords={"question": 2})
    assert table["year"].tolist() == list(reliance.years)
    low, middle, high = reliance.quantiles(2026)[[0, 2, 4]]
    assert table[["eti90_lb", "median", "eti90_ub"]].iloc[-1].tolist() == pytest.approx([low, middle, high])
    board = plots.plot_outlook(found, coords={"question": 2}, backend="board")
    assert [panel.title for panel in board.panels] == ["North's reliance"]
    marks = board.panels[0].marks
    line = next(mark for mark in marks if getattr(mark, "name", "") == "median")
    np.testing.assert_allclose(line.y, 100 * table["median"])
    squares = [mark for mark in marks if isinstance(mark, Points)]
    assert [mark.x.tolist() for mark in squares] == [[2022.0]]  # the wells of North
    assert squares[0].opacity == pytest.approx(1.0)
    assert "Wells, mining: 30 kt" in squares[0].hover[0]


def test_figures_show_every_scenario(found):
    table = plots.outlook_scenarios_data(found, coords={"region": "North", "question": 2})
    assert table["scenario"].tolist() == [s.name for s in SCENARIOS]
    board = plots.plot_outlook_scenarios(found, backend="board")
    assert len(board.panels) == len(QUESTIONS)
    dots = next(mark for mark in board.panels[1].marks if isinstance(mark, Points))
    np.testing.assert_allclose(dots.x, 100 * table["median"])


@pytest.mark.parametrize("backend", ["matplotlib", "plotly"])
def test_both_libraries_draw_an_outlook(found, backend):
    assert plots.plot_outlook(found, backend=backend) is not None
    assert plots.plot_outlook_scenarios(found, backend=backend) is not None


def test_figures_of_what_is_not_there_are_refused(found, tmp_path):
    with pytest.raises(ReeUncertError, match="there are: North"):
        plots.outlook_data(found, coords={"region": "West"})
    with pytest.raises(ReeUncertError, match="no scenarios"):
        plots.outlook_scenarios_data({**found, "scenarios": []})
    with pytest.raises(OutputError, match="reeuncert outlook"):
        plots.outlook_data(tmp_path)
