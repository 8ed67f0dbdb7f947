"""A case with more rows than one would write by hand is read and checked, and selectors choose what they match."""

from __future__ import annotations

from pathlib import Path

import pytest

from networks import write_trade_case
from reeuncert.case.records import Case
from reeuncert.reading.tables import Column, read_table
from reeuncert.system.definition import Selector
from reeuncert.validation.reader import read_case


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return read_case(write_trade_case(tmp_path_factory.mktemp("large") / "large", 6, 4))


def test_every_row_and_flow_is_there(case: Case) -> None:
    assert len(case.system.flows) == 6 * (6 + 7)
    assert len(case.evidence) == 6 * 6 * 4


@pytest.mark.parametrize(
    "selector",
    [
        Selector(),
        Selector.of(quantity="trade"),
        Selector.of(quantity="trade+loss", destination="R01", origin="R00+R01+R05"),
        Selector.of(flow="R00 to R01+R01 to R00", quantity="trade"),
        Selector.of(quantity="trade", product="salt"),
    ],
)
def test_a_selector_chooses_the_flows_that_it_matches(case: Case, selector: Selector) -> None:
    matching = tuple(i for i, flow in enumerate(case.system.flows) if selector.matches(flow))
    assert case.system.select(selector) == matching
    assert case.system.select(selector) == matching


def test_a_long_table_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("a\n" + "1\n" * 60_000, encoding="utf-8")
    table = read_table(tmp_path / "long.csv", "long.csv", (Column("a"),), {})
    assert table.clean
    assert len(table.rows) == 60_000
