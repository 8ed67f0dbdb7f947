"""Counterfactuals by hand: a chain of two regions, and markets that sell to each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import reeuncert as ree
from balances.residual import residual
from balances.worlds import after, lost, result_of
from reeuncert.counterfactuals import AddCapacity, ExportStop, NoTrade, Reduce, run_counterfactual
from reeuncert.errors import ReeUncertError
from reeuncert.system.definition import OUTSIDE, Flow, Process, SystemDefinition
from reeuncert.testing import toy_case

USES = ("magnets", "other")


def _chain(region: str, years: tuple[int, ...]) -> list[Flow]:
    def flow(name: str, source: str, target: str, quantity: str, product: str, use: str = "") -> Flow:
        ends = (product, region, region, "registered", use, years)
        return Flow(f"{name}_{region}", source, target, quantity, *ends)

    mine, market, plant, metal, use = (f"{p}_{region}" for p in ("mine", "concentrate", "refinery", "metal", "use"))
    return [
        flow("ore", OUTSIDE, mine, "ore", "concentrate"),
        flow("mined", mine, market, "mine_production", "concentrate"),
        flow("tailings", mine, OUTSIDE, "loss", "concentrate"),
        flow("feed", market, plant, "feed", "concentrate"),
        flow("made", plant, metal, "production", "metal"),
        flow("residue", plant, OUTSIDE, "loss", "metal"),
        flow("stock", metal, metal, "stock", "metal"),
        flow("used", metal, use, "apparent_consumption", "metal"),
        *(flow(name, use, OUTSIDE, "end_use", "metal", name) for name in USES),
    ]


def two_regions() -> xr.DataTree:
    """A mines and sells concentrate and metal to B, which refines and uses; two years, one draw, by hand.

    Recoveries: mines 0.9, refineries 0.8. In 2000 B's refinery took in 60; in 2001, 49. B's stock falls from 5 to 2.
    """
    years = (2000, 2001)
    flows = _chain("A", years) + _chain("B", years)
    for name, product, source in (("ship_c", "concentrate", "concentrate"), ("ship_m", "metal", "metal")):
        flows.append(Flow(name, f"{source}_A", f"{source}_B", "trade", product, "A", "B", "registered", "", years))
    opening = Flow("opening_B", OUTSIDE, "metal_B", "opening_stock", "metal", "B", "B", "registered", "", (2000,))
    flows.append(opening)
    stages = {"mine": "mining", "concentrate": "market", "refinery": "refining", "metal": "market", "use": "use"}
    processes = tuple(Process(f"{p}_{r}", r, stage) for r in "AB" for p, stage in stages.items())
    system = SystemDefinition(processes, tuple(flows), years, "kt")
    mass = {
        "ore_A": (100, 100), "mined_A": (90, 90), "tailings_A": (10, 10), "feed_A": (39, 50), "made_A": (31.2, 40),
        "residue_A": (7.8, 10), "stock_A": (0, 0), "used_A": (16.2, 25), "magnets_A": (10, 15), "other_A": (6.2, 10),
        "ore_B": (10, 10), "mined_B": (9, 9), "tailings_B": (1, 1), "feed_B": (60, 49), "made_B": (48, 39.2),
        "residue_B": (12, 9.8), "stock_B": (5, 2), "used_B": (62, 57.2), "magnets_B": (40, 33), "other_B": (22, 24.2),
        "ship_c": (51, 40), "ship_m": (15, 15), "opening_B": (4, np.nan),
    }  # fmt: skip
    case = replace(
        toy_case(2), system=system, regions=("A", "B"), products=("concentrate", "metal"), constants=(), headlines=()
    )
    table = np.array([mass[f.name] for f in flows], dtype=float)
    assert np.nanmax(np.abs(residual(system, table))) < 1e-12
    return result_of(case, table[None, None])


def test_without_trade_each_region_lives_on_its_own_mine() -> None:
    world = run_counterfactual(two_regions(), NoTrade())
    # B: 9 of concentrate, times 0.8, and 3 from stock; A needs 25 / 0.8 of concentrate.
    assert lost(world, "B") == pytest.approx(57.2 - 7.2 - 3.0)
    assert lost(world, "B", "magnets") == pytest.approx(33 * 47.0 / 57.2)
    assert lost(world, "A") == 0.0
    assert after(world, "mined_A") == pytest.approx(25 / 0.8)
    assert after(world, "stock_B") == pytest.approx(2.0)
    assert after(world, "mined_B") == pytest.approx(9.0)
    table = ree.lost_consumption(world)
    assert table[["region", "product"]].values.tolist() == [["A", "all"], ["A", "metal"], ["B", "all"], ["B", "metal"]]
    assert table["share_median"].tolist() == pytest.approx([0.0, 0.0, 47.0 / 57.2, 47.0 / 57.2])
    assert table["consumption"].tolist() == pytest.approx([25.0, 25.0, 57.2, 57.2])


def test_the_first_end_use_takes_what_there_is_and_the_total_stays() -> None:
    world = run_counterfactual(two_regions(), NoTrade(), priority=["magnets"])
    assert lost(world, "B", "magnets") == pytest.approx(33 - 10.2)
    assert lost(world, "B", "other") == pytest.approx(24.2)
    assert lost(world, "B") == pytest.approx(lost(run_counterfactual(two_regions(), NoTrade()), "B"))


def test_a_plant_makes_no_more_than_its_capacity() -> None:
    given = [{"region": "B", "stage": "refining", "capacity": 4.0}]
    assert lost(run_counterfactual(two_regions(), NoTrade(), capacity=given), "B") == pytest.approx(57.2 - 4.0 - 3.0)
    none = [{"region": "B", "stage": "refining", "capacity": 0.0}]
    assert lost(run_counterfactual(two_regions(), NoTrade(), capacity=none), "B") == pytest.approx(57.2 - 3.0)


def test_a_new_mine_saves_what_can_be_refined() -> None:
    mine = AddCapacity("B", "mining", 20.0)
    assert lost(run_counterfactual(two_regions(), [NoTrade(), mine]), "B") == pytest.approx(57.2 - 0.8 * 29 - 3.0)
    # The refinery took in 60 in its best year, 49 in this one.
    mine = AddCapacity("B", "mining", 200.0)
    assert lost(run_counterfactual(two_regions(), [NoTrade(), mine]), "B") == pytest.approx(57.2 - 0.8 * 60 - 3.0)
    drawn = run_counterfactual(two_regions(), [NoTrade(), mine], capacity="as_drawn")
    assert lost(drawn, "B") == pytest.approx(57.2 - 0.8 * 49 - 3.0)


def test_a_stop_of_one_product_leaves_the_others() -> None:
    dt = two_regions()
    stopped = run_counterfactual(dt, [ExportStop("A", "B", products=["metal"])])
    # Its plant has room, but no more concentrate: nobody trades more than in the draw, and its mine is at its best.
    assert lost(stopped, "B") == pytest.approx(15.0)
    assert after(stopped, "ship_m") == 0.0
    assert after(stopped, "ship_c") == pytest.approx(40.0)
    assert after(stopped, "mined_A") == pytest.approx(25 / 0.8 + 40)
    assert lost(run_counterfactual(dt, [ExportStop("A", "B")]), "B") == pytest.approx(
        lost(run_counterfactual(dt, NoTrade()), "B")
    )


def test_a_cut_leaves_a_part() -> None:
    world = run_counterfactual(two_regions(), [Reduce(0.5, {"quantity": "trade", "product": "concentrate"})])
    assert after(world, "ship_c") == pytest.approx(20.0)
    assert lost(world, "B") == pytest.approx(0.8 * 20)


def test_a_new_mine_with_trade_replaces_imports_and_takes_nothing_from_anyone() -> None:
    world = run_counterfactual(two_regions(), [AddCapacity("B", "mining", 6.0)])
    assert lost(world, "A") + lost(world, "B") == 0.0
    assert after(world, "mined_B") == pytest.approx(15.0)
    assert after(world, "ship_c") == pytest.approx(34.0)
    shares = ree.add_indicators(world, ["mine_production"])["derived"]["mine_production"]
    assert float(shares.sel(region="B", year=2001).squeeze()) == pytest.approx(15.0)


def test_nothing_different_gives_the_draw_back() -> None:
    dt = two_regions()
    for priority in ([], ["magnets"], ["other", "magnets"]):
        world = run_counterfactual(dt, [], priority=priority)
        np.testing.assert_allclose(
            world["posterior"]["mass_flow"].values, dt["posterior"]["mass_flow"].values, atol=1e-12
        )


def test_the_first_year_draws_on_its_opening_stock() -> None:
    world = run_counterfactual(two_regions(), NoTrade(), year=2000)
    assert world["posterior"]["year"].values.tolist() == [2000]
    assert lost(world, "B") == pytest.approx(62 - 7.2)  # its stock grew in the draw: none was released
    assert after(world, "stock_B") == pytest.approx(4.0)


def test_goods_without_a_place_are_refused() -> None:
    """A by-product that nobody asks for any more, at a market without stock."""
    case = ree.Case(**vars(toy_case(2)))
    system = SystemDefinition(
        tuple(Process(p, "A", s) for p, s in (("plant", "refining"), ("m", "market"), ("n", "market"))),
        (
            Flow("in", OUTSIDE, "plant", "ore", "x", "A", "A", "registered", "", (2000,)),
            Flow("m_made", "plant", "m", "production", "x", "A", "A", "registered", "", (2000,)),
            Flow("n_made", "plant", "n", "production", "y", "A", "A", "registered", "", (2000,)),
            Flow("m_use", "m", OUTSIDE, "end_use", "x", "A", "A", "registered", "u", (2000,)),
            Flow("n_export", "n", OUTSIDE, "trade", "y", "A", "B", "registered", "", (2000,)),
        ),
        (2000,),
    )
    case = replace(toy_case(2), system=system, regions=("A", "B"), products=("x", "y"), constants=(), headlines=())
    dt = result_of(case, np.array([4.0, 3.0, 1.0, 3.0, 1.0])[None, None, :, None])
    with pytest.raises(ReeUncertError) as told:
        run_counterfactual(dt, NoTrade())
    assert "surplus supply at process 'n'" in str(told.value)


def two_markets_that_sell_to_each_other() -> xr.DataTree:
    """A and B make and use metal and trade it both ways; A runs its stock down. C lives on its own."""
    years = (2000, 2001)
    regions = "ABC"

    def flow(name: str, source: str, target: str, quantity: str, region: str, partner: str = "") -> Flow:
        ends = ("metal", region, partner or region, "registered", "", years)
        return Flow(name, source, target, quantity, *ends)

    flows = []
    for r in regions:
        flows.append(flow(f"ore_{r}", OUTSIDE, f"mine_{r}", "ore", r))
        flows.append(flow(f"made_{r}", f"mine_{r}", f"metal_{r}", "mine_production", r))
        flows.append(flow(f"used_{r}", f"metal_{r}", f"use_{r}", "apparent_consumption", r))
        flows.append(flow(f"eaten_{r}", f"use_{r}", OUTSIDE, "end_use", r))
    flows.append(flow("stock_A", "metal_A", "metal_A", "stock", "A"))
    flows += [flow(f"ship_{a}{b}", f"metal_{a}", f"metal_{b}", "trade", a, b) for a, b in ("AB", "BA", "AC")]
    stages = {"mine": "mining", "metal": "market", "use": "use"}
    processes = tuple(Process(f"{p}_{r}", r, stage) for r in regions for p, stage in stages.items())
    system = SystemDefinition(processes, tuple(flows), years, "kt")
    carried, closing = 1.19, 0.13
    assert closing - (carried - (carried - closing)) > 0, "a rounding error is what this is about"
    used = {"A": (10 - 4 + 3 - carried, 10 - 4 + 3 + carried - closing), "B": (7, 7), "C": (5, 5)}
    made = {"A": (10, 10), "B": (6, 6), "C": (5, 5)}
    mass = {f"{name}_{r}": made[r] for r in regions for name in ("ore", "made")}
    mass |= {f"{name}_{r}": used[r] for r in regions for name in ("used", "eaten")}
    mass |= {"stock_A": (carried, closing), "ship_AB": (4, 4), "ship_BA": (3, 3), "ship_AC": (0, 0)}
    case = replace(toy_case(2), system=system, regions=tuple(regions), products=("metal",), constants=(), headlines=())
    table = np.array([mass[f.name] for f in flows], dtype=float)
    assert np.nanmax(np.abs(residual(system, table))) < 1e-12
    return result_of(case, table[None, None])


def test_markets_that_sell_to_each_other_do_not_ask_each_other_for_a_rounding_error() -> None:
    """A lacks 1e-16 of its stock, everyone is at capacity: each would pass the want on to the other for ever."""
    dt = two_markets_that_sell_to_each_other()
    smaller = pd.DataFrame({"region": ["A"], "stage": ["mining"], "capacity": [9.0]})
    world = run_counterfactual(dt, [ExportStop("A", "C")], year=2001, capacity=smaller)
    assert after(world, "stock_A") == pytest.approx(0.13)
    # One kt less is used, in A and B together: neither loses what the other does not gain.
    assert lost(world, "A") + lost(world, "B") == pytest.approx(1.0)
    assert lost(world, "C") == pytest.approx(0.0)
