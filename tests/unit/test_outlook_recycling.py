"""Recycling in an outlook: goods whose life ends, capacity of projects, and the scrap that there is."""

import dataclasses
import shutil

import numpy as np
import pytest
from scipy.special import gamma
from scipy.stats import weibull_min
from tests.prior_draws import prior_result

import reeuncert as ree
from reeuncert.errors import CaseError
from reeuncert.outlook.plans import GrowthFigure, Lifetime, OutlookScenario, Plans, Project
from reeuncert.outlook.reading import read_plans
from reeuncert.outlook.recycling import ended
from reeuncert.outlook.run import outlook
from reeuncert.reading.bundled import find_case
from reeuncert.testing import assert_mass_balance

FLOWS = """south_metal,south_use,south_making,end_use,salt,South,South,registered,magnets,,
south_magnets,south_making,south_goods,fabrication,magnets,South,South,registered,,,
south_swarf,south_making,south_recycling,swarf,magnets,South,South,registered,,,
south_scrap,outside,south_recycling,scrap,magnets,South,South,registered,,,
south_recycled,south_recycling,south_market,recycling,salt,South,South,registered,,,
south_dust,south_recycling,outside,loss,magnets,South,South,registered,,,
south_opening_stock,outside,south_market,opening_stock,salt,South,South,registered,,2016,
south_stock,south_market,south_market,stock,salt,South,South,registered,,,
south_motors,south_goods,outside,use_in_goods,magnets,South,South,registered,,,
magnets_to_north,south_goods,north_goods,trade,magnets,South,North,registered,,,
north_motors,north_goods,outside,use_in_goods,magnets,North,North,registered,,,
"""
PROCESSES = """south_making,South,fabrication,south_magnets,
south_recycling,South,recycling,south_recycled,
south_goods,South,market,south_motors,
north_goods,North,market,,
"""
PRIORS = """metal of magnets,end uses,share,south_metal,,each,0.5,,0.4,0.1,0.5,Invented.
swarf,recoveries,share,south_swarf,,each,0.25,,0.2,0.05,0.5,Invented.
dust,recoveries,share,south_dust,,each,0.2,,0.2,0.05,0.5,Invented.
old magnets,recycling,input,south_scrap,,each,0.2,,0.3,0.1,0.6,Invented.
magnets to North,trade,share,magnets_to_north,,each,0.4,,0.3,0.1,0.6,Invented.
opening stock of South,stocks,input,south_opening_stock,2016,each,2,,0.6,,,Invented.
stock of South,stocks,share,south_stock,,each,0.1,,0.4,0.3,0.5,Invented.
"""
LIFE = Lifetime("magnets", 6.0, 0.3, 2.0, 0.2, 0.4, 0.5, 2000, "s")
GROWTH = (GrowthFigure("demand", "base", "", "", 0.05, 0.02, 0.02, 2020, 2030, "s"),)
PLANT = Project("Loop", "North", "recycling", 50.0, "kt", "oxide", 1.0, 2021.0, 2020.5, "construction", "s")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The toy case with a magnet maker and a recycler in South, and magnets in use in both regions."""
    place = shutil.copytree(find_case("small_metal"), tmp_path_factory.mktemp("cases") / "magnets")
    for file, rows in (("flows.csv", FLOWS), ("processes.csv", PROCESSES), ("priors.csv", PRIORS)):
        with (place / file).open("a", encoding="utf-8") as table:
            table.write(rows)
    table = (place / "processes.csv").read_text(encoding="utf-8")
    table = table.replace("south_use,South,use,,", "south_use,South,use,south_glass,")
    (place / "processes.csv").write_text(table, encoding="utf-8")
    settings = (place / "case.toml").read_text(encoding="utf-8")
    text = settings.replace('"small_metal"', '"magnets"').replace('"salt"]', '"salt", "magnets"]')
    (place / "case.toml").write_text(text, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def dt(folder):
    return prior_result(ree.read_case(folder))


def _ahead(dt, *projects, life=(LIFE,)):
    plans = Plans(projects=projects, growth=GROWTH, lifetimes=life, scenarios=(OutlookScenario("s", delays="none"),))
    world = outlook(dt, plans, to=2024)
    return world, world["posterior"]["mass_flow"]


def test_what_retires_is_what_the_survival_function_says() -> None:
    mean, shape = np.array([3.0, 8.0]), np.array([1.5, 3.0])
    used = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], (2, 1))
    for row, m, s in zip(ended(mean, shape, 2010, used, 2010), mean, shape, strict=True):
        left = weibull_min(s, scale=m / gamma(1 + 1 / s)).sf([0.5, 1.5, 2.5, 3.5, 4.5])
        assert 1 - row.cumsum() == pytest.approx(left)
    longer = ended(mean, shape, 2000, used, 2010)
    assert (longer > ended(mean, shape, 2010, used, 2010)).all()  # of the goods of the years before
    assert (ended(mean, shape, 2010, np.ones((2, 60)), 2010)[:, -1] <= 1.0 + 1e-12).all()


def test_a_recycler_takes_no_more_than_there_is(dt) -> None:
    world, mass = _ahead(dt, PLANT)
    assert_mass_balance(world, rtol=1e-9)
    made, scrap = (mass.sel(flow=f"{name}, North") for name in ("south_recycled", "south_scrap"))
    assert (made.sel(year=[2023, 2024]) > 0).all()
    assert not (made.sel(year=2019).fillna(0.0) > 0).any()
    used = mass.sel(flow="north_motors")
    assert (scrap.sel(year=2024) < used.max("year")).all()
    small = dataclasses.replace(PLANT, capacity=0.01, status="ramp_up")
    limited = _ahead(dt, small)[1].sel(flow="south_recycled, North", year=2024)
    assert (limited <= 0.01 + 1e-12).all()
    assert (limited < made.sel(year=2024)).all()


def test_recycling_serves_demand_that_lacks_supply(dt) -> None:
    before, after = _ahead(dt)[0], _ahead(dt, PLANT)[0]
    short = [world["outlook"]["shortage"].sum(("use", "year")).mean().item() for world in (before, after)]
    assert short[1] < short[0]
    assert "south_recycled, North" not in before["posterior"]["flow"].values


def test_without_a_lifetime_only_new_scrap_is_recycled(dt) -> None:
    """All new scrap of South goes to its recycler, and North makes no magnets: nothing is left."""
    made = _ahead(dt, PLANT, life=())[1].sel(flow="south_recycled, North", year=2024)
    assert not made.any()


def test_a_region_without_a_market_is_told(dt) -> None:
    with pytest.raises(CaseError, match=r"'East' has no market of 'salt'"):
        _ahead(dt, dataclasses.replace(PLANT, region="East"))


def test_tables_of_lifetimes_are_checked(folder, tmp_path) -> None:
    columns = "product,mean,mean_sd,shape,shape_sd,collected,collected_sd,since,source_id\n"
    (tmp_path / "lifetimes.csv").write_text(f"{columns}magnts,0,-1,2,0.2,3,0.5,2019,survey\n", encoding="utf-8")
    header = "project,region,stage,capacity,unit,basis,content,announced_start,announced_on,status,source_id\n"
    row = "Loop,North,recycling,1,kt,oxide,1,2021,2020,study,survey\n"
    (tmp_path / "projects.csv").write_text(header + row, encoding="utf-8")
    with pytest.raises(CaseError) as error:
        read_plans(tmp_path, ree.read_case(folder))
    found = {(p.file, p.column) for p in error.value.problems}
    assert found == {("lifetimes.csv", c) for c in ("product", "mean", "mean_sd", "collected", "since")}
