"""Labels of a result's case, and how it is cited."""

from __future__ import annotations

from reeuncert.case.labels import Labels
from reeuncert.indicators.registry import INDICATORS
from reeuncert.result.io import provenance
from reeuncert.result.result import Result


def labels_of(result: Result) -> Labels:
    """Labels of flows, processes, sources, offsets and indicators."""
    return Labels(result.case, {name: title for record in INDICATORS.values() for name, title in record.titles.items()})


def citation(result: Result) -> str:
    """One line to cite a result by: title, software with its version, case, date and seed."""
    made = provenance(result.dt)
    versions = made.get("versions") or {}
    software = f"reeuncert {versions['reeuncert']}" if versions.get("reeuncert") else "reeuncert"
    parts = [result.case.title, software, f"case {result.case.name}", str(made.get("created") or "")[:10]]
    seed = f"seed {made['seed']}" if made.get("seed") is not None else ""
    return ". ".join(part for part in (*parts, seed) if part)
