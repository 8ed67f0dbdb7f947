"""Which reading of an ambiguous sentence the posterior takes, and which records are outliers.

The posterior weight of a component of prior weight w is the mean over draws of w p₁ / (w p₁ + (1 − w) p₀), with p₁ and
p₀ the densities of the row under the component and under the rest.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from reeuncert.checks.posterior_predictive import thinned
from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.likelihood.predictive import log_likelihood
from reeuncert.result.result import Result
from reeuncert.words.error_laws import CUSTOMS, STUDENT_T

READING, OUTLIER = "second reading", "outlier"
COLUMNS = ("row", "source", "component", "prior", "posterior", "odds_ratio")


def check(result: Result) -> list[CheckResult]:
    """Readings and rows of which the posterior prefers the component that the analyst held for the less likely."""
    table = result.once(mixture_table)
    if table.empty:
        return [information("readings and outliers", "No row has a second reading or may be an outlier.")]
    even = table["prior"] == 0.5
    turned = table[~even & ((table["prior"] > 0.5) != (table["posterior"] > 0.5))]
    message = f"Of {len(table)} second readings and possible outliers the posterior turns the odds of {len(turned)}"
    if len(turned):
        told = (f"{one.component} of '{one.row}' {one.prior:.2g} -> {one.posterior:.2f}" for one in turned.itertuples())
        message += f": {', '.join(list(told)[:5])}"
    remedy = "Read these sentences and records again; the odds written in the table are not those of the result."
    shown = pd.concat([turned, table.drop(turned.index)]).head(40)
    return [warned("readings and outliers", len(turned), "<=", 0, f"{message}.", remedy, shown)]


def mixture_table(result: Result) -> pd.DataFrame:
    """Prior and posterior weight of every second reading, and of the outlier component of every row that has one.

    Columns ``row``, ``source``, ``component`` (``second reading`` or ``outlier``), ``prior``, ``posterior`` and
    ``odds_ratio`` (posterior over prior odds), the largest first.
    """
    evidence = result.evidence
    if evidence is None or "posterior" not in result.dt.children:
        return pd.DataFrame(columns=list(COLUMNS))
    draws = thinned(result.dt["posterior"].to_dataset())
    whole = log_likelihood(evidence, *draws)
    zero = np.zeros(evidence.n_rows)
    first = replace(evidence, weight=zero)
    core = replace(evidence, family=np.where(evidence.family == CUSTOMS, STUDENT_T, evidence.family))
    share = evidence.tails.outlier_share
    parts = (
        (READING, evidence.weight, first, evidence.weight > 0),
        (OUTLIER, np.full(evidence.n_rows, share), core, (evidence.family == CUSTOMS) & (share > 0)),
    )
    rows = []
    for name, prior, rest, there in parts:
        without = log_likelihood(rest, *draws)
        posterior = 1.0 - (1.0 - prior) * np.exp(without - whole).mean(axis=0)
        for r in np.flatnonzero(there):
            after = float(np.clip(posterior[r], 0.0, 1.0))
            ratio = after * (1.0 - prior[r]) / max((1.0 - after) * prior[r], 1e-300)
            rows.append((evidence.ids[r], evidence.rows[r].source_id, name, float(prior[r]), after, ratio))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("odds_ratio", ascending=False, ignore_index=True)
