"""Rival structures scored by how well they predict figures that were left out, and stacking weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.loo import compare
from arviz_stats.utils import ELPDDataLOOKFold
from numpy.typing import NDArray

from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.studies.engine import converged, make_sufficient_fits
from reeuncert.studies.jobs import FitOptions, FitSettings, JobMaker
from reeuncert.studies.leave_out import Folds, fold_jobs, predictions
from reeuncert.studies.rivals import rivals_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StructureScores:
    """How well each structure of a case predicts figures that were left out.

    Parameters
    ----------
    rows
        One row a figure: ``row``, ``source``, ``lineage``, ``fold``, and a column of log predictive density for each
        structure.
    table
        One row a structure, the best first: ``elpd`` (sum of the log densities), ``elpd_diff`` to the best and ``dse``,
        its standard error, ``weight`` (stacking).
    """

    rows: pd.DataFrame
    table: pd.DataFrame

    @property
    def weights(self) -> dict[str, float]:
        """Stacking weight of each structure."""
        return {str(name): float(weight) for name, weight in self.table["weight"].items()}

    def by_source(self) -> pd.DataFrame:
        """Sums of the log densities by lineage: which source supports which structure."""
        return self.rows.groupby("lineage", sort=False)[list(self.table.index)].sum()

    def __repr__(self) -> str:
        return f"Predictive scores of {len(self.rows)} figures\n{self.table.to_string()}"


def score_structures(
    case: Case, option: str | None = None, *, folds: Folds = "sources", **options: Unpack[FitOptions]
) -> StructureScores:
    """Score the rival structures of a case by predicting figures left out, and give stacking weights.

    Evidence has few rows of large influence: importance weights for one row left out fail, so every fold is a refit.
    Structures share one compiled model as far as they can. Finished fits are kept.

    Parameters
    ----------
    case
        From `reeuncert.read_case`; its other switches keep their choices.
    option
        Name of the switch; by default the one that the case marks with ``compare = true``.
    folds
        As of `reeuncert.leave_out`.
    **options
        How to sample, where to run, what to keep on disk: see `reeuncert.studies.jobs.FitOptions`.

    Returns
    -------
    StructureScores

    Raises
    ------
    ReeUncertError
        When the case names no such switch, the folds cannot be used, or a fold could not be fitted.
    """
    settings = FitSettings.of({"chains": 4, **options})
    rivals = {name: rival.case for name, rival in rivals_of(case, option).items() if rival.averaged}
    maker = JobMaker(next(iter(rivals.values())))
    jobs = {choice: fold_jobs(rival, folds, settings, maker, f"{choice} without ") for choice, rival in rivals.items()}
    fits = make_sufficient_fits(
        [fold.job for by_fold in jobs.values() for fold in by_fold.values()], options, converged
    )
    found = {choice: predictions(by_fold, fits) for choice, by_fold in jobs.items()}
    return compare_scores({choice: table[table["refused"] == ""] for choice, table in found.items()})


def compare_scores(scores: Mapping[str, pd.DataFrame]) -> StructureScores:
    """Compare structures by their scores and give stacking weights.

    The weights maximise Σ log Σ_k w_k p_k(figure) over the figures (Yao, Vehtari, Simpson & Gelman 2018, doi
    10.1214/17-BA1091), computed by ``arviz_stats.compare``.

    Parameters
    ----------
    scores
        Structure → table with ``row``, ``source``, ``lineage``, ``fold``, ``log_score``. Figures that some structure
        does not have are left out.

    Examples
    --------
    >>> rows = pd.DataFrame({"row": list("abc"), "source": "s", "lineage": "s", "fold": [0, 1, 2]})
    >>> found = compare_scores({"good": rows.assign(log_score=-1.0), "bad": rows.assign(log_score=-9.0)})
    >>> {name: round(weight, 2) for name, weight in found.weights.items()}
    {'good': 1.0, 'bad': 0.0}
    """
    if len(scores) < 2:
        raise ReeUncertError(f"{len(scores)} structures are given; a comparison needs two or more")
    first = next(iter(scores.values()))
    rows = first[["row", "source", "lineage", "fold"]]
    for name, table in scores.items():
        own = table.set_index("row")["log_score"].rename(name)
        rows = rows.join(own, on="row", how="inner")
    names = list(scores)
    values = rows[names].to_numpy(dtype=float)
    if not len(rows) or not np.isfinite(values).all():
        raise ReeUncertError("the structures have no figure in common with a finite score")
    # The weights depend on differences alone; a common shift keeps densities within the range of a double.
    shifted = values - values.max(axis=1, keepdims=True)
    elpd = {name: _elpd(shifted[:, k]) for k, name in enumerate(names)}
    found = compare(elpd, method="stacking", round_to="none")
    sums = pd.Series(values.sum(axis=0), index=names)
    table = pd.DataFrame(index=pd.Index(found.index, name="structure"))
    table["elpd"] = sums[table.index]
    table["elpd_diff"] = table["elpd"] - table["elpd"].iloc[0]
    best = values[:, names.index(str(table.index[0]))]
    spread = {n: np.sqrt(len(rows)) * np.std(values[:, k] - best) for k, n in enumerate(names)}
    table["dse"] = [float(spread[str(n)]) for n in table.index]
    table["weight"] = found["weight"].astype(float)
    return StructureScores(rows.reset_index(drop=True), table)


def _elpd(values: Floats) -> ELPDDataLOOKFold:
    pointwise = xr.DataArray(values, dims="row")
    error = float(np.sqrt(values.size * np.var(values)))
    return ELPDDataLOOKFold(
        elpd=float(values.sum()),
        se=error,
        p=float("nan"),
        n_samples=1,
        n_data_points=values.size,
        scale="log",
        warning=False,
        good_k=float("nan"),
        elpd_i=pointwise,
        n_folds=values.size,
    )
