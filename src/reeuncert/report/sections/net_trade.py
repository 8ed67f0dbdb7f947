"""Net trade of each product by region."""

from __future__ import annotations

from typing import Any

from reeuncert.report.sections.panels import fans_of, series_of
from reeuncert.result.result import Result

NET = "net_imports"


def content(result: Result) -> dict[str, Any] | None:
    """Net imports by region with bands, a row of panels with one axis for each product."""
    series = series_of(result, NET)
    if not series:
        return None
    rows = [
        fans_of(result, NET, id=f"net-{n}", keep=lambda at, p=product: at["product"] == p, short=True, height=210)
        for n, product in enumerate(result.case.products)
    ]
    return {"figures": [fig for row in rows for fig in row], "columns": max(map(len, rows))}
