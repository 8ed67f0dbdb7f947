"""Published problems: agreement with their references, and effective draws per CPU second beside other codes.

    REEUNCERT_CASES=… uv run python tests/benchmarks/bench_peers.py [reconciliation] [aluminium] [steel]

Prints for each fit: compile and sampling CPU seconds, steps a draw, divergences, R-hat, the smallest of bulk and tail
ESS over all flows, that per CPU second of sampling (tuning included), and its ratio to the figure of a peer: 4.8 for
steel (exact balance, one flat vector of log-ratios), 3.6 for aluminium (balance relaxed, NUTS).
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers import aluminium, reconciliation, steel
from peers.fits import Fit, fit
from peers.test_aluminium import in_reference_units

PEER = {"steel": 4.8, "aluminium": 3.6}


def report(name: str, found: Fit, shift: np.ndarray, spread: np.ndarray) -> None:
    rate = found.least_ess / found.seconds
    peer = PEER.get(name.split()[0])
    print(
        f"{name}: compile {found.compile_seconds:.0f} CPU s, sample {found.seconds:.1f} CPU s, "
        f"{found.steps:.0f} steps, {found.diverging} divergences, R-hat {found.largest_r_hat:.3f}, "
        f"min ESS {found.least_ess:.0f}, "
        f"{rate:.1f} a CPU s" + (f" ({rate / peer:.1f} times {peer})" if peer else "") + "\n"
        f"    residual {found.worst_residual:.1e}; means off by at most {np.abs(shift).max():.3f} sd (median "
        f"{np.median(np.abs(shift)):.3f}), sds by a factor {spread.min():.3f} to {spread.max():.3f}",
        flush=True,
    )


def bench_reconciliation() -> None:
    problems = [reconciliation.read(f"P{k}") for k in range(1, 9)]
    found = fit(reconciliation.to_case(*problems), draws=3000)
    x = found.of([f"{p.name} {s}" for p in problems for s in p.streams])
    mean = np.concatenate([p.reconciled_mean for p in problems])
    sd = np.concatenate([p.reconciled_sd for p in problems])
    report("reconciliation P1-P8", found, (x.mean(axis=0) - mean) / sd, x.std(axis=0) / sd)


def bench_aluminium() -> None:
    for name, ratios, scenario in (
        ("aluminium A, exact", False, "A_exactbalance_truncGauss"),
        ("aluminium B, ratios", True, "B_ratio"),
    ):
        found = fit(aluminium.to_case(ratios=ratios), draws=2000)
        report(name, found, *in_reference_units(found, aluminium.read_reference(scenario)))


def bench_steel() -> None:
    for stage in (3, 2):
        found, reference = fit(steel.to_case(stage), draws=2000), steel.read_reference(stage)
        x = found.of(reference.labels)
        report(
            f"steel stage {stage}",
            found,
            (x.mean(axis=0) - reference.mean) / reference.sd,
            x.std(axis=0) / reference.sd,
        )


BENCHES = {"reconciliation": bench_reconciliation, "aluminium": bench_aluminium, "steel": bench_steel}

if __name__ == "__main__":
    for chosen in sys.argv[1:] or BENCHES:
        BENCHES[chosen]()
