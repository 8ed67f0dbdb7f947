"""How far the evidence lies from what the priors predict of it: too close, and the priors were drawn through it.

The distance of a series of n figures is d² = (y − μ)ᵀ Σ⁻¹ (y − μ), with μ and Σ from half of the prior predictive
draws; its law is that of d² of the other half, which is χ²ₙ where all is normal.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reeuncert.checks.posterior_predictive import thinned
from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.predictive import predictive_draws
from reeuncert.result.result import Result
from reeuncert.words.qualifiers import BOUND_QUALIFIERS

FEWEST_ROWS = 3
"""A shorter series is close by chance too often."""

TAIL = 0.01
"""Probability of so small, or so large, a distance below which a series is named."""

Floats = NDArray[np.float64]


def check(result: Result) -> list[CheckResult]:
    """Series of evidence, by lineage and quantity, that lie closer to the priors, or farther from them, than chance."""
    if result.evidence is None or "prior" not in result.dt.children:
        return [information("priors and evidence", "The prior was not simulated, or there is no evidence.")]
    mass, width, offset = thinned(result.dt["prior"].to_dataset())
    drawn = predictive_draws(result.evidence, mass, width, offset, rng=np.random.default_rng(1))
    table = series_table(result.evidence, drawn)
    if table.empty:
        return [information("priors and evidence", f"No series of evidence has {FEWEST_ROWS} figures.")]
    twice = "These priors follow the figures, which then count twice: write them from what was known before."
    conflict = "Priors and evidence are in conflict: read the rows again, else the priors are too narrow or off."
    return [
        _extreme(table, "priors do not follow the evidence", "lower", ("closer to", "closest"), twice),
        _extreme(table, "priors and evidence agree", "upper", ("farther from", "farthest"), conflict),
    ]


def series_table(evidence: EvidenceModel, drawn: Floats) -> pd.DataFrame:
    """Distance of each series from the prior predictive draws (draw, row), the closest first.

    Columns ``lineage``, ``quantity``, ``rows``, ``d2``, and ``lower`` and ``upper``, the probabilities of so small and
    of so large a distance.
    """
    series: dict[tuple[str, str], list[int]] = {}
    for r, row in enumerate(evidence.rows):
        if row.qualifier not in BOUND_QUALIFIERS:
            fields = row.selector.fields
            about = "+".join(fields.get("quantity") or fields.get("flow") or ("flows",))
            series.setdefault((row.lineage, f"{row.element} {row.relation} of {about}".strip()), []).append(r)
    rows = [
        (*name, len(members), *distance(evidence.value[members], drawn[:, members]))
        for name, members in series.items()
        if len(members) >= FEWEST_ROWS
    ]
    table = pd.DataFrame(rows, columns=["lineage", "quantity", "rows", "d2", "lower", "upper"])
    return table.sort_values("lower", ignore_index=True)


def distance(figures: Floats, drawn: Floats) -> tuple[float, float, float]:
    """d² of figures (row), and the probabilities that draws (draw, row) are at most, and at least, as far."""
    first, other = drawn[::2], drawn[1::2]
    factor = np.linalg.cholesky(np.cov(first, rowvar=False) + 1e-12 * np.diag(first.var(axis=0)))
    whitened = np.linalg.solve(factor, (np.vstack([figures, other]) - first.mean(axis=0)).T)
    d2 = np.square(whitened).sum(axis=0)
    count = len(other) + 1
    return float(d2[0]), float((1 + (d2[1:] <= d2[0]).sum()) / count), float((1 + (d2[1:] >= d2[0]).sum()) / count)


def _extreme(table: pd.DataFrame, name: str, side: str, words: tuple[str, str], remedy: str) -> CheckResult:
    """Whether the series at one end (``lower``, ``upper``) lie there by chance."""
    ranked = table.sort_values(side, ignore_index=True)
    worst, count = ranked.iloc[0], int((ranked[side] < TAIL).sum())
    message = (
        f"Of {len(table)} series of evidence, {count} lie {words[0]} what the priors predict than chance allows (1 %); "
        f"the {words[1]}, {worst['quantity']} of {worst['lineage']}, has d² = {worst['d2']:.1f} on {worst['rows']} "
        f"figures (P = {worst[side]:.2g})."
    )
    return warned(name, worst[side], ">=", TAIL, message, remedy, ranked)
