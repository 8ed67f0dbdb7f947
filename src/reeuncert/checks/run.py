"""Checks of the run: whether it is complete and balanced, and whether its chains can be trusted."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.checks.result import CheckResult, information, judged
from reeuncert.indicators.headlines import headline_values
from reeuncert.indicators.summary import all_indicators
from reeuncert.result.diagnostics import LARGEST_R_HAT, MEASURES, SMALLEST_ESS, bfmi, diagnose, misses
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.estimates import with_unit


def completeness(result: Result) -> list[CheckResult]:
    """Report an interrupted run or a preview; nothing for a complete run."""
    found = []
    sizes = result.dt["posterior"].sizes if "posterior" in result.dt.children else {}
    kept = f"{sizes.get('chain', 0)} chains of {sizes.get('draw', 0)} draws"
    if result.approximate:
        message = f"Approximate: a preview of {kept}, not meant to converge; quote nothing of it."
        found.append(information("quick look", message))
    if not result.complete:
        asked = f"{result.dt.attrs.get('chains', '?')} chains of {result.dt.attrs.get('draws', '?')} draws"
        message = f"The run was interrupted: it holds {kept} where {asked} were asked for."
        found.append(information("interrupted", message))
    return found


LARGEST_RESIDUAL = 1e-9


def balance(result: Result) -> list[CheckResult]:
    """Largest imbalance relative to throughput over processes, years and draws; and the smallest flow."""
    mass = mass_flow(result.dt)
    worst, where = largest_residual(mass)
    message = f"The largest imbalance over all processes, years and draws is {worst:.2g} of the throughput"
    message += f" (process '{where[0]}', {where[1]})." if where else "."
    remedy = "Flows were changed after sampling, or the file is damaged."
    smallest = float(np.nanmin(mass.values))
    told = f"The smallest flow in any draw is {with_unit(smallest, mass.attrs.get('units', ''))}."
    return [
        judged("balance", worst, "<=", LARGEST_RESIDUAL, message, remedy),
        judged("positive flows", smallest, ">", 0, told, remedy),
    ]


def largest_residual(mass: xr.DataArray) -> tuple[float, tuple[str, int] | None]:
    """Largest relative imbalance, with its process and year.

    `mass` has the dims (chain, draw, flow, year) and the coordinates from_process and to_process; it is NaN where a
    flow is absent. A stock (a flow from a process to itself) leaves in its year and enters in the next; if the process
    has no outflow in the next year, the stock leaves the system.
    """
    source, target = mass["from_process"].values.astype(str), mass["to_process"].values.astype(str)
    values, stock = mass.values, source == target
    present = np.isfinite(values[0, 0])
    worst, where = 0.0, None
    for process in sorted({*source, *target} - {OUTSIDE}):
        leaves, enters, keeps = source == process, (target == process) & ~stock, (source == process) & stock
        outflow = np.nansum(values[:, :, leaves], axis=2)
        inflow = np.nansum(values[:, :, enters], axis=2)
        carried = np.nansum(values[:, :, keeps, :-1], axis=2)
        inflow[:, :, 1:] += carried * present[leaves, 1:].any(axis=0)
        through = np.maximum(np.maximum(inflow, outflow), np.finfo(float).tiny)
        residual = np.abs(inflow - outflow) / through
        largest = float(residual.max(initial=0.0)) if np.isfinite(residual).all() else np.inf
        if largest > worst:
            year = int(np.unravel_index(residual.argmax(), residual.shape)[2])
            worst, where = largest, (process, int(mass["year"].values[year]))
    return worst, where


ENOUGH_ESS = 1400
"""With four chains, R-hat is about 1 + 4 / ESS on average; from this ESS on, chance alone lifts it above 1.01 in fewer
than one of a thousand quantities."""

_CALLED = dict(zip(MEASURES, ("R-hat", "bulk ESS", "tail ESS"), strict=True))


def convergence(result: Result) -> list[CheckResult]:
    """Worst R-hat, bulk ESS and tail ESS of flows and of indicators.

    Thresholds of Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), *Bayesian Analysis* 16(2), doi
    10.1214/20-BA1221: rank-normalised split R-hat at most 1.01; bulk and tail effective sample size at least 400, for
    every flow (log scale) in every year and every value of every indicator.
    """
    tables = {"flows": result.flows}
    if "derived" in result.dt.children:
        tables["indicators"] = result.once(all_indicators)
    tables = {what: table for what, table in tables.items() if not table.empty}
    remedy = _draws_needed(result.dt["posterior"].sizes["draw"], tables.values())
    found = [
        _worst_of(what, table, measure, remedy=remedy, approximate=result.approximate)
        for what, table in tables.items()
        for measure in MEASURES
    ]
    if "indicators" not in tables:
        found.append(information("indicators", "No indicator has been added to this result; none was checked."))
    return found


def _draws_needed(draws: int, tables: Iterable[pd.DataFrame]) -> str:
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


def _worst_of(what: str, table: pd.DataFrame, column: str, *, remedy: str, approximate: bool) -> CheckResult:
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
    message += f"; {len(bad):,} are {'below' if small_is_bad else 'above'} {threshold:g}." if len(bad) else "."
    if approximate:
        return information(name, message, value)
    worst = bad.sort_values(column, ascending=small_is_bad).head(10)
    return judged(name, value, ">=" if small_is_bad else "<=", threshold, message, remedy, worst)


SMALLEST_BFMI = 0.3
LARGEST_SHARE_AT_DEPTH = 0.01


def geometry(result: Result) -> list[CheckResult]:
    """Divergences, energy fraction and tree depth, if the sampler reports them.

    Divergences and the energy fraction: Betancourt (2017), arXiv 1701.02434; E-BFMI: Betancourt (2016), arXiv
    1604.00695.
    """
    if "sample_stats" not in result.dt.children:
        return [information("sampler", "This result holds no statistics of a sampler.")]
    stats = result.dt["sample_stats"].to_dataset().transpose("chain", "draw", ...)
    found = []
    if "diverging" in stats:
        count, draws = int(stats["diverging"].sum()), stats["diverging"].size
        told = f"{count:,} of {draws:,} draws diverged: intervals may be too narrow."
        remedy = "Raise target_accept to 0.95; if they stay, a prior or the width of a source is extreme."
        found.append(judged("divergences", count, "<=", 0, told if count else "No draw diverged.", remedy))
    if "energy" in stats:
        values = bfmi(stats["energy"].values, stats["energy_before"].values if "energy_before" in stats else None)
        known = values[np.isfinite(values)]
        if known.size:
            least = float(known.min())
            message = f"The smallest energy fraction (E-BFMI) of {known.size} chains is {least:.2f}."
            remedy = "The tails are explored slowly: a prior is much wider than the evidence can follow."
            found.append(judged("energy fraction", least, ">=", SMALLEST_BFMI, message, remedy))
    if "reached_max_treedepth" in stats:
        share = float(stats["reached_max_treedepth"].mean())
        message = f"{100 * share:.2g} % of the draws stopped at the largest tree depth."
        remedy = "The chains move slowly; the scales of the priors differ too much."
        found.append(judged("tree depth", share, "<=", LARGEST_SHARE_AT_DEPTH, message, remedy))
    return found


LARGEST_ERROR = 0.05
"""Largest standard error of a bound of a 90 % interval, relative to the interval width."""

MOST_CELLS = 1_000
"""Largest number of flows tested (evenly spaced if there are more)."""


def monte_carlo(result: Result) -> list[CheckResult]:
    """Monte Carlo error of the interval bounds of headlines and of flows (on the log scale).

    Monte Carlo standard errors of quantiles: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), *Bayesian Analysis*
    16(2), doi 10.1214/20-BA1221, section 4.4.
    """
    if "posterior" not in result.dt.children:
        return [information("error of interval ends", "This result holds no posterior.")]
    mass = mass_flow(result.dt)
    flow, year = np.nonzero(np.isfinite(mass.values[0, 0]))
    step = max(1, -(-flow.size // MOST_CELLS))
    flow, year = flow[::step], year[::step]
    cells = mass.values[:, :, flow, year]
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = relative_error(np.log(cells))
    labels = {"flow": mass["flow"].values[flow], "year": mass["year"].values[year]}
    found = [_judge("interval ends of flows", pd.DataFrame(labels | {"error": errors}), result)]
    keys = result.once(headline_values)
    if keys:
        errors = relative_error(np.stack([k.filled for k in keys], axis=2))
        table = pd.DataFrame({"headline": [k.label for k in keys], "error": errors})
        found.append(_judge("interval ends of headlines", table, result))
    return found


def relative_error(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard error of the worse bound of each 90 % interval, relative to its width. Shape (chain, draw, ...) → (...);
    NaN where a quantity is constant or not finite in some draw.
    """
    found = diagnose(draws, mcse=True)
    width = found.upper - found.lower
    # A quantity that varies by rounding alone has no interval.
    width = np.where(width > 1e-9 * np.abs(found.median), width, np.nan)
    return np.asarray(np.maximum(found.mcse_lower, found.mcse_upper) / width)


def _judge(name: str, table: pd.DataFrame, result: Result) -> CheckResult:
    known = table[np.isfinite(table["error"])].sort_values("error", ascending=False, ignore_index=True)
    if known.empty:
        return information(name, "Their Monte Carlo error cannot be computed: it needs more draws.")
    worst, bad = float(known["error"][0]), known[known["error"] > LARGEST_ERROR]
    message = f"The largest Monte Carlo error of an interval end is {100 * worst:.1f} % of the width of its interval, "
    message += f"over {len(known):,}; {len(bad):,} are above {100 * LARGEST_ERROR:g} %."
    if result.approximate:
        return information(name, message, worst)
    remedy = "Take more draws (--draws) before you quote an end to two digits."
    return judged(name, worst, "<=", LARGEST_ERROR, message, remedy, bad.head(10))
