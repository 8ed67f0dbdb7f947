"""Counterfactuals: one year without trade, with reduced trade or new capacity, on every draw..

`no_trade`, `export_stop`, `reduce_flows` and `add_capacity` run one rule each; `run_counterfactual` runs several
together. All return a DataTree with the flows of the counterfactual and the lost consumption; `lost_consumption` makes
a table of it.
"""

from reeuncert.counterfactuals.lost import lost_consumption
from reeuncert.counterfactuals.rules import (
    RULES,
    AddCapacity,
    ExportStop,
    NoTrade,
    Reduce,
    add_capacity,
    export_stop,
    no_trade,
    reduce_flows,
    rule,
)
from reeuncert.counterfactuals.run import run_counterfactual

__all__ = [
    "RULES",
    "AddCapacity",
    "ExportStop",
    "NoTrade",
    "Reduce",
    "add_capacity",
    "export_stop",
    "lost_consumption",
    "no_trade",
    "reduce_flows",
    "rule",
    "run_counterfactual",
]
