"""Trade between the regions: of few as arrows; of many as chords, net exports and matrices; and the customs gap."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from reeuncert.indicators.registry import INDICATORS
from reeuncert.indicators.summary import summary
from reeuncert.indicators.trade import ALL_ARRIVALS, RECORDED_ARRIVALS
from reeuncert.plots.access import estimate_of, flat, rows_of, sum_of
from reeuncert.plots.customs_gap import customs_records_board
from reeuncert.plots.sankey_graph import CROSSING
from reeuncert.plots.style import BOARD, colours_of
from reeuncert.plots.trade import (
    ALL,
    REFINED,
    corners,
    groups_of,
    plot_net_exports,
    plot_trade_matrix,
    regions_of,
    trade_matrix_data,
)
from reeuncert.reference import all_published
from reeuncert.report.figures import Figure, css_colour, fans_of, figure, series_of, tag
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.words.estimates import numbers

MANY = 4  # regions whose arrows, or sentences, can no longer be read: they have matrices, or tables alone
SHARE = "import_dependence"
SHARES = {
    SHARE: ("recorded trade", RECORDED_ARRIVALS),
    "import_dependence_with_unrecorded": ("with unrecorded trade", ALL_ARRIVALS),
}
"""Indicator of shares of imports → its title here, and the quantities of the flows that it counts."""
ROW = 29  # height of a row of a matrix, in CSS pixels
TRADED = ("imports", "exports", "net_imports")  # indicators of trade that name no partner
WIDTH, HEIGHT, RADIUS, WIDEST, LEAST = 420.0, 310.0, 115.0, 26.0, 0.4
BENT = 0.6
"""How near to the middle of the circle a chord passes that is as long as the circle is wide; shorter ones less."""
LAYERS = (("net_eti90_ub", 0.25), ("net_median", 0.5), ("net_eti90_lb", 0.9))
"""Strokes of a chord from back to front, each as wide as the value, and their opacity."""


def between_regions(result: Result) -> dict[str, Any] | None:
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
            "shares": {name: title for name, (title, _) in SHARES.items() if series_of(result, name)},
            "masses": {name: arrivals(result, name) for name in SHARES},
            "unit": result.unit,
        },
        alt="Arrows between the regions, from exporter to importer, as wide as the trade; the table has the values.",
        caption="Arrows point from exporter to importer; their width is the median mass. The label is the share in the "
        "importer's imports, with its 90 % interval.",
        height=460,
    )
    return {"figure": drawn}


def arrivals(result: Result, name: str) -> list[dict[str, Any]]:
    """What a region gets from another, for each series of an indicator in `SHARES`: its labels (``at``: importer,
    exporter, product) and the median of its mass in every year (``m``).
    """
    mass = mass_flow(result.dt)
    groups, (_, quantities) = groups_of(mass), SHARES[name]
    found = []
    for at in series_of(result, name):
        asked: dict[str, Any] = {"origin": at["partner"], "destination": at["region"], "quantity": quantities}
        total = sum_of(mass, **asked, product=groups[at["product"]])
        if total is not None:
            found.append({"at": list(at.values()), "m": np.median(flat(total), axis=0)})
    return found


def matrices(result: Result) -> dict[str, Any]:
    """For each year of a headline (else the last): net exports as chords, by region and in a table; matrices."""
    regions = regions_of(result.dt)
    groups = groups_of(mass_flow(result.dt))
    whole = REFINED if groups[REFINED] else ALL
    products = [*(name for name in groups if name not in (REFINED, ALL)), whole]
    years = sorted({h.year for h in result.case.headlines if h.year} or {result.years[-1]})
    table = trade_matrix_data(result.dt, coords={"year": years, "product": products})
    where = {"year": years, "product": whole}
    shown = [name for name in products if name == whole or name not in groups[whole]]
    return {
        "chords": [(product, _chords(table[table["product"] == product], regions)) for product in shown[::-1]],
        "exports": [
            figure(
                f"exports-{n}",
                region,
                partial(plot_net_exports, result.dt, coords={"exporter": region, **where}, backend=BOARD),
                alt=f"Net exports of {region} to each region; the table below has the values.",
                height=280,
            )
            for n, region in enumerate(regions)
            if ((table["exporter"] == region) & (table["product"] == whole)).any()
        ],
        "figures": [
            figure(
                f"matrix-{year}",
                f"{whole}, {year}",
                partial(plot_trade_matrix, result.dt, coords={"year": year, "product": whole}, backend=BOARD),
                alt="A square for every importer (row) and exporter (column).",
                height=105 + ROW * len(regions),
            )
            for year in years
        ],
        "years": years,
        "whole": whole,
        "pairs": _pairs(table, regions),
        "published": [
            row
            for row in result.once(all_published).to_dict("records")
            if row["indicator"] in TRADED or "partner" in INDICATORS[row["indicator"]].dims
        ],
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


def chord_picture(table: pd.DataFrame, regions: list[str], *, most: float, label: str) -> Markup:
    """Net exports of one product and year, rows of `trade_matrix_data`, as an ``svg`` element. A chord has the colour
    of the net exporter, or is grey and dashed where it rests on the prior; ``most`` is as wide as `WIDEST`.
    """
    colours = colours_of(regions)
    places = {r: (WIDTH / 2 + RADIUS * x, HEIGHT / 2 - RADIUS * y) for r, (x, y) in corners(regions).items()}
    parts = []
    rows = table[(table["net_median"] > 0) & (table["net_eti90_ub"] * WIDEST / most >= LEAST)]
    for row in rows_of(rows.sort_values("net_median", ascending=False)):
        (x0, y0), (x1, y1) = places[row.exporter], places[row.importer]
        bent = BENT * math.hypot(x1 - x0, y1 - y0) / (2 * RADIUS)
        x, y = ((1 - bent) * (a + b) / 2 + bent * c / 2 for a, b, c in ((x0, x1, WIDTH), (y0, y1, HEIGHT)))
        said = estimate_of(row, "net_") + ("" if row.net_informed else "; rests on the prior")
        colour = css_colour(colours[row.exporter]) if row.net_informed else "prior"
        dash = "none" if row.net_informed else "5 3"
        chord = [tag("title", f"{row.exporter} → {row.importer}: {said}")]
        for name, opacity in LAYERS:
            if getattr(row, name) > 0:
                style = f"stroke:var(--{colour});stroke-width:{WIDEST * getattr(row, name) / most:.2f};"
                style += f"stroke-opacity:{opacity};stroke-dasharray:{dash}"
                chord.append(tag("path", d=f"M{x0:.1f},{y0:.1f}Q{x:.1f},{y:.1f} {x1:.1f},{y1:.1f}", style=style))
        parts.append(tag("g", Markup("").join(chord)))
    for region, (x, y) in places.items():
        aside = (x - WIDTH / 2) / RADIUS
        anchor = "middle" if abs(aside) < 0.2 else "start" if aside > 0 else "end"
        down = 1.0 + (y - HEIGHT / 2) / RADIUS  # 0 at the top of the circle, 2 at its foot
        parts.append(
            tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=6, style=f"fill:var(--{css_colour(colours[region])})")
        )
        place = {"x": f"{x + 11 * aside:.1f}", "y": f"{y - 11 + 15 * down:.1f}"}
        parts.append(tag("text", region, **place, text_anchor=anchor))
    box = f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", Markup("").join(parts), class_="chords", viewBox=box, role="img", aria_label=label)


TITLES = {
    "customs_gap": "Customs gap: by how much the importer's record would exceed the exporter's, both without errors",
    "smuggled_mass": "Unrecorded exports (smuggling)",
    "smuggled_mass_declared": "Unrecorded exports declared on arrival",
    "smuggled_mass_cumulated": "Unrecorded exports (smuggling), cumulative",
}


def customs_gap(result: Result) -> dict[str, Any] | None:
    """Figures for each pair of regions with unrecorded trade, and cumulative masses."""
    pairs = series_of(result, "smuggled_mass")
    others = fans_of(result, "customs_gap", id="gap", but=pairs, short=True)
    if not pairs and not others:
        return None
    return {
        "pairs": [
            {"title": f"{at['partner']} to {at['region']}", "figures": _figures(result, at), **_sums(result, at)}
            for at in pairs
        ],
        "others": others,
        "published": [p for p in result.once(all_published).to_dict("records") if p["indicator"] == "smuggled_mass"],
    }


def _figures(result: Result, at: dict[str, str]) -> list[Figure]:
    region, partner = at["region"], at["partner"]
    slug = f"{result.case.regions.index(region)}-{result.case.regions.index(partner)}"
    about = f"refined products from {partner} to {region}"
    out = []
    # Whether unrecorded trade of the pair is split into what is declared on arrival and what is not.
    if any(f.quantity in CROSSING and (f.destination, f.origin) == (region, partner) for f in result.case.system.flows):
        out.append(
            figure(
                f"offices-{slug}",
                "Mirror trade statistics and actual trade",
                lambda: customs_records_board(result.dt, at),
                alt=f"Fans of both offices' records and of the true flow of {about}; reported values as points.",
                caption="Bands: 90 % intervals of the records without reporting errors. Points: reported values, "
                "converted to the unit of the case.",
                height=440,
            )
        )
    for name, title in TITLES.items():
        out += [replace(one, title=title) for one in fans_of(result, name, id=f"{name}-{slug}", only=at)]
    return out


def _sums(result: Result, at: dict[str, str]) -> dict[str, Any]:
    """Unrecorded exports, the part declared on arrival, and the customs gap, over all years."""
    region, partner = at["region"], at["partner"]
    rows: dict[str, Any] = dict.fromkeys(("smuggled_mass", "smuggled_mass_declared", "customs_gap"))
    for name in rows:
        if at in series_of(result, f"{name}_cumulated"):
            found = summary(result.dt, f"{name}_cumulated", region=region, partner=partner, year=result.years[-1])
            rows[name] = found.to_dict("records")[0]
    return {"sums": rows, **at}
