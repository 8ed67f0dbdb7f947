"""Makes one fit in whatever process it is sent to; a model that was compiled there serves again."""

import gc
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import xarray as xr

from reeuncert.case.records import Case, Evidence
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.inference.layout import MASS_FLOW
from reeuncert.inference.refit import Refitter
from reeuncert.inference.sample import sample
from reeuncert.likelihood.model import WEIGHT_DATA
from reeuncert.model import build_model, record_of
from reeuncert.result.diagnostics import diagnose
from reeuncert.studies.cache import Kept
from reeuncert.studies.jobs import Job

KEPT_MODELS = 4
"""Compiled models that a process keeps; the one not used for longest goes first."""

_models: list[tuple[str, Refitter]] = []
_alone = threading.Lock()  # a worker of Dask may run two jobs as threads of one process; compilers are not made for it


def refit(job: Job) -> Kept:
    """Sample one case and keep of the result what is asked, with its convergence in ``about`` (`convergence`)."""
    with _alone:
        begin = time.perf_counter()
        case = case_from_json(job.case_json)
        if job.own_shape:
            compiled, dt = True, _alone_with_pilot(case, job)
        else:
            model, compiled = _model_for(case, job)
            # The pilot run is that of the base where the model was compiled for the base.
            like = None if case_to_json(model.case) == job.like_json else case
            weight = _weight(model.rows, job.left_out)
            dt = model.fit(case, weight=weight, cores=job.cores, like=like, **asdict(job.settings))
        if dt.attrs.get("complete") == "no":  # Ctrl-C: a part of a fit is no result
            raise KeyboardInterrupt
        found = convergence(dt)
        kept = job.keep(dt, case, job.left_out)
        del dt
        gc.collect()  # nodes of a tree refer to each other, and the next fit needs the memory
        made = {"compiled": compiled, "seconds": round(time.perf_counter() - begin, 2)}
        return replace(kept, about={**kept.about, **found, **made})


def convergence(dt: xr.DataTree) -> dict[str, float]:
    """Largest R-hat and smallest ESS (bulk or tail) over flows, widths and offsets, and the number of divergences."""
    posterior = dt["posterior"].to_dataset()
    r_hat, ess = [], []
    for name in (MASS_FLOW, "source_width", "log_offset"):
        if name in posterior:
            values = posterior[name].transpose("chain", "draw", ...).values
            cells = values.reshape(*values.shape[:2], -1)
            found = diagnose(cells[:, :, np.isfinite(cells).all(axis=(0, 1))], log=name == MASS_FLOW)
            r_hat.append(found.r_hat)
            ess += [found.ess_bulk, found.ess_tail]
    return {
        "r_hat": float(np.nanmax(np.concatenate(r_hat))),
        "ess": float(np.nanmin(np.concatenate(ess))),
        "divergences": int(dt["sample_stats"]["diverging"].sum()),
    }


def _model_for(case: Case, job: Job) -> tuple[Refitter, bool]:
    """A compiled model of a case, and whether it had to be compiled; the one used last stands last.

    Where the case can share the model of the base of its study, the model is that of the base.
    """
    base = job.like_json
    for entry in _models:
        # Asking a model builds one of the case, so only those are asked that may say yes.
        if entry[0] == job.shape and entry[1].accepts(case):
            _models.remove(entry)
            _models.append(entry)
            return entry[1], False
        if entry[0] == job.shape and case_to_json(entry[1].case) == base:
            base = ""  # it has said no
    model = Refitter(case_from_json(base) if base else case)
    if base and not model.accepts(case):
        model = Refitter(case)
    _models.append((job.shape, model))
    del _models[:-KEPT_MODELS]
    return model, True


def _alone_with_pilot(case: Case, job: Job) -> xr.DataTree:
    """A fit whose pilot run does not see the rows left out either."""
    model = build_model(case)
    weight = _weight(record_of(model).evidence.rows, job.left_out)
    if weight is not None:
        model.set_data(WEIGHT_DATA, weight)
    quiet: dict[str, Any] = {"progressbar": False, "quiet": True, "prior_draws": 0, "likelihood_terms": False}
    return sample(model, cores=job.cores, **quiet, **asdict(job.settings))


def _weight(rows: Sequence[Evidence], left_out: tuple[str, ...]) -> np.ndarray | None:
    """1 for rows of evidence that count, 0 for those left out (evidence)."""
    if not left_out:
        return None
    gone = set(left_out)
    return np.array([0.0 if row.id in gone else 1.0 for row in rows])
