"""Checks of the evidence: what balance alone contradicts, ambiguous sentences and outliers, and what a refit is needed
for.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats

from reeuncert.checks.predictive import thinned
from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.likelihood.predictive import log_likelihood, offset_logp
from reeuncert.likelihood.reconcile import judged_figures
from reeuncert.result.reconciled import reconciled
from reeuncert.result.result import Result
from reeuncert.words.error_laws import OUTLIERS


def reconciliation(result: Result) -> list[CheckResult]:
    """Whether balanced flows exist that agree with all figures, each within its error."""
    if result.evidence is None:
        return [information("figures and balance", "This result holds no evidence: nothing to reconcile.")]
    found = reconciled(str(result.dt.attrs["case_json"]))
    figures = judged_figures(found, result.evidence)
    table = pd.DataFrame([(one.text, one.z) for one in figures], columns=["figure", "normalised_residual"])
    worst, count = figures[0], sum(abs(one.z) > found.limit for one in figures)
    message = f"Without priors, balance contradicts {count} of {len(figures)} figures and offsets; the largest "
    message += f"normalised residual is {abs(worst.z):.1f}: {worst.text}."
    remedy = "Read them again: unit, selector, years, basis; else the flow has a way in or out that the system lacks."
    return [warned("figures and balance", abs(worst.z), "<=", found.limit, message, remedy, table.head(40))]


READING, OUTLIER = "second reading", "outlier"
MIXTURE_COLUMNS = ("row", "source", "component", "prior", "posterior", "odds_ratio")


def mixtures(result: Result) -> list[CheckResult]:
    """Readings and rows of which the posterior prefers the component that the analyst held for the less likely.

    The posterior weight of a component of prior weight w is the mean over draws of w p₁ / (w p₁ + (1 − w) p₀), with p₁
    and p₀ the densities of the row under the component and under the rest.
    """
    table = result.once(mixture_table)
    if table.empty:
        return [information("readings and outliers", "No row has a second reading or may be an outlier.")]
    even = table["prior"] == 0.5
    turned = table[~even & ((table["prior"] > 0.5) != (table["posterior"] > 0.5))]
    message = f"Of {len(table)} second readings and possible outliers the posterior turns the odds of {len(turned)}"
    told = [f"{t.component} of '{t.row}' from {t.prior:.2g} to {t.posterior:.2f}" for t in turned.head(5).itertuples()]
    message += f": {', '.join(told)}" if told else ""
    remedy = "Read these sentences and records again; the odds written in the table are not those of the result."
    shown = pd.concat([turned, table.drop(turned.index)]).head(40)
    return [warned("readings and outliers", len(turned), "<=", 0, f"{message}.", remedy, shown)]


def mixture_table(result: Result) -> pd.DataFrame:
    """Prior and posterior weight of every second reading, and of the outlier component of every row and shared offset
    that has one.

    Columns ``row`` (of an offset its name), ``source`` (empty for an offset), ``component`` (``second reading`` or
    ``outlier``), ``prior``, ``posterior`` and ``odds_ratio`` (posterior over prior odds), the largest first.
    """
    evidence = result.evidence
    if evidence is None or "posterior" not in result.dt.children:
        return pd.DataFrame(columns=list(MIXTURE_COLUMNS))
    draws = thinned(result.dt["posterior"].to_dataset())
    whole = log_likelihood(evidence, *draws)
    first = replace(evidence, weight=np.zeros(evidence.n_rows))
    offsets = evidence.offsets
    core = replace(
        evidence,
        family=evidence.family & ~OUTLIERS,
        offsets=replace(offsets, family=offsets.family & ~OUTLIERS),
    )
    sources = [row.source_id for row in evidence.rows]
    parts = [(READING, evidence.ids, sources, evidence.weight, log_likelihood(first, *draws) - whole)]
    if share := evidence.tails.outlier_share:
        prior = np.where(evidence.family & OUTLIERS, share, 0.0)
        parts.append((OUTLIER, evidence.ids, sources, prior, log_likelihood(core, *draws) - whole))
        prior, log_offset = np.where(offsets.family & OUTLIERS, share, 0.0), draws[2]
        if log_offset is not None and prior.any():
            without = offset_logp(core, log_offset)[0] - offset_logp(evidence, log_offset)[0]
            parts.append((OUTLIER, offsets.label, [""] * prior.size, prior, without))
    rows = []
    for name, labels, of, prior, without in parts:
        posterior = 1.0 - (1.0 - prior) * np.exp(without).reshape(-1, prior.size).mean(axis=0)
        for r in np.flatnonzero(prior > 0):
            after = float(np.clip(posterior[r], 0.0, 1.0))
            ratio = after * (1.0 - prior[r]) / max((1.0 - after) * prior[r], 1e-300)
            rows.append((labels[r], of[r], name, float(prior[r]), after, ratio))
    table = pd.DataFrame(rows, columns=list(MIXTURE_COLUMNS))
    return table.sort_values("odds_ratio", ascending=False, ignore_index=True)


LARGEST_K = 0.7
"""Pareto k above which no number of draws makes up for what the weights miss."""
FEWEST_TAIL = 5
ROUNDING = 1e-10
"""Log likelihoods that differ by less are the same once weights are normalised."""
FEWEST_DRAWS = 25
"""With fewer draws, the generalised Pareto distribution is fitted to a tail of less than five draws."""


def leave_one_out(result: Result) -> list[CheckResult]:
    """Share of rows whose Pareto k is 0.7 or more.

    Pareto-smoothed importance sampling (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72), arXiv 1507.02646) is
    reliable only below a shape k of 0.7. A row that is the only data on a flow is above: removing it changes the
    posterior too much, and only a refit can replace it.
    """
    title = "PSIS-LOO"
    if "log_likelihood" not in result.dt.children:
        return [information(title, "This result holds no likelihood terms: leaving rows out cannot be judged.")]
    size = result.dt["posterior"].sizes
    if size["chain"] * size["draw"] < FEWEST_DRAWS:
        return [information(title, f"Leaving rows out cannot be judged from fewer than {FEWEST_DRAWS} draws.")]
    rows, shapes, sources = [], [], []
    for name, terms in result.dt["log_likelihood"].to_dataset().data_vars.items():
        dims = [d for d in terms.dims if d not in ("chain", "draw")]
        if len(dims) != 1:
            continue
        values = terms.transpose(dims[0], "chain", "draw").values
        flat = values.reshape(values.shape[0], -1)
        # Bounds that hold in every draw have the same likelihood in all of them: no tail, and nothing to smooth.
        varies = np.ptp(np.partition(flat, FEWEST_TAIL - 1, axis=1)[:, :FEWEST_TAIL], axis=1) > ROUNDING
        k = np.full(len(flat), -np.inf)
        if varies.any():
            k[varies] = array_stats.psislw(flat[varies], axis=-1)[1]
        rows += [str(r) for r in terms[dims[0]].values]
        shapes += list(map(float, k))
        sources += list(map(str, terms["source"].values)) if "source" in terms.coords else [str(name)] * len(flat)
    if not rows:
        return [information(title, "This result holds no likelihood terms by row.")]
    table = pd.DataFrame({"row": rows, "source": sources, "pareto_k": shapes})
    table = table.sort_values("pareto_k", ascending=False, ignore_index=True)
    share = float((table["pareto_k"] >= LARGEST_K).mean())
    message = f"{100 * share:.0f} % of {len(table)} rows have a Pareto k of {LARGEST_K:g} or more: for these "
    message += "importance sampling cannot say how well the rest predicts them; only a refit without them can."
    return [information(title, message, share, table.head(40))]
