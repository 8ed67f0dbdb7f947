"""Have the chains converged, and is the effective sample size large enough for every interval?

Thresholds of Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), *Bayesian Analysis* 16(2), doi 10.1214/20-BA1221:
rank-normalised split R-hat at most 1.01; bulk and tail effective sample size at least 400, for every flow (log scale)
in every year and every value of every indicator.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from reeuncert.checks.material import Material
from reeuncert.checks.result import CheckResult, information, judged

LARGEST_R_HAT = 1.01
SMALLEST_ESS = 400
ENOUGH_ESS = 1400
"""With four chains, R-hat is about 1 + 4 / ESS on average; from this ESS on, chance alone lifts it above 1.01 in fewer
than one of a thousand quantities."""
WORST = 10

_MEASURES: tuple[tuple[str, str, bool, float], ...] = (  # column, what it is called, whether small is bad, threshold
    ("r_hat", "R-hat", False, LARGEST_R_HAT),
    ("ess_bulk", "bulk ESS", True, SMALLEST_ESS),
    ("ess_tail", "tail ESS", True, SMALLEST_ESS),
)


def check(material: Material) -> list[CheckResult]:
    """Worst R-hat, bulk ESS and tail ESS of flows and of indicators."""
    remedy = _remedy(material)
    found = []
    for what, table in (("flows", material.flows), ("indicators", material.indicators)):
        if what == "indicators" and table.empty:
            found.append(information("indicators", "No indicator has been added to this result; none was checked."))
            continue
        found += [
            _worst(what, table, *measure, remedy=remedy, approximate=material.approximate) for measure in _MEASURES
        ]
    return found


def _remedy(material: Material) -> str:
    """Remedy: the number of draws needed."""
    found = pd.concat([t[["ess_bulk", "ess_tail"]] for t in (material.flows, material.indicators) if not t.empty])
    least = float(found.min(axis=None))
    look = "look at the priors of the quantities listed."
    if not least < ENOUGH_ESS:
        return f"There are enough draws; {look}"
    needed = material.dt["posterior"].sizes["draw"] * ENOUGH_ESS / max(least, 1.0)
    digits = 10 ** max(0, int(np.log10(needed)) - 1)
    rounded = int(np.ceil(needed / digits)) * digits
    return (
        f"Take more draws: the smallest ESS is {least:.0f}, and with --draws {rounded} it "
        f"would be about {ENOUGH_ESS:,}, where R-hat stays below {LARGEST_R_HAT:g}; if that does not help, {look}"
    )


def _worst(
    what: str,
    table: pd.DataFrame,
    column: str,
    called: str,
    small_is_bad: bool,
    threshold: float,
    *,
    remedy: str,
    approximate: bool,
) -> CheckResult:
    name = f"{called} of {what}"
    known = table[np.isfinite(table[column].astype(float))]
    if known.empty:
        return information(name, f"{called} cannot be computed: it needs more draws, or (R-hat) a second chain.")
    value = float(known[column].min() if small_is_bad else known[column].max())
    bad = known[known[column] < threshold] if small_is_bad else known[known[column] > threshold]
    extreme = "smallest" if small_is_bad else "largest"
    number = f"{value:.0f}" if small_is_bad else f"{value:.4f}"
    message = f"The {extreme} {called} of {len(known):,} {what} is {number}"
    if len(bad):
        limit = f"{threshold:g}"
        message += f"; {len(bad):,} are {'below' if small_is_bad else 'above'} {limit}"
    message += "."
    if approximate:
        return information(name, message, value)
    bound = f"{'>=' if small_is_bad else '<='} {threshold:g}"
    worst = bad.sort_values(column, ascending=small_is_bad).head(WORST)
    return judged(name, not len(bad), value, bound, message, remedy, table=worst)
