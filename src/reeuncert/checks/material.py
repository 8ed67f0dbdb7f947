"""What checks look at: a result, and tables of it that are made once, when the first check asks."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.posterior.diagnostics import diagnose
from reeuncert.posterior.tables import flow_table

SAMPLE = ("chain", "draw")


class Material:
    """A result with the tables that several checks need.

    Parameters
    ----------
    dt
        The result.
    flows, indicators
        Tables made already, with the columns ess_bulk, ess_tail and r_hat beside the labels of each row.
    """

    def __init__(self, dt: xr.DataTree, *, flows: pd.DataFrame | None = None, indicators: pd.DataFrame | None = None):
        self.dt = dt
        self._flows, self._indicators = flows, indicators

    @property
    def approximate(self) -> bool:
        """Whether the result is a quick look that was never meant to converge."""
        return bool(self.dt.attrs.get("approximate") == "yes")

    @cached_property
    def flows(self) -> pd.DataFrame:
        """A row for every flow and year, diagnosed on the log scale."""
        return flow_table(self.dt) if self._flows is None else self._flows

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """A row for every indicator, label and year; empty when none has been added."""
        return _diagnosed(self.dt) if self._indicators is None else self._indicators


def _diagnosed(dt: xr.DataTree) -> pd.DataFrame:
    if "derived" not in dt.children:
        return pd.DataFrame({"indicator": [], "ess_bulk": [], "ess_tail": [], "r_hat": []})
    parts = []
    for name, variable in dt["derived"].data_vars.items():
        dims = [d for d in variable.dims if d not in SAMPLE]
        values = variable.transpose(*SAMPLE, *dims).values
        cells = values.reshape(*values.shape[:2], -1)
        there = np.isfinite(cells).any(axis=(0, 1))
        found = diagnose(cells[:, :, there])
        labels = np.meshgrid(*(variable[d].values for d in dims), indexing="ij")
        columns: dict[str, object] = {"indicator": name}
        columns |= {str(d): grid.ravel()[there] for d, grid in zip(dims, labels, strict=True)}
        columns |= {"ess_bulk": found.ess_bulk, "ess_tail": found.ess_tail, "r_hat": found.r_hat}
        parts.append(pd.DataFrame(columns, index=range(int(there.sum()))))
    return pd.concat(parts, ignore_index=True)
