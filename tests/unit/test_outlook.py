"""Outlook: its tables, the extension of a case, the future of the paths, and the years that follow from plans."""

import dataclasses
from pathlib import Path

import pytest

import reeuncert as ree
from reeuncert.errors import CaseError
from reeuncert.outlook.plans import Plans, plans_of, read_plans

TABLES = {
    "projects.csv": """project,region,stage,capacity,unit,basis,content,announced_start,announced_on,status,source_id
New mine,South,mining,4000,t,REO,1,2023.5,2020.5,construction,invented-survey
New refinery,South,separation,10,kt,salt,0.5,2024,2020,study,invented-survey
""",
    "delays.csv": """project,stage,milestone,status,announced_on,announced_start,outcome,outcome_date,source_id
Old mine,mining,first ore,study,2010,2012,opened,2014.5,invented-survey
""",
    "ramp.csv": """plant,stage,years_since_start,utilisation,source_id
Old mine,mining,1,0.4,invented-survey
""",
    "growth.csv": """subject,scenario,region,name,rate,sd,walk,first_year,last_year,source_id
demand,base,,batteries,0.08,0.03,0.02,2020,2030,invented-survey
demand,high,,batteries,0.12,0.03,0.02,2020,2030,invented-survey
capacity,base,South,mining,0.01,0.01,0,2020,2030,invented-survey
""",
    "events.csv": "date,actor,content,source_id\n2021.5,South,licences for exports,invented-survey\n",
    "scenarios.toml": """[[scenario]]
name = "learned delays"
[[scenario]]
name = "on time"
delays = "none"
fails = ["New refinery"]
limits = [{select = {quantity = "trade", origin = "South"}, factor = 0.5, from = 2022}]
""",
}


@pytest.fixture(scope="module")
def case():
    case = ree.read_case("small_metal")
    source = dataclasses.replace(next(iter(case.sources.values())), source_id="invented-survey")
    return dataclasses.replace(case, sources={**case.sources, "invented-survey": source})


def _write(folder: Path, **changed: str) -> Path:
    for name, text in TABLES.items():
        (folder / name).write_text(changed.get(name.replace(".", "_"), text), encoding="utf-8")
    return folder


def test_plans_are_read(case, tmp_path):
    plans = read_plans(_write(tmp_path), case)
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
    with pytest.raises(CaseError) as error:
        read_plans(_write(tmp_path, projects_csv=projects, growth_csv=growth, scenarios_toml=scenarios), case)
    found = {(p.file, p.line, p.column) for p in error.value.problems}
    cells = ["region", "stage", "capacity", "unit", "announced_start", "announced_start", "announced_on", "source_id"]
    assert {("projects.csv", n, c) for n, c in enumerate([*cells, "status"], start=2)} <= found
    assert ("projects.csv", 10, "source_id") in found
    assert {("growth.csv", 2, c) for c in ("name", "rate", "sd", "last_year")} <= found
    assert {("scenarios.toml", n, c) for n, c in [(3, "delays"), (4, "speed"), (5, "limits")]} <= found
    assert len(found) == 17


def test_a_case_without_plans_says_what_to_do(case):
    with pytest.raises(CaseError, match=r"projects\.csv"):
        plans_of(dataclasses.replace(case, path=""))
    assert Plans().scenario().delays == "learned"
