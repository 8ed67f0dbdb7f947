"""Every indicator, to be unfolded one at a time."""

from __future__ import annotations

from typing import Any

from reeuncert.indicators.registry import DIMS, lookup
from reeuncert.report.findings import Findings, marks
from reeuncert.report.plain.sections.record import Section
from reeuncert.report.plain.sections.shown import interval, unit_of


def _content(findings: Findings) -> dict[str, Any]:
    groups = []
    for name, table in findings.indicators.groupby("indicator", sort=False):
        dims = [dim for dim in DIMS if (table[dim] != "").any()]
        rows = [
            ([str(row[d]) for d in dims], row["year"], interval(row), interval(row, "prior_"), marks(row))
            for _, row in table.iterrows()
        ]
        record = lookup(str(name))
        title = record.title + (", cumulated" if str(name).endswith("_cumulated") else "")
        groups.append(
            {"name": name, "title": title, "unit": unit_of(table.iloc[0]), "dims": dims, "rows": rows, "record": record}
        )
    return {"groups": groups}


SECTION = Section("indicator", "All indicators", _content)
