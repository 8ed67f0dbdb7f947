"""The sentences that the case puts first."""

from __future__ import annotations

from typing import Any

from reeuncert.report.findings import Findings, marks
from reeuncert.report.plain.sections.record import Section


def _content(findings: Findings) -> dict[str, Any]:
    table = findings.headlines
    return {"rows": [{"sentence": row["sentence"], "marks": marks(row)} for _, row in table.iterrows()]}


SECTION = Section("headline", "Headlines", _content)
