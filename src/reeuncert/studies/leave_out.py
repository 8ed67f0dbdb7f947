"""Refit without part of the evidence, and see whether what was left out falls where it was predicted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.checks.posterior_predictive import row_table
from reeuncert.errors import ReeUncertError
from reeuncert.inference.messages import Messages
from reeuncert.result.diagnostics import r_hat
from reeuncert.result.left_out import LeftOut
from reeuncert.studies.folds import Folds, fold_of_rows

if TYPE_CHECKING:
    from reeuncert.inference.refit import Refitter


def leave_out(
    case: Case,
    folds: Folds = "sources",
    *,
    draws: int = 400,
    tune: int = 150,
    chains: int = 2,
    thin: int = 1,
    seed: int = 1,
    quiet: bool = True,
    refitter: Refitter | None = None,
) -> LeftOut:
    """Leave out whole sources, or folds of rows, refit, and predict what was left out.

    The model is compiled once; a fold that is left out weighs nothing in its fit. Bounds and ranges are left out like
    the rest, but name no figure to be predicted, and are not counted.

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    folds
        ``"sources"``: each lineage in turn, what a new witness would be; a number: so many folds over single rows; or
        a mapping from the id of each row to its fold.
    draws, tune, chains, thin, seed
        Of every fit.
    quiet
        Say nothing on standard error while it runs.
    refitter
        A compiled model of this case, to save compiling it.

    Returns
    -------
    LeftOut

    Raises
    ------
    ReeUncertError
        When the folds cannot be used, or the case has no evidence.
    """
    from reeuncert.inference.refit import Refitter  # loads the sampler

    messages = Messages(quiet=quiet, bar=False)
    fitter = refitter or Refitter(case)
    rows, evidence = fitter.rows, fitter.record.evidence
    if not rows:
        raise ReeUncertError(f"case '{case.name}' has no evidence: there is nothing to leave out")
    fold = fold_of_rows(rows, folds, seed)
    fit_without = partial(fitter.fit, draws=draws, tune=tune, chains=chains, thin=thin, seed=seed)
    labels = list(dict.fromkeys(fold))
    prior: pd.Series | None = None
    parts = []
    for number, label in enumerate(labels):
        out = np.array([f == label for f in fold])
        messages.say(f"Fit {number + 1} of {len(labels)}: without {label} ({out.sum()} of {len(rows)} figures) …")
        fit = fit_without(weight=np.where(out, 0.0, 1.0), prior_draws=1000 if prior is None else 0)
        if fit.attrs.get("complete") == "no":
            raise KeyboardInterrupt
        if prior is None:
            prior = row_table(evidence, fit["prior"].to_dataset()).set_index("row")["below"]
        posterior = fit["posterior"].to_dataset()
        table = row_table(evidence, posterior).set_index("row")
        table = table.loc[[row.id for row, left in zip(rows, out, strict=True) if left]].reset_index()
        found = table[["row", "source", "lineage", "below"]].assign(
            scheme=folds if folds == "sources" else f"{len(labels)} folds", fold=str(label), r_hat=_r_hat(posterior)
        )
        parts.append(found.assign(prior_below=prior.loc[found["row"]].to_numpy()))
    every = pd.concat(parts, ignore_index=True)
    counted = every[every["below"].notna()].reset_index(drop=True)
    return LeftOut(counted[["scheme", "fold", "row", "source", "lineage", "below", "prior_below", "r_hat"]])


def _r_hat(posterior: xr.Dataset) -> float:
    mass = posterior["mass_flow"].transpose("chain", "draw", "flow", "year").values
    return float(np.nanmax(r_hat(mass, log=True)))
