"""Words with a role: what indicators, figures and counterfactuals look for in the tables of a case.

Any other word may stand there too; it is then a word of the case alone.
"""

from __future__ import annotations

QUANTITIES = (
    *("ore", "mine_production", "feed", "production", "sale", "trade", "declared", "unrecorded_trade", "undeclared"),
    *("stock", "opening_stock", "loss", "apparent_consumption", "end_use", "recycling"),
)
STAGES = ("mining", "cracking", "separation", "refining", "electrolysis", "market", "border", "use")
ROUTES = ("registered", "unregistered")
