"""A regular system of the size and shape of a real one."""

from __future__ import annotations

import numpy as np

from reeuncert.balance.factor import PathFactor
from reeuncert.balance.network import Network
from reeuncert.system.definition import Flow, Process, SystemDefinition


def trade_system(n_regions: int = 3, n_products: int = 4, n_years: int = 23, copies: int = 1) -> SystemDefinition:
    """Chains of products in regions that trade each product with each other, with stocks; 111 flows a year by default.

    Every product of every year is one cycle of all regions. ``copies`` puts systems beside each other, each fed a
    little by the one before.
    """
    years = tuple(range(2000, 2000 + n_years))
    processes, flows = [], []

    def flow(name: str, source: str, target: str, quantity: str, years: tuple[int, ...] = years) -> None:
        flows.append(Flow(name, source, target, quantity, years=years))

    for copy in range(copies):
        for product in range(n_products):
            for region in range(n_regions):
                here = f"{copy}.{product}.{region}"
                make, market, use = f"make {here}", f"market {here}", f"use {here}"
                last = product == n_products - 1
                processes.append(Process(make, reference_outflow=(f"output {here}",)))
                processes.append(Process(market, reference_outflow=(f"use {here}" if last else f"feed {here}",)))
                processes.append(Process(use, reference_outflow=(f"end use a {here}",)))
                before = "outside" if product == 0 else f"market {copy}.{product - 1}.{region}"
                name = f"ore {here}" if product == 0 else f"feed {copy}.{product - 1}.{region}"
                flow(name, before, make, "feed")
                flow(f"output {here}", make, market, "production")
                flow(f"loss {here}", make, "outside", "loss")
                flow(f"use {here}", market, use, "apparent_consumption")
                flow(f"end use a {here}", use, "outside", "end_use")
                flow(f"end use b {here}", use, "outside", "end_use")
                flow(f"stock {here}", market, market, "stock", years[(product + region) % 3 :])
                for other in range(n_regions):
                    if other != region:
                        # The last region begins to trade late.
                        start = min(5, n_years - 1) if n_regions - 1 in (region, other) else 0
                        partner = f"market {copy}.{product}.{other}"
                        flow(f"trade {here} to {other}", market, partner, "trade", years[start:])
        if copy:
            link = f"market {copy}.0.0"
            flow(f"link {copy}", f"market {copy - 1}.0.0", link, "trade")
    return SystemDefinition(tuple(processes), tuple(flows), years)


def path_factor(network: Network, seed: int = 0) -> PathFactor:
    """A level, a slope and an AR(1) deviation for the path over the years of each coordinate."""
    rng = np.random.default_rng(seed)
    key = [f"{kind} {name}" for kind, name in zip(network.coordinate_kind, network.coordinate_name, strict=True)]
    paths: dict[str, list[int]] = {}
    for k, name in enumerate(key):
        paths.setdefault(name, []).append(k)
    blocks = []
    for index in paths.values():
        n = len(index)
        carry = np.where(np.arange(n) > 0, rng.uniform(0.2, 0.8), 0.0)
        blocks.append((index, rng.uniform(0.0, 0.3, (n, 2)), rng.uniform(0.1, 0.3, n), carry))
    return PathFactor.of(blocks)
