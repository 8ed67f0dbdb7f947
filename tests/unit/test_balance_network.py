"""Which coordinates a network has, and how groups change them."""

from __future__ import annotations

import numpy as np
import pytest

from balances.compiled import compiled_flows
from reeuncert.balance.network import Group, Network
from reeuncert.errors import ModelError
from reeuncert.system.definition import Flow, Process, SystemDefinition

YEARS = (2000, 2001)


def market(references: tuple[str, ...] = ("use",), use_years: tuple[int, ...] = YEARS) -> SystemDefinition:
    """Two mines, one market with two exports, use and a stock."""
    return SystemDefinition(
        (Process("market", reference_outflow=references),),
        (
            Flow("mine a", "outside", "market", "production", years=YEARS),
            Flow("mine b", "outside", "market", "production", years=YEARS),
            Flow("export a", "market", "outside", "trade", years=YEARS),
            Flow("export b", "market", "outside", "trade", years=(2001,)),
            Flow("use", "market", "outside", "end_use", years=use_years),
            Flow("stock", "market", "market", "stock", years=YEARS),
        ),
        YEARS,
    )


def rows(network: Network) -> list[str]:
    table = zip(
        network.coordinate_name,
        network.coordinate_year,
        network.coordinate_kind,
        network.reference_of,
        strict=True,
    )
    return [" | ".join(str(part) for part in row) for row in table]


def test_coordinates_go_by_flow_then_year():
    network = Network.from_system(market())
    assert rows(network) == [
        "mine a | 2000 | input | ",
        "mine a | 2001 | input | ",
        "mine b | 2000 | input | ",
        "mine b | 2001 | input | ",
        "export a | 2000 | share | use",
        "export a | 2001 | share | use",
        "export b | 2001 | share | use",
        "stock | 2000 | share | use",
        "stock | 2001 | share | use",
    ]
    assert (network.n_coordinates, network.n_edges) == (9, 11)
    edges = [
        f"{network.system.flows[f].name} {YEARS[t]}" for f, t in zip(network.edge_flow, network.edge_year, strict=True)
    ]
    assert edges[4:7] == ["export a 2000", "export a 2001", "export b 2001"]


def test_the_next_reference_stands_in_where_the_first_is_absent():
    network = Network.from_system(market(("use", "export a"), use_years=(2000,)))
    assert network.reference_of[network.coordinate_year == 2001].tolist() == ["", "", "export a", "export a"]


def test_a_group_has_a_coordinate_for_its_total_and_one_a_member_but_the_last():
    network = Network.from_system(
        market(), [Group("mines", ("mine a", "mine b")), Group("exports", ("export a", "export b"))]
    )
    assert rows(network) == [
        "mines | 2000 | input | ",
        "mines | 2001 | input | ",
        "mine a | 2000 | split | mine b",
        "mine a | 2001 | split | mine b",
        "exports | 2001 | share | use",
        # In 2000 only one of the exports exists, and is its own total.
        "export a | 2000 | share | use",
        "export a | 2001 | split | export b",
        "stock | 2000 | share | use",
        "stock | 2001 | share | use",
    ]
    assert network.coordinate_labels[2] == "split: mine a 2000"
    assert len(set(network.coordinate_labels)) == network.n_coordinates


def test_a_group_that_holds_the_reference_outflow_is_the_reference():
    network = Network.from_system(market(), [Group("leaving", ("use", "export a"))])
    assert "leaving" not in network.coordinate_name
    share = network.coordinate_kind == "share"
    assert set(network.reference_of[share]) == {"leaving"}
    assert set(network.coordinate_name[network.coordinate_kind == "split"]) == {"use"}


def test_a_group_of_all_outflows_needs_no_share():
    network = Network.from_system(market(), [Group("all", ("export a", "export b", "stock", "use"))])
    assert set(network.coordinate_kind) == {"input", "split"}
    assert network.n_coordinates == 9


def test_flows_by_hand():
    network = Network.from_system(market(), [Group("mines", ("mine a", "mine b"))])
    value = {"mines 2000": np.log(8.0), "mines 2001": np.log(2.0), "split: mine a 2000": np.log(3.0)}
    u = np.array([value.get(label, 0.0) for label in network.coordinate_labels])
    table = dict(zip([f.name for f in network.system.flows], network.to_table(compiled_flows(u, network)), strict=True))
    third, shared = 8 / 3, (2 + 8 / 3) / 4
    np.testing.assert_allclose(table["mine a"], [6.0, 1.0])
    np.testing.assert_allclose(table["mine b"], [2.0, 1.0])
    np.testing.assert_allclose(table["export b"], [np.nan, shared])
    np.testing.assert_allclose(table["use"], [third, shared])
    np.testing.assert_allclose(table["stock"], [third, shared])


def test_edge_index_and_table():
    network = Network.from_system(market())
    assert network.edge_index[3].tolist() == [-1, 6]
    table = network.to_table(np.arange(11.0))
    assert np.isnan(table[3, 0])
    assert table[3, 1] == 6.0


def test_a_system_that_cannot_balance_is_refused():
    system = SystemDefinition(
        (Process("mill"), Process("kiln")),
        (Flow("ore", "outside", "mill", "ore", years=YEARS), Flow("heat", "kiln", "outside", "loss", years=YEARS)),
        YEARS,
    )
    with pytest.raises(ModelError) as error:
        Network.from_system(system)
    assert str(error.value) == (
        "the flows of this system cannot balance:\n"
        "  process 'mill' has an inflow (ore) but no outflow in 2000-2001; add an outflow or end the inflow\n"
        "  process 'kiln' has an outflow (heat) but no inflow in 2000-2001; add an inflow or end the outflow"
    )


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            [Group("use", ("export a", "export b"))],
            "group 'use' has the name of another group or of a flow; rename it",
        ),
        (
            [Group("x", ("export a", "stock")), Group("y", ("stock", "use"))],
            "flow 'stock' is in two groups, 'x' and 'y'; keep it in one",
        ),
        (
            [Group("x", ("mine a", "use"))],
            "the flows of group 'x' leave several processes ('market', outside); a group leaves one",
        ),
    ],
)
def test_groups_that_cannot_be_formed(groups, message):
    with pytest.raises(ModelError) as error:
        Network.from_system(market(), groups)
    assert str(error.value) == message
