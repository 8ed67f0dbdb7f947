"""Net trade of each product by region."""

from typing import Any

from reeuncert.report.figures import Figure
from reeuncert.report.sections.panels import ABREAST, fans_of, series_of
from reeuncert.result.result import Result

NET = "net_imports"


def content(result: Result) -> dict[str, Any] | None:
    """Net imports by region with bands: for each product a row of panels with one axis, or a group of panels."""
    series = series_of(result, NET)
    if not series:
        return None
    rows = [_row(result, product, f"net-{n}") for n, product in enumerate(result.case.products)]
    columns = max(map(len, rows))
    return {"rows": list(zip(result.case.products, rows, strict=True)), "columns": columns, "wide": columns > ABREAST}


def _row(result: Result, product: str, id: str) -> list[Figure]:
    return fans_of(result, NET, id=id, keep=lambda at: at["product"] == product, short=True, height=210)
