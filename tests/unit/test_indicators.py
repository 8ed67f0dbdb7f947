"""Every indicator on a system of two regions whose masses are typed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from flow_tables import row, table
from reeuncert.case.records import Constant, Content
from reeuncert.errors import CaseError
from reeuncert.indicators import INDICATORS
from reeuncert.indicators.compute import indicators_of
from reeuncert.indicators.flows import FlowTable, ratio
from reeuncert.system.definition import Selector
from reeuncert.testing import assert_mass_balance

NAN = np.nan

# A mines, refines (salt, then oxide), exports and smuggles; B mines in the first year only and buys back.
ROWS = [
    row("outside > mining_A", "ore", "concentrate", "A", [110, 120]),
    row("mining_A > market_c_A", "mine_production", "concentrate", "A", [100, 110]),
    row("mining_A > outside", "loss", "concentrate", "A", [10, 10]),
    row("outside > mining_A_u", "ore", "concentrate", "A", [25, 30], route="unregistered"),
    row("mining_A_u > market_c_A_u", "mine_production", "concentrate", "A", [25, 30], route="unregistered"),
    row("market_c_A_u > market_c_A", "sale", "concentrate", "A", [5, 10], route="unregistered"),
    row("market_c_A_u > cracking_A_u", "feed", "concentrate", "A", [20, 20], route="unregistered"),
    row("cracking_A_u > market_s_A_u", "production", "salt", "A", [16, 15], route="unregistered"),
    row("cracking_A_u > outside", "loss", "salt", "A", [4, 5], route="unregistered"),
    row("market_s_A_u > market_s_A", "sale", "salt", "A", [6, 5], route="unregistered"),
    row("market_s_A_u > border_s", "unrecorded_trade", "salt", "A > B", [10, 10], route="unregistered"),
    row("border_s > market_s_B", "declared", "salt", "A > B", [4, 6], route="unregistered"),
    row("border_s > market_s_B", "undeclared", "salt", "A > B", [6, 4], route="unregistered"),
    row("outside > mining_B", "ore", "concentrate", "B", [20, None]),
    row("mining_B > market_c_B", "mine_production", "concentrate", "B", [20, None]),
    row("market_c_B > market_c_A", "trade", "concentrate", "B > A", [20, None]),
    row("market_c_A > cracking_A", "feed", "concentrate", "A", [125, 120]),
    row("cracking_A > market_s_A", "production", "salt", "A", [100, 96]),
    row("cracking_A > outside", "loss", "salt", "A", [25, 24]),
    row("market_s_A > separation_A", "feed", "salt", "A", [50, 40]),
    row("market_s_A > use_s_A", "apparent_consumption", "salt", "A", [38, 43]),
    row("use_s_A > outside", "end_use", "salt", "A", [38, 43], end_use="glass"),
    row("market_s_A > market_s_B", "trade", "salt", "A > B", [20, 20]),
    row("separation_A > market_o_A", "production", "oxide", "A", [40, 32]),
    row("separation_A > outside", "loss", "oxide", "A", [10, 8]),
    row("market_o_A > use_o_A", "apparent_consumption", "oxide", "A", [30, 22]),
    row("use_o_A > outside", "end_use", "oxide", "A", [30, 22], end_use="magnets"),
    row("market_o_A > market_o_B", "trade", "oxide", "A > B", [10, 10]),
    row("market_s_B > use_s_B", "apparent_consumption", "salt", "B", [25, 29]),
    row("use_s_B > outside", "end_use", "salt", "B", [25, 29], end_use="glass"),
    row("outside > market_s_B", "opening_stock", "salt", "B", [3, None]),
    row("market_s_B > market_s_B", "stock", "salt", "B", [6, 5]),
    row("market_s_B > market_s_A", "trade", "salt", "B > A", [2, 2]),
    row("outside > market_o_B", "recycling", "oxide", "B", [1, 1]),
    row("market_o_B > use_o_B", "apparent_consumption", "oxide", "B", [11, 11]),
    row("use_o_B > outside", "end_use", "oxide", "B", [11, 11], end_use="magnets"),
]
QUOTAS = [
    Constant("separation_quota", "A", "all", 1, 80_000.0, "t"),
    Constant("separation_quota", "A", "salt", 1, 50_000.0, "t"),
    Constant("mining_quota", "A", "all", 2, 80.0, "kt"),
    Constant("reserves", "A", "all", 1, 1000.0, "kt"),
]
PRODUCTS = ("concentrate", "salt", "oxide")


@pytest.fixture(scope="module")
def flows() -> FlowTable:
    return table(ROWS, products=PRODUCTS, constants=QUOTAS)


@pytest.fixture(scope="module")
def derived(flows: FlowTable) -> xr.Dataset:
    return indicators_of(flows).squeeze(("chain", "draw"))


# name, labels, values in years 1 and 2
EXPECTED = [
    # consumption and stocks
    ("apparent_consumption", {"region": "A", "product": "salt"}, [38, 43]),
    ("apparent_consumption", {"region": "A", "product": "refined"}, [68, 65]),
    ("apparent_consumption_cumulated", {"region": "A", "product": "refined"}, [68, 133]),
    ("apparent_consumption", {"region": "B", "product": "concentrate"}, [NAN, NAN]),
    ("world_apparent_consumption", {"product": "refined"}, [104, 105]),
    ("share_of_consumption", {"region": "B"}, [36 / 104, 40 / 105]),
    # B, as its customs see it: recycling 1 + imports (20 + 4 + 10, 20 + 6 + 10) - exports 2
    ("apparent_consumption_usgs", {"region": "B"}, [33, 35]),
    # A: registered output 100 + 40 - 50 + 6 bought, imports 2, exports 30
    ("apparent_consumption_usgs", {"region": "A"}, [68, 65]),
    ("stock_change", {"region": "B", "product": "salt"}, [3, -1]),
    ("stock_change", {"region": "B", "product": "all"}, [3, -1]),
    ("stock_change", {"region": "A", "product": "salt"}, [NAN, NAN]),
    ("end_use_consumption", {"region": "B", "end_use": "glass"}, [25, 29]),
    ("end_use_share", {"region": "B", "end_use": "glass"}, [25 / 36, 29 / 40]),
    ("world_end_use_consumption", {"end_use": "magnets"}, [41, 33]),
    ("world_end_use_share_cumulated", {"end_use": "magnets"}, [41 / 104, 74 / 209]),
    # trade and reliance
    ("imports", {"region": "B", "product": "refined"}, [34, 36]),
    ("exports", {"region": "A", "product": "all"}, [30, 30]),
    ("exports", {"region": "B", "product": "all"}, [22, 2]),
    ("exports", {"region": "A", "product": "concentrate"}, [NAN, NAN]),
    # B: (40 - 2 - 3) / 36, (40 - 2 + 1) / 40; what is left is recycling, 1 / 36 and 1 / 40
    ("net_import_reliance", {"region": "B"}, [35 / 36, 39 / 40]),
    ("net_import_reliance", {"region": "A"}, [(2 - 40) / 68, (2 - 40) / 65]),
    ("import_dependence", {"region": "B", "partner": "A", "product": "salt"}, [1, 1]),
    ("import_dependence", {"region": "A", "partner": "B", "product": "concentrate"}, [1, NAN]),
    ("import_dependence", {"region": "A", "partner": "A", "product": "all"}, [NAN, NAN]),
    ("export_dependence", {"region": "B", "partner": "A"}, [1, 1]),
    ("interdependence", {"region": "A", "partner": "B"}, [1, 1]),
    ("supply_dependence", {"region": "B", "partner": "A"}, [34 / 36, 36 / 40]),
    ("supply_dependence_with_unrecorded", {"region": "B", "partner": "A"}, [40 / 36, 40 / 40]),
    ("supplier_concentration", {"region": "B", "product": "refined"}, [1, 1]),
    ("supplier_concentration", {"region": "A", "product": "concentrate"}, [1, NAN]),
    # mining
    ("mine_production", {"region": "A"}, [125, 140]),
    ("mine_production", {"region": "B"}, [20, 0]),
    ("mine_production_registered_cumulated", {"region": "A"}, [100, 210]),
    ("world_mine_production", {}, [145, 140]),
    ("share_of_mining", {"region": "A"}, [100 / 120, 1]),
    ("share_of_mining_with_unregistered_cumulated", {"region": "A"}, [125 / 145, 265 / 285]),
    ("unregistered_mining", {"region": "A"}, [25, 30]),
    ("unregistered_mining", {"region": "B"}, [NAN, NAN]),
    ("world_unregistered_mining_cumulated", {}, [25, 55]),
    ("unregistered_mining_share", {"region": "A"}, [0.2, 30 / 140]),
    ("share_of_unregistered_mining", {"region": "A"}, [1, 1]),
    # refining
    ("refined_production", {"region": "A", "product": "salt"}, [116, 111]),
    ("refined_production", {"region": "A", "product": "refined"}, [106, 103]),
    ("refined_production", {"region": "A", "product": "concentrate"}, [NAN, NAN]),
    ("refined_production_registered", {"region": "A", "product": "salt"}, [100, 96]),
    ("refined_production_registered", {"region": "A", "product": "refined"}, [96, 93]),
    ("world_refined_production", {"product": "oxide"}, [40, 32]),
    ("share_of_refining", {"region": "A", "product": "refined"}, [1, 1]),
    ("share_of_refining", {"region": "B", "product": "refined"}, [NAN, NAN]),
    ("share_of_refining_with_unregistered", {"region": "A", "product": "oxide"}, [1, 1]),
    ("refining_beyond_quota", {"region": "A"}, [26 / 106, NAN]),
    ("refining_beyond_quota", {"region": "B"}, [NAN, NAN]),
    # customs
    ("customs_gap", {"region": "B", "partner": "A"}, [34 / 30 - 1, 36 / 30 - 1]),
    ("customs_gap_cumulated", {"region": "B", "partner": "A"}, [34 / 30 - 1, 70 / 60 - 1]),
    ("customs_gap", {"region": "A", "partner": "B"}, [NAN, NAN]),
    ("customs_gap_net", {"region": "B", "partner": "A"}, [32 / 28 - 1, 34 / 28 - 1]),
    ("customs_gap_net", {"region": "A", "partner": "B"}, [NAN, NAN]),
    ("smuggled_mass", {"region": "B", "partner": "A"}, [10, 10]),
    ("smuggled_mass_cumulated", {"region": "B", "partner": "A"}, [10, 20]),
    ("smuggled_mass_declared", {"region": "B", "partner": "A"}, [4, 6]),
    ("smuggled_mass_declared_cumulated", {"region": "B", "partner": "A"}, [4, 10]),
    ("smuggled_mass", {"region": "A", "partner": "B"}, [NAN, NAN]),
    # both directions
    ("return_share", {"region": "B", "partner": "A"}, [40 / 20, NAN]),
    ("return_share", {"region": "A", "partner": "B"}, [NAN, NAN]),
    # what is known beside the flows, and all partners together
    ("reserves_over_output", {"region": "A"}, [8, NAN]),
    ("consumption_over_mine_output", {"region": "A"}, [68 / 125, 65 / 140]),
    ("customs_gap_all_partners", {"region": "A"}, [4 / 30, 6 / 30]),
    ("net_imports_peak", {"region": "B", "product": "salt"}, [0, 1]),
]


@pytest.mark.parametrize(("name", "labels", "expected"), EXPECTED, ids=lambda x: x if isinstance(x, str) else None)
def test_an_indicator_has_the_value_worked_out_by_hand(
    derived: xr.Dataset, name: str, labels: dict[str, str], expected: list[float]
) -> None:
    np.testing.assert_allclose(derived[name].sel(labels), expected, rtol=1e-12)


def test_import_dependence_with_unrecorded_counts_what_no_office_saw() -> None:
    rows = [
        row("market_A > market_B", "trade", "oxide", "A > B", [6]),
        row("border > market_B", "undeclared", "oxide", "A > B", [2], route="unregistered"),
        row("market_C > market_B", "trade", "oxide", "C > B", [2]),
        row("make_A > market_A", "production", "oxide", "A", [1]),
    ]
    flows = table(rows, products=["oxide"])
    both = indicators_of(flows, ["import_dependence", "import_dependence_with_unrecorded"])
    at = {"region": "B", "partner": "A", "product": "refined"}
    assert float(both["import_dependence"].sel(at).squeeze()) == 0.75
    assert float(both["import_dependence_with_unrecorded"].sel(at).squeeze()) == 0.8


def test_goods_have_rows_of_their_own_and_are_no_part_of_all() -> None:
    rows = [
        row("outside > market_A", "mine_production", "ore", "A", [8]),
        row("make_A > shop_A", "fabrication", "magnet", "A", [6]),
        row("make_B > shop_B", "fabrication", "magnet", "B", [2]),
        row("market_A > market_B", "trade", "ore", "A > B", [4]),
        row("shop_A > shop_B", "trade", "magnet", "A > B", [3]),
    ]
    found = indicators_of(table(rows, products=["ore", "magnet"]))
    assert float(found["share_of_fabrication"].sel(region="A", product="magnet").squeeze()) == 0.75
    assert float(found["imports"].sel(region="B", product="magnet").squeeze()) == 3
    assert float(found["imports"].sel(region="B", product="all").squeeze()) == 4
    assert float(found["net_imports"].sel(region="A", product="all").squeeze()) == -4
    assert float(found["net_importer"].sel(region="A", product="all").squeeze()) == 0
    assert float(found["ore_shipped"].sel(region="A", partner="B").squeeze()) == 0.5


def test_goods_are_traced_to_who_made_them_and_who_made_their_metal() -> None:
    rows = [
        row("outside > electrolysis_A", "ore", "metal", "A", [8]),
        row("electrolysis_A > metal_A", "production", "metal", "A", [8]),
        row("metal_A > metal_B", "trade", "metal", "A > B", [2]),
        row("metal_A > fabrication_A", "end_use", "metal", "A", [6]),
        row("metal_B > fabrication_B", "end_use", "metal", "B", [2]),
        row("fabrication_A > shop_A", "fabrication", "magnet", "A", [6]),
        row("fabrication_B > shop_B", "fabrication", "magnet", "B", [2]),
        row("shop_A > shop_B", "trade", "magnet", "A > B", [2]),
        row("shop_A > outside", "use_in_goods", "magnet", "A", [4]),
        row("shop_B > outside", "use_in_goods", "magnet", "B", [4]),
    ]
    found = indicators_of(table(rows, products=["metal", "magnet"]), ["goods_by_fabrication", "goods_by_reduction"])
    at = {"region": "B", "partner": "A", "product": "magnet"}
    assert float(found["goods_by_fabrication"].sel(at).squeeze()) == 0.5
    assert float(found["goods_by_reduction"].sel(at).squeeze()) == 1


def test_elements_are_counted_where_their_content_is_known() -> None:
    rows = [
        row("mine_A > market_A", "mine_production", "ore", "A", [10, 10]),
        row("mine_B > market_B", "mine_production", "ore", "B", [5, 5]),
        row("market_B > market_A", "trade", "ore", "B > A", [2, 2]),
        row("shop_A > market_A", "recycling", "oxide", "A", [1, 1]),
    ]
    moved = [*rows, row("a > b", "relabelled_ore", "ore", "A > B", [2, 0], route="unregistered")]
    moved += [row("mine > b", "mine_production", "ore", "B", [6, 6], route="unregistered")]
    share = indicators_of(table(moved, products=["ore", "oxide"]), ["relabelled_share"])["relabelled_share"]
    assert share.sel(region="B", partner="A").squeeze().values.tolist() == [0.25, 0]
    given = [("A", 0.1, (1,)), ("A later", 0.3, (2,)), ("B", 0.2, ()), ("scrap", 0.5, ())]
    of = [{"origin": ("A",)}, {"origin": ("A",)}, {"origin": ("B",)}, {"quantity": ("recycling",)}]
    of[0] |= {"product": ("ore",)}
    of[1] |= {"product": ("ore",)}
    contents = [Content(n, "Nd", Selector(f), s, 0.0, years=y) for (n, s, y), f in zip(given, of, strict=True)]
    found = indicators_of(table(rows, products=["ore", "oxide"], contents=contents)).squeeze(("chain", "draw"))
    a = {"region": "A", "product": "Nd"}
    assert found["element_mined"].sel(a).values == pytest.approx([1, 3])
    assert found["element_share_of_mining"].sel(a).values == pytest.approx([0.5, 0.75])
    assert found["element_dependence"].sel({**a, "partner": "B"}).values == pytest.approx([0.4 / 1.9, 0.4 / 3.9])
    assert found["element_dependence_cumulated"].sel({**a, "partner": "B"}).values[1] == pytest.approx(0.8 / 5.8)


def test_every_indicator_has_a_value_somewhere_and_describes_itself(derived: xr.Dataset) -> None:
    for name, record in INDICATORS.items():
        variable = derived[name]
        assert (
            np.isfinite(variable).any()
            or name.startswith(("element", "relabelled"))
            or "fabrication" in name
            or "goods" in name
        )
        assert variable.dims == (*record.dims, "year")
        assert variable.attrs["long_name"] == record.title
        assert variable.attrs["units"] == ("kt" if record.unit == "mass" else "1")
        assert any(mark in variable.attrs["reference"] for mark in ("doi 10.", "appendix"))


def test_the_typed_masses_balance(flows: FlowTable) -> None:
    labels = {name: ("flow", values) for name, values in flows.attributes.items() if name != "flow"}
    masses = np.where(flows.present[:, None, None], flows.mass, NAN).transpose(1, 2, 0, 3)
    data = xr.Dataset({"mass_flow": (("chain", "draw", "flow", "year"), masses)}, {"year": list(flows.years), **labels})
    assert_mass_balance(xr.DataTree.from_dict({"posterior": data}))


# Shares of A's mines in the salt of A (a) and B (b) in year 1. A's market: 100 made of a concentrate that is 105/125
# A's, 6 bought (all A's), 2 back from B: 108. B's: 20 from A, 10 smuggled (all A's), 3 in stock before: 33.
# 108 a = 84 + 6 + 2 b and 33 b = 20 a + 10.
OF_A = 2990 / 3524
OF_B = (20 * OF_A + 10) / 33


def test_embodied_dependence_counts_what_comes_back_through_the_partner(derived: xr.Dataset) -> None:
    mined = derived["embodied_dependence_mined"].sel(product="salt", year=1)
    np.testing.assert_allclose(mined.sel(region="A", partner="A"), OF_A)
    np.testing.assert_allclose(mined.sel(region="B", partner="A"), OF_B)
    np.testing.assert_allclose(mined.sel(region="B").sum("partner"), 1)
    assert float(mined.sel(region="B", partner="no region")) == 0
    # What B consumes was all refined in A, but for its old stock: 3 of 33 in its own market, 2 of them by way of A's.
    refined = derived["embodied_dependence_refined"].sel(product="salt", year=1)
    np.testing.assert_allclose(refined.sel(region="B", partner="opening stock"), 3 * 108 / (33 * 108 - 40))
    np.testing.assert_allclose(refined.sel(region="B", partner=["A", "opening stock"]).sum(), 1)
    # All oxide was separated in A, but for what B recycled; no salt was separated at all.
    separated = derived["embodied_dependence_separated"].sel(year=1)
    np.testing.assert_allclose(
        separated.sel(region="B", product="oxide", partner=["A", "no region"]), [10 / 11, 1 / 11]
    )
    np.testing.assert_allclose(separated.sel(region="A", product="salt", partner="A"), 0)


def test_of_the_own_ore_only_the_part_mined_at_home_counts_against_the_quota(derived: xr.Dataset) -> None:
    # 16 unregistered, 84 of the 100 registered, less the separation's loss of 10 at the market's mixture.
    own = 16 + 84 - 10 * OF_A
    found = derived["refining_beyond_quota_own_ore"].sel(region="A")
    np.testing.assert_allclose(found, [1 - 80 / own, NAN])


def test_the_traced_return_share_counts_only_the_ore_that_was_sent(derived: xr.Dataset) -> None:
    # Shares c and d of B's mines in the salt of A and of B: 108 c = 16 + 2 d and 33 d = 20 c, so c = 528 / 3524.
    # 20 of salt and 10 of oxide made of it come back to B; the smuggled 10 hold none.
    found = derived["return_share_traced"].sel(region="B", partner="A")
    np.testing.assert_allclose(found, [(20 + 10) * 528 / 3524 / 20, NAN])


def test_a_total_quota_is_taken_before_its_parts_and_parts_are_summed() -> None:
    rows = [row("cracking_A > market_A", "production", "salt", "A", [10, 10])]
    parts = [Constant("separation_quota", "A", product, 1, 3.0, "kt") for product in ("light", "heavy")]
    flows = table(
        rows, products=["salt"], constants=[*parts, Constant("separation_quota", "A", "", 2, 4000.0, "t REO")]
    )
    found = indicators_of(flows, ["refining_beyond_quota"])["refining_beyond_quota"].squeeze()
    np.testing.assert_allclose(found, [0.4, 0.6])


def test_a_quota_in_a_unit_that_is_no_mass_is_refused() -> None:
    rows = [row("cracking_A > market_A", "production", "salt", "A", [10])]
    flows = table(rows, products=["salt"], constants=[Constant("separation_quota", "A", "", 1, 3.0, "USD")])
    with pytest.raises(CaseError, match=r"unit 'USD' is not known; use one of: t, kt, Mt, kg"):
        indicators_of(flows, ["refining_beyond_quota"])


def test_a_stock_whose_market_closes_leaves_the_system_and_is_no_stock_change() -> None:
    rows = [
        row("make_A > market_A", "production", "oxide", "A", [5, None, 4]),
        row("market_A > market_A", "stock", "oxide", "A", [2, None, None]),
        row("market_A > use_A", "apparent_consumption", "oxide", "A", [3, None, 4]),
    ]
    change = indicators_of(table(rows, products=["oxide"]), ["stock_change"])["stock_change"]
    np.testing.assert_allclose(change.sel(region="A", product="oxide").squeeze(), [2, 0, 0])


def test_the_concentration_of_suppliers_is_one_over_their_number_when_they_are_equal() -> None:
    rows = [row(f"market_{p} > market_A", "trade", "oxide", f"{p} > A", [7]) for p in "BCDE"]
    rows.append(row("make_A > market_A", "production", "oxide", "A", [1]))
    found = indicators_of(table(rows, products=["oxide"]), ["supplier_concentration"])["supplier_concentration"]
    assert float(found.sel(region="A", product="refined").squeeze()) == 0.25


def test_a_region_that_only_works_up_imports_refines_nothing_of_its_own() -> None:
    rows = [
        row("cracking_A > market_s_A", "production", "salt", "A", [10]),
        row("market_s_A > market_s_B", "trade", "salt", "A > B", [5]),
        row("market_s_B > separation_B", "feed", "salt", "B", [5]),
        row("separation_B > market_o_B", "production", "oxide", "B", [4]),
    ]
    derived = indicators_of(table(rows, products=["salt", "oxide"]), ["refined_production", "share_of_refining"])
    derived = derived.squeeze().sel(region="B")
    assert float(derived["refined_production"].sel(product="refined")) == -1
    assert float(derived["share_of_refining"].sel(product="refined")) == 0
    assert float(derived["share_of_refining"].sel(product="oxide")) == 1


def test_ratio_refuses_a_denominator_that_is_not_positive() -> None:
    np.testing.assert_array_equal(ratio(np.ones(4), np.array([2.0, 0.0, -1.0, np.nan])), [0.5, NAN, NAN, NAN])
