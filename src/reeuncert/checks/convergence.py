"""Have the chains forgotten where they began, and are there enough independent draws for every interval?

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
WORST = 10

_MEASURES: tuple[tuple[str, str, bool, float], ...] = (  # column, what it is called, whether small is bad, threshold
    ("r_hat", "R-hat", False, LARGEST_R_HAT),
    ("ess_bulk", "bulk ESS", True, SMALLEST_ESS),
    ("ess_tail", "tail ESS", True, SMALLEST_ESS),
)
_REMEDY = "Take more draws (--draws, --tune); if that does not help, look at the priors of the quantities listed."


def check(material: Material) -> list[CheckResult]:
    """R-hat, bulk and tail ESS of flows and of indicators: the worst of each."""
    found = []
    for what, table in (("flows", material.flows), ("indicators", material.indicators)):
        if what == "indicators" and table.empty:
            found.append(information("indicators", "No indicator has been added to this result; none was checked."))
            continue
        found += [_worst(what, table, *measure, approximate=material.approximate) for measure in _MEASURES]
    return found


def _worst(
    what: str, table: pd.DataFrame, column: str, called: str, small_is_bad: bool, threshold: float, *, approximate: bool
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
    return judged(name, not len(bad), value, bound, message, _REMEDY, table=worst)
