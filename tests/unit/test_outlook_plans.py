"""Plans of an outlook: how they are read, and all their problems at once."""

import dataclasses

import pytest
from tests.outlook_tables import write_plans

import reeuncert as ree
from reeuncert.errors import CaseError
from reeuncert.outlook.plans import Plans
from reeuncert.outlook.reading import plans_of, read_plans


@pytest.fixture(scope="module")
def case():
    case = ree.read_case("small_metal")
    source = dataclasses.replace(next(iter(case.sources.values())), source_id="invented-survey")
    return dataclasses.replace(case, sources={**case.sources, "invented-survey": source})


def test_plans_are_read(case, tmp_path):
    plans = read_plans(write_plans(tmp_path), case)
    assert [p.mass(case.system.unit) for p in plans.projects] == [4.0, 5.0]
    assert plans.scenario().name == "learned delays"
    assert plans.scenario("on time").fails == ("New refinery",)
    assert plans.scenario("on time").limits[0].first == 2022
    with pytest.raises(CaseError, match="on time"):
        plans.scenario("in time")


def test_all_problems_of_plans_are_told_at_once(case, tmp_path):
    projects = """project,region,stage,capacity,unit,basis,content,announced_start,announced_on,status,source_id
A,Sotuh,mining,4,kt,REO,1,2023,2020,study,invented-survey
B,South,minning,4,kt,REO,1,2023,2020,study,invented-survey
C,South,mining,-4,kt,REO,1,2023,2020,study,invented-survey
D,South,mining,4,mt,REO,1,2023,2020,study,invented-survey
E,South,mining,4,kt,REO,1,2023,2024.5,study,invented-survey
F,South,mining,4,kt,REO,1,2019,2018,study,invented-survey
G,South,mining,4,kt,REO,1,2023,,study,invented-survey
H,South,mining,4,kt,REO,1,2023,2020,study,
I,South,mining,4,kt,REO,1,2023,2020,dreamt,nobody
"""
    growth = "subject,scenario,region,name,rate,sd,walk,first_year,last_year,source_id\n"
    growth += "demand,base,,cars,8,-1,0,2030,2020,invented-survey\n"
    scenarios = '[[scenario]]\nname = "a"\ndelays = "long"\nspeed = 1\nlimits = [{select = {quantity = "trad"}}]\n'
    scenarios += '[[answer]]\nindicator = "imports"\nregion = "North"\nproduct = "slat"\n'
    scenarios += '[[answer]]\nindicator = "imports"\nregion = "North"\n'
    with pytest.raises(CaseError) as error:
        read_plans(write_plans(tmp_path, projects_csv=projects, growth_csv=growth, scenarios_toml=scenarios), case)
    found = {(p.file, p.line, p.column) for p in error.value.problems}
    cells = ["region", "stage", "capacity", "unit", "announced_start", "announced_start", "announced_on", "source_id"]
    assert {("projects.csv", n, c) for n, c in enumerate([*cells, "status"], start=2)} <= found
    assert ("projects.csv", 10, "source_id") in found
    assert {("growth.csv", 2, c) for c in ("name", "rate", "sd", "last_year")} <= found
    assert {("scenarios.toml", n, c) for n, c in [(3, "delays"), (4, "speed"), (5, "limits"), (9, "product")]} <= found
    assert len([p for p in error.value.problems if p.column == "product"]) == 2
    assert len(found) == 19


def test_an_opening_long_before_the_announced_start_is_told_with_its_row(case, tmp_path):
    delays = "project,stage,milestone,status,announced_on,announced_start,outcome,outcome_date,source_id\n"
    delays += "A,mining,start,study,2010,2014,opened,2013.5,invented-survey\n"
    delays += "B,mining,start,study,2010,2014,opened,2012.9,invented-survey\n"
    with pytest.raises(CaseError) as error:
        read_plans(write_plans(tmp_path, delays_csv=delays), case)
    (problem,) = error.value.problems
    assert (problem.file, problem.line, problem.column) == ("delays.csv", 3, "outcome_date")


SCENARIO, ANSWER = (
    '[[scenario]]\nname = "a"\n',
    '[[answer]]\nindicator = "imports"\nregion = "North"\nproduct = "salt"\n',
)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (f"{SCENARIO}fails = 3", "fails"),
        (f'{SCENARIO}fails = "New refinery"', "fails"),
        (f"{SCENARIO}limits = [3]", "limits"),
        (f"{SCENARIO}limits = [{{select = {{product = 3}}}}]", "limits"),
        (f'{SCENARIO}limits = [{{select = {{product = "salt"}}, untill = 2022}}]', "limits"),
        (f'{SCENARIO}limits = [{{select = {{product = "salt"}}, factor = nan}}]', "limits"),
        (f'{SCENARIO}limits = [{{select = {{product = "salt+slat"}}}}]', "limits"),
        ('[scenario]\nname = "a"', "scenario"),
        ('answer = ["x"]', "answer"),
        (f"{ANSWER}lines = 3", "lines"),
        (f"{ANSWER}lines = [nan]", "lines"),
        (f"{ANSWER}years = 2025", "years"),
    ],
)
def test_what_is_no_scenario_or_question_is_told(text, column, case, tmp_path):
    with pytest.raises(CaseError) as error:
        read_plans(write_plans(tmp_path, scenarios_toml=text), case)
    assert {(p.file, p.column) for p in error.value.problems} == {("scenarios.toml", column)}


def test_a_case_without_plans_says_what_to_do(case):
    with pytest.raises(CaseError, match=r"projects\.csv"):
        plans_of(dataclasses.replace(case, path=""))
    assert Plans().scenario().delays == "learned"
