"""Trade between many regions in some years: net exports as chords and by region, and import dependence as matrices."""

from functools import partial
from typing import Any

import pandas as pd

from reeuncert.indicators.registry import INDICATORS
from reeuncert.plots.style import BOARD
from reeuncert.plots.trade_matrix import plot_net_exports, plot_trade_matrix, trade_matrix_data
from reeuncert.plots.triangle import ALL, REFINED, groups_of, regions_of
from reeuncert.reference import all_published
from reeuncert.report.chords import chord_picture
from reeuncert.report.figures import figure
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.words.estimates import numbers

ROW = 29
"""Height of a row of a matrix, in CSS pixels."""
TRADED = ("imports", "exports", "net_imports")
"""Indicators of trade that name no partner."""


def matrices(result: Result) -> dict[str, Any]:
    """For each year of a headline (else the last): net exports of every pair as chords, by region and as a table, and
    a matrix of import dependence; beside published values.
    """
    regions = regions_of(result.dt)
    groups = groups_of(mass_flow(result.dt))
    products = [name for name in groups if name != ALL]
    years = sorted({h.year for h in result.case.headlines if h.year} or {result.years[-1]})
    table = trade_matrix_data(result.dt, coords={"year": years, "product": products})
    shown = [name for name in products if name == REFINED or name not in groups[REFINED]]
    return {
        "chords": [(product, _chords(table[table["product"] == product], regions)) for product in shown[::-1]],
        "exports": [
            figure(
                f"exports-{n}",
                region,
                partial(
                    plot_net_exports,
                    result.dt,
                    coords={"exporter": region, "year": years, "product": REFINED},
                    backend=BOARD,
                ),
                alt=f"Net exports of {region} to each region; the table below has the values.",
                height=280,
            )
            for n, region in enumerate(regions)
            if ((table["exporter"] == region) & (table["product"] == REFINED)).any()
        ],
        "figures": [
            figure(
                f"matrix-{year}",
                f"{REFINED}, {year}",
                partial(plot_trade_matrix, result.dt, coords={"year": year, "product": REFINED}, backend=BOARD),
                alt="A square for every importer (row) and exporter (column).",
                height=105 + ROW * len(regions),
            )
            for year in years
        ],
        "years": years,
        "pairs": _pairs(table, regions),
        "unit": result.unit,
        "published": [row for row in result.once(all_published).to_dict("records") if _of_trade(row["indicator"])],
    }


def _chords(table: pd.DataFrame, regions: list[str]) -> list[dict[str, Any]]:
    """A picture for each year, all of one scale."""
    most = float(table["net_eti90_ub"].max())
    pictures = []
    for year, rows in table.groupby("year"):
        label = f"Net exports between the regions, {rows['product'].iloc[0]}, {year}"
        pictures.append({"year": year, "picture": chord_picture(rows, regions, most=most, label=label)})
    return pictures


def _pairs(table: pd.DataFrame, regions: list[str]) -> list[dict[str, Any]]:
    order = [regions.index(a) < regions.index(b) for a, b in zip(table["exporter"], table["importer"], strict=True)]
    table = table[order]
    ends = table[["net_median", "net_eti90_lb", "net_eti90_ub"]].itertuples(index=False)
    table = table.assign(told=["{} ({} to {})".format(*numbers(*row)) for row in ends])
    return [
        {"exporter": a, "importer": b, "product": product, "years": rows.set_index("year").to_dict("index")}
        for (product, a, b), rows in table.groupby(["product", "exporter", "importer"], sort=False)
    ]


def _of_trade(indicator: str) -> bool:
    return indicator in TRADED or "partner" in INDICATORS[indicator].dims
