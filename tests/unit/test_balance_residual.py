"""The imbalance of processes, from the table of flows alone."""

from __future__ import annotations

import numpy as np
import pytest

from balances.residual import residual
from reeuncert.system.definition import Flow, Process, SystemDefinition

SYSTEM = SystemDefinition(
    (Process("mill"), Process("market")),
    (
        Flow("ore", "outside", "mill", "ore", years=(2000, 2001)),
        Flow("metal", "mill", "market", "production", years=(2000, 2001)),
        Flow("use", "market", "outside", "end_use", years=(2000, 2001, 2002)),
        Flow("stock", "market", "market", "stock", years=(2000, 2001, 2002)),
    ),
    (2000, 2001, 2002),
)
BALANCED = np.array([[5.0, 4.0, np.nan], [5.0, 4.0, np.nan], [3.0, 5.0, 0.5], [2.0, 1.0, 0.5]])


def test_balanced_flows_leave_nothing():
    np.testing.assert_array_equal(residual(SYSTEM, BALANCED), [[0.0, 0.0, np.nan], [0.0, 0.0, 0.0]])


def test_imbalance_is_relative_to_the_larger_side():
    flows = BALANCED.copy()
    flows[1, 1] = 3.0
    found = residual(SYSTEM, np.stack([BALANCED, flows]))
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(found[1], [[0.0, 0.25, np.nan], [0.0, -1 / 6, 0.0]])


def test_numbers_where_a_flow_is_absent_are_not_looked_at():
    flows = BALANCED.copy()
    flows[0, 2] = 99.0
    np.testing.assert_array_equal(residual(SYSTEM, flows), residual(SYSTEM, BALANCED))


def test_wrong_shape():
    with pytest.raises(ValueError, match=r"^mass_flow ends in \(3, 4\); \(flow, year\) of this system is \(4, 3\)$"):
        residual(SYSTEM, BALANCED.T)
