"""Counterfactuals: what must hold in any draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from balances.worlds import imbalance, losses, result_of
from reeuncert.case.records import Case
from reeuncert.counterfactuals import AddCapacity, ExportStop, NoTrade, Reduce, run_counterfactual
from reeuncert.counterfactuals.steps import FLOW, share_out
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import OUTSIDE, Flow, Process, SystemDefinition
from reeuncert.testing import toy_case, toy_flows

YEARS = 3
CASE = toy_case(YEARS)


def drawn(seed: int, spread: float = 0.4) -> xr.DataTree:
    mass = toy_flows(CASE.system, spread, np.random.default_rng(seed), 3)
    return result_of(CASE, mass[None])


SEEDS = st.integers(0, 10_000)
YEAR = st.sampled_from(CASE.system.years)
PLACE = st.sampled_from([(r, s) for r in CASE.regions for s in ("cracking", "separation", "electrolysis")])
RULE: st.SearchStrategy[Any] = st.one_of(
    st.just(NoTrade()),
    st.permutations(CASE.regions).map(lambda r: ExportStop(r[0], r[1])),
    st.tuples(st.floats(0, 1), st.sampled_from(CASE.regions)).map(
        lambda a: Reduce(a[0], {"quantity": "trade", "origin": a[1]})
    ),
    st.tuples(st.floats(0, 1), st.sampled_from(CASE.regions)).map(
        lambda a: Reduce(a[0], {"quantity": "ore", "origin": a[1]})
    ),
)
KNOBS = st.fixed_dictionaries(
    {
        "capacity": st.sampled_from(["highest", "as_drawn"]),
        "priority": st.sampled_from([(), ("magnets",), ("glass", "catalysts")]),
    }
)


@settings(max_examples=12, deadline=None)
@given(SEEDS, YEAR, RULE, KNOBS)
def test_every_counterfactual_balances_and_loses_between_nothing_and_everything(
    seed: int, year: int, rule: Any, knobs: dict[str, Any]
) -> None:
    if isinstance(rule, Reduce) and rule.where == {"quantity": "ore", "origin": "South"} and year == YEARS + 2000:
        year -= 1  # South's mine is closed in the third year
    dt = drawn(seed)
    world = run_counterfactual(dt, [rule], year=year, **knobs)
    assert imbalance(dt, world, CASE.system) < 1e-9
    flows = world["posterior"]["mass_flow"].isel(year=-1)
    before = dt["posterior"]["mass_flow"].sel(year=year)
    assert (flows.isnull() == before.isnull()).all()
    assert float(flows.min()) >= 0.0
    numbers = world["counterfactual"].to_dataset()
    share = numbers["lost_consumption"] / numbers["consumption"]
    assert float(share.min()) >= 0.0
    assert float(share.max()) <= 1.0
    named = mass_flow(world)
    crossing = named["origin"].values != named["destination"].values
    assert (flows.values[:, :, crossing] <= before.values[:, :, crossing] * (1 + 1e-9)).sum() == np.isfinite(
        before.values[:, :, crossing]
    ).sum()


@settings(max_examples=10, deadline=None)
@given(SEEDS, YEAR, KNOBS)
def test_a_stop_of_no_trade_loses_nothing(seed: int, year: int, knobs: dict[str, Any]) -> None:
    dt = drawn(seed)
    world = run_counterfactual(
        dt, [ExportStop("South", "East", products=["alloy"])], year=year, **knobs
    )  # there is none
    assert float(losses(world).sum()) == 0.0
    flows = world["posterior"]["mass_flow"].isel(year=-1).values
    np.testing.assert_allclose(flows, dt["posterior"]["mass_flow"].sel(year=year).values, rtol=1e-9)


def web(stocked: set[str], traded: set[str]) -> Case:
    """A and B separate two products, x and y, of one feed, smelt y and return its swarf to y."""
    years, flows = (2001, 2002, 2003), []

    def add(name: str, source: str, target: str, quantity: str, product: str, ends: str = "") -> None:
        use = name if quantity == "end_use" else ""
        flows.append(
            Flow(name, source, target, quantity, product, ends[:1] or r, ends[1:] or r, "registered", use, years)
        )

    for r in "AB":
        add(f"ore_{r}", OUTSIDE, f"feed_{r}", "ore", "feed")
        add(f"loss_{r}", f"feed_{r}", OUTSIDE, "loss", "feed")
        add(f"separated_{r}", f"feed_{r}", f"plant_{r}", "feed", "feed")
        for product in "xy":
            add(f"made_{product}_{r}", f"plant_{r}", f"{product}_{r}", "production", product)
        add(f"smelted_{r}", f"y_{r}", f"smelter_{r}", "feed", "y")
        add(f"made_m_{r}", f"smelter_{r}", f"m_{r}", "production", "m")
        add(f"swarf_{r}", f"smelter_{r}", f"recycler_{r}", "swarf", "m")
        add(f"residue_{r}", f"recycler_{r}", OUTSIDE, "loss", "m")
        add(f"recycled_{r}", f"recycler_{r}", f"y_{r}", "recycling", "y")
        for product in "xym":
            add(f"used_{product}_{r}", f"{product}_{r}", OUTSIDE, "end_use", product)
            if product + r in stocked:
                add(f"stock_{product}_{r}", f"{product}_{r}", f"{product}_{r}", "stock", product)
    for pair in ("AB", "BA"):
        for product in "xym":
            if product + pair in traded:
                add(f"ship_{product}_{pair}", f"{product}_{pair[0]}", f"{product}_{pair[1]}", "trade", product, pair)
    places = dict.fromkeys(p for f in flows for p in (f.from_process, f.to_process) if p != OUTSIDE)
    system = SystemDefinition(tuple(Process(p, p[-1], p[:-2]) for p in places), tuple(flows), years, "kt")
    return replace(
        toy_case(2), system=system, regions=("A", "B"), products=("feed", *"xym"), constants=(), headlines=()
    )


@settings(max_examples=8, deadline=None)
@given(
    SEEDS,
    st.floats(0.1, 1.5),
    st.sets(st.sampled_from([p + r for p in "xym" for r in "AB"])),
    st.sets(st.sampled_from([p + r for p in "xym" for r in ("AB", "BA")])),
    st.permutations([f"used_{p}_{r}" for p in "xym" for r in "AB"]),
    st.integers(0, 6),
)
def test_nothing_different_gives_all_flows_and_stocks_of_the_draw(
    seed: int, spread: float, stocked: set[str], traded: set[str], order: list[str], first: int
) -> None:
    """Where plants make several products, whose markets trade in circles and have stocks that grow or shrink."""
    case = web(stocked, traded)
    mass = toy_flows(case.system, spread, np.random.default_rng(seed), 2)[None]
    dt = result_of(case, mass)
    whole = np.nansum(mass, axis=2)
    for year in case.system.years:
        world = run_counterfactual(dt, [], year=year, priority=order[:first])
        k = case.system.year_index[year]
        off = np.abs(world["posterior"]["mass_flow"].isel(year=-1).values - mass[..., k])
        assert np.nanmax(off / whole[..., None, k]) < 1e-8
    every = web({p + r for p in "xym" for r in "AB"}, traded)
    dt = result_of(every, toy_flows(every.system, spread, np.random.default_rng(seed), 2)[None])
    for rule in (NoTrade(), Reduce(0.5, {"quantity": "ore", "origin": "A"})):
        world = run_counterfactual(dt, [rule], priority=order[:first])
        assert imbalance(dt, world, every.system) < 1e-9


@settings(max_examples=8, deadline=None)
@given(SEEDS, YEAR, st.sampled_from(CASE.regions), st.floats(0.1, 100), KNOBS)
def test_more_ore_never_loses_more(seed: int, year: int, region: str, quantity: float, knobs: dict[str, Any]) -> None:
    if region == "South" and year == YEARS + 2000:
        year -= 1
    dt = drawn(seed)
    without = run_counterfactual(dt, NoTrade(), year=year, **knobs)
    more = run_counterfactual(dt, [NoTrade(), AddCapacity(region, "mining", quantity)], year=year, **knobs)
    assert np.all(_by_region(more) <= _by_region(without) + 1e-4)


@settings(max_examples=8, deadline=None)
@given(SEEDS, YEAR, PLACE, st.floats(0.1, 100))
def test_more_capacity_never_loses_more_of_what_it_makes(
    seed: int, year: int, place: tuple[str, str], quantity: float
) -> None:
    region, stage = place
    made = {"cracking": "compound", "separation": "powder", "electrolysis": "alloy"}[stage]
    dt = drawn(seed)
    plants = ([], [AddCapacity(region, stage, quantity)])
    worlds = [run_counterfactual(dt, [NoTrade(), *added], year=year) for added in plants]
    without, more = (losses(w).sel(region=region, product=made).sum("end_use") for w in worlds)
    assert bool((more <= without + 1e-4).all())


@settings(max_examples=10, deadline=None)
@example(854, 2002, ["polishing", "glass"])
@given(SEEDS, YEAR, st.permutations(["polishing", "glass"]))
def test_priority_among_uses_of_one_product_conserves_its_total(seed: int, year: int, order: list[str]) -> None:
    """Where nothing is made of a product, its uses share one amount: who comes first changes nothing of the total.

    Not in the North, where unregistered plants, which capacities do not close, make one product of the other.
    """
    dt = drawn(seed)
    alloy = [{"region": r, "stage": s, "capacity": 0.0} for r in CASE.regions for s in ("separation", "electrolysis")]
    plain = run_counterfactual(dt, NoTrade(), year=year, capacity=alloy)
    first = run_counterfactual(dt, NoTrade(), year=year, capacity=alloy, priority=order)
    product = {"product": "powder", "region": ["South", "East"]}
    lost_plain, lost_first = (losses(w).sel(product) for w in (plain, first))
    assert bool((lost_plain.sum("end_use") > 0).any())
    np.testing.assert_allclose(lost_first.sum("end_use").values, lost_plain.sum("end_use").values, atol=1e-4)
    assert bool((lost_first.sel(end_use=order[0]) <= lost_plain.sel(end_use=order[0]) + 1e-4).all())


def _by_region(world: xr.DataTree) -> np.ndarray:
    return np.asarray(losses(world).sum(["product", "end_use"]).values)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 10), st.floats(0, 10), st.floats(0, 1)), min_size=1, max_size=4),
    st.floats(0, 30),
)
def test_a_want_is_shared_out_up_to_all_room(suppliers: list[tuple[float, float, float]], want: float) -> None:
    flows = np.recarray(len(suppliers), FLOW)
    flows["mass"], flows["room"], part = np.array(suppliers).T
    flows["ask"], flows["lack"] = 0.0, part * flows["mass"]
    share_out(flows, np.arange(len(flows)), 0, len(flows), want)
    assert np.all(flows["ask"] >= 0)
    assert np.all(flows["ask"] <= flows["room"])
    assert flows["ask"].sum() == pytest.approx(min(want, flows["room"].sum()), abs=1e-9)
    if want < np.minimum(flows["lack"], flows["room"]).sum():
        assert np.all(flows["ask"] <= flows["lack"])
