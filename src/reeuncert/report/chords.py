"""A chord diagram as an inline SVG picture: net exports between regions on a circle, with intervals."""

import math

import pandas as pd
from markupsafe import Markup

from reeuncert.plots.access import rows_of
from reeuncert.plots.style import colours_of
from reeuncert.plots.triangle import corners
from reeuncert.report.figures import css_colour
from reeuncert.words.estimates import estimate

WIDTH, HEIGHT, RADIUS, WIDEST, LEAST = 420.0, 310.0, 115.0, 26.0, 0.4
BENT = 0.6
"""How near to the middle of the circle a chord passes that is as long as the circle is wide; shorter ones less."""
LAYERS = (("net_eti90_ub", 0.25), ("net_median", 0.5), ("net_eti90_lb", 0.9))
"""Strokes of a chord from back to front, each as wide as the value, and their opacity."""


def chord_picture(table: pd.DataFrame, regions: list[str], *, most: float, label: str) -> Markup:
    """Net exports of one product and year, rows of `reeuncert.plots.trade_matrix_data`, as an ``svg`` element. A chord
    has the colour of the net exporter, or is grey and dashed where it rests on the prior; ``most`` is as wide as
    `WIDEST`.
    """
    colours = colours_of(regions)
    places = {r: (WIDTH / 2 + RADIUS * x, HEIGHT / 2 - RADIUS * y) for r, (x, y) in corners(regions).items()}
    parts = [Markup('<svg class="chords" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, label)]
    rows = table[(table["net_median"] > 0) & (table["net_eti90_ub"] * WIDEST / most >= LEAST)]
    for row in rows_of(rows.sort_values("net_median", ascending=False)):
        (x0, y0), (x1, y1) = places[row.exporter], places[row.importer]
        bent = BENT * math.hypot(x1 - x0, y1 - y0) / (2 * RADIUS)
        x, y = ((1 - bent) * (a + b) / 2 + bent * c / 2 for a, b, c in ((x0, x1, WIDTH), (y0, y1, HEIGHT)))
        told = estimate(row.net_median, row.net_eti90_lb, row.net_eti90_ub, unit=row.unit)
        told += "" if row.net_informed else "; rests on the prior"
        colour = css_colour(colours[row.exporter]) if row.net_informed else "prior"
        dash = "none" if row.net_informed else "5 3"
        parts.append(Markup("<g><title>{}</title>").format(f"{row.exporter} → {row.importer}: {told}"))
        for name, opacity in LAYERS:
            if getattr(row, name) > 0:
                parts.append(
                    Markup('<path d="M{:.1f},{:.1f}Q{:.1f},{:.1f} {:.1f},{:.1f}" style="{}"/>').format(
                        *(x0, y0, x, y, x1, y1),
                        f"stroke:var(--{colour});stroke-width:{WIDEST * getattr(row, name) / most:.2f};"
                        f"stroke-opacity:{opacity};stroke-dasharray:{dash}",
                    )
                )
        parts.append(Markup("</g>"))
    for region, (x, y) in places.items():
        aside = (x - WIDTH / 2) / RADIUS
        anchor = "middle" if abs(aside) < 0.2 else "start" if aside > 0 else "end"
        down = 1.0 + (y - HEIGHT / 2) / RADIUS  # 0 at the top of the circle, 2 at its foot
        parts.append(
            Markup('<circle cx="{:.1f}" cy="{:.1f}" r="6" style="fill:var(--{})"/>').format(
                x, y, css_colour(colours[region])
            )
        )
        parts.append(
            Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
                x + 11 * aside, y - 11 + 15 * down, anchor, region
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)
