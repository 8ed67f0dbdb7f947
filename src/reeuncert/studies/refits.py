"""Fits one scenario in whatever process it is sent to; a model that was compiled there serves again."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.checks.posterior_predictive import row_table
from reeuncert.inference.refit import Refitter
from reeuncert.result.diagnostics import r_hat
from reeuncert.studies.cache import package_version
from reeuncert.studies.fitted import PREDICTED, Fitted, summarise
from reeuncert.studies.jobs import Job

KEPT_MODELS = 4
"""Compiled models that a process keeps; the one not used for longest goes first."""

_models: list[tuple[str, Refitter]] = []
_alone = threading.Lock()  # a worker of Dask may run two jobs as threads of one process; compilers are not made for it


def refit(job: Job) -> Fitted:
    """Sample one scenario and summarise it.

    Raises
    ------
    ReeUncertError
        When it cannot be sampled.
    """
    with _alone:
        begin = time.perf_counter()
        case = case_from_json(job.case_json)
        model, compiled = _model_for(case, job)
        ready = time.perf_counter()
        settings = job.settings
        dt = model.fit(
            case,
            weight=_weight(model, job.left_out),
            draws=settings.draws,
            tune=settings.tune,
            thin=settings.thin,
            chains=settings.chains,
            seed=settings.seed,
            cores=job.cores,
            like=None if _is_base(model, job) else case,
        )
        if dt.attrs.get("complete") == "no":  # Ctrl-C: half a fit is no result of this scenario
            raise KeyboardInterrupt
        sampled = time.perf_counter()
        about = {
            "compiled": compiled,
            "seconds_compile": round(ready - begin, 2),
            "seconds_sample": round(sampled - ready, 2),
            "version": package_version(),
            "seed": settings.seed,
        }
        fitted = summarise(dt, case, job.indicators, about)
        if job.left_out:
            fitted = replace(fitted, predicted=_predicted(model, dt, job.left_out))
        return fitted.saying(seconds=round(time.perf_counter() - begin, 2))


def _predicted(model: Refitter, dt: xr.DataTree, left_out: tuple[str, ...]) -> pd.DataFrame:
    """What a fit says of the rows that it has not seen; see `Fitted.predicted`."""
    posterior = dt["posterior"].to_dataset()
    gone = set(left_out)
    table = row_table(model.record.evidence, posterior).set_index("row")
    rows = table.loc[[row.id for row in model.rows if row.id in gone]].reset_index()
    mass = posterior["mass_flow"].transpose("chain", "draw", "flow", "year").values
    return rows.assign(r_hat=float(np.nanmax(r_hat(mass, log=True))))[list(PREDICTED)]


def _model_for(case: Case, job: Job) -> tuple[Refitter, bool]:
    """A compiled model of a case, and whether it had to be compiled; the one used last stands last.

    Where the case can share the model of the base of its study, the model is that of the base.
    """
    for entry in _models:
        # Asking a model builds one of the case, so only those are asked that may say yes.
        if entry[0] == job.shape and entry[1].accepts(case):
            _models.remove(entry)
            _models.append(entry)
            return entry[1], False
    model = Refitter(case_from_json(job.like_json) if job.like_json else case)
    if not model.accepts(case):
        model = Refitter(case)
    _models.append((job.shape, model))
    del _models[:-KEPT_MODELS]
    return model, True


def _is_base(model: Refitter, job: Job) -> bool:
    """Whether the model was compiled for the case whose pilot run serves this job."""
    return case_to_json(model.case) == job.like_json


def _weight(model: Refitter, left_out: tuple[str, ...]) -> np.ndarray | None:
    """1 for rows of evidence that count, 0 for those left out (evidence)."""
    if not left_out:
        return None
    gone = set(left_out)
    return np.array([0.0 if row.id in gone else 1.0 for row in model.rows])
