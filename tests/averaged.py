"""Averages over rival structures from whole results, to compare those of the package with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.questions.targets import targets_of
from reeuncert.result.diagnostics import diagnose
from reeuncert.result.structures import StructureRun, Structures


def average_structures(results: Mapping[str, xr.DataTree], weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """`Structures.averages` of the headlines of results (structure → result); weights are those of stacking."""
    runs = {}
    for name, dt in results.items():
        targets = targets_of(dt, None)
        found = [diagnose(target.draws) for target in targets]
        columns = {c: [float(getattr(one, c)) for one in found] for c in ("ess_bulk", "ess_tail", "r_hat")}
        table = pd.DataFrame([target.columns for target in targets]).assign(**columns)
        runs[name] = StructureRun(table, np.array([target.draws.ravel() for target in targets]))
    return Structures.of(runs, weights).averages()
