"""Sixteen refits as one study against one after another: one row a figure.

Run it on a quiet machine: ``python tests/benchmarks/bench_sensitivity.py [--years 2016 2018] [--draws 500]``. One after
another means what a user would write without a study: build, compile and sample a model for each scenario, in a process
of its own that uses all cores. To save time only some of them are measured, and the total is taken in proportion.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import reeuncert as ree

FACTORS = (0.5, 2.0, 4.0)
ONE = """
import json, sys, time
begin = time.perf_counter()
import reeuncert as ree
from reeuncert.indicators.compute import add_indicators
asked = json.loads(sys.argv[1])
case = ree.read_case(asked["case"])
if asked["years"]:
    case = ree.restrict(case, range(asked["years"][0], asked["years"][1] + 1))
from reeuncert.edits import Edited
from reeuncert.edits.scenario import scenarios_from
for scenario in scenarios_from(asked["scenario"]):
    case = scenario.apply(Edited(case)).case
dt = ree.sample(ree.build_model(case), draws=asked["draws"], tune=asked["tune"], chains=2, seed=1, quiet=True,
                progressbar=False, prior_draws=0, likelihood_terms=False)
add_indicators(dt, sorted({headline.indicator for headline in case.headlines}))
print(json.dumps(time.perf_counter() - begin))
"""


def show(what: str, value: float | str, target: str = "") -> None:
    text = value if isinstance(value, str) else f"{value:.4g}"
    print(f"{what:<58} {text:>12}   {target}", flush=True)


def cpu() -> float:
    """Seconds of CPU of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def scenarios(count: int) -> list[dict[str, object]]:
    """Changes of numbers: each group of priors wider or narrower (the base makes one more)."""
    case = ree.read_case("china_us_row")
    groups = sorted({row.group for row in case.priors})
    found = [
        {"name": f"{group} × {factor:g}", "changes": [{"kind": "prior_spread", "group": group, "factor": factor}]}
        for factor in FACTORS
        for group in groups
    ]
    return found[: count - 1]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--case", default="china_us_row")
    arguments.add_argument("--years", type=int, nargs=2, default=None)
    arguments.add_argument("--draws", type=int, default=500)
    arguments.add_argument("--tune", type=int, default=150)
    arguments.add_argument("--scenarios", type=int, default=16)
    arguments.add_argument("--measured", type=int, default=2, help="how many of them to fit one after another")
    arguments.add_argument("--jobs", type=int, default=None)
    asked = arguments.parse_args()
    case = ree.read_case(asked.case)
    if asked.years:
        case = ree.restrict(case, range(asked.years[0], asked.years[1] + 1))
    listed = scenarios(asked.scenarios)

    single, before = [], cpu()
    for scenario in listed[: asked.measured]:
        words = {
            "case": asked.case,
            "years": asked.years,
            "draws": asked.draws,
            "tune": asked.tune,
            "scenario": [scenario],
        }
        done = subprocess.run(
            [sys.executable, "-c", ONE, json.dumps(words)], capture_output=True, text=True, check=True
        )
        single.append(json.loads(done.stdout.splitlines()[-1]))
        show(f"one after another: {scenario['name']}, seconds", single[-1])
    alone = (cpu() - before) / len(single) * asked.scenarios
    total = sum(single) / len(single) * asked.scenarios
    show(f"one after another: {asked.scenarios} scenarios, seconds", total)
    show("the same in seconds of CPU (for a machine that is not quiet)", alone)

    begin, before = time.perf_counter(), cpu()
    study = ree.sensitivity(
        case, scenarios=listed, draws=asked.draws, tune=asked.tune, jobs=asked.jobs, cache=False, progress=True
    )
    together = time.perf_counter() - begin
    show(f"one study: {asked.scenarios} scenarios, seconds", together)
    show("the same in seconds of CPU", cpu() - before)
    show("times less CPU in total", alone / (cpu() - before))
    show("times faster in total", total / together, ">= 1.8")
    show("scenarios fitted", f"{(study.scenarios['status'] == 'fitted').sum()} of {len(study.scenarios)}")
    show("models compiled", float(study.about["models_compiled"]), "<= processes")
    print(study.scenarios[["scenario", "seconds"]].to_string(index=False))


if __name__ == "__main__":
    main()
