"""Inline SVG pictures: posterior and prior interval on one scale."""

import math
from collections.abc import Callable

from markupsafe import Markup

from reeuncert.words.estimates import numbers

WIDTH, HEIGHT, MARGIN = 260.0, 46.0, 8.0

Ends = tuple[float, float, float]
"""Lower bound, median and upper bound; NaN if missing."""


def interval_picture(posterior: Ends, prior: Ends, *, unit: str, log: bool, label: str) -> Markup:
    """Draw a posterior interval above its prior interval, as an ``svg`` element; empty where the posterior has none.

    Shares (unit ``1``) have a scale from 0 to 1 where they fit. On a logarithmic scale, and where it is not ten times
    as wide, all of the prior is drawn; else its bar is cut, and a text says how far it reaches.
    """
    if not all(math.isfinite(v) for v in posterior):
        return Markup("")
    known = all(math.isfinite(v) for v in prior)
    f: Callable[[float], float] = math.log if log else float
    low, high = _scale(posterior, prior if known else posterior, unit == "1", f)
    inside = WIDTH - 2 * MARGIN

    def at(value: float) -> float:
        return round(MARGIN + inside * min(max((f(value) - low) / (high - low), 0.0), 1.0), 1)

    parts = [
        Markup('<svg class="interval" viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-label="{label}">').format(
            w=WIDTH, h=HEIGHT, label=label
        ),
        Markup('<line class="axis" x1="{a}" x2="{b}" y1="30" y2="30"/>').format(a=MARGIN, b=WIDTH - MARGIN),
    ]
    cut = {"start": "", "end": ""}
    if known:
        parts.append(_bar("prior", at(prior[0]), at(prior[2]), 20, 8))
        slack = 0.001 * (high - low)
        cut["start"] = f"◂ prior from {_ticks(prior[0], prior[2], unit)[0]}" if f(prior[0]) < low - slack else ""
        cut["end"] = f"prior to {_ticks(prior[0], prior[2], unit)[1]} ▸" if f(prior[2]) > high + slack else ""
    parts.append(_bar("posterior", at(posterior[0]), at(posterior[2]), 12, 12))
    parts.append(Markup('<line class="median" x1="{x}" x2="{x}" y1="8" y2="28"/>').format(x=at(posterior[1])))
    ends = _ticks(*((math.exp(low), math.exp(high)) if log else (low, high)), unit)
    for end, tick in zip(cut, ends, strict=True):
        text = cut[end] or tick
        x = MARGIN if end == "start" else WIDTH - MARGIN
        parts.append(Markup('<text x="{x}" y="43" text-anchor="{a}">{t}</text>').format(x=x, a=end, t=text))
    if log and not any(cut.values()):
        parts.append(Markup('<text x="{x}" y="43" text-anchor="middle">log scale</text>').format(x=WIDTH / 2))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _scale(posterior: Ends, prior: Ends, share: bool, f: Callable[[float], float]) -> tuple[float, float]:
    low, high = min(posterior[0], prior[0]), max(posterior[2], prior[2])
    if share and low >= 0 and high <= 1:
        return 0.0, 1.0
    low, high = f(low), f(high)
    # A very wide prior would shrink the posterior to a line: the scale ends at four times the posterior's range.
    reach = max(f(posterior[2]) - f(posterior[0]), 1e-12)
    low, high = max(low, f(posterior[0]) - 4 * reach), min(high, f(posterior[2]) + 4 * reach)
    if f is not math.log and 0 <= low < 0.35 * high:
        low = 0.0
    return low, high if high > low else low + 1.0


def _bar(name: str, left: float, right: float, top: float, height: float) -> Markup:
    return Markup('<rect class="{name}" x="{x}" y="{y}" width="{w}" height="{h}" rx="2"/>').format(
        name=name, x=left, y=top, w=round(max(right - left, 1.5), 1), h=height
    )


def _ticks(low: float, high: float, unit: str) -> list[str]:
    """Both ends of a scale, with the digits that an interval as wide has."""
    _, *ends = numbers(low, low, high, percent=unit == "1")
    return [f"{end} {'%' if unit == '1' else unit}".strip() for end in ends]
