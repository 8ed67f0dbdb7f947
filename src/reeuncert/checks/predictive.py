"""Predictive checks: reported figures against what the model predicts of them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from reeuncert.case.figures import LOGIT
from reeuncert.checks.result import CheckResult, information, judged, warned
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.predictive import drawn, log_likelihood, offset_draws, predicted_quantities, predictive_draws
from reeuncert.result.left_out import left_out_of
from reeuncert.result.quantiles import Array
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.words.cells import condensed
from reeuncert.words.error_laws import INTERVAL
from reeuncert.words.estimates import estimate, printed
from reeuncert.words.qualifiers import BOUND_QUALIFIERS
from reeuncert.words.units import SHARE_RELATIONS

COVERED = 0.9
MOST_DRAWS = 1000
"""Number of draws over which tail probabilities are averaged."""

SURPRISING = 0.01
"""Tail probability below which a row disagrees with the model."""

MOST_SURPRISING = 0.05
"""Share of rows that may disagree; by chance alone it would be 0.01 or less."""

PULLING = 1.0
"""Two rows on the same flow conflict if their z have opposite signs and both exceed this."""


def posterior_predictive(result: Result) -> list[CheckResult]:
    """Rows that disagree with the model, by source, and conflicting sources.

    In-sample: each row was part of the fit, so misfit is understated.
    """
    evidence = result.evidence
    if evidence is None or "posterior" not in result.dt.children:
        return [information("evidence rows", "This result holds no evidence: nothing to predict.")]
    table = result.once(predicted_rows)
    bad = table[surprising(table)]
    share = len(bad) / len(table)
    message = f"{len(bad)} of {len(table)} rows of evidence disagree with the model (tail probability below "
    message += f"{SURPRISING:g}"
    message += f", most of all '{bad.iloc[0]['row']}' of {bad.iloc[0]['source']})" if len(bad) else ")"
    spread = float(np.sqrt(np.square(table["z"]).mean()))  # of bounds it is NaN, and left out
    message += f"; the root mean square of their z is {spread:.2f} (in-sample residuals: below 1). Rows can hardly "
    message += f"disagree one by one: {result.network.n_coordinates:,} free quantities follow them; the check of pairs "
    message += "of records is harder to pass."
    remedy = "Read these rows again: unit, basis, years; else the class of their sources is too narrow."
    verdict = judged("evidence rows", share, "<=", MOST_SURPRISING, message, remedy, table.head(40))
    return [verdict, _sources(table), _opposed(evidence, table)]


def predicted_rows(result: Result) -> pd.DataFrame:
    """`row_table` of the draws of a result that has evidence."""
    evidence = result.evidence
    if evidence is None:
        raise ReeUncertError(f"case '{result.case.name}' has no evidence: there is nothing to compare with predictions")
    mass_flow(result.dt)  # refuses a result without draws
    return row_table(evidence, result.dt["posterior"].to_dataset())


def surprising(table: pd.DataFrame) -> pd.Series:
    """Which rows of a `row_table` disagree with the model."""
    return table["tail"] < SURPRISING


def row_table(evidence: EvidenceModel, draws: xr.Dataset) -> pd.DataFrame:
    """Every row of evidence against its predictive distribution, largest misfit first.

    Columns: ``row``, ``source``, ``lineage``, ``qualifier``, ``reported``, ``unit``; ``predicted``, ``predicted_lb``
    and ``predicted_ub`` (median and 90 % of the figure without error, in the unit of the row); ``below`` (probability
    that a new figure is less than the reported one, plus half that it is rounded to the same) and ``z`` (its normal
    score; above 0 if the reported figure exceeds the expectation), NaN for bounds and ranges; ``tail`` (tail
    probability, two-sided, of bounds one-sided);
    ``violation`` (of bounds and ranges: probability that a new figure violates them; else NaN).
    """
    mass, width, offset = thinned(draws)
    bound = np.array([row.qualifier in BOUND_QUALIFIERS for row in evidence.rows])
    one_sided = np.isinf(evidence.lower) | np.isinf(evidence.upper)
    rounded = evidence.form == INTERVAL
    top, bottom = np.where(rounded, evidence.upper, 0.0), np.where(rounded, evidence.lower, 0.0)
    below = _probability(evidence, mass, width, offset, np.full(evidence.n_rows, -np.inf), top)
    above = _probability(evidence, mass, width, offset, bottom, np.full(evidence.n_rows, np.inf))
    tail = np.minimum(np.minimum(below, above) * np.where(one_sided, 1.0, 2.0), 1.0)
    # Both have the cell of a rounded figure: half of it counts to either side.
    less = np.where(rounded, (below + np.maximum(1.0 - above, 0.0)) / 2, below)
    more = np.where(rounded, (above + np.maximum(1.0 - below, 0.0)) / 2, above)
    z = np.where(less < more, ndtri(np.maximum(less, 1e-300)), -ndtri(np.maximum(more, 1e-300)))
    holds = np.exp(log_likelihood(evidence, mass, width, offset)).mean(axis=0)
    eta = predicted_quantities(evidence, mass, offset)
    low, middle, high = evidence.to_unit(np.quantile(eta, [0.05, 0.5, 0.95], axis=0))
    reported = [np.nan if row.qualifier == "range" else row.value for row in evidence.rows]
    table = pd.DataFrame(
        {
            "row": evidence.ids,
            "source": [row.source_id for row in evidence.rows],
            "lineage": evidence.lineage,
            "qualifier": [row.qualifier for row in evidence.rows],
            "reported": np.where(np.isnan(reported), evidence.to_unit(evidence.value), reported),
            "unit": [row.unit for row in evidence.rows],
            "predicted": middle,
            "predicted_lb": low,
            "predicted_ub": high,
            "below": np.where(bound, np.nan, less),
            "z": np.where(bound, np.nan, z),
            "tail": tail,
            "violation": np.where(bound, 1 - holds, np.nan),
        }
    )
    return table.sort_values("tail", ignore_index=True)


def _sources(table: pd.DataFrame) -> CheckResult:
    """Sources most of whose rows disagree."""
    groups = table.assign(disagrees=surprising(table)).groupby("source")
    sources = pd.DataFrame(
        {
            "rows": groups.size(),
            "disagree": groups["disagrees"].sum(),
            "mean_z": groups["z"].mean(),
            "root_mean_square_z": np.sqrt(groups["z"].agg(lambda z: np.square(z).mean())),
            "smallest_tail": groups["tail"].min(),
        }
    ).reset_index()
    sources = sources.sort_values(["disagree", "root_mean_square_z"], ascending=False, ignore_index=True)
    # Single outliers are expected; a source with a tenth of its rows outside has too narrow a class.
    bad = sources[(sources["disagree"] > 0) & (sources["disagree"] > 0.1 * sources["rows"])]
    message = f"In {len(bad)} of {len(sources)} sources more than a tenth of the rows disagree with the model"
    message += f": {', '.join(bad['source'].head(5))}." if len(bad) else "."
    remedy = "Read them again, or give them a wider class."
    return warned("evidence sources", len(bad), "<=", 0, message, remedy, sources)


def _opposed(evidence: EvidenceModel, table: pd.DataFrame) -> CheckResult:
    """Pairs of sources whose rows on the same flows conflict."""
    z = dict(zip(table["row"], table["z"], strict=True))
    speakers: dict[int, list[int]] = {}
    sums = evidence.numerator
    for r, row in enumerate(evidence.rows):
        if row.relation == "level" and np.isfinite(z[row.id]):
            for k in sums.edge[sums.pointer[r] : sums.pointer[r + 1]]:
                speakers.setdefault(int(k), []).append(r)
    met = dict.fromkeys(pair for rows in speakers.values() for pair in combinations(rows, 2))
    found = [(a, b) for a, b in met if evidence.lineage[a] != evidence.lineage[b]]
    lines = []
    for a, b in found:
        above, under = sorted((evidence.rows[a], evidence.rows[b]), key=lambda row: -z[row.id])
        if z[above.id] > PULLING and z[under.id] < -PULLING:
            lines.append((above.source_id, above.id, z[above.id], under.source_id, under.id, z[under.id]))
    columns = ["reports_more", "its_row", "its_z", "reports_less", "that_row", "that_z"]
    pairs = pd.DataFrame(lines, columns=columns)
    pairs = pairs.assign(apart=pairs["its_z"] - pairs["that_z"]).sort_values("apart", ascending=False)
    sources = sorted({(a, b) for a, b in zip(pairs["reports_more"], pairs["reports_less"], strict=True)})
    message = f"Of {len(found)} pairs of rows of different lineages on the same flows, {len(pairs)} pull against each "
    message += "other (z above 1 one way and the other)"
    message += f": {', '.join(f'{a} above {b}' for a, b in sources[:4])}." if sources else "."
    return information("opposed sources", message, len(pairs), pairs.reset_index(drop=True) if len(pairs) else None)


def thinned(draws: xr.Dataset) -> tuple[Array, Array | None, Array | None]:
    """Flows, widths and offsets of at most `MOST_DRAWS` draws, evenly spaced over all chains."""
    step = max(1, -(-draws.sizes["chain"] * draws.sizes["draw"] // MOST_DRAWS))

    def flat(values: Array) -> Array:
        return np.ascontiguousarray(values.reshape(-1, *values.shape[2:])[::step])

    mass, width, offset = drawn(draws)
    return flat(mass), None if width is None else flat(width), None if offset is None else flat(offset)


def _probability(
    evidence: EvidenceModel, mass: Array, width: Array | None, offset: Array | None, low: Array, high: Array
) -> Array:
    """Probability that a new figure of each row lies between the reported one plus ``low`` and plus ``high`` (row,)."""
    asked = replace(evidence, form=np.full(evidence.n_rows, INTERVAL), lower=low, upper=high)
    return np.asarray(np.exp(log_likelihood(asked, mass, width, offset)).mean(axis=0))


PAIR_LEVEL = 0.05
"""Probability that chance alone makes the check warn (Šidák's correction for the number of ratios)."""

PAIR_COLUMNS = ("rows", "over", "under", "years", "printed", "predicted", "predicted_lb", "predicted_ub", "tail")
REPEATS = 5
"""Draws of errors for each draw of the posterior."""

Record = list[int]
"""Rows whose product is the record: a level, or a share or ratio and the level of its whole."""


def record_pairs(result: Result) -> list[CheckResult]:
    """Ratios of two records that the model does not expect.

    A row alone can hardly disagree: flows and errors of a year follow it. Here the errors of single years are drawn
    again, so that a ratio disagrees where the model needs a rare error of an office in that very year (a mixed
    predictive check: Marshall & Spiegelhalter 2003, *Statistics in Medicine* 22(10) 1649-1660).
    """
    name = "pairs of records"
    if result.evidence is None or "posterior" not in result.dt.children:
        return [information(name, "This result holds no evidence: nothing to predict.")]
    table = pair_table(result, result.evidence)
    if table.empty:
        return [information(name, "No two sources print a figure of the same flows in one year.")]
    first, limit = table.iloc[0], 1.0 - (1.0 - PAIR_LEVEL) ** (1.0 / len(table))
    message = f"Of {len(table)} ratios of two records by year, the one that the model expects least is "
    message += f"{first['rows']} in {first['years']}: printed {first['printed']:.2f}, predicted "
    message += f"{estimate(first['predicted'], first['predicted_lb'], first['predicted_ub'])}."
    remedy = "The difference of two offices changes with the years in a way that the model lacks: read both records "
    remedy += "again."
    return [warned(name, first["tail"], ">=", limit, message, remedy, table)]


def pair_table(result: Result, evidence: EvidenceModel) -> pd.DataFrame:
    """Printed and predicted ratio of every two records of different lineages that share origin, destination, end use
    and a flow; the least expected first.

    Columns ``rows``, ``over`` and ``under`` (sources), ``years``, ``printed``, ``predicted``, ``predicted_lb``,
    ``predicted_ub`` (90 %), ``tail`` (two-sided probability of a ratio as far from the expected one).
    """
    mass, width, offset = thinned(result.dt["posterior"].to_dataset())
    mass = np.broadcast_to(mass[:, None], (len(mass), REPEATS, *mass.shape[1:]))  # a view
    width, offset = (None if one is None else np.repeat(one[:, None], REPEATS, axis=1) for one in (width, offset))
    rng = np.random.default_rng(1)
    if offset is not None:
        offset = _new_years(evidence, offset, rng)
    predicted = _logs(evidence, predictive_draws(evidence, mass, width, offset, rng=rng)).reshape(-1, evidence.n_rows)
    printed = _logs(evidence, evidence.value)
    found = []
    for over, under in _pairs(result, evidence):
        ratios, ratio = (logs[..., over].sum(-1) - logs[..., under].sum(-1) for logs in (predicted, printed))
        low, middle, high = np.exp(np.quantile(ratios, [0.05, 0.5, 0.95]))
        below = (1 + (ratios <= ratio).sum()) / (1 + len(ratios)), (1 + (ratios >= ratio).sum()) / (1 + len(ratios))
        names = [" x ".join(evidence.ids[r] for r in record) for record in (over, under)]
        sources = [evidence.rows[record[0]].source_id for record in (over, under)]
        years = condensed(evidence.rows[over[0]].years)
        found.append((" / ".join(names), *sources, years, np.exp(ratio), middle, low, high, min(1.0, 2 * min(below))))
    return pd.DataFrame(found, columns=list(PAIR_COLUMNS)).sort_values("tail", ignore_index=True)


def _pairs(result: Result, evidence: EvidenceModel) -> Iterator[tuple[Record, Record]]:
    """Two records of one year, element, origin, destination and end use, of different lineages, with a common flow."""
    flows = result.case.system.flows
    groups = defaultdict(list)
    for record, edges in _records(evidence):
        row, about = evidence.rows[record[0]], [flows[f] for f in evidence.edge_flow[list(edges)]]
        ends = (frozenset(getattr(flow, name) for flow in about) for name in ("origin", "destination", "end_use"))
        groups[row.years, row.element, *ends].append((record, edges))
    for same in groups.values():
        for (first, its), (second, others) in combinations(same, 2):
            if its & others and not {evidence.lineage[r] for r in first} & {evidence.lineage[r] for r in second}:
                yield second, first


def _records(evidence: EvidenceModel) -> Iterator[tuple[Record, frozenset[int]]]:
    """Each record with its flows and years (edges)."""
    top, bottom = (
        [frozenset(side.edge[a:b].tolist()) for a, b in pairwise(side.pointer)]
        for side in (evidence.numerator, evidence.denominator)
    )
    figure = ~evidence.plain & [row.qualifier not in BOUND_QUALIFIERS for row in evidence.rows]
    levels: dict[frozenset[int], int] = {}
    for r in np.argsort(evidence.row_sigma(evidence.widths.median), kind="stable"):
        if figure[r] and evidence.rows[r].relation == "level":
            levels.setdefault(top[r], int(r))
            yield [int(r)], top[r]
    for r, row in enumerate(evidence.rows):
        if figure[r] and row.relation in SHARE_RELATIONS:
            whole = bottom[r] if evidence.scale[r] != LOGIT else top[r] | bottom[r]
            if whole in levels:
                yield [r, levels[whole]], top[r]


def _logs(evidence: EvidenceModel, figures: Array) -> Array:
    """Logs of figures on the scales of their rows (..., row)."""
    logit = np.array([scale == LOGIT for scale in evidence.scale])
    return np.where(logit, -np.logaddexp(0.0, -figures), figures)


def _new_years(evidence: EvidenceModel, offset: Array, rng: np.random.Generator) -> Array:
    """Draws of offsets (sample, value), those that rows of one year alone use drawn again from their law."""
    offsets = evidence.offsets
    years: dict[int, set[int]] = defaultdict(set)
    for row, (a, b) in zip(evidence.rows, pairwise(offsets.pointer), strict=True):
        for value in offsets.index[a:b]:
            years[value].update(row.years, row.of_years)
    once = [len(years[value]) == 1 for value in range(len(offsets.label))]
    return np.where(once, offset_draws(evidence, offset.shape[:-1], rng), offset)


def leave_out(result: Result) -> list[CheckResult]:
    """Coverage of left-out figures at 50, 80, 90 and 95 %, compared with that of the prior."""
    found = left_out_of(result.dt)
    if found is None:
        message = "No fit without part of the evidence was made: how well the rest predicts a figure is not known. "
        return [information("left-out figures", message + "Run `reeuncert leave-out` on the results.")]
    sources = dict(list(found.by_source().groupby("scheme")))
    parts = found.coverage().groupby("scheme", sort=False)
    return [line for name, part in parts for line in _verdicts(str(name), part, sources[name].drop(columns="scheme"))]


def _verdicts(scheme: str, part: pd.DataFrame, sources: pd.DataFrame) -> list[CheckResult]:
    """Whether intervals are too narrow, and whether they are too wide, as far as the few lineages can tell."""
    here = part.loc[part["level"] == COVERED].iloc[0]
    levels, priors, asked = (
        ", ".join(printed(share, ".0%") for share in part[c]) for c in ("coverage", "prior_coverage", "level")
    )
    held = printed(COVERED, ".0%")
    message = (
        f"Of {here['figures']:.0f} figures, each predicted without its fold ({here['folds']:.0f} folds), "
        f"{levels} fall in the central {asked} intervals (by the prior alone: {priors}). Figures of one lineage miss "
        f"together: they count as {here['lineages']:.1f} lineages, and the coverage at "
        f"{held} is between {printed(here['lower'], '.0%')} and {printed(here['upper'], '.0%')}."
    )
    if here["refused"]:
        message += f" {here['refused']:.0f} more figures do not count: the fits without them have not converged."
    name = "left-out sources" if scheme == "sources" else f"left-out rows ({scheme})"
    narrow = "Intervals are too narrow: look at the sources at the top of the table."
    wide = "Intervals are wider than the figures need: widths of sources may be too large."
    least = f"The coverage of {held} intervals is at least {printed(here['lower'], '.0%')}."
    return [
        judged(name, here["upper"], ">=", COVERED, message, narrow, sources),
        warned(f"{name}, width", here["lower"], "<=", COVERED, least, wide, sources),
    ]
