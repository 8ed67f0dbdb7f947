"""What is told who asks for a counterfactual that makes no sense: everything at once, word for word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from reeuncert import plots
from reeuncert.case.serial import case_to_json
from reeuncert.cli import app
from reeuncert.counterfactuals import (
    AddCapacity,
    ExportStop,
    NoTrade,
    Reduce,
    lost_consumption,
    run,
    run_counterfactual,
    supplier_stops,
)
from reeuncert.counterfactuals.network import Setting, World
from reeuncert.errors import InputError, ReeUncertError
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.stored import write_netcdf
from reeuncert.result.result import Result
from reeuncert.testing import toy_posterior


@pytest.fixture(scope="module")
def dt() -> xr.DataTree:
    return toy_posterior(chains=2, draws=20, years=3)


@pytest.fixture(scope="module")
def world(dt: xr.DataTree) -> xr.DataTree:
    return run_counterfactual(dt, NoTrade())


REGIONS = "use one of: North, South, East"
SAYS: list[tuple[Any, list[str]]] = [
    (
        lambda dt: run_counterfactual(dt, NoTrade(), year=1999),
        ["counterfactual, argument 'year': 1999 is no year of case 'toy'; it has 2001 to 2003"],
    ),
    (
        lambda dt: run_counterfactual(dt, NoTrade(), priority=["magnet", "glass", "glass"]),
        [
            "counterfactual, argument 'priority': 'glass' is given twice; keep one of them",
            "counterfactual, argument 'priority': end use 'magnet' is not known; use one of: "
            "catalysts, glass, polishing, "
            "magnets; did you mean 'magnets'?",
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, NoTrade(), priority="glass"),
        ["counterfactual, argument 'priority': 'glass' is a text; give a list of end uses: ['glass']"],
    ),
    (
        lambda dt: run_counterfactual(dt, NoTrade(), capacity="most"),
        [
            "counterfactual, argument 'capacity': 'most' is no capacity; say 'highest' (highest throughput so far), "
            "'as_drawn' (that of the year), or give a table with the columns region, stage, capacity"
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, NoTrade(), capacity=[{"region": "North", "stage": "mining", "size": 3}]),
        [
            "counterfactual, argument 'capacity': the table lacks capacity and has size, which is "
            "not known; its columns: "
            "region, stage, capacity"
        ],
    ),
    (
        lambda dt: run_counterfactual(
            dt,
            NoTrade(),
            capacity=[
                {"region": "North", "stage": "cracking", "capacity": -1.0},
                {"region": "Nroth", "stage": "market", "capacity": "x"},
                {"region": "North", "stage": "cracking", "capacity": 2.0},
            ],
        ),
        [
            "counterfactual, capacity row 1, argument 'capacity': -1.0 is no capacity; a capacity "
            "is a mass of zero or more",
            "counterfactual, capacity row 2, argument 'capacity': 'x' is no capacity; a capacity "
            "is a mass of zero or more",
            f"counterfactual, capacity row 2, argument 'region': region 'Nroth' is not known; {REGIONS}; did you mean "
            "'North'?",
            "counterfactual, capacity row 2, argument 'stage': stage 'market' is not known; use "
            "one of: mining, cracking, "
            "separation, electrolysis",
            "counterfactual, capacity row 3, argument 'stage': row 1 gives the same place already; delete one",
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, [ExportStop("Nroth", "South", products=["powder", "gold"])]),
        [
            "export stop, argument 'origin': region 'Nroth' is not known; use one of: North, South, East; did you mean "
            "'North'?",
            "export stop, argument 'products': product 'gold' is not known; use one of: concentrate, compound, powder, "
            "alloy",
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, [ExportStop("North", "North")]),
        ["export stop, argument 'destination': 'North' is the origin too; exports go to another region"],
    ),
    (
        lambda dt: run_counterfactual(dt, [ExportStop("North", "South", products="powder")]),
        ["export stop, argument 'products': 'powder' is a text; give a list of products: ['powder']"],
    ),
    (
        lambda dt: run_counterfactual(dt, [Reduce(1.5, {"quantity": "trad", "regon": "North"})]),
        [
            "reduction, argument 'factor': 1.5 is no factor; give the remaining fraction, from 0 (nothing) to 1 (all)",
            "reduction, argument 'quantity': quantity 'trad' is not known; use one of: ore, mine_production, loss, "
            "feed, production, stock, opening_stock, apparent_consumption, end_use, recycling, sale, trade, … "
            "(15 in all); did you mean 'trade'?",
            "reduction, argument 'regon': attribute 'regon' is not known; use one of: flow, from_process, to_process, "
            "quantity, product, origin, destination, route, end_use",
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, [Reduce(float("nan"))]),
        [
            "reduction, argument 'factor': nan is no factor; give the remaining fraction, from 0 (nothing) to 1 (all)",
            "reduction, argument 'where': say which flows are reduced, by one or more of flow, from_process, "
            "to_process, quantity, product, origin, destination, route, end_use",
        ],
    ),
    (
        lambda dt: run_counterfactual(
            dt, [Reduce(0.5, {"quantity": "end_use", "end_use": "magnets", "origin": "North"})]
        ),
        [
            "reduction, argument 'where': end_use_alloy_magnets_North cannot be reduced: they are consumption, loss or "
            "stock, which follow from supply; choose ore, production, feed, sales or trade"
        ],
    ),
    (
        lambda dt: run_counterfactual(
            dt, [Reduce(0.5, {"quantity": "ore", "origin": "South"})]
        ),  # closed in the third year
        [
            "reduction, argument 'where': no flow of 2003 has quantity = ore, origin = South; choose flows of that "
            "year that are no stock"
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, [Reduce(2.0, {"quantity": ["trade"]})]),
        [
            "reduction, argument 'factor': 2.0 is no factor; give the remaining fraction, from 0 (nothing) to 1 (all)",
            "reduction, argument 'quantity': ['trade'] is no text; join values by '+'",
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, [Reduce(0.5, {"quantity": "stock"})]),
        [
            "reduction, argument 'where': no flow of 2003 has quantity = stock; choose flows of that year that are no "
            "stock"
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, [AddCapacity("South", "mining", -2.0)]),
        [
            "new capacity, argument 'quantity': -2.0 is no capacity; a capacity is a mass of zero or more",
            "new capacity, argument 'stage': 'South' has no registered process of stage 'mining' in 2003, so that its "
            "recovery is not known; its stages then: cracking, separation, electrolysis (add the process to the case "
            "to have it)",
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, [AddCapacity("Suoth", "x", 1.0)], priority=["glass", "glass"]),
        [
            "counterfactual, argument 'priority': 'glass' is given twice; keep one of them",
            f"new capacity, argument 'region': region 'Suoth' is not known; {REGIONS}; did you mean 'South'?",
            "new capacity, argument 'stage': stage 'x' is not known; use one of: mining, cracking, separation, "
            "electrolysis",
        ],
    ),
    (
        lambda dt: run_counterfactual(dt, Reduce(0.5, "trade")),
        ["reduction, argument 'where': 'trade' is no mapping; give e.g. {'quantity': 'trade'}"],
    ),
]


@pytest.mark.parametrize(("call", "says"), SAYS, ids=[s[0].split(":", 1)[1][:48] for _, s in SAYS])
def test_one_clear_error(dt: xr.DataTree, call: Any, says: list[str]) -> None:
    with pytest.raises(InputError) as told:
        call(dt)
    assert sorted(str(p) for p in told.value.problems) == sorted(says)


def test_what_is_no_result_or_no_counterfactual_is_told_so(dt: xr.DataTree, world: xr.DataTree) -> None:
    for call, says in (
        (
            lambda: run_counterfactual(xr.DataTree(), NoTrade()),
            "this result holds no flows ('posterior/mass_flow'); use one that `sample` returned",
        ),
        (
            lambda: lost_consumption(dt),
            "this result has no group 'counterfactual': it comes from run_counterfactual",
        ),
        (
            lambda: lost_consumption(world, by=("region", "year")),
            "lost consumption cannot be split by 'region', 'year'; give one or more of region, product, end_use, each "
            "once",
        ),
        (
            lambda: plots.lost_consumption_data(world, coords={"region": "West"}),
            "'West' is no region of lost consumption; there are: North, South, East; did you mean 'East'?",
        ),
    ):
        with pytest.raises(ReeUncertError) as told:
            call()
        assert str(told.value) == says
    nameless = dt.copy(deep=False)
    nameless.attrs = {}
    with pytest.raises(ReeUncertError) as told:
        run_counterfactual(nameless, NoTrade())
    assert str(told.value) == (
        "this result holds no case ('case_json' among its attributes); use one that `sample` returned"
    )


@pytest.mark.parametrize("backend", ["matplotlib", "plotly"])
def test_the_figure_has_a_row_for_each_product_and_use_of_each_region(world: xr.DataTree, backend: str) -> None:
    table = plots.lost_consumption_data(world)
    # The sum, three products, four end uses.
    assert table["region"].value_counts().to_dict() == {"North": 8, "South": 8, "East": 8}
    south = table[table["region"] == "South"]
    both = south[(south["product"] == "all") & (south["end_use"] == "all")].iloc[0]
    uses = south[south["end_use"] != "all"]
    assert both["mean"] == pytest.approx(uses["mean"].sum())
    assert (table["eti90_lb"] <= table["eti50_lb"]).all()
    assert (table["eti50_ub"] <= table["eti90_ub"]).all()
    figure = plots.plot_lost_consumption(world, coords={"region": "South"}, backend=backend)
    if backend == "matplotlib":
        labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
        assert len(labels) == 8
        assert labels[0].startswith("South, all: ")
    else:
        assert "South" in str(figure.layout.yaxis.ticktext or figure.data)


def test_the_command_prints_and_writes_the_table(dt: xr.DataTree, tmp_path: Path) -> None:
    small = xr.DataTree.from_dict({"posterior": dt["posterior"].to_dataset()})
    small.attrs = dt.attrs
    write_netcdf(small, tmp_path / "posterior.nc")
    given = ["counterfactual", str(tmp_path), "no-trade", "--year", "2002"]
    found = CliRunner().invoke(app, [*given, "--by", "region,end_use", "--out", str(tmp_path / "lost.csv")])
    assert found.exit_code == 0, found.output
    text = " ".join(found.stdout.split())
    assert "Consumption lost in 2002: no trade" in text
    assert "stocks as in the draw" in text
    rows = (tmp_path / "lost.csv").read_text().splitlines()
    assert rows[0].startswith("region,end_use,year,unit,consumption,mean,median,eti90_lb,eti90_ub,share_median")
    assert len(rows) == 1 + 3 * 5


def test_consumption_without_a_region_or_product_is_lost_under_an_empty_label() -> None:
    """A flow may leave both cells empty: it is consumed all the same."""
    whole = toy_posterior(chains=1, draws=5, years=2)
    case = Result(whole).case
    flows = tuple(replace(f, destination="", product="") if f.end_use == "glass" else f for f in case.system.flows)
    bare = xr.DataTree.from_dict({"posterior": whole["posterior"].to_dataset()})
    bare.attrs = {**whole.attrs, "case_json": case_to_json(replace(case, system=replace(case.system, flows=flows)))}
    found, named = (
        lost_consumption(run_counterfactual(one, NoTrade()), by=["region", "product", "end_use"])
        for one in (bare, whole)
    )
    own = found[(found["end_use"] == "glass")]
    assert set(own["region"]) == set(own["product"]) == {""}
    assert own["mean"].sum() == pytest.approx(named.loc[named["end_use"] == "glass", "mean"].sum())
    assert "" in set(supplier_stops(bare, draws=5)["region"])


def test_a_limit_that_a_fixed_proportion_cannot_keep_is_refused(dt: xr.DataTree) -> None:
    """What is declared on arrival is a part of all that crosses without a record: no rule halves it alone."""
    with pytest.raises(ReeUncertError, match=r"a rule limits what leaves .*; reduce what enters, or all that is made"):
        run_counterfactual(dt, [Reduce(0.5, {"quantity": "declared"})])
    whole = run_counterfactual(dt, [Reduce(0.5, {"quantity": "declared+undeclared"})])
    half = whole["posterior"].to_dataset()["mass_flow"].isel(year=-1)
    drawn = dt["posterior"].to_dataset()["mass_flow"].isel(year=-1)
    names = [name for name in drawn["flow"].values if "declared_" in name]
    assert (half.sel(flow=names) <= 0.5 * drawn.sel(flow=names) * (1 + 1e-6)).all()


def test_what_rounding_leaves_at_a_process_is_no_surplus(dt: xr.DataTree) -> None:
    case = Result(dt).case
    network = Setting.of(FlowTable.from_dataset(dt["posterior"].to_dataset(), case), 0, case).network
    mass = np.zeros((len(network.flows), 1))
    into = np.flatnonzero((network.source >= 0) & (network.target >= 0) & (network.closing[network.target] < 0))[0]
    mass[into] = 1e-35
    nothing = np.zeros((len(network.processes), 1))
    world = World(np.ones_like(mass), mass, nothing, nothing, nothing, nothing, nothing)
    assert not run._balanced(network, mass, world)[1].any()


def test_numbers_of_numpy_are_numbers(dt: xr.DataTree) -> None:
    rules = [AddCapacity("South", "separation", np.int64(5)), Reduce(np.float32(0.5), {"quantity": "trade"})]
    title = run_counterfactual(dt, rules).attrs["counterfactual"]
    assert title == "5 kt more capacity in South (separation); 50 % of quantity = trade"


def test_a_new_capacity_is_told_to_the_digit() -> None:
    assert AddCapacity("South", "separation", 12345.0).describe() == "12,345 {unit} more capacity in South (separation)"
