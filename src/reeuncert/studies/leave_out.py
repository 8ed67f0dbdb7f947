"""Refits without part of the evidence: how well are the figures predicted that were left out?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import pandas as pd

from reeuncert.case.records import Case, Evidence
from reeuncert.checks.posterior_predictive import row_table
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.priors.coverage import case_network
from reeuncert.result.left_out import LeftOut
from reeuncert.studies.engine import Fits, make_fits
from reeuncert.studies.jobs import FitOptions, FitSettings, Job, JobMaker
from reeuncert.studies.summaries import Predicted

Folds = str | int | Mapping[str, object]
"""``"sources"`` (each lineage is left out in turn), a number of folds, or id of a row → fold."""


def fold_of_rows(rows: Sequence[Evidence], folds: Folds, seed: int = 1) -> list[object]:
    """The fold of every row of evidence."""
    if isinstance(folds, Mapping):
        missing = [row.id for row in rows if row.id not in folds]
        if missing:
            raise ReeUncertError(f"{len(missing)} rows of evidence have no fold: {', '.join(missing[:5])}")
        found = [folds[row.id] for row in rows]
    elif folds == "sources":
        found = [row.lineage for row in rows]
    elif isinstance(folds, int) and not isinstance(folds, bool) and 2 <= folds <= len(rows):
        # Rows of one lineage are spread over the folds, so that no fold removes a whole source.
        shuffled = np.random.default_rng(seed).permutation(len(rows)).tolist()
        order = sorted(shuffled, key=lambda r: rows[r].lineage)
        found = [0] * len(rows)
        for position, row in enumerate(order):
            found[row] = position % folds
    else:
        raise ReeUncertError(
            f"folds is {folds!r}; give 'sources', a number from 2 to {len(rows)}, or a fold for the id of each row"
        )
    if len(set(found)) < 2:
        raise ReeUncertError("all rows are in one fold: nothing would be left to predict them from")
    return found


def leave_out(case: Case, folds: Folds = "sources", **options: Unpack[FitOptions]) -> LeftOut:
    """Leave out whole sources, or folds of rows, refit, and predict what was left out.

    The model is compiled once; a fold that is left out has weight zero in its fit. Bounds and ranges are left out like
    the rest, but give no figure to be predicted, and are not counted. Finished folds are kept: asked again, or after a
    crash, only the missing ones are fitted.

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    folds
        ``"sources"``: each lineage in turn, as a new source would be; a number: so many folds over single rows; or
        a mapping from the id of each row to its fold.
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
    settings = FitSettings.of(options)
    jobs = fold_jobs(case, folds, settings, JobMaker(case), "without ")
    from reeuncert.inference.prior import sample_prior  # loads PyMC, which a case that is refused does not need
    from reeuncert.model import build_model

    quiet = not options.get("progress", True)
    before = sample_prior(build_model(case), seed=settings.seed, quiet=quiet)["prior"].to_dataset()
    prior = row_table(compile_evidence(case, case_network(case)), before).set_index("row")["below"]
    rows = predictions(jobs, make_fits(list(jobs.values()), options))
    rows = rows.assign(
        scheme=folds if folds == "sources" else f"{len(jobs)} folds", prior_below=prior.loc[rows["row"]].to_numpy()
    )
    counted = rows[rows["below"].notna()].reset_index(drop=True)
    return LeftOut(counted[["scheme", "fold", "row", "source", "lineage", "below", "prior_below", "r_hat"]])


def fold_jobs(case: Case, folds: Folds, settings: FitSettings, maker: JobMaker, name: str) -> dict[str, Job]:
    """Fold → the fit without it; `name` stands before the fold in the names of the jobs."""
    evidence = compile_evidence(case, case_network(case)).rows
    rows: dict[str, list[str]] = {}
    for row, fold in zip(evidence, fold_of_rows(evidence, folds, settings.seed), strict=True):
        rows.setdefault(str(fold), []).append(row.id)
    return {
        fold: maker.job(f"{name}{fold}", case, settings, Predicted(), ids, share=True) for fold, ids in rows.items()
    }


def predictions(jobs: Mapping[str, Job], fits: Fits) -> pd.DataFrame:
    """One row a figure: ``fold``, and the columns of `reeuncert.studies.summaries.predicted`."""
    tables = [fits.kept(job.name).tables["predicted"].assign(fold=fold) for fold, job in jobs.items()]
    return pd.concat(tables, ignore_index=True)
