"""Import dependence between many regions as matrices of some years, and net exports of every pair."""

from __future__ import annotations

from functools import partial
from typing import Any

from reeuncert.plots.style import BOARD
from reeuncert.plots.trade_matrix import plot_trade_matrix, trade_matrix_data
from reeuncert.plots.triangle import ALL, REFINED, groups_of
from reeuncert.report.figures import figure
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.words.estimates import numbers

ROW = 46
"""Height of a row of a matrix, in CSS pixels."""


def matrices(result: Result) -> dict[str, Any]:
    """A matrix for each year of a headline (else the last), and a table of net exports in these years."""
    regions = result.case.regions
    products = [name for name in groups_of(mass_flow(result.dt)) if name != ALL]
    years = sorted({h.year for h in result.case.headlines if h.year} or {result.years[-1]})
    alt = "A square for every importer (row) and exporter (column); the table below has the net exports of each pair."
    figures = [
        figure(
            f"matrix-{year}",
            f"{REFINED}, {year}",
            partial(plot_trade_matrix, result.dt, coords={"year": year, "product": REFINED}, backend=BOARD),
            alt=alt,
            height=90 + ROW * len(regions),
        )
        for year in years
    ]
    table = trade_matrix_data(result.dt, coords={"year": years, "product": products})
    table = table[
        [regions.index(a) < regions.index(b) for a, b in zip(table["exporter"], table["importer"], strict=True)]
    ]
    table["told"] = [
        "{} ({} to {})".format(*numbers(*ends))
        for ends in table[["net_median", "net_eti90_lb", "net_eti90_ub"]].itertuples(index=False)
    ]
    pairs = [
        {"exporter": a, "importer": b, "product": product, "years": rows.set_index("year").to_dict("index")}
        for (product, a, b), rows in table.groupby(["product", "exporter", "importer"], sort=False)
    ]
    return {"figures": figures, "years": years, "pairs": pairs, "unit": result.unit}
