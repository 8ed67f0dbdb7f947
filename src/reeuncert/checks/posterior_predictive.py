"""Posterior predictive check: every row of evidence against its predictive distribution.

In-sample: each row was part of the fit, so misfit is understated.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

from reeuncert.checks.result import CheckResult, information, judged, warned
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.predictive import log_likelihood, predicted_quantities
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.words.error_laws import INTERVAL
from reeuncert.words.qualifiers import BOUND_QUALIFIERS

MOST_DRAWS = 1000
"""Number of draws over which tail probabilities are averaged."""

SURPRISING = 0.01
"""Tail probability below which a row disagrees with the model."""

MOST_SURPRISING = 0.05
"""Share of rows that may disagree; by chance alone it would be 0.01 or less."""

PULLING = 1.0
"""Two rows on the same flow conflict if their z have opposite signs and both exceed this."""

Floats = NDArray[np.float64]


def check(result: Result) -> list[CheckResult]:
    """Rows that disagree with the model, by source, and conflicting sources."""
    evidence = result.evidence
    if evidence is None or "posterior" not in result.dt.children:
        return [information("evidence rows", "This result holds no evidence: nothing to predict.")]
    table = result.once(predicted_rows)
    bad = table[surprising(table)]
    share = len(bad) / len(table)
    message = f"{len(bad)} of {len(table)} rows of evidence disagree with the model (tail probability below "
    message += f"{SURPRISING:g}"
    if len(bad):
        first = bad.iloc[0]
        message += f", most of all '{first['row']}' of {first['source']}"
    message += ")"
    spread = float(np.sqrt(np.square(table["z"]).mean()))  # of bounds it is NaN, and left out
    message += f"; the root mean square of their z is {spread:.2f} (in-sample residuals: below 1)."
    remedy = "Read these rows again: unit, basis, years; else the class of their sources is too narrow."
    message += (
        f" Rows can hardly disagree one by one: {result.network.n_coordinates:,} free quantities follow them; the "
    )
    message += "check of pairs of records is harder to pass."
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
    that a new figure is at most the reported one) and ``z`` (its normal score; above 0 if the reported figure exceeds
    the expectation), NaN for bounds and ranges; ``tail`` (tail probability, two-sided, of bounds one-sided);
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
    z = np.where(below < above, ndtri(np.maximum(below, 1e-300)), -ndtri(np.maximum(above, 1e-300)))
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
            "below": np.where(bound, np.nan, below),
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
    found: dict[tuple[int, int], int] = {}
    for rows in speakers.values():
        for i, second in enumerate(rows):
            for first in rows[:i]:
                if evidence.lineage[first] != evidence.lineage[second]:
                    found[first, second] = found.get((first, second), 0) + 1
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


def thinned(draws: xr.Dataset) -> tuple[Floats, Floats | None, Floats | None]:
    """Flows, widths and offsets of at most `MOST_DRAWS` draws, evenly spaced over all chains."""
    count = draws.sizes["chain"] * draws.sizes["draw"]
    step = max(1, -(-count // MOST_DRAWS))

    def flat(name: str) -> Floats | None:
        if name not in draws.data_vars:
            return None
        values = draws[name].transpose("chain", "draw", ...).values
        return np.ascontiguousarray(values.reshape(-1, *values.shape[2:])[::step])

    mass = flat("mass_flow")
    if mass is None:
        raise ValueError("the draws hold no mass_flow")
    return mass, flat("source_width"), flat("log_offset")


def _probability(
    evidence: EvidenceModel, mass: Floats, width: Floats | None, offset: Floats | None, low: Floats, high: Floats
) -> Floats:
    """Probability that a new figure of each row lies between the reported one plus ``low`` and plus ``high`` (row,)."""
    asked = replace(evidence, form=np.full(evidence.n_rows, INTERVAL), lower=low, upper=high)
    return np.asarray(np.exp(log_likelihood(asked, mass, width, offset)).mean(axis=0))
