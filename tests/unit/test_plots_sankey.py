"""What the Sankey diagram draws: its flows, once each, on one scale."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.plots import (
    sankey_data,
)
from reeuncert.plots.sankey import diagram, largest_regions
from reeuncert.plots.sankey_board import steps_of
from reeuncert.plots.sankey_graph import OTHERS, sankey_graph
from reeuncert.testing import toy_case, toy_posterior


@pytest.fixture(scope="module")
def dt() -> xr.DataTree:
    return toy_posterior(chains=2, draws=40, years=3)


def flows(dt: xr.DataTree, group: str = "posterior") -> xr.DataArray:
    return dt[group].to_dataset()["mass_flow"]


def quantiles(draws: np.ndarray, probs: list[float]) -> list[float]:
    return np.quantile(draws.ravel(), probs).tolist()


def test_every_flow_is_in_the_sankey_once_or_said_not_to_be() -> None:
    case = toy_case()
    drawn = [name for link in sankey_graph(case).links if not link.before for name in link.flows]
    drawn = [name for name in drawn if name not in {f.name for f in case.system.flows if f.is_stock}]
    assert len(drawn) == len(set(drawn))
    left_out = {f.quantity for f in case.system.flows if f.name not in drawn}
    # A stock is drawn as its change; ore and feed are the process that they enter.
    assert left_out == {"stock", "opening_stock", "ore", "feed", "unrecorded_trade"}


def test_sankey_runs_from_left_to_right() -> None:
    graph = sankey_graph(toy_case())
    column = {node.name: i for i, nodes in enumerate(graph.columns) for node in nodes}
    assert all(column[link.source.name] < column[link.target.name] for link in graph.links)
    assert graph.headings[0] == "mining"
    assert graph.headings[-2:] == ("use", "end use")
    assert graph.rows == ("North", "North, unregistered", "South", "East", "East, unregistered")


def test_sankey_ribbons_sum_their_flows(dt: xr.DataTree) -> None:
    table = sankey_data(dt, coords={"year": 2002})
    ribbon = table[(table["source"] == "use|East") & (table["target"] == "end use|glass")].iloc[0]
    draws = flows(dt).sel(flow=["end_use_compound_glass_East", "end_use_powder_glass_East"], year=2002).sum("flow")
    np.testing.assert_allclose([ribbon["median"], ribbon["eti90_lb"]], quantiles(draws.values, [0.5, 0.05]))
    routes = table.groupby("route").size()
    assert {"registered", "unregistered", "unrecorded", "loss", "stock"} == set(routes.index)
    assert table.loc[table["route"] == "unrecorded", "source"].str.contains("North_u").all()


def test_what_stays_in_a_market_balances_it(dt: xr.DataTree) -> None:
    table = sankey_data(dt, coords={"year": 2002})
    node = "market_powder_South|disposal"
    flow = table.loc[(table["target"] == node) & (table["label"] == "stays"), "flow"].iloc[0]
    assert "apparent_consumption_powder_South" in flow.split(" − ")[0]
    assert set(flow.split(" − ")[1:]) >= {"trade_powder_North_South", "declared_powder_North_South"}
    into, out = (table.groupby(end)["mean"].sum() for end in ("target", "source"))
    both = into.index.intersection(out.index)
    np.testing.assert_allclose(into[both], out[both], rtol=1e-9)


def test_regions_that_do_not_stand_alone_share_a_row(dt: xr.DataTree) -> None:
    coords = {"year": 2002}
    every, folded = sankey_data(dt, coords=coords), sankey_data(dt, coords=coords, regions=["North"])
    assert diagram(dt, ["North"]).rows == ("North", "North, unregistered", OTHERS, f"{OTHERS}, unregistered")
    assert set(folded["region"]) <= {"North", OTHERS}

    def mass(table: pd.DataFrame, end: str) -> pd.Series:
        return (
            table[table["target"].str.startswith("use|") | table["source"].str.startswith("use|")]
            .groupby(end)["mean"]
            .sum()
        )

    # What all regions use is the same, and every node balances as before.
    assert mass(folded, "target")["end use|glass"] == pytest.approx(mass(every, "target")["end use|glass"])
    into, out = (folded.groupby(end)["mean"].sum() for end in ("target", "source"))
    middle = [name for name in into.index.intersection(out.index) if "disposal" in name]
    assert any(OTHERS in name for name in middle)
    np.testing.assert_allclose(into[middle], out[middle], rtol=1e-9)
    # What the others trade with one another stays in their row.
    traded = folded[folded["flow"].str.contains("trade_powder_South_East")]
    assert traded["source"].str.contains(OTHERS).all()
    assert traded["target"].str.contains(OTHERS).all()


def test_the_largest_regions_stand_alone(dt: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    assert largest_regions(dt) == ["North", "South", "East"]
    monkeypatch.setattr("reeuncert.plots.sankey.MOST_REGIONS", 2)
    mass = flows(dt).mean(("chain", "draw")).sum("year").to_series()
    kinds = {f.name: f for f in toy_case(3).system.flows}
    leaves = {
        region: sum(m for n, m in mass.items() if kinds[n].origin == region and not kinds[n].is_stock)
        for region in ("North", "South", "East")
    }
    assert largest_regions(dt) == [max(leaves, key=leaves.__getitem__)]
    with pytest.raises(ReeUncertError, match="'West' is no region of the Sankey diagram"):
        sankey_data(dt, regions=["West"])


def test_sankey_nodes_of_a_column_do_not_overlap(dt: xr.DataTree) -> None:
    graph = sankey_graph(toy_case(3))
    table = sankey_data(dt)
    for step in steps_of(table, graph):
        for column in graph.columns:
            names = [n.name for n in column if n.name in step.top]
            spans = sorted((step.top[n], step.top[n] + step.layout.scale * step.value[n]) for n in names)
            assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(spans)), (step.year, names)
            assert spans[0][0] >= 0
            assert spans[-1][1] <= 1.03


def test_sankey_has_one_scale_for_all_years(dt: xr.DataTree) -> None:
    table = sankey_data(dt)
    *years, every = steps_of(table, sankey_graph(toy_case(3)))
    assert every.year == "cumulative"
    assert len({step.layout.scale for step in years}) == 1
    for step in years:
        mined = table[(table["year"] == step.year) & (table["source"] == "mining_North")]["mean"].sum()
        assert step.value["mining_North"] == pytest.approx(mined)
