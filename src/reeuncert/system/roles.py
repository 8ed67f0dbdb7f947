"""Words with a role for indicators, figures and counterfactuals.

Tables may use other words, without a role.
"""

from __future__ import annotations

QUANTITIES = (
    *("ore", "mine_production", "feed", "production", "sale", "trade", "declared", "unrecorded_trade", "undeclared"),
    *("stock", "opening_stock", "loss", "apparent_consumption", "end_use", "recycling", "fabrication"),
)
STAGES = (
    "mining",
    "cracking",
    "separation",
    "refining",
    "electrolysis",
    "fabrication",
    "recycling",
    "market",
    "border",
    "use",
)
ROUTES = ("registered", "unregistered")
