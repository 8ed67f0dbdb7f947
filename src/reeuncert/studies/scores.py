"""Predictive scores by refits without part of the evidence, and of rival structures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.loo import compare
from arviz_stats.utils import ELPDDataLOOKFold
from scipy.sparse.csgraph import connected_components

from reeuncert.case.records import Case, Evidence
from reeuncert.case.shared import shared_errors
from reeuncert.checks.predictive import row_table
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.priors.coverage import case_network
from reeuncert.result.left_out import COLUMNS, LeftOut
from reeuncert.result.quantiles import Array
from reeuncert.studies.engine import Fits, converged, make_sufficient_fits
from reeuncert.studies.jobs import FitOptions, FitSettings, Job, JobMaker
from reeuncert.studies.rivals import rivals_of
from reeuncert.studies.summaries import Predicted
from reeuncert.words.cells import unknown
from reeuncert.words.qualifiers import BOUND_QUALIFIERS

Folds = str | int | Mapping[str, object]
"""``"sources"`` (each lineage is left out in turn), a number of folds, or id of a row → fold; other rows stay."""


@dataclass(frozen=True)
class Fold:
    """The fit without the rows of a fold, nor others of the same records; ``rows`` are those that it predicts."""

    job: Job
    rows: frozenset[str]


def records_of(rows: Sequence[Evidence], case: Case) -> list[int]:
    """Number of the record of every row: rows of one print, or with one value of an offset by year, are one record.

    An offset by year is the error of what one office recorded in a year, whoever printed it. To predict one row of a
    record from another would be no prediction.
    """
    shared = shared_errors(rows, case)
    keys: dict[object, int] = {}
    pairs = []
    for number, (row, weights) in enumerate(zip(rows, shared.weights, strict=True)):
        own = [value for value, weight in weights.items() if weight > 0 and shared.laws[value[0]].per == "year"]
        own += [("", row.print)] * bool(row.print)
        pairs += [(number, keys.setdefault(key, len(keys))) for key in own]
    table = np.zeros((len(rows), len(keys)))
    if pairs:
        table[tuple(np.transpose(pairs))] = 1.0
    return connected_components(table @ table.T, directed=False)[1].tolist()


def fold_of_rows(rows: Sequence[Evidence], records: Sequence[int], folds: Folds, seed: int = 1) -> list[object]:
    """The fold of every row of evidence; None for rows that are never left out."""
    if isinstance(folds, Mapping):
        ids = [row.id for row in rows]
        absent = sorted(unknown(name, ids, "row of evidence") for name in {*folds} - {*ids})
        if absent or all(fold is None for fold in folds.values()):
            raise ReeUncertError("; ".join(absent[:5]) or "folds names no row; give a fold for the id of each row")
        found = [folds.get(row.id) for row in rows]
    elif folds == "sources":
        found = [row.lineage for row in rows]
    elif isinstance(folds, int) and not isinstance(folds, bool) and 2 <= folds <= len(set(records)):
        # Records of one lineage are spread over the folds, so that no fold removes a whole source.
        first = {record: row.lineage for record, row in zip(records[::-1], rows[::-1], strict=True)}
        shuffled = np.random.default_rng(seed).permutation(sorted(first)).tolist()
        place = {record: k % folds for k, record in enumerate(sorted(shuffled, key=lambda r: first[r]))}
        found = [place[record] for record in records]
    else:
        raise ReeUncertError(
            f"folds is {folds!r}; give 'sources', a number from 2 to {len(set(records))} (there are so many records), "
            "or a fold for the ids of rows"
        )
    if len(set(found)) < 2:
        raise ReeUncertError("all rows are in one fold: nothing would be left to predict them from")
    return found


def leave_out(case: Case, folds: Folds = "sources", **options: Unpack[FitOptions]) -> LeftOut:
    """Leave out whole sources, or folds of rows, refit, and predict what was left out.

    The model is compiled once; a fold that is left out has weight zero in its fit. Bounds and ranges are left out like
    the rest, but give no figure to be predicted, and are not counted; a fold of nothing else is not fitted. With a row,
    all rows of its record are left out (`records_of`). A fit that does not pass the checks of convergence of every
    result is made again longer, with a pilot run of its own and smaller steps where draws diverged, and its figures do
    not count if that does not help. Finished folds are kept: asked again, or after a crash, only the missing ones are
    fitted.

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    folds
        ``"sources"``: each lineage in turn, as a new source would be; a number: so many folds over records; or
        a mapping from ids of rows to their folds, where rows that are not in it stay in every fit.
    **options
        How to sample, where to run, what to keep on disk: see `reeuncert.studies.jobs.FitOptions`.

    Returns
    -------
    LeftOut

    Raises
    ------
    ReeUncertError
        When the folds cannot be used, the case has no evidence, or a fold could not be fitted.
    """
    if not case.evidence:
        raise ReeUncertError(f"case '{case.name}' has no evidence: there is nothing to leave out")
    settings = FitSettings.of({"chains": 4, **options})
    bounds = {row.id for row in case.evidence if row.qualifier in BOUND_QUALIFIERS}
    all_jobs = fold_jobs(case, folds, settings, JobMaker(case), "without ")
    jobs = {fold: one for fold, one in all_jobs.items() if one.rows - bounds}
    if not jobs:
        raise ReeUncertError("bounds and ranges alone would be left out: no figure to predict")
    from reeuncert.inference.prior import sample_prior  # loads PyMC, which a case that is refused does not need
    from reeuncert.model import build_model

    quiet = not options.get("progress", True)
    before = sample_prior(build_model(case), seed=settings.seed, quiet=quiet)["prior"].to_dataset()
    prior = row_table(compile_evidence(case, case_network(case)), before).set_index("row")["below"]
    fits = make_sufficient_fits([fold.job for fold in jobs.values()], options, converged)
    rows = predictions(jobs, fits)
    rows = rows.assign(
        scheme=folds if folds == "sources" else "chosen" if isinstance(folds, Mapping) else f"{len(jobs)} folds",
        prior_below=prior.loc[rows["row"]].to_numpy(),
    )
    return LeftOut(rows[rows["below"].notna()].reset_index(drop=True)[list(COLUMNS)])


def fold_jobs(
    case: Case, folds: Folds, settings: FitSettings, maker: JobMaker, name: str, never: Collection[str] = ()
) -> dict[str, Fold]:
    """Fold → the fit without it, and without the rows that ``never`` count; `name` stands before the fold in the names
    of the jobs.
    """
    evidence = compile_evidence(case, case_network(case)).rows
    records = records_of(evidence, case)
    found = fold_of_rows(evidence, records, folds, settings.seed)
    jobs = {}
    for fold in dict.fromkeys(found):
        if fold is None:
            continue
        rows = frozenset(row.id for row, own in zip(evidence, found, strict=True) if own == fold)
        touched = {record for record, own in zip(records, found, strict=True) if own == fold}
        gone = {row.id for row, record in zip(evidence, records, strict=True) if record in touched}.union(never)
        jobs[str(fold)] = Fold(maker.job(f"{name}{fold}", case, settings, Predicted(), gone, share=True), rows)
    return jobs


def predictions(jobs: Mapping[str, Fold], fits: Fits) -> pd.DataFrame:
    """One row a figure: ``fold``, the columns of `reeuncert.studies.summaries.Predicted`, convergence of the fit
    (``r_hat``, ``ess``), and ``refused``: why the figure does not count, empty where the fit has converged.
    """
    tables = []
    for fold, one in jobs.items():
        kept = fits.kept(one.job.name)
        table, told = kept.tables["predicted"], {name: kept.about[name] for name in ("r_hat", "ess")}
        table = table[table["row"].isin(one.rows)]
        tables.append(table.assign(fold=fold, **told, refused=fits.refused.get(one.job.name, "")))
    return pd.concat(tables, ignore_index=True)


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


def score_structures(case: Case, *, folds: Folds = "sources", **options: Unpack[FitOptions]) -> StructureScores:
    """Score the rival structures of a case by predicting figures left out, and give stacking weights.

    Evidence has few rows of large influence: importance weights for one row left out fail, so every fold is a refit.
    Structures share one compiled model as far as they can. Finished fits are kept.

    Parameters
    ----------
    case
        From `reeuncert.read_case`; its structures are those of `reeuncert.compare_structures`.
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
        When the case marks no switch, the folds cannot be used, or a fold could not be fitted.
    """
    settings = FitSettings.of({"chains": 4, **options})
    rivals = {name: rival for name, rival in rivals_of(case).items() if rival.averaged}
    maker = JobMaker(next(iter(rivals.values())).case)
    jobs = {
        name: fold_jobs(rival.case, folds, settings, maker, f"{name} without ", rival.left_out)
        for name, rival in rivals.items()
    }
    every = [fold.job for by_fold in jobs.values() for fold in by_fold.values()]
    fits = make_sufficient_fits(every, options, converged)
    found = {choice: predictions(by_fold, fits) for choice, by_fold in jobs.items()}
    return compare_scores({choice: table[table["refused"] == ""] for choice, table in found.items()})


def compare_scores(scores: Mapping[str, pd.DataFrame]) -> StructureScores:
    """Compare structures by their scores (structure → table with ``row``, ``source``, ``lineage``, ``fold``,
    ``log_score``) and give stacking weights. Figures that some structure does not have are left out.

    The weights maximise Σ log Σ_k w_k p_k(figure) over the figures (Yao, Vehtari, Simpson & Gelman 2018, doi
    10.1214/17-BA1091), computed by ``arviz_stats.compare``.
    """
    if len(scores) < 2:
        raise ReeUncertError(f"{len(scores)} structures are given; a comparison needs two or more")
    names, tables = list(scores), [table.set_index("row") for table in scores.values()]
    own = (table["log_score"].rename(name) for name, table in zip(names, tables, strict=True))
    rows = tables[0][["source", "lineage", "fold"]].join(list(own), how="inner").reset_index()
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


def _elpd(values: Array) -> ELPDDataLOOKFold:
    about: dict[str, Any] = {"p": np.nan, "good_k": np.nan, "n_samples": 1, "warning": False, "scale": "log"}
    about |= {"elpd": float(values.sum()), "se": float(np.sqrt(values.size * np.var(values)))}
    about |= {"elpd_i": xr.DataArray(values, dims="row"), "n_data_points": values.size, "n_folds": values.size}
    return ELPDDataLOOKFold(**about)
