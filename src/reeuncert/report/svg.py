"""Inline SVG pictures: posterior and prior interval on one scale."""

from __future__ import annotations

import math

from markupsafe import Markup

from reeuncert.indicators.headlines import number

WIDTH, HEIGHT, MARGIN = 260.0, 46.0, 8.0


def interval_picture(
    posterior: tuple[float, float, float], prior: tuple[float, float, float], *, percent: bool, label: str
) -> Markup:
    """Draw a posterior interval (lower bound, median, upper bound; NaN if missing) above its prior interval, as an
    ``svg`` element; empty where the posterior has none. The scale of shares (``percent``) runs from 0 to 1 where they
    fit.
    """
    if not all(math.isfinite(v) for v in posterior):
        return Markup("")
    known = all(math.isfinite(v) for v in prior)
    low, high = _scale(posterior, prior if known else posterior, percent)
    inside = WIDTH - 2 * MARGIN

    def at(value: float) -> float:
        return round(MARGIN + inside * min(max((value - low) / (high - low), 0.0), 1.0), 1)

    parts = [
        Markup('<svg class="interval" viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-label="{label}">').format(
            w=WIDTH, h=HEIGHT, label=label
        ),
        Markup('<line class="axis" x1="{a}" x2="{b}" y1="30" y2="30"/>').format(a=MARGIN, b=WIDTH - MARGIN),
    ]
    if known:
        parts.append(_bar("prior", at(prior[0]), at(prior[2]), 20, 8))
    parts.append(_bar("posterior", at(posterior[0]), at(posterior[2]), 12, 12))
    parts.append(
        Markup('<line class="median" x1="{x}" x2="{x}" y1="8" y2="28"/>').format(x=at(posterior[1])),
    )
    for value, anchor in ((low, "start"), (high, "end")):
        parts.append(
            Markup('<text x="{x}" y="43" text-anchor="{anchor}">{text}</text>').format(
                x=at(value), anchor=anchor, text=_tick(value, percent)
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _scale(
    posterior: tuple[float, float, float], prior: tuple[float, float, float], percent: bool
) -> tuple[float, float]:
    low, high = min(posterior[0], prior[0]), max(posterior[2], prior[2])
    if percent and low >= 0 and high <= 1:
        return 0.0, 1.0
    # A very wide prior would shrink the posterior to a line: the scale ends at four times the posterior's range.
    reach = max(posterior[2] - posterior[0], 1e-12)
    low, high = max(low, posterior[0] - 4 * reach), min(high, posterior[2] + 4 * reach)
    if 0 <= low < 0.35 * high:
        low = 0.0
    return low, high if high > low else low + 1.0


def _bar(name: str, left: float, right: float, top: float, height: float) -> Markup:
    return Markup('<rect class="{name}" x="{x}" y="{y}" width="{w}" height="{h}" rx="2"/>').format(
        name=name, x=left, y=top, w=round(max(right - left, 1.5), 1), h=height
    )


def _tick(value: float, percent: bool) -> str:
    return f"{number(100 * value)} %" if percent else number(value)
