"""Counterfactuals: one year without trade, with reduced trade or new capacity, on every draw.

`run_counterfactual` runs one or more rules (`NoTrade`, `ExportStop`, `Reduce`, `AddCapacity`) together; `no_trade` is
the short form of the first. Both return a DataTree with the flows of the counterfactual and the lost consumption;
`lost_consumption` makes a table of it. `supplier_stops` tables what the stop of each supplier would cost each region.
"""

from reeuncert.counterfactuals.lost import lost_consumption, supplier_stops
from reeuncert.counterfactuals.rules import RULES, AddCapacity, ExportStop, NoTrade, Reduce, no_trade, rule
from reeuncert.counterfactuals.run import run_counterfactual

__all__ = ["RULES", "AddCapacity", "ExportStop", "NoTrade", "Reduce", "lost_consumption", "no_trade", "rule"]
__all__ += ["run_counterfactual", "supplier_stops"]
