"""Posterior predictive check of what two sources print of the same flows: the ratio of their figures, year by year.

A row alone can hardly disagree: flows and errors of a year follow it. Here the errors of single years are drawn anew,
so that a ratio disagrees where the model needs a rare error of an office in that very year (a mixed predictive check:
Marshall & Spiegelhalter 2003, *Statistics in Medicine* 22(10) 1649-1660).
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reeuncert.case.figures import LOGIT
from reeuncert.checks.posterior_predictive import thinned
from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.laws import draw_errors
from reeuncert.likelihood.predictive import predictive_draws
from reeuncert.result.result import Result
from reeuncert.words.cells import condensed
from reeuncert.words.estimates import estimate
from reeuncert.words.qualifiers import BOUND_QUALIFIERS
from reeuncert.words.units import SHARE_RELATIONS

LEVEL = 0.05
"""Probability that chance alone makes the check warn (Šidák's correction for the number of ratios)."""

Floats = NDArray[np.float64]
COLUMNS = ("rows", "over", "under", "years", "printed", "predicted", "predicted_lb", "predicted_ub", "tail")
REPEATS = 5
"""Draws of errors for each draw of the posterior."""

Record = list[int]
"""Rows whose product is the record: a level, or a share or ratio and the level of its whole."""


def check(result: Result) -> list[CheckResult]:
    """Ratios of two records that the model does not expect."""
    name = "pairs of records"
    if result.evidence is None or "posterior" not in result.dt.children:
        return [information(name, "This result holds no evidence: nothing to predict.")]
    table = pair_table(result, result.evidence)
    if table.empty:
        return [information(name, "No two sources print a figure of the same flows in one year.")]
    first, limit = table.iloc[0], 1.0 - (1.0 - LEVEL) ** (1.0 / len(table))
    message = (
        f"Of {len(table)} ratios of two records by year, the one that the model expects least is {first['rows']} in "
    )
    message += f"{first['years']}: printed {first['printed']:.2f}, predicted "
    message += f"{estimate(first['predicted'], first['predicted_lb'], first['predicted_ub'])}."
    remedy = (
        "The difference of two offices changes with the years in a way that the model lacks: read both records again."
    )
    return [warned(name, first["tail"], ">=", limit, message, remedy, table)]


def pair_table(result: Result, evidence: EvidenceModel) -> pd.DataFrame:
    """Printed and predicted ratio of every two records of different lineages that share origin, destination, end use
    and a flow; the least expected first.

    Columns ``rows``, ``over`` and ``under`` (sources), ``years``, ``printed``, ``predicted``, ``predicted_lb``,
    ``predicted_ub`` (90 %), ``tail`` (two-sided probability of a ratio as far from the expected one).
    """
    mass, width, offset = thinned(result.dt["posterior"].to_dataset())
    mass = np.repeat(mass, REPEATS, axis=0)
    width, offset = (None if one is None else np.repeat(one, REPEATS, axis=0) for one in (width, offset))
    rng = np.random.default_rng(1)
    if offset is not None:
        offset = _new_years(evidence, offset, rng)
    drawn = _logs(evidence, predictive_draws(evidence, mass, width, offset, rng=rng))
    printed = _logs(evidence, evidence.value)
    found = []
    for over, under in _pairs(result, evidence):
        ratios, ratio = (logs[..., over].sum(-1) - logs[..., under].sum(-1) for logs in (drawn, printed))
        low, middle, high = np.exp(np.quantile(ratios, [0.05, 0.5, 0.95]))
        below = (1 + (ratios <= ratio).sum()) / (1 + len(ratios)), (1 + (ratios >= ratio).sum()) / (1 + len(ratios))
        names = [" x ".join(evidence.ids[r] for r in record) for record in (over, under)]
        sources = [evidence.rows[record[0]].source_id for record in (over, under)]
        years = condensed(evidence.rows[over[0]].years)
        found.append((" / ".join(names), *sources, years, np.exp(ratio), middle, low, high, min(1.0, 2 * min(below))))
    return pd.DataFrame(found, columns=list(COLUMNS)).sort_values("tail", ignore_index=True)


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
    figure = [
        row.qualifier not in BOUND_QUALIFIERS and not plain
        for row, plain in zip(evidence.rows, evidence.plain, strict=True)
    ]
    sigma = evidence.row_sigma(evidence.widths.median)
    levels: dict[frozenset[int], int] = {}
    for r in np.argsort(sigma, kind="stable"):
        if figure[r] and evidence.rows[r].relation == "level":
            levels.setdefault(top[r], int(r))
            yield [int(r)], top[r]
    for r, row in enumerate(evidence.rows):
        if figure[r] and row.relation in SHARE_RELATIONS:
            whole = bottom[r] if evidence.scale[r] != LOGIT else top[r] | bottom[r]
            if whole in levels:
                yield [r, levels[whole]], top[r]


def _logs(evidence: EvidenceModel, figures: Floats) -> Floats:
    """Logs of figures on the scales of their rows (..., row)."""
    logit = np.array([scale == LOGIT for scale in evidence.scale])
    return np.where(logit, -np.logaddexp(0.0, -figures), figures)


def _new_years(evidence: EvidenceModel, offset: Floats, rng: np.random.Generator) -> Floats:
    """Draws of offsets (sample, value), those that rows of one year alone use drawn anew from their law."""
    offsets = evidence.offsets
    years: dict[int, set[int]] = defaultdict(set)
    for row, (a, b) in zip(evidence.rows, pairwise(offsets.pointer), strict=True):
        for value in offsets.index[a:b]:
            years[value].update(row.years, row.of_years)
    once = [len(years[value]) == 1 for value in range(len(offsets.label))]
    scale = np.broadcast_to(offsets.scale, offset.shape)
    return np.where(once, offsets.mean + draw_errors(scale, offsets.family, evidence.tails, rng), offset)
