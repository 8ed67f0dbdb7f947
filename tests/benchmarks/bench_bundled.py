"""What the bundled case costs, and how well it samples: one row a figure.

Run it on a quiet machine: ``python tests/benchmarks/bench_bundled.py [--draws 1000] [--tune 1000]``. Times are of this
machine and this hour; ratios (a gradient over a pass of NumPy through the same flows) travel better.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import reeuncert as ree
from balances.residual import residual
from reeuncert.indicators.registry import INDICATORS
from reeuncert.inference.shape import around_mode
from reeuncert.inference.whitening import compile_for_sampling
from reeuncert.result.diagnostics import diagnose


class Clock:
    """Wall seconds since the last look."""

    def __init__(self) -> None:
        self.last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        passed, self.last = now - self.last, now
        return passed


def show(what: str, value: float | str, target: str = "") -> None:
    text = value if isinstance(value, str) else f"{value:.4g}"
    print(f"{what:<58} {text:>12}   {target}", flush=True)


def gradient_figures(compiled, label: str, flows: int) -> None:
    point = np.random.default_rng(1).normal(size=compiled.size) * 0.1
    compiled.log_density(point)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(100):
            compiled.log_density(point)
        best = min(best, (time.perf_counter() - start) / 100)
    x = np.random.default_rng(1).normal(size=flows)
    start = time.perf_counter()
    for _ in range(1000):
        np.exp(x)
    reference = (time.perf_counter() - start) / 1000
    show(f"gradient, {label}, microseconds (best of 5)", best * 1e6, "<= 110")
    show(f"gradient, {label}, over one NumPy exp of all flows", best / reference)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--draws", type=int, default=1000)
    arguments.add_argument("--tune", type=int, default=1000)
    arguments.add_argument("--case", default="china_us_row")
    chosen = arguments.parse_args()
    clock = Clock()
    case = ree.read_case(chosen.case)
    model = ree.build_model(case)
    show("read and build, s", clock.lap())
    compiled = compile_for_sampling(model)
    show("compile, s", clock.lap())
    flows = int(case.system.exists.sum())
    gradient_figures(compiled, "model's own coordinates", flows)
    gradient_figures(around_mode(compiled), "round coordinates", flows)
    clock.lap()
    quick = ree.add_indicators(ree.preview(case, seed=2))
    show("preview and its indicators, s (compiling again)", clock.lap(), "<= 10 warm")
    dt = ree.sample(model, draws=chosen.draws, tune=chosen.tune, seed=1, quiet=True, compiled=compiled)
    show("sample 4 chains, s", clock.lap())
    dt = ree.add_indicators(dt)
    show("indicators, s", clock.lap())
    log_flow = np.log(dt["posterior"]["mass_flow"].values)
    of_flows = diagnose(log_flow)
    derived = dt["derived"].to_dataset()
    cells = [derived[name].values.reshape(*log_flow.shape[:2], -1) for name in INDICATORS if name in derived]
    of_indicators = diagnose(np.concatenate(cells, axis=-1))
    show("diagnostics of all flows and indicators, s", clock.lap(), "<= 5")
    for label, found in (("flows", of_flows), ("indicators", of_indicators)):
        show(f"largest R-hat of {label}", float(np.nanmax(found.r_hat)), "<= 1.01")
        show(f"smallest bulk ESS of {label}", float(np.nanmin(found.ess_bulk)), ">= 400")
        show(f"smallest tail ESS of {label}", float(np.nanmin(found.ess_tail)), ">= 400")
    show("divergences", float(dt["sample_stats"]["diverging"].sum()), "0")
    show("steps a draw", float(dt["sample_stats"]["n_steps"].mean()))
    worst = np.nanmax(np.abs(residual(case.system, dt["posterior"]["mass_flow"].values[:, ::20])))
    show("largest relative balance residual (every 20th draw)", float(worst), "<= 1e-9")
    near = []
    for name in INDICATORS:
        if name in dt["derived"] and name in quick["derived"]:
            full = dt["derived"][name]
            gap = np.abs(quick["derived"][name].median(("chain", "draw")) - full.median(("chain", "draw")))
            near.append((gap / full.std(("chain", "draw"))).values.ravel())
    gaps = np.concatenate(near)
    gaps = gaps[np.isfinite(gaps)]
    show("indicators whose preview median is within 0.25 sd, %", 100 * float(np.mean(gaps <= 0.25)), ">= 90")
    show("peak memory, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "<= 3")


if __name__ == "__main__":
    main()
