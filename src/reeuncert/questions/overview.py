"""What drives each headline and which number to collect next, for all headlines of a result at once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.inference.layout import COORDINATES
from reeuncert.questions.information import of_cells
from reeuncert.questions.nested import interval_width
from reeuncert.questions.sobol import inputs_of, shares_of
from reeuncert.questions.targets import Target, targets_of
from reeuncert.result.diagnostics import standard_ranks
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow

Floats = NDArray[np.float64]

CANDIDATES = 40
"""Flows and years whose measurement is worked out for each headline: those that rise and fall with it most."""

TO_CHOOSE = 1000
"""Draws that suffice to choose them."""


@dataclass(frozen=True, eq=False)
class Overview:
    """What one headline is driven by: `variance_shares` (empty where the result holds no coordinates or the headline
    does not vary), and the best candidates to measure, as from `reeuncert.value_of_information`.
    """

    target: Target
    shares: pd.DataFrame
    measurements: pd.DataFrame


def overview(dt: xr.DataTree, *, error: float = 0.1, most: int = 5) -> list[Overview]:
    """What drives each headline of the case, and which flow to measure next, from the draws alone.

    Measurements, with a relative error each, are computed as `reeuncert.value_of_information` does, for the flows and
    years whose ranks are correlated with the headline's; that leaves out only what could not narrow it.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> found = overview(toy_posterior(draws=100, years=2))
    >>> [len(one.measurements) for one in found]
    [5, 5]
    """
    targets = targets_of(dt)
    case = Result.holding(dt).case
    masses = mass_flow(dt)
    flow, year = np.nonzero(case.system.exists)
    values = masses.transpose("flow", "year", "chain", "draw").values
    values = values.reshape(*values.shape[:2], -1)
    step = max(1, values.shape[2] // TO_CHOOSE)
    cells = values[:, :, ::step][flow, year].T
    told = np.stack([t.filled.ravel()[::step] for t in targets], axis=1)
    go = np.abs(standard_ranks(told) @ standard_ranks(cells).T)
    shares: dict[str, pd.DataFrame] = {}
    if COORDINATES in dt["posterior"].data_vars:
        vary = {t.label: t for t in targets if interval_width(t.filled.ravel(), prob=0.9, kind="eti") > 0}
        shares = dict(zip(vary, shares_of(list(vary.values()), inputs_of(dt)), strict=True))
    chosen = np.argsort(-go, axis=1)[:, :CANDIDATES]
    asked = [np.stack([flow[one], year[one]], axis=1) for one in chosen]
    out = []
    for target, table in zip(targets, of_cells(targets, case.system, masses, asked, error), strict=True):
        now = interval_width(target.filled.ravel(), prob=0.9, kind="eti")
        table["narrowing"] = 1.0 - table["expected"] / now if now > 0 else 0.0
        table = table.sort_values("narrowing", ascending=False, ignore_index=True).head(most)
        out.append(Overview(target, shares.get(target.label, pd.DataFrame()), table))
    return out
