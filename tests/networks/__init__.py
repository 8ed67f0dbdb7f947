"""Systems that tests and benchmarks make up: a large regular one, and small random ones."""

from networks.large import block_factor, trade_system
from networks.small import coordinates, random_groups, random_system, systems

__all__ = ["block_factor", "coordinates", "random_groups", "random_system", "systems", "trade_system"]
