"""Stops of suppliers: what each costs, the command, the file beside a result, and its report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from reeuncert.cli import app
from reeuncert.counterfactuals import (
    ExportStop,
    lost_consumption,
    run_counterfactual,
    supplier_stops,
)
from reeuncert.counterfactuals.lost import STOPS, leading, read_stops, stops_of, write_stops
from reeuncert.errors import OutputError, ReeUncertError
from reeuncert.indicators.stored import write_netcdf
from reeuncert.report.page import render
from reeuncert.report.sections import SECTIONS
from reeuncert.result.result import Result
from reeuncert.testing import toy_posterior


@pytest.fixture(scope="module")
def dt() -> xr.DataTree:
    return toy_posterior(chains=2, draws=20, years=3)


def test_stops_of_suppliers_lie_beside_the_result_and_in_its_report(dt: xr.DataTree, tmp_path: Path) -> None:
    small = xr.DataTree.from_dict({"posterior": dt["posterior"].to_dataset()})
    small.attrs = {**dt.attrs, "created": "now"}
    write_netcdf(small, tmp_path / "posterior.nc")
    given = ["counterfactual", str(tmp_path), "supplier-stops"]
    for more in (["--year", "2002"], ["--by", "region,product"]):
        stops = CliRunner().invoke(app, [*given, *more])
        assert stops.exit_code == 0, stops.output
    assert "Consumption lost in 2003 if a region stops all exports" in " ".join(stops.stdout.split())
    table = read_stops(tmp_path, small)
    assert table is not None
    assert table.groupby("year")["product"].nunique().tolist() == [1, 4]  # the sum; and with it three products
    result = Result(small)
    shown = [section for section in SECTIONS if section.id == "suppliers"]
    assert "supplier-stops" in render(result, sections=shown)
    result = Result(small)
    result.keep(stops_of, table)
    page = render(result, sections=shown)
    assert not result.failed
    assert '<th scope="col">2002</th><th scope="col">2003</th>' in page
    first = leading(table).iloc[0]
    assert f"<strong>{first['supplier']}</strong>, {100 * first['costs_most']:.0f}\N{NO-BREAK SPACE}%" in page
    later = small.copy()
    later.attrs = {**small.attrs, "created": "later"}
    assert read_stops(tmp_path, later) is None
    (tmp_path / STOPS).write_text("x\n1\n")
    with pytest.raises(OutputError, match="delete it"):
        read_stops(tmp_path, small)


def test_the_stop_of_each_supplier_is_that_of_all_its_exports(dt: xr.DataTree) -> None:
    table = supplier_stops(dt, year=2002)
    assert len(table) == 3 * 2
    world = run_counterfactual(dt, [ExportStop("South", "North"), ExportStop("South", "East")], year=2002)
    row = table[(table["region"] == "North") & (table["supplier"] == "South")].iloc[0]
    alone = lost_consumption(world, by=["region"]).set_index("region").loc["North"]
    assert row["median"] == pytest.approx(alone["median"])
    assert row["share_eti90_ub"] == pytest.approx(alone["share_eti90_ub"])
    for _, rows in table.groupby("region"):
        assert rows["costs_most"].sum() <= 1.0  # in some draws nobody's stop costs anything
        assert rows.loc[rows["mean"].idxmax(), "costs_most"] > 0
    split = supplier_stops(dt, year=2002, by=["region", "product"])
    whole = split[split["product"] == "all"].drop(columns="product").reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, table)
    assert split["mean"].sum() == pytest.approx(2 * table["mean"].sum())
    with pytest.raises(ReeUncertError, match="region"):
        supplier_stops(dt, by=["product"])


def test_stops_keep_the_labels_that_a_file_could_lose(dt: xr.DataTree, tmp_path: Path) -> None:
    table = supplier_stops(dt, by=["region", "end_use"]).replace({"region": {"North": "NA"}, "end_use": {"glass": ""}})
    write_stops(tmp_path, table, dt)
    found = read_stops(tmp_path, dt)
    assert found is not None
    assert found[["region", "end_use"]].values.tolist() == table[["region", "end_use"]].values.tolist()


def test_stops_need_draws(dt: xr.DataTree) -> None:
    with pytest.raises(ReeUncertError, match="draws is 0; give 1 or more"):
        supplier_stops(dt, draws=0)
    before = xr.DataTree.from_dict({"prior": dt["prior"].to_dataset()})
    before.attrs = dt.attrs
    with pytest.raises(ReeUncertError, match="this result holds no flows"):
        supplier_stops(before)
