"""The section of the report on a world without trade."""

from __future__ import annotations

import xarray as xr

import reeuncert as ree
from reeuncert.counterfactuals import NoTrade
from reeuncert.report.page import render
from reeuncert.report.sections import SECTIONS
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.testing import toy_posterior
from reeuncert.words.estimates import estimate


def _rendered(dt: xr.DataTree) -> str:
    section = next(s for s in SECTIONS if s.id == "no-trade")
    return " ".join(render(Result(dt), sections=(section,)).split())


def test_it_says_what_each_region_would_lose() -> None:
    dt = toy_posterior(chains=2, draws=20, years=2)
    page = _rendered(dt)
    for region in ("North", "South", "East"):
        assert f'<p class="lead">{region}: ' in page
    assert page.count("<tr><td>") == 12  # each region: the sum and three products
    lost = ree.lost_consumption(ree.run_counterfactual(dt, NoTrade()), by=["region"]).set_index("region").loc["South"]
    told = estimate(lost["median"], lost["eti90_lb"], lost["eti90_ub"], unit="kt")
    assert f"South: {told}" in page


def test_a_system_without_trade_has_no_such_section() -> None:
    dt = toy_posterior(chains=2, draws=20, years=2)
    flows = mass_flow(dt)
    home = dt["posterior"].to_dataset().isel(flow=flows["origin"].values == flows["destination"].values)
    small = xr.DataTree.from_dict({"posterior": home, "derived": dt["derived"].to_dataset()})
    small.attrs = dt.attrs
    page = _rendered(small)
    assert 'id="no-trade"' not in page
    assert "Without trade (trade between regions and consumption in the last year)" in page
