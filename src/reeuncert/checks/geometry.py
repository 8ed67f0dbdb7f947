"""Did the sampler explore the whole posterior?

Divergences and the energy fraction: Betancourt (2017), arXiv 1701.02434; E-BFMI: Betancourt (2016), arXiv 1604.00695.
"""

import numpy as np
import xarray as xr

from reeuncert.checks.result import CheckResult, information, judged
from reeuncert.result.diagnostics import bfmi
from reeuncert.result.result import Result

SMALLEST_BFMI = 0.3
LARGEST_SHARE_AT_DEPTH = 0.01


def check(result: Result) -> list[CheckResult]:
    """Divergences, energy fraction and tree depth, if the sampler reports them."""
    if "sample_stats" not in result.dt.children:
        return [information("sampler", "This result holds no statistics of a sampler.")]
    stats = result.dt["sample_stats"].to_dataset()
    found = [_divergences(stats), _energy(stats), _depth(stats)]
    return [one for one in found if one is not None]


def _divergences(stats: xr.Dataset) -> CheckResult | None:
    if "diverging" not in stats:
        return None
    count, draws = int(stats["diverging"].sum()), stats["diverging"].size
    message = (
        "No draw diverged." if not count else f"{count:,} of {draws:,} draws diverged: intervals may be too narrow."
    )
    remedy = "Raise target_accept to 0.95; if they stay, a prior or the width of a source is extreme."
    return judged("divergences", count, "<=", 0, message, remedy)


def _energy(stats: xr.Dataset) -> CheckResult | None:
    if "energy" not in stats:
        return None
    ordered = stats.transpose("chain", "draw", ...)
    before = ordered["energy_before"].values if "energy_before" in ordered else None
    values = bfmi(ordered["energy"].values, before)
    known = values[np.isfinite(values)]
    if known.size == 0:
        return None
    least = float(known.min())
    message = f"The smallest energy fraction (E-BFMI) of {known.size} chains is {least:.2f}."
    remedy = "The tails are explored slowly: a prior is much wider than the evidence can follow."
    return judged("energy fraction", least, ">=", SMALLEST_BFMI, message, remedy)


def _depth(stats: xr.Dataset) -> CheckResult | None:
    if "reached_max_treedepth" not in stats:
        return None
    share = float(stats["reached_max_treedepth"].mean())
    message = f"{100 * share:.2g} % of the draws stopped at the largest tree depth."
    remedy = "The chains move slowly; the scales of the priors differ too much."
    return judged("tree depth", share, "<=", LARGEST_SHARE_AT_DEPTH, message, remedy)
