"""For how many rows of evidence can importance sampling replace a refit without the row?

Pareto-smoothed importance sampling (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72), arXiv 1507.02646) is
reliable only below a shape k of 0.7. A row that is the only data on a flow is above: removing it changes the posterior
too much, and only a refit can replace it.
"""

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats

from reeuncert.checks.result import CheckResult, information
from reeuncert.result.result import Result

LARGEST_K = 0.7
FEWEST_TAIL = 5
ROUNDING = 1e-10
"""Log likelihoods that differ by less are the same once weights are normalised."""
FEWEST_DRAWS = 25
"""With fewer draws, the generalised Pareto distribution is fitted to a tail of less than five draws."""


def check(result: Result) -> list[CheckResult]:
    """Share of rows whose Pareto k is below 0.7."""
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
    message = (
        f"{100 * share:.0f} % of {len(table)} rows have a Pareto k of {LARGEST_K:g} or more: for these importance "
    )
    message += "sampling cannot say how well the rest predicts them; only a refit without them can."
    return [information(title, message, share, table.head(40))]
