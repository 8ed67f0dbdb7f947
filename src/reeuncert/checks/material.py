"""Input of the checks: a result and its tables, computed once on first use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.case.records import Case
from reeuncert.case.serial import case_from_json
from reeuncert.indicators.headlines import place
from reeuncert.indicators.registry import lookup
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.priors.coverage import case_network
from reeuncert.result.diagnostics import diagnose
from reeuncert.result.tables import flow_table

SAMPLE = ("chain", "draw")


@dataclass(frozen=True, eq=False)
class Key:
    """Draws of one headline of the case.

    Parameters
    ----------
    label
        Indicator, labels and year in a line.
    mass
        Whether it is a mass (else a ratio).
    posterior
        Draws (chain, draw); NaN where a ratio is undefined.
    prior
        Draws (draw,); empty when the prior was not simulated.
    """

    label: str
    mass: bool
    posterior: NDArray[np.float64]
    prior: NDArray[np.float64]


class Material:
    """A result with tables shared by several checks.

    Parameters
    ----------
    dt
        The result.
    flows, indicators
        Precomputed tables with the columns ess_bulk, ess_tail and r_hat.
    """

    def __init__(self, dt: xr.DataTree, *, flows: pd.DataFrame | None = None, indicators: pd.DataFrame | None = None):
        self.dt = dt
        self._flows, self._indicators = flows, indicators

    @property
    def approximate(self) -> bool:
        """Whether the result is a preview, not meant to converge."""
        return bool(self.dt.attrs.get("approximate") == "yes")

    @cached_property
    def case(self) -> Case | None:
        """The case of the result, if it holds one."""
        return case_from_json(self.dt.attrs["case_json"]) if "case_json" in self.dt.attrs else None

    @cached_property
    def evidence(self) -> EvidenceModel | None:
        """Compiled evidence; None without a case or without evidence."""
        if self.case is None or not self.case.evidence:
            return None
        return compile_evidence(self.case, case_network(self.case))

    @property
    def lineages(self) -> dict[str, str]:
        """Name of a source, as the group ``log_likelihood`` writes it → its lineage."""
        if self.case is None:
            return {}
        return {_safe(row.source_id): row.lineage for row in self.case.evidence}

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Headlines of the case whose indicators have been added."""
        return _keys(self.dt, self.case) if self.case is not None else ()

    @cached_property
    def flows(self) -> pd.DataFrame:
        """One row per flow and year, with diagnostics on the log scale."""
        return flow_table(self.dt) if self._flows is None else self._flows

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """One row per indicator, label and year; empty if none has been added."""
        return _diagnosed(self.dt) if self._indicators is None else self._indicators


def _safe(name: str) -> str:
    return name.replace("/", "_").replace(" ", "_")


def _keys(dt: xr.DataTree, case: Case) -> tuple[Key, ...]:
    if "derived" not in dt.children:
        return ()
    held = dt["derived"].to_dataset()
    before = dt["derived_prior"].to_dataset() if "derived_prior" in dt.children else xr.Dataset()
    found: dict[str, Key] = {}
    for headline in case.headlines:
        name, coords, year = place(dt, headline)
        if name not in held.data_vars:
            continue
        at: dict[str, object] = {**coords, "year": year}
        label = f"{name} ({', '.join([*coords.values(), str(year)])})"
        draws = held[name].sel(at).transpose(*SAMPLE).values
        prior = before[name].sel(at).values.reshape(-1) if name in before.data_vars else np.empty(0)
        found.setdefault(label, Key(label, lookup(headline.indicator).unit == "mass", draws, prior))
    return tuple(found.values())


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
