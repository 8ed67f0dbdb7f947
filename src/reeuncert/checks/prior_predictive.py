"""Prior predictive check: implied priors of flows and headlines, and widths of prior rows."""

import numpy as np
import pandas as pd

from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.indicators.headlines import headline_draws
from reeuncert.priors.checks import WIDE, total_log_sd
from reeuncert.priors.implied import MOST_ORDERS
from reeuncert.result.learning import is_fixed
from reeuncert.result.quantiles import quantiles, spread
from reeuncert.result.result import Result
from reeuncert.words.cells import condensed

NEAR_CERTAIN_RATIO = 0.05
"""A ratio whose prior 90 % interval is narrower than this is near certain before any evidence."""

NEAR_CERTAIN_FACTOR = 1.1
"""The same for a mass whose prior interval spans less than this factor."""


def check(result: Result) -> list[CheckResult]:
    """Implied priors of flows, near-certain headlines, and rows of the priors table with a log-sd above 1."""
    if "prior" not in result.dt.children or "mass_flow" not in result.dt["prior"].data_vars:
        return [information("prior of flows", "The prior was not simulated: not checked.")]
    return [_flows(result), *_headlines(result), *_rows(result)]


def _flows(result: Result) -> CheckResult:
    """Flows whose implied prior spans more than four orders of magnitude."""
    mass = result.dt["prior"]["mass_flow"].transpose("chain", "draw", "flow", "year")
    flow, year = np.nonzero(np.isfinite(mass.values[0, 0]))
    cells = mass.values[:, :, flow, year].reshape(-1, flow.size)
    low, middle, high = quantiles(cells, (0.05, 0.5, 0.95))
    with np.errstate(divide="ignore", invalid="ignore"):
        orders = np.log10(high / low)
    table = pd.DataFrame(
        {
            "flow": mass["flow"].values[flow],
            "year": mass["year"].values[year],
            "prior_median": middle,
            "prior_eti90_lb": low,
            "prior_eti90_ub": high,
            "orders": orders,
        }
    )
    # One line per flow, for its worst year.
    worst = table.sort_values("orders", ascending=False).drop_duplicates("flow", ignore_index=True)
    wide = worst[worst["orders"] > MOST_ORDERS]
    message = f"The widest of the implied priors of {len(worst)} flows, '{worst['flow'][0]}' in {worst['year'][0]}, "
    message += f"spans {worst['orders'][0]:.1f} orders of magnitude (90 %)"
    message += f"; {len(wide)} flows span more than {MOST_ORDERS:g}." if len(wide) else "."
    remedy = "Tighten the rows of the processes that feed them."
    shown = wide if len(wide) else worst.head(10)
    return warned("prior of flows", worst["orders"][0], "<=", MOST_ORDERS, message, remedy, shown)


def _headlines(result: Result) -> list[CheckResult]:
    """Headlines that the priors alone make near certain."""
    rows = []
    for key in result.once(headline_draws):
        prior = spread(key.prior[:, None])
        low, middle, high = (float(ends[0]) for ends in (prior.lower, prior.median, prior.upper))
        if not np.isfinite(middle) or is_fixed(prior)[0]:
            continue
        certain = high < NEAR_CERTAIN_FACTOR * low if key.mass else high - low < NEAR_CERTAIN_RATIO
        rows.append((key.label, middle, low, high, bool(certain)))
    if not rows:
        return []
    columns = ["headline", "prior_median", "prior_eti90_lb", "prior_eti90_ub", "near_certain"]
    table = pd.DataFrame(rows, columns=columns).sort_values("near_certain", ascending=False, ignore_index=True)
    settled = table[table["near_certain"]]
    message = f"The priors alone leave open all {len(table)} headlines."
    if len(settled):
        message = f"The priors alone make {len(settled)} of {len(table)} headlines near certain: "
        message += f"{'; '.join(settled['headline'].head(3))}{' …' if len(settled) > 3 else ''}."
    remedy = "No evidence can change what the priors exclude: widen them, or state it as an assumption."
    return [warned("prior of headlines", len(settled), "<=", 0, message, remedy, table)]


def _rows(result: Result) -> list[CheckResult]:
    """Rows of the priors table whose spreads add up to a log-sd above 1."""
    if not result.has_case or result.case.prior_measure != "coordinates" or not result.case.priors:
        return []
    case = result.case
    spread = [total_log_sd(case, row) for row in case.priors]
    table = pd.DataFrame(
        {
            "line": [row.line for row in case.priors],
            "prior": [row.name for row in case.priors],
            "years": [condensed(row.years) for row in case.priors],
            "log_sd": spread,
            "reason": [row.reason for row in case.priors],
        }
    ).sort_values("log_sd", ascending=False, ignore_index=True)
    wide = table[table["log_sd"] > WIDE]
    message = f"The widest of {len(table)} rows of priors has a log-sd of {table['log_sd'][0]:.2f}"
    message += f"; {len(wide)} are above {WIDE:g}, a factor of five either way." if len(wide) else "."
    remedy = "Their column reason should say why; else tighten them."
    shown = wide if len(wide) else table.head(10)
    return [warned("width of priors", table["log_sd"][0], "<=", WIDE, message, remedy, shown)]
