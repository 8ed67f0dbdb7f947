"""Time of one log density and its gradient: affine map, balanced flows and a normal density on every log flow.

Run ``python tests/benchmarks/bench_gradient.py`` from the root of the repository. Prints times, and how they grow
with the number of years and flows; the last column is growth of time over growth of flows (1 is linear).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt

sys.path.insert(0, str(Path(__file__).parents[1]))

from networks import block_factor, trade_system
from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows, balanced_flows_with_jacobian, block_affine


def density_and_gradient(network: Network, jacobian: bool = False) -> pytensor.compile.function.types.Function:
    """Compiled function z → (log density, gradient)."""
    z = pt.dvector("z")
    factor = block_factor(network)
    u = block_affine(z, np.full(network.n_coordinates, -0.5), factor)
    if jacobian:
        log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
        extra = log_jacobian
    else:
        log_flow, extra = balanced_flows(u, network), pt.constant(0.0)
    density = extra - 0.5 * (z**2).sum() - 0.5 * ((log_flow / 0.3) ** 2).sum()
    return pytensor.function([z], [density, pytensor.grad(density, z)], trust_input=True)


def best_time(call: Callable[..., object], *arguments: object, batches: int = 60, least: float = 0.003) -> float:
    """Shortest mean time of a call in seconds, over short batches: what else runs disturbs the shortest least."""
    call(*arguments)
    count, elapsed = 1, 0.0
    while elapsed < least:
        count *= 2
        start = time.perf_counter()
        for _ in range(count):
            call(*arguments)
        elapsed = time.perf_counter() - start
    best = elapsed / count
    for _ in range(batches):
        start = time.perf_counter()
        for _ in range(count):
            call(*arguments)
        best = min(best, (time.perf_counter() - start) / count)
    return best


def main() -> None:
    """Print the table."""
    cases = {
        "110 x 23": {},
        "110 x 230 (10 x years)": {"n_years": 230},
        "1,100 x 23 (10 x flows)": {"copies": 10},
        "20 regions": {"n_regions": 20},
        "60 regions": {"n_regions": 60, "n_products": 1},
    }
    base = None
    print(
        f"{'system':26}{'flows':>9}{'coordinates':>13}{'build s':>9}{'compile s':>11}{'us':>10}{'us with J':>11}",
        end="",
    )
    print(f"{'us affine':>11}{'time x':>8}{'flows x':>9}{'ratio':>7}")
    for name, arguments in cases.items():
        system = trade_system(**arguments)
        start = time.perf_counter()
        network = Network.from_system(system)
        build = time.perf_counter() - start
        z = np.random.default_rng(1).normal(size=network.n_coordinates)
        start = time.perf_counter()
        function = density_and_gradient(network)
        function(z)
        compile_time = time.perf_counter() - start
        seconds = best_time(function, z)
        with_jacobian = best_time(density_and_gradient(network, jacobian=True), z)
        factor = block_factor(network)
        zt = pt.dvector("z")
        u = block_affine(zt, 0.0, factor)
        affine = best_time(pytensor.function([zt], [u, pytensor.grad((u**2).sum(), zt)], trust_input=True), z)
        if base is None:
            base = (seconds, network.n_edges)
        grown, larger = seconds / base[0], network.n_edges / base[1]
        print(f"{name:26}{network.n_edges:9}{network.n_coordinates:13}{build:9.2f}{compile_time:11.2f}", end="")
        print(f"{1e6 * seconds:10.0f}{1e6 * with_jacobian:11.0f}{1e6 * affine:11.0f}", end="")
        print(f"{grown:8.1f}{larger:9.1f}{grown / larger:7.2f}")


if __name__ == "__main__":
    main()
