"""Rival structures scored by how well they predict figures that they have not seen, and weights from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.loo import compare
from arviz_stats.utils import ELPDDataLOOKFold
from numpy.typing import NDArray
from scipy.special import logsumexp

from reeuncert.case.records import Case, Evidence
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.predictive import log_likelihood
from reeuncert.priors.coverage import case_network
from reeuncert.questions.witnesses import evidence_of
from reeuncert.result.tables import mass_flow
from reeuncert.studies.folds import Folds, fold_of_rows
from reeuncert.studies.rivals import switch_of
from reeuncert.validation.reader import read_case

Floats = NDArray[np.float64]
Fit = Callable[[Case, Floats], xr.DataTree]
"""Fits a case with some rows of evidence left out: weight of each row (0 or 1) → result."""


@dataclass(frozen=True)
class StructureScores:
    """How well each structure of a case predicts what it has not seen.

    Parameters
    ----------
    rows
        One row a figure: ``id``, ``source_id``, ``lineage``, ``fold``, and a column of log predictive density for each
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
        """Sums of the log densities by lineage: which source speaks for which structure."""
        return self.rows.groupby("lineage", sort=False)[list(self.table.index)].sum()

    def __repr__(self) -> str:
        return f"Predictive scores of {len(self.rows)} figures\n{self.table.to_string()}"


def score_structures(
    case: Case,
    option: str | None = None,
    *,
    folds: Folds = "sources",
    draws: int = 500,
    tune: int = 150,
    chains: int = 2,
    seed: int = 1,
    progress: bool = False,
) -> StructureScores:
    """Score the rival structures of a case by predicting figures left out, and give stacking weights.

    Rows of such evidence are few and strong: importance weights for one row left out fail, so every fold is a refit,
    compiled once for each structure.

    Parameters
    ----------
    case
        From `reeuncert.read_case`; its other switches keep their choices.
    option
        Name of the switch; by default the one that the case marks with ``compare = true``.
    folds
        ``"sources"``: each lineage is predicted by all others, which is what a new witness would be; a number: so many
        folds over single rows, each lineage spread over all; or a mapping from the id of each row to its fold.
    draws, tune, chains, seed
        Of every fit, as in `reeuncert.sample`.
    progress
        Show the progress of each fit.

    Returns
    -------
    StructureScores

    Raises
    ------
    ReeUncertError
        When the case names no such switch, or the folds cannot be used.
    """
    from reeuncert.inference.refit import Refitter  # loads the sampler, which scores from elsewhere do not need

    name = switch_of(case, option)
    scores = {}
    for choice in case.option_choices[name]:
        rival = read_case(case.path or case.name, **{**case.options, name: choice})
        refitter = Refitter(rival)

        def fit(_: Case, weight: Floats, refitter: Refitter = refitter) -> xr.DataTree:
            settings = {"draws": draws, "tune": tune, "chains": chains, "seed": seed, "progress": progress}
            return refitter.fit(weight=weight, **settings)  # type: ignore[arg-type]  # each setting has its own type

        scores[choice] = predictive_scores(rival, fit, folds=folds, seed=seed, rows=refitter.rows)
    return compare_scores(scores)


def predictive_scores(
    case: Case, fit: Fit, *, folds: Folds = "sources", seed: int = 1, rows: Sequence[Evidence] | None = None
) -> pd.DataFrame:
    """Log predictive density of every figure, from a fit that has not seen its fold.

    Parameters
    ----------
    case
        The case.
    fit
        Fits it with rows left out, e.g. by ``Refitter(case).fit(weight=weight)``.
    folds, seed
        See `score_structures`; the seed shuffles rows among numbered folds.
    rows
        The rows of evidence that speak of flows of the case, in the order of the weights, if they are known.

    Returns
    -------
    DataFrame
        ``id``, ``source_id``, ``lineage``, ``fold``, ``score`` (log of the mean density over the draws; each row of a
        fold on its own).
    """
    spoken = compile_evidence(case, case_network(case)).rows if rows is None else rows
    fold = fold_of_rows(spoken, folds, seed)
    score = np.full(len(spoken), np.nan)
    for label in dict.fromkeys(fold):
        out = np.array([f == label for f in fold])
        dt = fit(case, np.where(out, 0.0, 1.0))
        score[out] = log_predictive(dt)[out]
    return pd.DataFrame(
        {
            "id": [row.id for row in spoken],
            "source_id": [row.source_id for row in spoken],
            "lineage": [row.lineage for row in spoken],
            "fold": fold,
            "score": score,
        }
    )


def log_predictive(dt: xr.DataTree) -> Floats:
    """Log of the mean density of every reported figure over the draws of a result (row,)."""
    evidence = evidence_of(dt)
    posterior = dt["posterior"].to_dataset()
    held = {
        name: posterior[name].transpose("chain", "draw", dim).values
        for name, dim in (("source_width", "source_group"), ("log_offset", "offset_value"))
        if name in posterior
    }
    mass = mass_flow(dt).transpose("chain", "draw", "flow", "year").values
    density = log_likelihood(evidence, mass, held.get("source_width"), held.get("log_offset"))
    flat = density.reshape(-1, evidence.n_rows)
    return np.asarray(logsumexp(flat, axis=0) - np.log(len(flat)))


def compare_scores(scores: Mapping[str, pd.DataFrame]) -> StructureScores:
    """Compare structures by their scores and give stacking weights.

    The weights maximise Σ log Σ_k w_k p_k(figure) over the figures (Yao, Vehtari, Simpson & Gelman 2018, doi
    10.1214/17-BA1091), computed by ``arviz_stats.compare``.

    Parameters
    ----------
    scores
        Structure → table of `predictive_scores`. Figures that some structure does not have are left out.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": list("abc"), "source_id": "s", "lineage": "s", "fold": [0, 1, 2]})
    >>> found = compare_scores({"good": rows.assign(score=-1.0), "bad": rows.assign(score=-9.0)})
    >>> {name: round(weight, 2) for name, weight in found.weights.items()}
    {'good': 1.0, 'bad': 0.0}
    """
    if len(scores) < 2:
        raise ReeUncertError(f"{len(scores)} structures are given; a comparison needs two or more")
    first = next(iter(scores.values()))
    rows = first.drop(columns="score")
    for name, table in scores.items():
        own = table.set_index("id")["score"].rename(name)
        rows = rows.join(own, on="id", how="inner")
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
