"""Net trade of each product by region."""

from __future__ import annotations

from typing import Any

from reeuncert.report.figures import Figure
from reeuncert.report.sections.panels import fans_of, series_of
from reeuncert.result.result import Result

NET = "net_imports"


def content(result: Result) -> dict[str, Any] | None:
    """Net imports by region with bands, a row of panels with one axis for each product."""
    series = series_of(result, NET)
    if not series:
        return None
    rows = [_row(result, product, f"net-{n}") for n, product in enumerate(result.case.products)]
    return {"figures": [fig for row in rows for fig in row], "columns": max(map(len, rows))}


def _row(result: Result, product: str, id: str) -> list[Figure]:
    return fans_of(result, NET, id=id, keep=lambda at: at["product"] == product, short=True, height=210)
