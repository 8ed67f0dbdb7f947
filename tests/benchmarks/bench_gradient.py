"""Time of one log density and its gradient: of its parts for a case, and how it grows with years and flows.

Run ``python tests/benchmarks/bench_gradient.py parts [CASE]`` or ``… growth`` from the root of the repository. Times
are the shortest of many short batches, in microseconds: what else runs disturbs these least. ``parts --pytensor`` adds
the density that PyTensor compiles from the same model, which takes minutes the first time. In the table of growth the
last column is growth of time over growth of flows (1 is linear).
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt

sys.path.insert(0, str(Path(__file__).parents[1]))

import reeuncert as ree
from networks import path_factor, trade_system
from reeuncert.balance.affine import path_affine, product, product_transposed
from reeuncert.balance.masses import MassNetwork, exponentials, masses, masses_back
from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows, balanced_flows_with_jacobian
from reeuncert.inference.chains import Begin, joined, run_chains
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.density import compile_density
from reeuncert.inference.density_kernel import Numbers
from reeuncert.inference.hmc import HamiltonianRun
from reeuncert.inference.messages import Messages
from reeuncert.inference.nutpie_chains import NutpieRun
from reeuncert.inference.settings import Settings
from reeuncert.inference.shape import around_mode
from reeuncert.inference.stretching import stretch
from reeuncert.inference.whitening import LinearMap, compile_whitened, with_map
from reeuncert.likelihood.kernels import rows_of_masses
from reeuncert.likelihood.packing import unpack_rows, unpack_sums


def density_and_gradient(network: Network, jacobian: bool = False) -> pytensor.compile.function.types.Function:
    """Compiled function z → (log density, gradient)."""
    z = pt.dvector("z")
    factor = path_factor(network)
    u = path_affine(z, np.full(network.n_coordinates, -0.5), factor)
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


def raw_call(compiled: CompiledModel, point: np.ndarray) -> Callable[[], object]:
    """The C function that a sampler calls, without what Python adds."""
    value, gradient = np.zeros(1), np.zeros(point.size)
    call = compiled.compiled.compiled_logp_func.ctypes
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (point, gradient, value, compiled.compiled.user_data)]
    kept = (point, value, gradient, compiled)
    return lambda: (call(point.size, *pointers), kept)


def parts(name: str, pytensor_too: bool) -> None:
    """Print the time of each part of the density of a case, and what a leapfrog of nutpie costs."""
    case = ree.read_case(name)
    model = ree.build_model(case)
    start = time.process_time()
    plain = compile_density(model)
    compiling = time.process_time() - start
    start = time.process_time()
    compiled = around_mode(plain)
    print(f"{name}: compile {compiling:.1f} CPU s, mode and directions {time.process_time() - start:.1f} CPU s")
    n = Numbers(*(compiled.data(field) for field in Numbers._fields))
    y = np.random.default_rng(1).normal(size=compiled.size)
    size, edges, rows = n.prior_mean.size, n.coordinate.size, n.reported_value.size
    z, u, exp_u, scratch = y[:size].copy(), np.empty(size), np.empty(size + 1), np.empty(size)
    network = MassNetwork(*(getattr(n, field) for field in MassNetwork._fields))
    mass, share, nodes = np.empty(edges), np.empty(edges), np.empty(n.out_start.size)
    kept, to_mass, sigma = np.empty(int(n.room[0])), np.zeros(edges), np.full(rows, 0.2)
    offsets = np.zeros(n.offset_mean.size)
    product(z, n.factor_layout, n.prior_factor, u)
    u += n.prior_mean
    exponentials(u.copy(), scratch, exp_u)
    masses(network, exp_u, mass, share, nodes, kept)
    sums, laws = (
        unpack_sums(n.evidence_layout, n.evidence_coefficient)[1],
        unpack_rows(n.evidence_code, n.evidence_bound),
    )
    likelihood = (
        mass,
        to_mass,
        offsets,
        offsets.copy(),
        sigma,
        sigma.copy(),
        n.reported_value,
        n.row_weight,
        sums,
        laws,
    )
    table = {
        f"whitening, there and back ({n.whitening_gains.size} directions)": 2
        * best_time(stretch, y, n.whitening_directions, n.whitening_gains, np.empty(y.size)),
        "K z": best_time(product, z, n.factor_layout, n.prior_factor, u),
        "K transposed": best_time(product_transposed, z, n.factor_layout, n.prior_factor, u),
        f"exponentials ({size})": best_time(exponentials, np.zeros(size), scratch, np.empty(size + 1)),
        f"flows forward ({edges} edges)": best_time(masses, network, exp_u, mass, share, nodes, kept),
        "flows backward": best_time(masses_back, network, mass, share, kept, to_mass.copy(), nodes, np.empty(size + 1)),
        f"likelihood, both ways ({rows} rows)": best_time(rows_of_masses, *likelihood),
        "whole, in the model's coordinates": best_time(raw_call(plain, y)),
        "whole, in round coordinates": best_time(raw_call(compiled, y)),
    }
    if pytensor_too:
        other = with_map(compile_whitened(model, store=()), LinearMap.of(compiled))
        table["the same by PyTensor, in round coordinates"] = best_time(raw_call(other, y))
    for what, seconds in table.items():
        print(f"{what:55}{1e6 * seconds:10.1f} us")
    for sampler, begin in (("hmc", HamiltonianRun), ("nutpie", NutpieRun)):
        print(f"{f'under {sampler}, CPU time of a leapfrog':55}{1e6 * paid(compiled, begin):10.1f} us")


def paid(compiled: CompiledModel, begin: Begin) -> float:
    """CPU seconds that a leapfrog of a sampler takes: what more draws cost, so that no beginning counts."""
    cost = []
    for draws in (20, 120):
        settings = Settings(draws=draws, tune=50, chains=1, cores=1, seed=1)
        start = time.process_time()
        run = joined(run_chains(begin, compiled, settings, Messages(quiet=True), keep_whitened=True))
        cost.append((time.process_time() - start, float(run.sample_stats["n_steps"].sum())))
    (short, few), (long, many) = cost
    return (long - short) / (many - few)


def growth() -> None:
    """Print how the time grows, with PyTensor's operations."""
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
        factor = path_factor(network)
        zt = pt.dvector("z")
        u = path_affine(zt, 0.0, factor)
        affine = best_time(pytensor.function([zt], [u, pytensor.grad((u**2).sum(), zt)], trust_input=True), z)
        if base is None:
            base = (seconds, network.n_edges)
        grown, larger = seconds / base[0], network.n_edges / base[1]
        print(f"{name:26}{network.n_edges:9}{network.n_coordinates:13}{build:9.2f}{compile_time:11.2f}", end="")
        print(f"{1e6 * seconds:10.0f}{1e6 * with_jacobian:11.0f}{1e6 * affine:11.0f}", end="")
        print(f"{grown:8.1f}{larger:9.1f}{grown / larger:7.2f}")


def main() -> None:
    """Print what is asked for."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    asked.add_argument("table", choices=["parts", "growth"], nargs="?", default="parts")
    asked.add_argument("case", nargs="?", default="china_us_row")
    asked.add_argument("--pytensor", action="store_true")
    chosen = asked.parse_args()
    if chosen.table == "parts":
        parts(chosen.case, chosen.pytensor)
    else:
        growth()


if __name__ == "__main__":
    main()
