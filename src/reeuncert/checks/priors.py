"""Checks of the priors: what they imply, and how far the evidence lies from it."""

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.indicators.headlines import headline_values
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.predictive import drawn, predictive_draws
from reeuncert.priors.checks import WIDE, total_log_sd
from reeuncert.priors.implied import MOST_ORDERS
from reeuncert.result.diagnostics import Estimate
from reeuncert.result.learning import PRIOR_ROUNDING, is_fixed
from reeuncert.result.quantiles import Array, quantiles, spread
from reeuncert.result.result import Result
from reeuncert.result.tables import prior_flow
from reeuncert.result.verdicts import room
from reeuncert.words.cells import as_words, condensed
from reeuncert.words.estimates import printed
from reeuncert.words.qualifiers import BOUND_QUALIFIERS


def prior_predictive(result: Result) -> list[CheckResult]:
    """Implied priors of flows, near-certain headlines, and rows of the priors table with a log-sd above 1."""
    mass = prior_flow(result.dt)
    if mass is None:
        return [information("prior of flows", "The prior was not simulated: not checked.")]
    return [_implied_priors(mass), *_prior_of_headlines(result), *_widths_of_rows(result)]


def _implied_priors(mass: xr.DataArray) -> CheckResult:
    """Flows whose implied prior spans more than four orders of magnitude."""
    flow, year = np.nonzero(np.isfinite(mass.values[0, 0]))
    cells = mass.values[:, :, flow, year].reshape(-1, flow.size)
    low, middle, high = quantiles(cells, (0.05, 0.5, 0.95))
    with np.errstate(divide="ignore", invalid="ignore"):
        orders = np.log10(high / low)
    columns = {"flow": mass["flow"].values[flow], "year": mass["year"].values[year], "prior_median": middle}
    table = pd.DataFrame(columns | {"prior_eti90_lb": low, "prior_eti90_ub": high, "orders": orders})
    # One line per flow, for its worst year.
    worst = table.sort_values("orders", ascending=False).drop_duplicates("flow", ignore_index=True)
    wide = worst[worst["orders"] > MOST_ORDERS]
    message = f"The widest of the implied priors of {len(worst)} flows, '{worst['flow'][0]}' in {worst['year'][0]}, "
    message += f"spans {worst['orders'][0]:.1f} orders of magnitude (90 %)"
    message += f"; {len(wide)} flows span more than {MOST_ORDERS:g}." if len(wide) else "."
    remedy = "Tighten the rows of the processes that feed them."
    shown = wide if len(wide) else worst.head(10)
    return warned("prior of flows", worst["orders"][0], "<=", MOST_ORDERS, message, remedy, shown)


def _prior_of_headlines(result: Result) -> list[CheckResult]:
    """Headlines that the priors alone make near certain."""
    rows = []
    for key in result.once(headline_values):
        prior = spread(key.prior[:, None])
        low, middle, high = (float(ends[0]) for ends in (prior.lower, prior.median, prior.upper))
        if not np.isfinite(middle) or is_fixed(prior, PRIOR_ROUNDING)[0]:
            continue
        rows.append((key.label, middle, low, high, room(Estimate(low), Estimate(high), mass=key.mass).value < 1.0))
    if not rows:
        return []
    columns = ["headline", "prior_median", "prior_eti90_lb", "prior_eti90_ub", "near_certain"]
    table = pd.DataFrame(rows, columns=columns).sort_values("near_certain", ascending=False, ignore_index=True)
    settled = table[table["near_certain"]]
    named = f"{'; '.join(settled['headline'].head(3))}{' …' if len(settled) > 3 else ''}"
    message = f"The priors alone make {len(settled)} of {len(table)} headlines near certain: {named}."
    message = message if len(settled) else f"The priors alone leave open all {len(table)} headlines."
    remedy = "No evidence can change what the priors exclude: widen them, or state it as an assumption."
    return [warned("prior of headlines", len(settled), "<=", 0, message, remedy, table)]


def _widths_of_rows(result: Result) -> list[CheckResult]:
    """Rows of the priors table whose spreads add up to a log-sd above 1."""
    case = result.case
    if case.prior_measure != "coordinates" or not case.priors:
        return []
    rows = [(row.line, row.name, condensed(row.years), total_log_sd(case, row), row.reason) for row in case.priors]
    table = pd.DataFrame(rows, columns=["line", "prior", "years", "log_sd", "reason"])
    table = table.sort_values("log_sd", ascending=False, ignore_index=True)
    wide = table[table["log_sd"] > WIDE]
    message = f"The widest of {len(table)} rows of priors has a log-sd of {table['log_sd'][0]:.2f}"
    message += f"; {len(wide)} are above {WIDE:g}, a factor of five either way." if len(wide) else "."
    remedy = "Their column reason should say why; else tighten them."
    shown = wide if len(wide) else table.head(10)
    return [warned("width of priors", table["log_sd"][0], "<=", WIDE, message, remedy, shown)]


FEWEST_ROWS = 3
"""A shorter series is close by chance too often."""

LEVEL = 0.05
"""Probability that chance alone makes a check warn (Šidák's correction for the number of series)."""


def prior_distance(result: Result) -> list[CheckResult]:
    """Series of evidence, by lineage and quantity, that lie closer to the priors, or farther from them, than chance.

    The distance of a series of n figures is d² = (y − μ)ᵀ Σ⁻¹ (y − μ), with μ and Σ from half of the prior predictive
    draws; its law is that of d² of the other half, which is χ²ₙ where all is normal. If that half is too few draws for
    the limit that many series need, a series is named if it lies beyond all of them, and the message tells how often
    chance does that.
    """
    if result.evidence is None or "prior" not in result.dt.children:
        return [information("priors and evidence", "The prior was not simulated, or there is no evidence.")]
    prior = drawn(result.dt["prior"].to_dataset())
    figures = predictive_draws(result.evidence, *prior, rng=np.random.default_rng(1))
    figures = figures.reshape(-1, result.evidence.n_rows)
    table, least = series_table(result.evidence, figures), 1.0 / (1 + len(figures[1::2]))
    if table.empty:
        return [information("priors and evidence", f"No series of evidence has {FEWEST_ROWS} figures.")]
    twice = "These priors follow the figures, which then count twice: write them from what was known before."
    conflict = "Priors and evidence are in conflict: read the rows again, else the priors are too narrow or off."
    return [
        _extreme(table, "priors do not follow the evidence", "closer", ("closer to", "closest"), least, twice),
        _extreme(table, "priors and evidence agree", "farther", ("farther from", "farthest"), least, conflict),
    ]


def series_table(evidence: EvidenceModel, drawn: Array) -> pd.DataFrame:
    """Distance of each series from the prior predictive draws (draw, row), the closest first.

    Columns ``lineage``, ``quantity``, ``rows``, ``d2``, and ``closer`` and ``farther``, the probabilities of so small
    and of so large a distance.
    """
    series: dict[tuple[str, str], list[int]] = {}
    for r, row in enumerate(evidence.rows):
        if row.qualifier not in BOUND_QUALIFIERS:
            fields = row.selector.fields
            about = "+".join(fields.get("quantity") or fields.get("flow") or ("flows",))
            series.setdefault((row.lineage, as_words(f"{row.element} {row.relation} of {about}".strip())), []).append(r)
    rows = [
        (*name, len(members), *distance(evidence.value[members], drawn[:, members]))
        for name, members in series.items()
        if len(members) >= FEWEST_ROWS
    ]
    table = pd.DataFrame(rows, columns=["lineage", "quantity", "rows", "d2", "closer", "farther"])
    return table.sort_values("closer", ignore_index=True)


def distance(figures: Array, drawn: Array) -> tuple[float, float, float]:
    """d² of figures (row), and the probabilities that draws (draw, row) are at most, and at least, as far."""
    first, other = drawn[::2], drawn[1::2]
    factor = np.linalg.cholesky(np.cov(first, rowvar=False) + 1e-12 * np.diag(first.var(axis=0)))
    whitened = np.linalg.solve(factor, (np.vstack([figures, other]) - first.mean(axis=0)).T)
    d2 = np.square(whitened).sum(axis=0)
    count = len(other) + 1
    return float(d2[0]), float((1 + (d2[1:] <= d2[0]).sum()) / count), float((1 + (d2[1:] >= d2[0]).sum()) / count)


def _extreme(
    table: pd.DataFrame, name: str, side: str, words: tuple[str, str], least: float, remedy: str
) -> CheckResult:
    """Whether the series at one end (``closer``, ``farther``) lie there by chance; ``least``: the smallest probability
    that the draws can tell.
    """
    ranked = table.sort_values(side, ignore_index=True)
    limit = max(1.0 - (1.0 - LEVEL) ** (1.0 / len(table)), least)
    worst, count = ranked.iloc[0], int((ranked[side] <= limit).sum())
    chance = printed(1.0 - (1.0 - limit) ** len(table), ".0%")
    message = (
        f"Of {len(table)} series of evidence, {count} lie {words[0]} what the priors predict than chance allows "
        f"(P = {limit:.2g} for one, {chance} for any of them); the {words[1]}, {worst['quantity']} of "
        f"{worst['lineage']}, has d² = {worst['d2']:.1f} on {worst['rows']} figures (P = {worst[side]:.2g})."
    )
    if limit == least:
        message += (
            " The draws from the prior tell no smaller P: take more of them (`prior_draws` of `reeuncert.sample`)."
        )
    return warned(name, count, "<=", 0, message, remedy, ranked)
