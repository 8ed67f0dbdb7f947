"""Counterfactuals: one year without trade, with reduced trade or new capacity, on every draw.

`run_counterfactual` runs one or more rules (`NoTrade`, `ExportStop`, `Reduce`, `AddCapacity`) together and returns a
DataTree with the flows of the counterfactual and the lost consumption; `lost_consumption` makes a table of it.
`supplier_stops` tables what the stop of each supplier would cost each region.
"""

from reeuncert.counterfactuals.lost import lost_consumption, supplier_stops
from reeuncert.counterfactuals.rules import AddCapacity, ExportStop, NoTrade, Reduce
from reeuncert.counterfactuals.run import run_counterfactual

__all__ = ["AddCapacity", "ExportStop", "NoTrade", "Reduce", "lost_consumption", "run_counterfactual"]
__all__ += ["supplier_stops"]
