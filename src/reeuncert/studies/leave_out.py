"""Refit without part of the evidence, and see whether what was left out falls where it was predicted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from reeuncert.case.records import Case
from reeuncert.checks.posterior_predictive import row_table
from reeuncert.edits.leave_out import LeaveOut
from reeuncert.edits.scenario import Scenario
from reeuncert.errors import ReeUncertError, SamplingError
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.priors.coverage import case_network
from reeuncert.result.left_out import LeftOut
from reeuncert.studies.cache import cache_of
from reeuncert.studies.fitted import Fitted
from reeuncert.studies.folds import Folds, fold_of_rows
from reeuncert.studies.jobs import FitSettings
from reeuncert.studies.plan import plan_study
from reeuncert.studies.sensitivity import fit_plan


def leave_out(
    case: Case,
    folds: Folds = "sources",
    *,
    draws: int = 400,
    tune: int = 150,
    chains: int = 2,
    thin: int = 1,
    seed: int = 1,
    jobs: int | None = 1,
    cache: str | Path | bool = True,
    quiet: bool = True,
) -> LeftOut:
    """Leave out whole sources, or folds of rows, refit, and predict what was left out.

    The model is compiled once; a fold that is left out weighs nothing in its fit. Bounds and ranges are left out like
    the rest, but name no figure to be predicted, and are not counted. Finished folds are kept as scenarios of a study
    are: asked again, or after a crash, only the missing ones are fitted.

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    folds
        ``"sources"``: each lineage in turn, what a new witness would be; a number: so many folds over single rows; or
        a mapping from the id of each row to its fold.
    draws, tune, chains, thin, seed
        Of every fit.
    jobs, cache
        As in `reeuncert.sensitivity`.
    quiet
        Say nothing on standard error while it runs.

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
    evidence = compile_evidence(case, case_network(case))
    fold = [str(label) for label in fold_of_rows(evidence.rows, folds, seed)]
    rows = {label: [r.id for r, f in zip(evidence.rows, fold, strict=True) if f == label] for label in fold}
    scenarios = [Scenario(f"without {label}", (LeaveOut(evidence=tuple(ids)),)) for label, ids in rows.items()]
    plan = plan_study(case, scenarios, FitSettings(draws, tune, thin, chains, seed), ())
    from reeuncert.inference.prior import sample_prior  # loads PyMC, which a case that is refused does not need
    from reeuncert.model import build_model

    before = sample_prior(build_model(case), seed=seed, quiet=quiet)["prior"].to_dataset()
    prior = row_table(evidence, before).set_index("row")["below"]
    results, _ = fit_plan(plan, cache_of(cache), jobs=jobs, progress=not quiet)
    parts = []
    for label, scenario in zip(rows, scenarios, strict=True):
        result = results[scenario.name]
        if not isinstance(result, Fitted):
            raise SamplingError(f"the fit {scenario.name} failed ({result.reason}); finished fits are kept")
        scheme = folds if folds == "sources" else f"{len(rows)} folds"
        own = result.predicted
        parts.append(own.assign(scheme=scheme, fold=label, prior_below=prior.loc[own["row"]].to_numpy()))
    every = pd.concat(parts, ignore_index=True)
    counted = every[every["below"].notna()].reset_index(drop=True)
    return LeftOut(counted[["scheme", "fold", "row", "source", "lineage", "below", "prior_below", "r_hat"]])
