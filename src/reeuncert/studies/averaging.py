"""Indicators averaged over rival structures, with the range over the structures beside the average."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.questions.targets import ValueName, targets_of
from reeuncert.result.diagnostics import diagnose
from reeuncert.result.structures import StructureRun, Structures


def average_structures(
    results: Mapping[str, xr.DataTree],
    weights: Mapping[str, float] | None = None,
    indicators: ValueName | Iterable[ValueName] | None = None,
    *,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Average indicators over the results of rival structures.

    The averaged posterior is the mixture of the structures' posteriors, with equal weights; beside it stands the one
    with stacking weights (Yao, Vehtari, Simpson & Gelman 2018, doi 10.1214/17-BA1091). Those say which structure
    predicts figures better, not which is true: where figures do not decide, the range over the structures is the honest
    answer.

    Parameters
    ----------
    results
        Structure → its result, with indicators.
    weights
        Structure → stacking weight, e.g. `reeuncert.studies.scores.StructureScores.weights`.
    indicators
        Headline numbers, names, or mappings with labels; the headlines of the case by default.
    prob
        Probability of the intervals.

    Returns
    -------
    DataFrame
        As `reeuncert.result.structures.Structures.averages`.

    Raises
    ------
    ReeUncertError
        No or one structure, unknown or missing weights, an indicator that a result does not hold.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> one, other = (toy_posterior(draws=50, years=2, seed=s) for s in (0, 1))
    >>> table = average_structures({"tied": one, "free": other}, {"tied": 3, "free": 1}, [0])
    >>> bool((table["lowest"] <= table["median"]).all())
    True
    """
    runs = {}
    for name, dt in results.items():
        targets = targets_of(dt, indicators)
        found = [diagnose(target.draws) for target in targets]
        columns = {c: [float(getattr(one, c)) for one in found] for c in ("ess_bulk", "ess_tail", "r_hat")}
        table = pd.DataFrame([target.columns for target in targets]).assign(**columns)
        runs[name] = StructureRun(table, np.array([target.draws.ravel() for target in targets]))
    return Structures.of(runs, weights).averages(prob)
