"""The indicators of the headlines in every year, posterior beside prior."""

from __future__ import annotations

from typing import Any

from reeuncert.report.findings import Findings, marks
from reeuncert.report.plain.sections.record import Section
from reeuncert.report.plain.sections.shown import heading, interval


def _content(findings: Findings) -> dict[str, Any]:
    tables = [
        {
            "heading": heading(table.iloc[0]),
            "rows": [
                (int(row["year"]), interval(row), interval(row, "prior_"), marks(row)) for _, row in table.iterrows()
            ],
        }
        for table in findings.series()
    ]
    return {"tables": tables}


SECTION = Section("years", "Year by year", _content)
