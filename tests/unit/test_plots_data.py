"""What the figures draw: their tables, exactly, from draws whose quantiles are known."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.case.records import Content, Evidence, Offset
from reeuncert.case.serial import case_to_json
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.registry import UnknownIndicatorError
from reeuncert.plots import (
    consumption_data,
    customs_gap_data,
    customs_records_data,
    drivers_data,
    evidence_data,
    indicator_data,
    learning_data,
    prior_posterior_data,
    sankey_data,
    trade_matrix_data,
    triangle_data,
)
from reeuncert.plots.access import chosen_flows
from reeuncert.plots.customs_gap import _of_two_offices
from reeuncert.plots.sankey import diagram, largest_regions
from reeuncert.plots.sankey_board import steps_of
from reeuncert.plots.sankey_graph import OTHERS, sankey_graph
from reeuncert.plots.style import HUES, THEMES, UNRECORDED
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import Selector
from reeuncert.testing import toy_case, toy_posterior


@pytest.fixture(scope="module")
def dt() -> xr.DataTree:
    return toy_posterior(chains=2, draws=40, years=3)


def flows(dt: xr.DataTree, group: str = "posterior") -> xr.DataArray:
    return dt[group].to_dataset()["mass_flow"]


def quantiles(draws: np.ndarray, probs: list[float]) -> list[float]:
    return np.quantile(draws.ravel(), probs).tolist()


def test_indicator_data_gives_quantiles_of_the_draws(dt: xr.DataTree) -> None:
    row = indicator_data(dt, "mine_production", coords={"region": "East", "year": 2002}).iloc[0]
    chosen = {"region": "East", "year": 2002}
    draws = dt["derived"].to_dataset()["mine_production"].sel(chosen).values
    before = dt["derived_prior"].to_dataset()["mine_production"].sel(chosen).values
    found = [row[c] for c in ("eti90_lb", "eti80_lb", "eti50_lb", "median", "eti50_ub", "eti80_ub", "eti90_ub")]
    np.testing.assert_allclose(found, quantiles(draws, [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]))
    prior = [row[c] for c in ("prior_eti90_lb", "prior_median", "prior_eti90_ub")]
    np.testing.assert_allclose(prior, quantiles(before, [0.05, 0.5, 0.95]))
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["unit"] == "kt"


def test_indicator_data_leaves_out_what_the_system_does_not_have(dt: xr.DataTree) -> None:
    table = indicator_data(dt, "unregistered_mining")
    assert set(table["region"]) == {"North", "East"}


def test_without_prior_its_columns_are_empty(dt: xr.DataTree) -> None:
    table = indicator_data(without(dt, "prior", "derived_prior"), "mine_production")
    assert table["prior_median"].isna().all()
    assert table["median"].notna().all()


def test_all_end_uses_are_summed_draw_by_draw(dt: xr.DataTree) -> None:
    table = consumption_data(dt, coords={"region": "South", "year": 2003})
    draws = dt["derived"].to_dataset()["end_use_consumption"].sel(region="South", year=2003).sum("end_use").values
    total = table[table["end_use"] == "all"].iloc[0]
    np.testing.assert_allclose([total["eti90_lb"], total["eti90_ub"]], quantiles(draws, [0.05, 0.95]))
    parts = table[table["end_use"] != "all"]
    assert total["mean"] == pytest.approx(parts["mean"].sum())
    one = consumption_data(dt, coords={"region": "South", "year": 2003, "end_use": "magnets"})
    assert one["end_use"].tolist() == ["magnets"]


def test_customs_gap_sums_the_flows_that_each_office_sees(dt: xr.DataTree) -> None:
    table = customs_gap_data(dt, coords={"region": "East", "partner": "North"})
    mass = flows(dt).sel(year=2002)
    recorded = mass.sel(flow=["trade_compound_North_East", "trade_powder_North_East", "trade_alloy_North_East"]).sum(
        "flow"
    )
    declared, undeclared = mass.sel(flow="declared_powder_North_East"), mass.sel(flow="undeclared_powder_North_East")
    expected = {
        "exporter's record": recorded,
        "importer's record": recorded + declared,
        "true flow": recorded + declared + undeclared,
        "unrecorded": declared + undeclared,
        "declared on arrival": declared,
        "gap": declared / recorded,
    }
    for series, draws in expected.items():
        row = table[(table["series"] == series) & (table["year"] == 2002)].iloc[0]
        np.testing.assert_allclose(
            [row["median"], row["eti90_ub"]], quantiles(draws.values, [0.5, 0.95]), err_msg=series
        )
        assert row["unit"] == ("1" if series == "gap" else "kt")
    last = table[(table["series"] == "unrecorded, cumulative") & (table["year"] == 2003)].iloc[0]
    unseen = flows(dt).sel(flow=["declared_powder_North_East", "undeclared_powder_North_East"]).sum(["flow", "year"])
    assert last["median"] == pytest.approx(np.median(unseen.values))


def test_triangle_tells_recorded_from_unrecorded(dt: xr.DataTree) -> None:
    table = triangle_data(dt, coords={"product": "powder", "year": [2001, "cumulative"]})
    chosen = table[(table["origin"] == "North") & (table["destination"] == "South")]
    assert chosen[["record", "year"]].values.tolist() == [
        ["recorded", 2001],
        ["unrecorded", 2001],
        ["recorded", "cumulative"],
        ["unrecorded", "cumulative"],
    ]
    draws = flows(dt).sel(flow="trade_powder_North_South").sum("year").values
    assert chosen.iloc[2]["median"] == pytest.approx(np.median(draws))


def test_triangle_has_no_row_in_a_year_without_the_flow(dt: xr.DataTree) -> None:
    table = triangle_data(dt, coords={"product": "concentrate"})
    years = table.loc[table["origin"] == "South", "year"].unique().tolist()
    assert years == [2001, 2002, "cumulative"]  # the mine is closed in the third year
    assert table["year"].unique().tolist() == [2001, 2002, 2003, "cumulative"]


def test_trade_matrix_has_shares_of_arrivals_and_net_exports(dt: xr.DataTree) -> None:
    table = trade_matrix_data(dt, coords={"product": "powder", "year": 2002})
    mass = mass_flow(dt).sel(year=2002)
    arrives = chosen_flows(mass, product="powder", quantity=["trade", "declared", "undeclared"])

    def sent(origin: str, destination: str) -> np.ndarray:
        ends = (mass["origin"].values == origin) & (mass["destination"].values == destination)
        return mass.isel(flow=np.flatnonzero(arrives & ends)).sum("flow").values

    row = table[(table["importer"] == "South") & (table["exporter"] == "North")].iloc[0]
    north = sent("North", "South")
    shares = north / (north + sent("East", "South"))
    np.testing.assert_allclose([row["share_median"], row["share_eti90_ub"]], quantiles(shares, [0.5, 0.95]))
    assert row["net_median"] == pytest.approx(np.median(north - sent("South", "North")))
    assert table.loc[table["importer"] == table["exporter"]].empty


def test_learning_factor_is_the_root_of_upper_over_lower(dt: xr.DataTree) -> None:
    row = learning_data(dt, coords={"flow": "ore_North", "year": 2001}).iloc[0]
    low, high = quantiles(flows(dt).sel(flow="ore_North", year=2001).values, [0.05, 0.95])
    before = quantiles(flows(dt, "prior").sel(flow="ore_North", year=2001).values, [0.05, 0.95])
    assert row["factor"] == pytest.approx(np.sqrt(high / low))
    assert row["prior_factor"] == pytest.approx(np.sqrt(before[1] / before[0]))
    assert row["width_ratio"] == pytest.approx(np.log(high / low) / np.log(before[1] / before[0]))
    assert 0 < row["width_ratio"] < 1


def test_drivers_of_a_sum_are_its_parts(dt: xr.DataTree) -> None:
    table = drivers_data(dt, coords={"headline": 1})
    first = table.iloc[0]
    assert first["indicator"] == "smuggled_mass"
    assert first["name"] in {"unrecorded_powder_North_South", "unrecorded_compound_North_South"}
    ranks = [pd.Series(v).rank() for v in headline_and_flow(dt, first["name"])]
    assert first["correlation"] == pytest.approx(ranks[0].corr(ranks[1]))
    assert table["share"].is_monotonic_decreasing


def test_only_yearly_offsets_are_those_of_the_year_of_a_headline() -> None:
    case = toy_case(years=2)
    laws = {name: Offset(name, 0.0, 0.2, per, "normal") for name, per in (("scale", "year"), ("record", "all"))}
    contents = {"Nd": Content("Nd", "Nd", Selector({}), 0.2, 0.1, "year")}
    dt = toy_posterior(chains=2, draws=40, years=2)
    dt.attrs["case_json"] = case_to_json(replace(case, offsets=laws, contents=contents))
    yearly = [f"{name} {year}" for name in ("scale", "content Nd") for year in case.system.years]
    lasting = ["record", "print survey 2001", "a (b) persistent since 2002", "a (b) persistent until 2001"]
    values = np.random.default_rng(0).normal(size=(2, 40, len(yearly) + len(lasting)))
    held = xr.DataArray(values, dims=("chain", "draw", "offset_value"), coords={"offset_value": [*yearly, *lasting]})
    dt["posterior"] = dt["posterior"].to_dataset().assign(log_offset=held)
    table = drivers_data(dt, coords={"kind": "offset"})
    for _, names in table.groupby("headline")["name"]:
        assert sorted(names) == sorted(["scale", "content Nd", *lasting])


def headline_and_flow(dt: xr.DataTree, flow: str) -> tuple[np.ndarray, np.ndarray]:
    unseen = ["unrecorded_powder_North_South", "unrecorded_compound_North_South"]
    mass = flows(dt).sum("year")
    return mass.sel(flow=unseen).sum("flow").values.ravel(), mass.sel(flow=flow).values.ravel()


def test_prior_posterior_holds_every_draw_of_both(dt: xr.DataTree) -> None:
    table = prior_posterior_data(dt, "net_import_reliance", coords={"region": "South", "year": 2002})
    assert table["group"].value_counts().to_dict() == {"prior": 80, "posterior": 80}
    draws = dt["derived"].to_dataset()["net_import_reliance"].sel(region="South", year=2002).values.ravel()
    np.testing.assert_array_equal(table.loc[table["group"] == "posterior", "value"], draws)


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


def test_records_and_evidence_need_evidence(dt: xr.DataTree) -> None:
    assert customs_records_data(dt).empty
    with pytest.raises(ReeUncertError) as error:
        evidence_data(dt)
    assert str(error.value) == "case 'toy' has no evidence: there is nothing to compare with predictions"
    with pytest.raises(ReeUncertError, match=r"^the evidence has no dim 'linage'; its dims: id, "):
        evidence_data(dt, coords={"linage": "survey"})


def without(dt: xr.DataTree, *groups: str) -> xr.DataTree:
    kept = {name: dt[name].to_dataset() for name in dt.children if name not in groups}
    out = xr.DataTree.from_dict(kept)
    out.attrs = dict(dt.attrs)
    return out


def test_missing_groups_tell_what_to_call(dt: xr.DataTree) -> None:
    with pytest.raises(ReeUncertError) as error:
        indicator_data(without(dt, "derived"), "mine_production")
    assert str(error.value).startswith(
        "'mine_production' has not been computed for this result: call add_indicators(dt, ['mine_production']) first"
    )
    with pytest.raises(ReeUncertError) as error:
        learning_data(without(dt, "prior"))
    assert str(error.value) == (
        "this result has no group 'prior', so nothing can be shown beside the posterior: "
        "sample the case again with prior_draws above 0"
    )
    with pytest.raises(ReeUncertError) as error:
        prior_posterior_data(without(dt, "derived_prior"), "mine_production")
    assert str(error.value) == "this result has no group 'derived_prior': call add_indicators(dt) first"


@pytest.mark.parametrize("dim", ["chain", "draw"])
def test_a_chain_or_draw_chosen_without_a_list_is_refused_in_a_sentence(dt: xr.DataTree, dim: str) -> None:
    lost = dt.isel({dim: 0})
    told = f"'{{}}' has lost its dim '{dim}': choose by a list, isel({dim}=[0])"
    for name, make in (("imports", indicator_data), ("mass_flow", learning_data), ("mass_flow", sankey_data)):
        with pytest.raises(ReeUncertError, match=re.escape(told.format(name))):
            make(lost, *((name,) if make is indicator_data else ()))
    with pytest.raises(
        ReeUncertError, match=re.escape(f"check: dt is no result that can be used: {told}".format("mass_flow"))
    ):
        ree.check(lost)
    assert len(sankey_data(dt.isel({dim: [0]}))) == len(sankey_data(dt))


def test_unknown_labels_list_those_there_are(dt: xr.DataTree) -> None:
    with pytest.raises(ReeUncertError) as error:
        indicator_data(dt, "mine_production", coords={"region": "West"})
    assert str(error.value) == (
        "'West' is no region of indicator 'mine_production'; there are: North, South, East; did you mean 'East'?"
    )
    with pytest.raises(ReeUncertError) as error:
        triangle_data(dt, coords={"flow": "x"})
    assert str(error.value) == "trade has no dim 'flow'; its dims: region, product, year"
    with pytest.raises(ReeUncertError) as error:
        sankey_data(dt, coords={"year": 1999})
    assert str(error.value) == "'1999' is no year of the Sankey diagram; there are: 2001, 2002, 2003, cumulative"
    with pytest.raises(UnknownIndicatorError):
        indicator_data(dt, "happiness")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_text_is_readable_on_its_ground(theme: object) -> None:
    for name in ("ink", "muted"):
        assert contrast(getattr(theme, name), theme.ground) >= 4.5, name  # type: ignore[attr-defined]


def test_no_two_of_the_first_colours_look_alike_to_the_colour_blind() -> None:
    # Deuteranopia after Viénot, Brettel & Mollon 1999, doi 10.1002/(SICI)1520-6378(199908)24:4<243::AID-COL5>3.0.CO;2-3
    simulate = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
    chosen = [np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) ** 2.2 for c in (*HUES[:3], UNRECORDED)]
    seen = [simulate @ c for c in chosen]
    for i, a in enumerate(seen):
        for b in seen[i + 1 :]:
            assert np.abs(a**1 - b).sum() > 0.15


def test_a_ratio_of_one_record_is_no_gap_of_two() -> None:
    """Growth and shares of the exporter's record do not say by how much the importer's exceeds it."""
    pair = {"origin": "A", "destination": "B", "product": "salt"}
    seen, told = (Selector.of(quantity=q, **pair) for q in ("trade+declared", "trade"))

    def row(selector: Selector, of: Selector, of_years: tuple[int, ...] = ()) -> Evidence:
        nan = float("nan")
        law = (1.2, nan, nan, "ratio", "", "exact", "survey", "survey")
        return Evidence("E1", selector, (2002,), "ratio", of, *law, of_years=of_years)

    assert _of_two_offices(row(seen, told))
    assert _of_two_offices(row(seen, told, (2002,)))
    assert not _of_two_offices(row(seen, told, (2001,)))
    assert not _of_two_offices(row(told, told, (2001,)))
    assert not _of_two_offices(row(seen, Selector.of(quantity="trade", origin="A", product="salt")))
