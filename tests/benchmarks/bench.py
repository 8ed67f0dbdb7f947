"""What a run of a case costs: phases, parts of the gradient, samplers, growth. Compares two commits in one run.

    uv run python tests/benchmarks/bench.py [TABLE …] [--case CASE] [--against COMMIT] [--repeat 3] [--small]

| table | what it shows |
|---|---|
| ``phases`` | CPU and wall seconds of reading, sampling, rival structures and writing; memory; size of the result |
| ``gradient`` | microseconds of each part of log density and gradient, and of a leapfrog as each sampler pays it |
| ``samplers`` | smallest effective sample size over all flows, and that per CPU second, of ``hmc`` and ``nutpie`` |
| ``growth`` | reading, time to the first draw and gradient for more regions, and for ten times the years |

Each table is made in a fresh process, ``--repeat`` times, and the medians are shown. ``--against COMMIT`` makes every
table by turns with the package of this checkout and with that of the commit, in one environment; a figure that a commit
cannot make is left out, with its error. CPU seconds travel better than wall seconds on a machine that is not quiet.

All tables of the bundled case take an hour. ``--small`` makes each once, of the case ``small_metal``, and of few
regions and years, in some minutes.
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SMALL = "small_metal"
SIZES = (((10, 23), (10, 230), (60, 23)), ((4, 8), (4, 80), (12, 8)))
"""Regions and years of the table of growth, and of a small one."""
Rows = Iterator[tuple[str, float]]


class Clock:
    """CPU and wall seconds since the last look."""

    def __init__(self) -> None:
        self.last = self.now()

    def now(self) -> tuple[float, float]:
        return time.process_time(), time.perf_counter()

    def lap(self, phase: str) -> Rows:
        before, self.last = self.last, self.now()
        for unit, start, end in zip(("CPU s", "wall s"), before, self.last, strict=True):
            yield f"{phase}, {unit}", end - start


def phases(case_name: str) -> Rows:
    """A default run, step by step."""
    clock = Clock()
    import reeuncert as ree

    case = ree.read_case(case_name)
    model = ree.build_model(case)
    yield from clock.lap("import, read and build")
    dt = ree.sample(model, seed=1, quiet=True)
    yield from clock.lap("sample")
    for phase, seconds in json.loads(dt.attrs["seconds"]).items():
        yield f"    of this {phase}, wall s", seconds
    yield "peak memory until then, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    if case.compare:
        from reeuncert.result.structures import add_structures
        from reeuncert.studies.rivals import run_rivals

        dt = ree.add_indicators(dt)
        dt = add_structures(dt, run_rivals(dt, seed=1, progress=False, cache=False))
        yield from clock.lap("rival structures")
    with tempfile.TemporaryDirectory() as folder:
        ree.write_results(dt, folder)
        yield from clock.lap("indicators, tables, checks, report and files")
        yield "posterior.nc, MB", (Path(folder) / "posterior.nc").stat().st_size / 1e6
    yield "peak memory, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    ree.preview(case, seed=2)
    yield from clock.lap("preview")


def gradient(case_name: str) -> Rows:
    """Parts of the compiled density, in microseconds: of one point, and for each of four evaluated together."""
    import reeuncert as ree
    from reeuncert.inference.density import compile_density
    from reeuncert.inference.hmc import HamiltonianRun
    from reeuncert.inference.nutpie_chains import NutpieRun
    from reeuncert.inference.shape import around_mode

    plain = compile_density(ree.build_model(ree.read_case(case_name)))
    compiled = around_mode(plain)
    for part, cost in _parts(compiled, 1):
        yield f"{part}, us", cost
    yield "whole, in the model's coordinates, us", best_time(raw_call(plain, np.full(plain.size, 0.1)))
    for sampler, begin in (("hmc", HamiltonianRun), ("nutpie", NutpieRun)):
        yield f"a leapfrog under {sampler}, CPU us", paid(compiled, begin)
    for part, cost in _parts(compiled, 4):
        yield f"{part}, us a point of four", cost / 4


def _parts(compiled, points: int) -> Rows:
    """Microseconds of the parts of the density of one point, or of four together."""
    from numba import njit

    from reeuncert.balance.affine import product, product_transposed
    from reeuncert.balance.edges import Packed
    from reeuncert.balance.masses import exponentials, masses, masses_back
    from reeuncert.inference.density_kernel import Numbers
    from reeuncert.inference.stretching import stretch
    from reeuncert.likelihood.kernels import rows_of_masses
    from reeuncert.likelihood.packing import unpack_rows, unpack_sums

    @njit
    def stretched(y, directions, gains, result):
        stretch(y, directions, gains, result)

    @njit
    def rows_evaluated(mass, to_mass, offsets, to_offsets, sigma, to_sigma, value, weight, sums, laws, total):
        total[0] = rows_of_masses(mass, to_mass, offsets, to_offsets, sigma, to_sigma, value, weight, sums, laws)

    @njit
    def four_rows_evaluated(mass, to_mass, offsets, to_offsets, sigma, to_sigma, value, weight, sums, laws, total):
        rows_of_masses(mass, to_mass, offsets, to_offsets, sigma, to_sigma, value, weight, sums, laws)

    def empty(n: int) -> np.ndarray:
        return np.empty(n if points == 1 else (n, points))

    n = Numbers(*(compiled.data(field) for field in Numbers._fields))
    size, edges, rows = n.prior_mean.size, n.coordinate.size, n.reported_value.size
    y = empty(compiled.size)
    y[:] = np.random.default_rng(1).normal(size=y.shape)
    z, u, exp_u, scratch = y[:size].copy(), empty(size), empty(size + 1), empty(size)
    network = Packed(*(getattr(n, field) for field in Packed._fields))
    mass, share, nodes = empty(edges), empty(edges), empty(n.out_start.size)
    kept, to_mass, sigma, offsets = empty(int(n.room[0])), empty(edges), empty(rows), empty(n.offset_mean.size)
    to_mass[:], sigma[:], offsets[:] = 0.0, 0.2, 0.0
    product(z, n.factor_layout, n.prior_factor, u)
    u += n.prior_mean if points == 1 else n.prior_mean[:, None]
    exponentials(u.copy(), scratch, exp_u)
    masses(network, exp_u, mass, share, nodes, kept)
    sums = unpack_sums(n.evidence_layout, n.evidence_coefficient)
    laws = unpack_rows(n.evidence_code, n.evidence_bound)
    evidence = (offsets, offsets.copy(), sigma, sigma.copy(), n.reported_value, n.row_weight, sums, laws, np.empty(1))
    stretching = best_time(stretched, y, n.whitening_directions, n.whitening_gains, empty(len(y)))
    yield "whitening, there and back", 2 * stretching
    yield "K z", best_time(product, z, n.factor_layout, n.prior_factor, u)
    yield "K transposed", best_time(product_transposed, z, n.factor_layout, n.prior_factor, u)
    zeros = empty(size)
    zeros[:] = 0.0
    yield "exponentials", best_time(exponentials, zeros, scratch, empty(size + 1))
    yield "flows forward", best_time(masses, network, exp_u, mass, share, nodes, kept)
    yield "flows backward", best_time(masses_back, network, mass, share, kept, to_mass.copy(), nodes, empty(size + 1))
    evaluated = rows_evaluated if points == 1 else four_rows_evaluated
    yield "likelihood, both ways", best_time(evaluated, mass, to_mass, *evidence)
    yield "whole", best_time(raw_call(compiled, y))


def samplers(case_name: str) -> Rows:
    """Effective draws of the samplers, the same settings for both."""
    import reeuncert as ree
    from reeuncert.inference.whitening import compile_for_sampling
    from reeuncert.result.diagnostics import diagnose

    case = ree.read_case(case_name)
    model = ree.build_model(case)
    compiled = compile_for_sampling(model)
    for sampler in ("hmc", "nutpie"):
        start = time.process_time()
        dt = ree.sample(
            model, seed=1, sampler=sampler, compiled=compiled, quiet=True, prior_draws=0, likelihood_terms=False
        )
        seconds = time.process_time() - start
        found = diagnose(dt["posterior"]["mass_flow"].values[:, :, case.system.exists], log=True)
        for which, sizes in (("bulk", found.ess_bulk), ("tail", found.ess_tail)):
            yield f"{sampler}: smallest {which} ESS of a flow", float(np.nanmin(sizes))
            yield f"{sampler}: smallest {which} ESS per CPU s", float(np.nanmin(sizes)) / seconds
        yield f"{sampler}: largest R-hat of a flow", float(np.nanmax(found.r_hat))
        yield f"{sampler}: steps a draw", float(dt["sample_stats"]["n_steps"].mean())
        yield f"{sampler}: divergences", float(dt["sample_stats"]["diverging"].sum())


def growth(case_name: str) -> Rows:
    """Larger cases: every region trades with every other, and every trade is reported."""
    sys.path.insert(0, str(ROOT / "tests"))
    import reeuncert as ree
    from networks import write_trade_case
    from reeuncert.inference.density import compile_density
    from reeuncert.inference.shape import around_mode

    base = 0.0
    for regions, years in SIZES[case_name == SMALL]:
        name = f"{regions} regions × {years} years"
        with tempfile.TemporaryDirectory() as folder:
            write_trade_case(Path(folder) / "large", regions, years)
            start = time.process_time()
            case = ree.read_case(Path(folder) / "large")
            yield f"{name}: read and check, CPU s", time.process_time() - start
        yield f"{name}: flow-years", float(case.system.exists.sum())
        model = ree.build_model(case)
        start = time.process_time()
        compiled = around_mode(compile_density(model))
        yield f"{name}: compile, mode and directions, CPU s", time.process_time() - start
        found = best_time(raw_call(compiled, np.random.default_rng(1).normal(size=compiled.size) * 0.1))
        yield f"{name}: gradient, us", found
        base = base or found
        yield f"{name}: gradient, times that of the first", found / base
        if hasattr(compiled, "four"):  # not in an older commit
            four = best_time(raw_call(compiled, np.random.default_rng(1).normal(size=(compiled.size, 4)) * 0.1))
            yield f"{name}: gradient, us a point of four", four / 4


def best_time(call: Callable[..., object], *arguments: object, batches: int = 60, least: float = 0.003) -> float:
    """Shortest mean time of a call in microseconds over short batches: what else runs disturbs the shortest least."""
    call(*arguments)
    count, elapsed, best = 1, 0.0, np.inf
    while elapsed < least:
        count *= 2
        elapsed = _batch(call, arguments, count)
    for _ in range(batches):
        best = min(best, _batch(call, arguments, count) / count)
    return 1e6 * best


def _batch(call: Callable[..., object], arguments: tuple[object, ...], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call(*arguments)
    return time.perf_counter() - start


def raw_call(compiled, point: np.ndarray) -> Callable[[], object]:
    """The C function that a sampler calls, of one point or four, without what Python adds."""
    value, grad = np.zeros(4), np.zeros(point.shape)
    address = (compiled.compiled.compiled_logp_func if point.ndim == 1 else compiled.four).address
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(address)
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (point, grad, value, compiled.compiled.user_data)]
    kept = (point, value, grad, compiled)
    return lambda: (call(len(point), *pointers), kept)


def paid(compiled, begin) -> float:
    """CPU microseconds of a leapfrog: what more draws cost, so that no beginning counts; the first run compiles."""
    from reeuncert.inference.chains import joined, run_chains
    from reeuncert.inference.messages import Messages
    from reeuncert.inference.settings import Settings

    cost, chains = [], begin.at_once(compiled)
    for draws in (1, 20, 520):
        settings = Settings(draws=draws, tune=50, chains=chains, cores=1, seed=1)
        start = time.process_time()
        run = joined(run_chains(begin, replace(compiled, unfold=None), settings, Messages(quiet=True)))
        cost.append((time.process_time() - start, float(run.sample_stats["n_steps"].sum())))
    _, (short, few), (long, many) = cost
    return 1e6 * (long - short) / (many - few)


TABLES = {"phases": phases, "gradient": gradient, "samplers": samplers, "growth": growth}


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A working tree of another commit."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "-q", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree)], check=True)


def measured(tree: Path, table: str, case: str) -> dict[str, float]:
    """Rows of a table, made by the package of a working tree; those made before an error, if there is one."""
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    words = [sys.executable, __file__, table, "--case", case, "--rows"]
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    return dict(json.loads(line) for line in done.stdout.splitlines())


def main() -> None:
    """Print the tables that are asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    asked.add_argument("--case", default="china_us_row")
    asked.add_argument("--against", metavar="COMMIT")
    asked.add_argument("--repeat", type=int, default=3)
    asked.add_argument("--small", action="store_true", help=f"each table once, of {SMALL}")
    asked.add_argument("--rows", action="store_true", help=argparse.SUPPRESS)
    chosen = asked.parse_args()
    if unknown := set(chosen.tables) - set(TABLES):
        asked.error(f"there is no table {', '.join(sorted(unknown))}; there are: {', '.join(TABLES)}")
    if chosen.rows:
        for row in TABLES[chosen.tables[0]](chosen.case):
            print(json.dumps(row), flush=True)
        return
    case, repeat = (SMALL, 1) if chosen.small else (chosen.case, chosen.repeat)
    with checkout(chosen.against) if chosen.against else nullcontext() as other:
        trees = {"this": ROOT} if other is None else {"this": ROOT, chosen.against: other}
        for table in chosen.tables or TABLES:
            runs = {name: [] for name in trees}
            for n, (name, tree) in itertools.product(range(repeat), trees.items()):
                print(f"{table} of {case}, {n + 1} of {repeat}, {name} …", file=sys.stderr, flush=True)
                runs[name].append(measured(tree, table, case))
            show(table, {name: medians(found) for name, found in runs.items()})


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {row: statistics.median(run[row] for run in runs if row in run) for run in runs for row in run}


def show(table: str, found: dict[str, dict[str, float]]) -> None:
    rows = dict.fromkeys(row for one in found.values() for row in one)
    print(f"\n{table:58}" + "".join(f"{name[:12]:>14}" for name in found), flush=True)
    for row in rows:
        print(f"{row:58}" + "".join(f"{one[row]:14.4g}" if row in one else f"{'':14}" for one in found.values()))


if __name__ == "__main__":
    main()
