"""Zinc in China 1994: error and coverage against the number of data, beside the peer's Gaussian curve.

    REEUNCERT_CASES=… uv run python tests/benchmarks/bench_zinc.py [ORDERS [FILE.csv]]

For 0, 5, 10, 15 and 20 data and a number of random orders (the peer's own, of which they average 50): root mean square
and largest error of all twenty estimates in units of 100 Gg, with exact data as in the published curves; and the share
of 90 % intervals that hold what was left out, with data that err by their spread.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers import zinc
from reeuncert.inference.refit import Refitter

SIZES = (0, 5, 10, 15, 20)


def inside(low: np.ndarray, high: np.ndarray, which: np.ndarray) -> float:
    truth = np.array([v.truth for v in zinc.variables()])
    return float(np.mean(((low <= truth) & (truth <= high))[which])) if which.size else float("nan")


def one(refitter: Refitter, seed: int, size: int) -> dict[str, float]:
    revealed = zinc.order(seed)[:size]
    hidden = np.setdiff1d(np.arange(20), revealed)
    weight = zinc.weights(refitter.case, revealed)
    settings = {"weight": weight, "draws": 500, "tune": 500, "chains": 2, "seed": seed}
    draws = zinc.draws_of(refitter.fit(**settings))
    noisy = zinc.draws_of(refitter.fit(reported=zinc.with_errors(refitter.case, 100 * seed + size), **settings))
    low, high = np.quantile(noisy, [0.05, 0.95], axis=0)
    mean, sd = zinc.peer_gaussian(revealed)
    of_mean, of_median = zinc.errors(draws.mean(axis=0)), zinc.errors(np.median(draws, axis=0))
    return {
        "data": size,
        "rmse_mean": of_mean[0],
        "rmse_median": of_median[0],
        "largest_median": of_median[1],
        "peer_rmse": zinc.errors(mean)[0],
        "peer_largest": zinc.errors(mean)[1],
        "coverage90_left_out": inside(low, high, hidden),
        "coverage90_given": inside(low, high, np.array(revealed, dtype=int)),
        "peer_coverage90_left_out": inside(mean - 1.645 * sd, mean + 1.645 * sd, hidden),
        "width": float(np.median(high - low)) / zinc.SCALE,
        "peer_width": float(np.median(2 * 1.645 * sd)) / zinc.SCALE,
    }


def main() -> None:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    refitter = Refitter(zinc.to_case())
    rows = []
    for seed in range(orders):
        rows += [one(refitter, seed, size) for size in SIZES]
        print(pd.DataFrame(rows).groupby("data").mean().round(3).to_string(), flush=True)
    table = pd.DataFrame(rows).groupby("data", as_index=False).mean().assign(orders=orders)
    if len(sys.argv) > 2:
        table.round(3).to_csv(sys.argv[2], index=False)


if __name__ == "__main__":
    main()
