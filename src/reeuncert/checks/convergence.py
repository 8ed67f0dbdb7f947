"""Have the chains converged, and is the effective sample size large enough for every interval?

Thresholds of Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), *Bayesian Analysis* 16(2), doi 10.1214/20-BA1221:
rank-normalised split R-hat at most 1.01; bulk and tail effective sample size at least 400, for every flow (log scale)
in every year and every value of every indicator.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from reeuncert.checks.result import CheckResult, information, judged
from reeuncert.indicators.summary import all_indicators
from reeuncert.result.diagnostics import LARGEST_R_HAT, MEASURES, SMALLEST_ESS, misses
from reeuncert.result.result import Result

ENOUGH_ESS = 1400
"""With four chains, R-hat is about 1 + 4 / ESS on average; from this ESS on, chance alone lifts it above 1.01 in fewer
than one of a thousand quantities."""
WORST = 10

_CALLED = dict(zip(MEASURES, ("R-hat", "bulk ESS", "tail ESS"), strict=True))


def check(result: Result) -> list[CheckResult]:
    """Worst R-hat, bulk ESS and tail ESS of flows and of indicators."""
    tables = {"flows": result.flows}
    if "derived" in result.dt.children:
        tables["indicators"] = result.once(all_indicators)
    tables = {what: table for what, table in tables.items() if not table.empty}
    remedy = _remedy(result.dt["posterior"].sizes["draw"], tables.values())
    found = [
        _worst(what, table, measure, remedy=remedy, approximate=result.approximate)
        for what, table in tables.items()
        for measure in MEASURES
    ]
    if "indicators" not in tables:
        found.append(information("indicators", "No indicator has been added to this result; none was checked."))
    return found


def _remedy(draws: int, tables: Iterable[pd.DataFrame]) -> str:
    """Remedy: the number of draws needed."""
    found = pd.concat([table[["ess_bulk", "ess_tail"]] for table in tables])
    least = float(np.nanmin(found))
    look = "look at the priors of the quantities listed."
    if not least < ENOUGH_ESS:
        return f"There are enough draws; {look}"
    needed = draws * ENOUGH_ESS / max(least, 1.0)
    digits = 10 ** max(0, int(np.log10(needed)) - 1)
    rounded = int(np.ceil(needed / digits)) * digits
    return (
        f"Take more draws: the smallest ESS is {least:.0f}, and with --draws {rounded} it "
        f"would be about {ENOUGH_ESS:,}, where R-hat stays below {LARGEST_R_HAT:g}; if that does not help, {look}"
    )


def _worst(what: str, table: pd.DataFrame, column: str, *, remedy: str, approximate: bool) -> CheckResult:
    called, small_is_bad = _CALLED[column], column != "r_hat"
    threshold = SMALLEST_ESS if small_is_bad else LARGEST_R_HAT
    name = f"{called} of {what}"
    known = table[np.isfinite(table[column].astype(float))]
    if known.empty:
        return information(name, f"{called} cannot be computed: it needs more draws, or (R-hat) a second chain.")
    value = float(known[column].min() if small_is_bad else known[column].max())
    bad = known[misses(column, known[column])]
    extreme = "smallest" if small_is_bad else "largest"
    number = f"{value:.0f}" if small_is_bad else f"{value:.4f}"
    message = f"The {extreme} {called} of {len(known):,} {what} is {number}"
    if len(bad):
        limit = f"{threshold:g}"
        message += f"; {len(bad):,} are {'below' if small_is_bad else 'above'} {limit}"
    message += "."
    if approximate:
        return information(name, message, value)
    worst = bad.sort_values(column, ascending=small_is_bad).head(WORST)
    return judged(name, value, ">=" if small_is_bad else "<=", threshold, message, remedy, worst)
