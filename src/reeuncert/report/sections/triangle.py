"""Trade between the regions as arrows, by year and product, with intervals."""

from typing import Any

from reeuncert.report.figures import figure
from reeuncert.report.sections.panels import series_of
from reeuncert.report.sections.trade_matrix import matrices
from reeuncert.result.result import Result

MANY = 4
"""Regions whose arrows, or sentences, can no longer be read: they have matrices, or tables alone."""
SHARE, SHARE_OF_ALL, MASS = "import_dependence", "import_dependence_with_unrecorded", "imports"


def content(result: Result) -> dict[str, Any] | None:
    """One figure with a slider over the years and a list of products, and its values as a table; or matrices."""
    known = series_of(result, SHARE)
    if not known:
        return None
    if len(result.case.regions) >= MANY:
        return matrices(result)
    products = list(dict.fromkeys(at["product"] for at in known))
    drawn = figure(
        "triangle",
        "Import dependence between the regions",
        lambda: {
            "kind": "triangle",
            "regions": list(result.case.regions),
            "products": products,
            "start": "all" if "all" in products else products[0],
            "shares": {
                name: title
                for name, title in ((SHARE, "recorded trade"), (SHARE_OF_ALL, "with unrecorded trade"))
                if series_of(result, name)
            },
            "mass": MASS,
        },
        alt="Arrows between the regions, from exporter to importer, as wide as the trade; the table has the values.",
        caption="Arrows point from exporter to importer; their width is the mass. The label is the share in the "
        "importer's imports, with its 90 % interval.",
        height=460,
    )
    return {"figure": drawn}
