"""Systems that tests and benchmarks make up: a large regular one, and small random ones."""

from networks.files import write_trade_case
from networks.large import path_factor, trade_system
from networks.small import coordinates, random_groups, random_system, systems

__all__ = [
    "coordinates",
    "path_factor",
    "random_groups",
    "random_system",
    "systems",
    "trade_system",
    "write_trade_case",
]
