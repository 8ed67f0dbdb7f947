"""Monte Carlo error of the interval bounds.

Monte Carlo standard errors of quantiles: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), *Bayesian Analysis*
16(2), doi 10.1214/20-BA1221, section 4.4.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reeuncert.checks.result import CheckResult, information, judged
from reeuncert.indicators.headlines import HeadlineDraws, headline_draws
from reeuncert.result.diagnostics import diagnose
from reeuncert.result.quantiles import filled
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow

LARGEST_ERROR = 0.05
"""Largest standard error of a bound of a 90 % interval, relative to the interval width."""

MOST_CELLS = 1_000
"""Largest number of flows tested (evenly spaced if there are more)."""

_REMEDY = "Take more draws (--draws) before you quote an end to two digits."


def check(result: Result) -> list[CheckResult]:
    """Monte Carlo error of the interval bounds of headlines and of flows (on the log scale)."""
    if "posterior" not in result.dt.children:
        return [information("error of interval ends", "This result holds no posterior.")]
    mass = mass_flow(result.dt).transpose("chain", "draw", "flow", "year")
    flow, year = np.nonzero(np.isfinite(mass.values[0, 0]))
    step = max(1, -(-flow.size // MOST_CELLS))
    flow, year = flow[::step], year[::step]
    cells = mass.values[:, :, flow, year]
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = relative_error(np.log(cells))
    labels = {"flow": mass["flow"].values[flow], "year": mass["year"].values[year]}
    found = [_judge("interval ends of flows", pd.DataFrame(labels | {"error": errors}), result)]
    keys = result.once(headline_draws)
    if keys:
        table = pd.DataFrame({"headline": [k.label for k in keys], "error": _of_keys(keys)})
        found.append(_judge("interval ends of headlines", table, result))
    return found


def relative_error(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard error of the worse bound of each 90 % interval, relative to its width. Shape (chain, draw, ...) → (...);
    NaN where a quantity is constant or not finite in some draw.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 1000, 1))
    >>> bool(0.005 < relative_error(draws)[0] < 0.02)
    True
    """
    found = diagnose(draws, mcse=True)
    width = found.upper - found.lower
    # A quantity that varies by rounding alone has no interval.
    width = np.where(width > 1e-9 * np.abs(found.median), width, np.nan)
    return np.asarray(np.maximum(found.mcse_lower, found.mcse_upper) / width)


def _of_keys(keys: tuple[HeadlineDraws, ...]) -> NDArray[np.float64]:
    draws = np.stack([filled(k.posterior) for k in keys], axis=2)
    return relative_error(draws)


def _judge(name: str, table: pd.DataFrame, result: Result) -> CheckResult:
    known = table[np.isfinite(table["error"])].sort_values("error", ascending=False, ignore_index=True)
    if known.empty:
        return information(name, "Their Monte Carlo error cannot be computed: it needs more draws.")
    worst, bad = float(known["error"][0]), known[known["error"] > LARGEST_ERROR]
    message = f"The largest Monte Carlo error of an interval end is {100 * worst:.1f} % of the width of its interval, "
    message += f"over {len(known):,}; {len(bad):,} are above {100 * LARGEST_ERROR:g} %."
    if result.approximate:
        return information(name, message, worst)
    return judged(name, worst, "<=", LARGEST_ERROR, message, _REMEDY, bad.head(10))
