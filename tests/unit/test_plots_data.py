"""What the figures draw: their tables, exactly, from draws whose quantiles are known."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.registry import UnknownIndicatorError
from reeuncert.plots import (
    consumption_data,
    customs_gap_data,
    customs_records_data,
    evidence_data,
    indicator_data,
    learning_data,
    prior_posterior_data,
    sankey_data,
    trade_matrix_data,
    triangle_data,
)
from reeuncert.plots.access import chosen_flows
from reeuncert.plots.style import GROUND, HUES, INK, MUTED, UNRECORDED
from reeuncert.result.tables import mass_flow
from reeuncert.testing import toy_posterior


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
    }
    for series, draws in expected.items():
        row = table[(table["series"] == series) & (table["year"] == 2002)].iloc[0]
        np.testing.assert_allclose(
            [row["median"], row["eti90_ub"]], quantiles(draws.values, [0.5, 0.95]), err_msg=series
        )
        assert row["unit"] == "kt"
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


def test_prior_posterior_holds_every_draw_of_both(dt: xr.DataTree) -> None:
    table = prior_posterior_data(dt, "net_import_reliance", coords={"region": "South", "year": 2002})
    assert table["group"].value_counts().to_dict() == {"prior": 80, "posterior": 80}
    draws = dt["derived"].to_dataset()["net_import_reliance"].sel(region="South", year=2002).values.ravel()
    np.testing.assert_array_equal(table.loc[table["group"] == "posterior", "value"], draws)


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


def test_text_is_readable_on_its_ground() -> None:
    assert min(contrast(colour, GROUND) for colour in (INK, MUTED)) >= 4.5


def test_no_two_of_the_first_colours_look_alike_to_the_colour_blind() -> None:
    # Deuteranopia after Viénot, Brettel & Mollon 1999, doi 10.1002/(SICI)1520-6378(199908)24:4<243::AID-COL5>3.0.CO;2-3
    simulate = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
    chosen = [np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) ** 2.2 for c in (*HUES[:3], UNRECORDED)]
    seen = [simulate @ c for c in chosen]
    for i, a in enumerate(seen):
        for b in seen[i + 1 :]:
            assert np.abs(a**1 - b).sum() > 0.15
