"""What must hold of indicators on any balanced flows: identities, sums of shares, bounds."""

from __future__ import annotations

import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from reeuncert.indicators import INDICATORS
from reeuncert.indicators.compute import indicators_of
from reeuncert.indicators.dependence import herfindahl_hirschman
from reeuncert.indicators.flows import FlowTable
from reeuncert.testing import flow_dataset, toy_case, toy_flows

CASE = toy_case(4)
SHARES = [name for record in INDICATORS.values() if record.scale == "share" for name in record.titles]
SUMS_TO_ONE = [
    *(("import_dependence", "partner"), ("import_dependence_with_unrecorded", "partner")),
    *(("export_dependence", "partner"), ("interdependence", "partner")),
    *(("embodied_dependence_mined", "partner"), ("embodied_dependence_refined", "partner")),
    *(("embodied_dependence_separated", "partner"),),
    *(("share_of_mining", "region"), ("share_of_mining_with_unregistered", "region")),
    *(("share_of_unregistered_mining", "region"), ("share_of_consumption", "region")),
    *(("share_of_refining", "region"), ("share_of_refining_with_unregistered", "region")),
    *(("end_use_share", "end_use"), ("world_end_use_share", "end_use")),
]

balanced = st.builds(
    lambda seed, spread: flow_dataset(
        CASE.system, toy_flows(CASE.system, spread, np.random.default_rng(seed), 2)[None]
    ),
    st.integers(0, 100_000),
    st.floats(0.01, 1.5),
)


def computed(data: xr.Dataset) -> tuple[FlowTable, xr.Dataset]:
    table = FlowTable.from_dataset(data, CASE)
    return table, indicators_of(table)


@given(balanced)
@settings(max_examples=15, deadline=None)
def test_shares_lie_between_zero_and_one_and_sum_to_one(data: xr.Dataset) -> None:
    _, derived = computed(data)
    for name in SHARES:  # their intervals are compared as odds
        values = derived[name].values[np.isfinite(derived[name].values)]
        assert np.all((values >= -1e-12) & (values <= 1 + 1e-12)), name
    for name, dim in SUMS_TO_ONE:
        variable = derived[name]
        total = variable.sum(dim).where(variable.notnull().any(dim))
        assert total.notnull().any(), name
        np.testing.assert_allclose(total.values[np.isfinite(total.values)], 1, rtol=1e-9, err_msg=name)


@given(balanced)
@settings(max_examples=15, deadline=None)
def test_apparent_consumption_follows_from_production_trade_and_stocks(data: xr.Dataset) -> None:
    table, derived = computed(data)
    for region in table.regions:
        refined = {"product": table.refined}
        arriving = table.where(quantity=("trade", "declared", "undeclared"), destination=region, **refined)
        leaving = table.where(quantity=("trade", "unrecorded_trade"), origin=region, **refined)
        secondary = np.nan_to_num(table.sum(table.where(quantity="recycling", destination=region)))
        at = {"region": region, "product": "refined"}
        production = derived["refined_production"].sel(at).values + secondary
        change = derived["stock_change"].sel(at).values
        consumption = derived["apparent_consumption"].sel(at).values
        np.testing.assert_allclose(production + table.sum(arriving, leaving) - change, consumption, rtol=1e-9)
        reliance = derived["net_import_reliance"].sel(region=region).values
        np.testing.assert_allclose(reliance, 1 - production / consumption, rtol=1e-7, atol=1e-9)
        by_use = derived["end_use_consumption"].sel(region=region).sum("end_use").values
        np.testing.assert_allclose(by_use, consumption, rtol=1e-9)


@given(balanced)
@settings(max_examples=10, deadline=None)
def test_cumulated_masses_are_running_sums_and_what_is_declared_is_part_of_what_is_smuggled(data: xr.Dataset) -> None:
    _, derived = computed(data)
    for name, record in INDICATORS.items():
        if record.cumulated and record.unit == "mass":
            np.testing.assert_allclose(
                derived[f"{name}_cumulated"], derived[name].cumsum("year", skipna=False), rtol=1e-9
            )
    part, whole = derived["smuggled_mass_declared"].values, derived["smuggled_mass"].values
    there = np.isfinite(whole)
    assert (part[there] <= whole[there] * (1 + 1e-12)).all()
    gap = derived["customs_gap"].values
    assert (gap[np.isfinite(gap)] >= -1e-12).all()


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=8).filter(lambda masses: sum(masses) > 1e-3))
def test_concentration_lies_between_one_over_n_and_one(masses: list[float]) -> None:
    index = float(herfindahl_hirschman(np.array(masses)))
    assert 1 / len(masses) - 1e-9 <= index <= 1 + 1e-9


@given(balanced, st.floats(1e-3, 1e3))
@settings(max_examples=10, deadline=None)
def test_ratios_do_not_depend_on_the_unit_of_mass(data: xr.Dataset, factor: float) -> None:
    names = [name for name, record in INDICATORS.items() if record.unit == "1" and "quota" not in name]
    before = indicators_of(FlowTable.from_dataset(data, CASE), names)
    after = indicators_of(FlowTable.from_dataset(data * factor, CASE), names)
    for name in names:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-7, atol=1e-9, err_msg=name)
