"""Where the result came from."""

from __future__ import annotations

from typing import Any

from reeuncert.posterior.io import provenance
from reeuncert.report.findings import Findings
from reeuncert.report.plain.sections.record import Section


def _content(findings: Findings) -> dict[str, Any]:
    rows = []
    for name, value in provenance(findings.dt).items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        if text:
            rows.append((name.replace("_", " "), text))
    used = {e.source_id for e in findings.case.evidence}
    sources = [s for s in findings.case.sources.values() if s.source_id in used]
    return {"rows": rows, "sources": sources, "evidence": len(findings.case.evidence)}


SECTION = Section("provenance", "Provenance", _content)
