"""Published results: which can be set beside ours, in which unit, and where they fall."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import xarray as xr

from reeuncert.case.serial import case_to_json
from reeuncert.errors import CaseError
from reeuncert.reading.bundled import find_case
from reeuncert.reference import data_folder, published_values, reference_table
from reeuncert.testing import toy_case
from reeuncert.validation.reader import read_case

COLUMNS = "id,source_id,statement,indicator,region,partner,product,year_from,year_to,value,unit,hedge,note,why_outside"
ROWS = """\
A,s,share,import_dependence,North,South,refined,2018,2018,71,%,~,,they count scrap
B,s,mass,apparent_consumption,North,,refined,2016,2020,1500,t,,,
C,s,rate,apparent_consumption,North,,refined,2016,2018,2,kt/yr Li,,,
D,s,other region,apparent_consumption,East,,refined,2018,2018,2,kt,,,
E,s,other year,apparent_consumption,North,,refined,1999,1999,2,kt,,,
F,s,no indicator,,North,,refined,2018,2018,2,kt,,,
G,s,no number,apparent_consumption,North,,refined,2018,2018,,kt,,,
I,s,no partner,import_dependence,North,,refined,2018,2018,3,%,,,
"""


@pytest.fixture
def case(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(find_case("small_metal"), folder)
    (folder / "reference").mkdir()
    (folder / "reference" / "published_reference.csv").write_text(f"{COLUMNS}\n{ROWS}", encoding="utf-8")
    (folder / "reference" / "sources.csv").write_text("source_id,label,title\ns,A 2020,A study\n", encoding="utf-8")
    return read_case(folder)


def test_only_what_can_be_compared_is_read_in_our_unit(case):
    found = {row.id: row for row in published_values(case)}
    assert sorted(found) == ["A", "B", "C"]
    assert found["A"].value == pytest.approx(0.71)
    assert (found["A"].source, found["A"].title) == ("A 2020", "A study")
    assert found["A"].why_outside == "they count scrap"
    assert found["B"].value == pytest.approx(1.5)
    assert not found["B"].per_year
    assert found["C"].per_year


def test_where_a_value_falls(case):
    years = list(case.system.years)
    dims = ("chain", "draw", "region", "partner", "product", "year")
    draws = np.linspace(0.0, 1.0, 101).reshape(1, 101, 1, 1, 1, 1) * np.ones((1, 1, 1, 1, 1, len(years)))
    coords = {"region": ["North"], "partner": ["South"], "product": ["refined"], "year": years}
    share = xr.DataArray(draws, dims=dims, coords=coords, attrs={"units": "1"})
    total = (10 * share.isel(partner=0, drop=True)).assign_attrs(units="kt Li")
    held = xr.Dataset({"import_dependence": share, "apparent_consumption_cumulated": total})
    dt = xr.DataTree.from_dict({"derived": held})
    dt.attrs = {"case_json": case_to_json(case)}
    table = reference_table(dt).set_index("id")
    assert sorted(table.index) == ["A", "B"]
    assert table.loc["A", "median"] == pytest.approx(0.5)
    assert table.loc["A", "eti90_lb"] == pytest.approx(0.05)
    assert table.loc["A", "below"] == pytest.approx(71 / 101)
    assert table.loc["B", "below"] == pytest.approx(15 / 101)
    assert table.loc["B", "unit"] == "kt Li"


def test_a_case_that_was_never_a_folder_has_none():
    assert data_folder(toy_case(2).name, toy_case(2).path) is None
    assert published_values(toy_case(2)) == ()


def test_the_bundled_case_has_published_values_with_a_source():
    found = published_values(read_case("china_us_row"))
    assert len(found) > 20
    assert all(row.source and row.source != row.source_id for row in found)
    assert all(np.isfinite(row.value) for row in found)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda t: t.replace(b"share,", b"\x8bshare,"),
            "line 2: byte 0x8B is not UTF-8; save the file with the encoding UTF-8",
        ),
        (
            lambda t: t.replace(b",unit,", b",units,"),
            "line 1, column 'unit': the column 'unit' is missing; add it to the header",
        ),
        (lambda t: t.replace(b"2018,2018,71", b"2018,soon,71"), "line 2: 'soon' is no year; write it like 2010"),
        (
            lambda t: t.replace(b"2018,2018,71", b"2018,2017,71"),
            "line 2: the years 2018 to 2017 run backwards; write the earlier first",
        ),
        (
            lambda t: t.replace(b"71,%", b"71,percent"),
            "line 2: unit 'percent' is not known; use one of: %, % greater, 1, ratio, fold, times, share (those of "
            "'import_dependence')",
        ),
        (
            lambda t: t.replace(b"2018,71", b"2018,1e400"),
            "line 2: '1e400' is out of range; numbers are 0 or between 1e-30 and 1e+30 in size: check the exponent",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_its_line(case, change, says):
    table = data_folder(case.name, case.path) / "reference" / "published_reference.csv"
    before = table.read_bytes()
    table.write_bytes(change(before))
    assert table.read_bytes() != before
    with pytest.raises(CaseError) as caught:
        published_values(case)
    assert [str(p) for p in caught.value.problems] == [f"reference/published_reference.csv {says}"]
