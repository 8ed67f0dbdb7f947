"""Indicators travel in the result: groups, labels, what stays and what is computed again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from reeuncert.case.serial import case_from_json
from reeuncert.errors import ReeUncertError
from reeuncert.indicators import UnknownIndicatorError, valid_names
from reeuncert.indicators.compute import add_indicators
from reeuncert.testing import toy_posterior


@pytest.fixture(scope="module")
def toy() -> xr.DataTree:
    return toy_posterior(draws=10, years=3)


@pytest.fixture
def bare(toy: xr.DataTree) -> xr.DataTree:
    dt = toy.copy()
    del dt["derived"], dt["derived_prior"]
    return dt


def test_all_indicators_are_added_for_posterior_and_prior(bare: xr.DataTree) -> None:
    dt = add_indicators(bare)
    assert sorted(dt["derived"].data_vars) == sorted(dt["derived_prior"].data_vars) == valid_names()
    assert (dt["derived"].sizes["chain"], dt["derived"].sizes["draw"]) == (4, 10)
    assert (dt["derived_prior"].sizes["chain"], dt["derived_prior"].sizes["draw"]) == (1, 40)
    assert "derived" not in bare.children
    xr.testing.assert_identical(dt["posterior"].to_dataset(), bare["posterior"].to_dataset())
    again = add_indicators(dt)["posterior"]["mass_flow"]
    assert np.shares_memory(again.values, dt["posterior"]["mass_flow"].values)


def test_adding_one_indicator_keeps_the_others(bare: xr.DataTree) -> None:
    first = add_indicators(bare, ["mine_production"])
    assert sorted(first["derived"].data_vars) == ["mine_production", "mine_production_cumulated"]
    second = add_indicators(first, ["net_import_reliance"])
    assert sorted(second["derived"].data_vars) == [
        "mine_production",
        "mine_production_cumulated",
        "net_import_reliance",
    ]
    again = add_indicators(second, "mine_production_cumulated")
    xr.testing.assert_identical(again["derived"].to_dataset()["mine_production"], first["derived"]["mine_production"])


def test_a_result_without_a_prior_has_no_derived_prior(bare: xr.DataTree) -> None:
    del bare["prior"]
    assert sorted(add_indicators(bare, ["imports"]).children) == ["derived", "posterior", "sample_stats"]


def test_chain_and_draw_keep_their_labels(bare: xr.DataTree) -> None:
    thinned = xr.DataTree.from_dict(
        {"posterior": bare["posterior"].to_dataset().isel(chain=[1, 3], draw=slice(2, 8, 2))}
    )
    thinned.attrs = bare.attrs
    derived = add_indicators(thinned, ["imports"])["derived"]
    assert derived["chain"].values.tolist() == [1, 3]
    assert derived["draw"].values.tolist() == [2, 4, 6]


def test_an_unknown_name_is_refused_before_anything_is_computed(bare: xr.DataTree) -> None:
    with pytest.raises(UnknownIndicatorError, match=r"^'gdp' is no indicator; names: apparent_consumption, "):
        add_indicators(bare, ["imports", "gdp"])


def test_a_result_without_its_case_must_be_given_one(bare: xr.DataTree) -> None:
    case = case_from_json(bare.attrs.pop("case_json"))
    with pytest.raises(ReeUncertError, match="this result holds no case"):
        add_indicators(bare)
    given = add_indicators(bare, case=case)["derived"].to_dataset()
    assert given["embodied_dependence_separated"].notnull().any()
    assert given["refining_beyond_quota"].notnull().any()


def test_a_flow_absent_in_a_year_is_no_flow_and_one_absent_in_all_years_stays_absent(bare: xr.DataTree) -> None:
    derived = add_indicators(bare, ["mine_production", "unregistered_mining", "share_of_mining"])[
        "derived"
    ].to_dataset()
    closed = {"region": "South", "year": 2003}  # the mine of South is closed in the third year
    assert (derived["mine_production"].sel(closed) == 0).all()
    assert (derived["share_of_mining"].sel(closed) == 0).all()
    assert derived["unregistered_mining"].sel(region="South").isnull().all()


def test_derived_survives_a_file(bare: xr.DataTree, tmp_path: Path) -> None:
    names = ["import_dependence", "embodied_dependence_mined", "end_use_share", "world_mine_production"]
    toy = add_indicators(bare, names)
    toy.to_netcdf(tmp_path / "toy.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "toy.nc", engine="h5netcdf") as back:
        for name in names:
            xr.testing.assert_identical(back["derived"][name].load(), toy["derived"][name])
        np.testing.assert_array_equal(
            back["derived"]["partner"], ["North", "South", "East", "opening stock", "no region"]
        )


@pytest.mark.slow
def test_four_thousand_draws_of_a_full_case_take_seconds() -> None:
    import time

    dt = toy_posterior(chains=4, draws=1000, years=23)
    for group in ("derived", "derived_prior"):
        del dt[group]
    start = time.process_time()
    add_indicators(dt)
    assert time.process_time() - start < 20
