"""Shared data of the report sections: the result, its case, and tables computed once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.case.records import Evidence
from reeuncert.errors import OutputError
from reeuncert.plots.evidence import evidence_data
from reeuncert.reference import Published, published_values, reference_table
from reeuncert.report.fans import all_fans
from reeuncert.report.findings import Findings
from reeuncert.report.verdict import Verdict, verdict_of
from reeuncert.result.io import provenance


class Context(Findings):
    """A result on its way to a page, with what several sections need beside its `Findings`.

    Parameters
    ----------
    findings
        What they have computed already is taken over.

    Raises
    ------
    OutputError
        If the result holds no flows or no case.
    """

    def __init__(self, findings: Findings):
        if "posterior" not in findings.dt.children or "case_json" not in findings.dt.attrs:
            raise OutputError(
                "a report needs the group 'posterior' and the attribute 'case_json'; give a result of reeuncert.sample"
            )
        super().__init__(findings.dt)
        self.__dict__.update(vars(findings))

    @property
    def unit(self) -> str:
        """Unit of mass of the case."""
        return self.case.system.unit

    @property
    def years(self) -> tuple[int, ...]:
        return self.case.system.years

    @cached_property
    def provenance(self) -> dict[str, object]:
        """Attributes of the result, as plain values."""
        return dict(provenance(self.dt))

    @cached_property
    def published(self) -> tuple[Published, ...]:
        """Published values for comparison."""
        return published_values(self.case)

    @cached_property
    def reference(self) -> pd.DataFrame:
        """Published values compared with the posterior."""
        return reference_table(self.dt, self.case)

    @cached_property
    def fans(self) -> dict[str, Any]:
        """Quantiles of every indicator over the years."""
        prior = self.dt["derived_prior"].to_dataset() if "derived_prior" in self.dt.children else None
        return all_fans(self.dt["derived"].to_dataset(), prior, self.published)

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """Reported figures and their predictions, see `reeuncert.plots.evidence.evidence_data`."""
        return evidence_data(self.dt)

    @cached_property
    def evidence_by_id(self) -> dict[str, Evidence]:
        """The rows of evidence by their id."""
        return {row.id: row for row in self.case.evidence}

    @property
    def fan_titles(self) -> dict[str, str]:
        """Name → title of every indicator that the system has."""
        return {i["name"]: i["title"] for i in self.fans["indicators"]}

    @cached_property
    def verdict(self) -> Verdict:
        """Checks of the result, worst status first."""
        return verdict_of(self)

    def draws(self, group: str = "posterior") -> np.ndarray:
        """Masses (sample, flow, year) of a group."""
        mass = self.dt[group]["mass_flow"].transpose("chain", "draw", "flow", "year").values
        return np.asarray(mass.reshape(-1, *mass.shape[2:]))
