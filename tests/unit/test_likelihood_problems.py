"""Evidence that cannot be a likelihood: every message, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reeuncert.case.records import Evidence, Source
from reeuncert.likelihood.problems import evidence_problems
from reported import SOURCES, YEARS, case, row, select

FEED = select(flow="feed")

NO_VALUE = "the cell is empty; drop the row if nothing was reported, write 0 if zero was reported"


def messages(*rows: Evidence, **fields: Any) -> list[str]:
    """Problems of the small case with these rows, as text."""
    numbered = [replace(r, line=k) for k, r in enumerate(rows, start=2)]
    return [str(p) for p in evidence_problems(case(*numbered, **fields))]


def check(rows: list[Evidence], expected: str) -> None:
    """One problem, with these words."""
    assert messages(*rows) == [expected]


def test_sound_rows_have_no_problem() -> None:
    assert messages(row("a", FEED, 2000, 80.0), row("b", FEED, 2001, 80.0)) == []


def test_a_selector_without_flows() -> None:
    check(
        [row("a", select(quantity="production", product="oxide"), 2000, 5.0)],
        "evidence.csv line 2, column 'quantity': no flow of the case has quantity = production, product = oxide; "
        "widen the selector, or add the flow to flows.csv",
    )
    check(
        [row("a", FEED, 2000, 0.5, relation="ratio", of=select(product="metal"), unit="ratio")],
        "evidence.csv line 2, column 'of_product': no flow of the case has product = metal; widen the selector, or "
        "add the flow to flows.csv",
    )


def test_a_figure_for_flows_that_do_not_exist_then() -> None:
    ending = "correct the years of the row or of the flows"
    for fields, said in (
        ({"value": 5.0}, "5 kt"),
        ({"value": 5.0, "qualifier": "about"}, "about 5 kt"),
        ({"value": 5.0, "qualifier": "at_least"}, "at least 5 kt"),
        ({"low": 1.0, "high": 5.0, "qualifier": "range"}, "1 to 5 kt"),
    ):
        check(
            [row("a", select(flow="imports"), (2001, 2002), **fields)],  # type: ignore[arg-type]  # names of fields
            "evidence.csv line 2, column 'year_from': none of the flows with flow = imports exists in 2001-2002 "
            f"(flows.csv has them in 2005-2009), so they are zero, which contradicts {said}; {ending}",
        )
    assert messages(row("a", select(flow="imports"), 2001, 5.0, qualifier="up_to")) == []
    assert messages(row("a", select(flow="imports"), range(2001, 2006), 5.0)) == []
    assert messages(row("a", select(flow="imports"), 2001, 0.0, "sums")) == []


def test_a_share_of_flows_that_do_not_exist_then() -> None:
    check(
        [row("a", FEED, 2001, 0.5, relation="ratio", of=select(flow="imports"), unit="ratio")],
        "evidence.csv line 2, column 'of_flow': none of the flows with flow = imports exists in 2001 (flows.csv has "
        "them in 2005-2009), so there is nothing to be a ratio of; correct the years of the row or of the flows",
    )


def test_a_share_whose_part_is_not_in_the_whole() -> None:
    check(
        [row("a", select(flow="feed+tailings"), 2001, 50.0, relation="share", of=select(product="salt"), unit="%")],
        "evidence.csv line 2, column 'relation': the row is a share, but flow 'tailings' of the part is not in the "
        "whole; correct the columns of_…, or write the relation ratio",
    )
    check(
        [row("a", select(flow="ore+feed+tailings+salt"), 2001, 50.0, relation="share", of=FEED, unit="%")],
        "evidence.csv line 2, column 'relation': the row is a share, but flow 'ore' (and 1 more) of the part is not "
        "in the whole; correct the columns of_…, or write the relation ratio",
    )


def test_a_share_of_itself() -> None:
    check(
        [row("a", FEED, 2001, 50.0, relation="share", of=select(quantity="production"), unit="%")],
        "evidence.csv line 2, column 'of_quantity': the part and the whole of the share are the same flows, so the "
        "share is always 1; correct the columns of_…",
    )


def test_a_share_of_nothing_said() -> None:
    (said,) = messages(row("a", FEED, 2000, 0.5, relation="share", unit="share"))
    assert "the row is a share and does not say of what" in said


def test_gross_weight_of_a_product_without_a_factor() -> None:
    check(
        [row("a", select(flow="ore+feed"), 2001, 50.0, basis="gross")],
        "evidence.csv line 2, column 'basis': the row is in gross weight, but product 'concentrate' has no factor; "
        "add it to factors.csv, or leave the product out of the selector",
    )


def test_a_difference_with_relative_errors() -> None:
    check(
        [row("a", select(flow="ore"), 2001, 5.0, relation="difference", of=FEED)],
        "evidence.csv line 2, column 'relation': a difference may be negative and needs additive errors, but the "
        "class of source 'survey' has the family student_t; give the source a class of family additive",
    )
    assert messages(row("a", select(flow="ore"), 2001, -5.0, "sums", relation="difference", of=FEED)) == []


def test_years_outside_the_case() -> None:
    check(
        [row("a", FEED, 1990, 5.0)],
        "evidence.csv line 2, column 'year_from': the row is about 1990, but the case covers 2000-2009; correct the "
        "years or delete the row",
    )


def test_unknown_words() -> None:
    check(
        [row("a", FEED, 2000, 5.0, offsets=("bais",))],
        "evidence.csv line 2, column 'offsets': offset 'bais' is not known; use one of: bias, record; did you mean "
        "'bias'?",
    )
    check(
        [row("a", FEED, 2000, 5.0, "nobody")],
        "evidence.csv line 2, column 'source_id': source 'nobody' is not known; use one of: survey, second, customs, "
        "normal, sums",
    )
    check(
        [row("a", FEED, 2000, 5.0, unit="oz")],
        "evidence.csv line 2, column 'unit': the unit 'oz' is not known for a level; use one of: "
        "t, kt, Mt, kg, g, Mg, Gg, Tg, lb, klb, Mlb, st",
    )
    check(
        [row("a", FEED, 2000, 5.0, relation="part")],
        "evidence.csv line 2, column 'relation': relation 'part' is not known; use one of: level, share, ratio, "
        "difference",
    )
    check(
        [row("a", FEED, 2000, 5.0, qualifier="approx")],
        "evidence.csv line 2, column 'qualifier': qualifier 'approx' is not known; use one of: exact, about, at_least, "
        "up_to, range, estimate, revised, derived, zero",
    )
    check(
        [row("a", FEED, 2000, 5.0, span="max")],
        "evidence.csv line 2, column 'span': 'max' is not known; use one of: sum, mean",
    )
    check(
        [row("a", FEED, 2000, 0.5, relation="ratio", unit="ratio")],
        "evidence.csv line 2, column 'of_quantity': the row is a ratio and does not say of what; fill in at least one "
        "column of_…",
    )
    stray = {**SOURCES, "stray": Source("stray", "", "", "", "", "", "stray", "none")}
    assert messages(row("a", FEED, 2000, 5.0, "stray", lineage="stray"), sources=stray) == [
        "evidence.csv line 2, column 'source_id': class 'none' is not known; use one of: good, office, bell, absolute "
        "(of source 'stray')",
    ]


@pytest.mark.parametrize(
    ("fields", "column", "message"),
    [
        ({"value": 0.0}, "qualifier", "0 was reported; write the qualifier zero, and the printed unit into resolution"),
        (
            {"value": float("nan")},
            "value",
            "the cell is empty; drop the row if nothing was reported, write 0 if zero was reported",
        ),
        (
            {"value": 0.0, "qualifier": "zero"},
            "resolution",
            "the cell is empty; a reported zero needs the printed unit, e.g. 0.1",
        ),
        ({"low": 1.0, "qualifier": "range"}, "high", "the cell is empty; a range needs low and high"),
        (
            {"qualifier": "at_least"},
            "value",
            "the cell is empty; drop the row if nothing was reported, write 0 if zero was reported",
        ),
        (
            {"low": 5.0, "high": 4.0, "qualifier": "range"},
            "high",
            "high, 4, is not above low, 5; write the smaller number into low",
        ),
        (
            {"value": 0.0, "qualifier": "at_least"},
            "value",
            "at least 0 kt is true of every level; delete the row",
        ),
        (
            {"value": 0.0, "qualifier": "up_to"},
            "qualifier",
            "0 was reported; write the qualifier zero, and the printed unit into resolution",
        ),
        (
            {"value": 5.0, "width": 0.0},
            "width",
            "0 is not above 0; the half-width of the central 68 %: it is a distance, which is more than zero",
        ),
        (
            {"value": 5.0, "alternative": 0.0, "alternative_weight": 0.5},
            "alternative",
            "0 was reported; write the qualifier zero, and the printed unit into resolution",
        ),
        (
            {"value": 5.0, "alternative": 6.0, "alternative_weight": 1.0},
            "alternative_weight",
            "1 is not inside 0 to 1; it is the probability of the second reading",
        ),
        (
            {"low": 4.0, "high": 5.0, "qualifier": "range", "alternative": 6.0, "alternative_weight": 0.5},
            "alternative",
            "a row that is range cannot have a second reading; delete it, or write two rows",
        ),
    ],
)
def test_numbers_that_cannot_be(fields: dict[str, Any], column: str, message: str) -> None:
    check([row("a", FEED, 2000, **fields)], f"evidence.csv line 2, column '{column}': {message}")


def test_shares_that_cannot_be() -> None:
    def share(value: float, **fields: Any) -> Evidence:
        return row("a", FEED, 2001, value, relation="share", of=select(product="salt"), unit="%", **fields)

    place = "evidence.csv line 2, column 'value': "
    limits = "is not between 0 and 100; a share has the unit % (0-100) or share (0-1)"
    where = place.replace("value", "qualifier")
    check([share(100.0)], f"{where}the share is 100, the whole; say how much of it at the least: qualifier at_least")
    check([share(120.0)], f"{place}120 {limits}")
    check([share(100.0, qualifier="up_to")], f"{place}up to 100 % is true of every share; delete the row")
    check([share(120.0, qualifier="at_least")], f"{place}120 {limits}")


def test_two_rows_of_one_witness() -> None:
    again = row("b", select(quantity="production"), 2000, 82.0, "second", lineage="survey")
    check(
        [row("a", FEED, 2000, 80.0), again],
        "evidence.csv line 3, column 'lineage': 'b' and 'a' (evidence.csv line 2) are of one lineage, 'survey', and "
        "report the same flows on the same basis in 2000: they count once; delete one, or join them to a "
        "range or a second reading",
    )
    assert messages(row("a", FEED, 2000, 80.0), row("b", FEED, 2000, 160.0, basis="gross")) == []
    assert messages(row("a", FEED, 2000, 80.0), row("b", FEED, 2000, 82.0, "second")) == []
    assert messages(row("a", FEED, 2000, 80.0), row("b", FEED, 2001, 82.0)) == []


def test_bounds_that_exclude_each_other() -> None:
    low = row("low", FEED, YEARS[:2], 50.0, qualifier="up_to")
    high = row("high", FEED, YEARS[:2], 200.0, "second", qualifier="at_least")
    check(
        [low, high],
        "evidence.csv line 3, column 'value': 'high' says at least 200 kt, but 'low' (evidence.csv line 2) says up to "
        "50 kt of the same flows; the gap is more than their widths can bridge: correct one of them, or give one a "
        "larger width",
    )
    assert messages(low, replace(high, width=0.5)) == []
    assert messages(low, replace(high, offsets=("bias",))) == []
    assert messages(low, replace(high, years=YEARS[2:4])) == []
    assert messages(low, row("exact", FEED, YEARS[:2], 200.0, "second")) == []


def test_problems_come_in_the_order_of_the_table() -> None:
    rows = [row("a", FEED, 2000, 5.0, unit="oz"), row("b", FEED, 2000, 0.0), row("c", FEED, 1990, 5.0)]
    assert [m.partition(":")[0] for m in messages(*rows)] == [
        "evidence.csv line 2, column 'unit'",
        "evidence.csv line 3, column 'qualifier'",
        "evidence.csv line 4, column 'year_from'",
    ]
