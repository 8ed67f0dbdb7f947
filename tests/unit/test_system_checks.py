"""What keeps a system from balancing, told in words."""

from __future__ import annotations

import pytest

from reeuncert.system.checks import network_problems, year_ranges
from reeuncert.system.definition import Flow, Process, SystemDefinition
from reeuncert.system.graph import strong_components

YEARS = (2000, 2001, 2002, 2003)


def system(processes: dict[str, str], flows: str) -> SystemDefinition:
    """From lines like ``ore: outside > mine 2000-2001`` (all years if none are given)."""
    table = []
    for line in flows.strip().splitlines():
        name, rest = (part.strip() for part in line.split(":"))
        source, _, target, *years = rest.split()
        present = YEARS if not years else tuple(int(year) for year in years)
        table.append(Flow(name, source, target, "feed", years=present))
    names = tuple(Process(name, reference_outflow=tuple(ref.split())) for name, ref in processes.items())
    return SystemDefinition(names, tuple(table), YEARS)


def test_a_system_that_balances_has_no_problems():
    found = network_problems(
        system(
            {"market": "use", "mill": ""},
            """
            ore: outside > mill
            metal: mill > market
            use: market > outside
            stock: market > market
            """,
        )
    )
    assert found == []


@pytest.mark.parametrize(
    ("processes", "flows", "name", "year", "message"),
    [
        pytest.param(
            {"mill": ""},
            """
            ore: outside > mill
            metal: mill > outside 2000 2003
            """,
            "mill",
            2001,
            "process 'mill' has an inflow (ore) but no outflow in 2001-2002; add an outflow or end the inflow",
            id="no outflow",
        ),
        pytest.param(
            {"mill": ""},
            """
            ore: outside > mill 2001
            metal: mill > outside
            """,
            "mill",
            2000,
            "process 'mill' has an outflow (metal) but no inflow in 2000;2002-2003; add an inflow or end the outflow",
            id="no inflow",
        ),
        pytest.param(
            {"mill": ""},
            """
            ore: outside > mill
            metal: mill > outside
            slag: mill > outside 2002
            """,
            "mill",
            2002,
            "process 'mill' has several outflows (metal, slag) in 2002, and it names no reference outflow; "
            "name the one that takes what the others leave",
            id="no reference",
        ),
        pytest.param(
            {"mill": "metal"},
            """
            ore: outside > mill
            metal: mill > outside 2000 2001
            slag: mill > outside
            dust: mill > outside
            """,
            "mill",
            2002,
            "process 'mill' has several outflows (slag, dust) in 2002-2003, and none of its reference outflows (metal) "
            "exists then; name the one that takes what the others leave",
            id="reference absent",
        ),
        pytest.param(
            {"a": "", "b": ""},
            """
            ore: outside > a
            there: a > b
            back: b > a
            """,
            "a",
            2000,
            "no path leads from the cycle of processes 'a', 'b' to outside in 2000-2003; what enters could never leave",
            id="no way out",
        ),
        pytest.param(
            {"a": "out", "b": ""},
            """
            out: a > outside
            there: a > b
            back: b > a
            """,
            "a",
            2000,
            "no path leads from outside to the cycle of processes 'a', 'b' in 2000-2003; "
            "its flows would come from nowhere",
            id="no way in",
        ),
        pytest.param(
            {"mill": ""},
            """
            ore: outside > mine
            """,
            "ore",
            0,
            "flow 'ore' leads to process 'mine', which is not in the table of processes",
            id="unknown process",
        ),
        pytest.param(
            {"mill": ""},
            """
            ore: outside > outside
            """,
            "ore",
            0,
            "flow 'ore' leads from outside to outside; give it a process of the system",
            id="outside to outside",
        ),
        pytest.param(
            {"mill": "ore"},
            """
            ore: outside > mill
            metal: mill > outside
            """,
            "mill",
            0,
            "reference outflow 'ore' of process 'mill' does not leave it",
            id="reference does not leave",
        ),
        pytest.param(
            {"mill": "slag"},
            """
            ore: outside > mill
            metal: mill > outside
            """,
            "mill",
            0,
            "reference outflow 'slag' of process 'mill' is not in the table of flows",
            id="reference unknown",
        ),
        pytest.param(
            {"outside": ""},
            """
            ore: outside > outside
            """,
            "outside",
            0,
            "'outside' is not a process of the system; rename the process",
            id="outside as a process",
        ),
    ],
)
def test_problems(processes, flows, name, year, message):
    first = network_problems(system(processes, flows))[0]
    assert first[:3] == (name, year, message)


def test_every_problem_is_listed():
    found = network_problems(
        system(
            {"mill": "", "market": "", "kiln": ""},
            """
            ore: outside > mill
            heat: kiln > outside
            metal: mill > market
            """,
        )
    )
    assert [problem.name for problem in found] == ["market", "kiln"]


def test_a_stock_alone_may_feed_a_process_in_the_next_year():
    found = network_problems(
        system(
            {"market": "stock use"},
            """
            supply: outside > market 2000
            stock: market > market 2000
            use: market > outside 2000 2001
            """,
        )
    )
    assert found == []


def test_a_stock_does_not_feed_the_year_after_next():
    found = network_problems(
        system(
            {"market": "use"},
            """
            supply: outside > market 2000
            stock: market > market 2000
            use: market > outside 2000 2002
            """,
        )
    )
    assert [problem.message for problem in found] == [
        "process 'market' has an outflow (use) but no inflow in 2002; add an inflow or end the outflow"
    ]


def test_year_ranges():
    assert year_ranges([2003, 2001, 2002, 2002]) == "2001-2003"
    assert year_ranges([]) == ""


def test_components_come_in_topological_order():
    successors = [[3], [0, 2], [1], [4, 5], [3], []]
    assert strong_components(successors) == [[1, 2], [0], [3, 4], [5]]


def test_components_of_a_long_chain_do_not_recurse():
    n = 20_000
    assert strong_components([[k + 1] for k in range(n - 1)] + [[]]) == [[k] for k in range(n)]
