"""Net trade of each product by region."""

from __future__ import annotations

from typing import Any

from reeuncert.report.sections.panels import fans_of, series_of
from reeuncert.result.result import Result

NET = "net_imports"


def content(result: Result) -> dict[str, Any] | None:
    """Net imports by region with bands, a row of panels with one axis for each product."""
    products = dict.fromkeys(at["product"] for at in series_of(result, NET))
    if not products:
        return None
    return {
        "groups": [
            (
                product,
                fans_of(
                    result, NET, id=f"net-{n}", keep=lambda at, p=product: at["product"] == p, short=True, height=210
                ),
            )
            for n, product in enumerate(p for p in products if p in result.case.products or len(products) == 1)
        ]
    }
