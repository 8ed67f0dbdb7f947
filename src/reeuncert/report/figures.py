"""Figures of the page as compact JSON, or their error: drawn by `reeuncert.plots`, or fans of indicators, whose
quantiles the page holds once; intervals as inline SVG.
"""

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from markupsafe import Markup

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.printing import series_title
from reeuncert.indicators.registry import lookup
from reeuncert.indicators.summary import Cells, all_cells
from reeuncert.parts import Failed, attempt
from reeuncert.plots.panels import Area, Axis, Board, Line, Points, Ribbons, Text
from reeuncert.plots.style import HUES, OFFICES, UNRECORDED
from reeuncert.reference import values_of
from reeuncert.result.quantiles import PROBABILITIES
from reeuncert.result.result import Result
from reeuncert.words.estimates import numbers

DIGITS = 4  # significant digits of numbers in figures


@dataclass(frozen=True)
class Figure:
    """One figure of the page."""

    id: str  # unique in the page
    title: str
    alt: str  # alternative text
    spec: Mapping[str, Any] | None  # ``{"kind": ..., ...}``: drawing function in ``assets`` and its data
    caption: str = ""
    error: str = ""  # why the figure could not be drawn, else empty
    height: int = 420  # in CSS pixels, reserved to avoid layout shifts

    @cached_property
    def json(self) -> Markup:
        """The spec as JSON that can stand inside a script element."""
        return script_json(self.spec)


def figure(name: str, title: str, draw: Callable[[], Any], *, alt: str, caption: str = "", height: int = 420) -> Figure:
    """Draw a figure, or return one with the error. ``draw`` returns a board of one panel, or a spec for a drawing
    function of the page (a mapping with ``kind``).
    """

    def made() -> Figure | str:
        try:
            drawn = draw()
        except ReeUncertError as error:  # the result lacks the data of this figure; the message tells which
            return str(error)
        spec = drawn if isinstance(drawn, Mapping) else panel_spec(drawn)
        found = Figure(name, title, alt, spec, caption, "", height)
        _ = found.json  # what cannot be written fails here, and is kept
        return found

    found = attempt(f"figure '{title}'", made)
    if isinstance(found, Failed | str):
        return Figure(name, title, alt, None, caption, str(found), height)
    return found


def panel_spec(board: Board) -> dict[str, Any]:
    """A board of one panel as data for ``draw.js``; a colour is a variable of the style sheet."""
    (panel,) = board.panels
    marks = [mark for mark in panel.marks if not isinstance(mark, Ribbons)]
    years = panel.x is None
    span = [float(year) for mark in marks if isinstance(mark, Line) and mark.hover for year in mark.x]
    x = _axis(panel.x or Axis(limits=(min(span) - 0.4, max(span) + 0.4)))
    drawn = {"years": years, "x": x, "y": _axis(panel.y), "marks": [_mark(mark) for mark in marks]}
    return {"kind": "panel", "unit": panel.y.title if years else "", "panel": drawn}


def _axis(axis: Axis) -> dict[str, Any]:
    out = {"title": axis.title, "limits": axis.limits, "log": axis.log or None, "ticks": axis.ticks or None}
    return {name: value for name, value in out.items() if value}


def _mark(mark: Area | Line | Points | Text) -> dict[str, Any]:
    out: dict[str, Any] = {"c": css_colour(mark.colour), "x": mark.x, "y": mark.y}
    if isinstance(mark, Text):
        return out | {"k": "t", "t": mark.text, "g": mark.align}
    out["h"] = list(mark.hover) if isinstance(mark, Line | Points) and mark.hover else None
    if isinstance(mark, Points):
        out |= {"k": "p", "n": mark.name, "s": mark.symbol, "o": mark.opacity, "f": mark.hollow or None}
        out |= {"lo": mark.low, "hi": mark.high}
    else:
        out["n"] = mark.name or None
        more = {"k": "l", "w": mark.width, "d": mark.dash} if isinstance(mark, Line) else {"k": "a", "o": mark.opacity}
        out |= more
    return {name: value for name, value in out.items() if value is not None}


def css_colour(colour: str) -> str:
    """Variable of the style sheet for a colour of the figures; other colours as they are.

    >>> css_colour("#0072B2"), css_colour("alert"), css_colour("#123456")
    ('hue-0', 'red', '#123456')
    """
    for name, palette in (("hue", HUES), ("office", OFFICES)):
        if colour in palette:
            return f"{name}-{palette.index(colour)}"
    return {UNRECORDED: "unrecorded", "alert": "red"}.get(colour, colour)


def script_json(value: Any) -> Markup:
    r"""Compact JSON that is safe inside a script element.

    >>> print(script_json({"a": "</script><b>", "x": [1 / 3, float("nan")]}))
    {"a":"\u003c/script\u003e\u003cb\u003e","x":[0.3333,null]}
    """
    text = json.dumps(rounded(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # all HTML special characters are escaped


def rounded(value: Any) -> Any:
    """Plain values for JSON: arrays as lists, floats with `DIGITS` significant digits but no coarser than a tenth (of a
    year), non-finite values as None.
    """
    if isinstance(value, float):  # most of a page
        if not math.isfinite(value):
            return None
        short = float(f"{value:.{DIGITS}g}") if abs(value) < 10 ** (DIGITS - 1) else round(value, 1)
        return int(short) if short.is_integer() and abs(short) < 1e15 else short
    if isinstance(value, str | int) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return rounded(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    return str(value)


PRIOR_PROBABILITIES = (0.05, 0.5, 0.95)
ABREAST = 4
"""Panels that stand side by side, on one axis; on one axis for more regions the smaller ones would be flat lines."""


def fans(result: Result) -> dict[str, Any]:
    """Fans of every indicator of a result, with the published values of its case.

    ``years``, and ``indicators``: for each ``name``, ``title``, ``unit``, ``reference``, ``dims`` and ``series``, a
    list of ``at`` (labels), ``q`` (one list over the years for each of `PROBABILITIES`), ``p`` (the same for the prior,
    if there is one) and ``points`` (published values). Events, which have no interval, and series that the system lacks
    are left out.
    """
    derived = result.dt["derived"].to_dataset()
    indicators = []
    for name, of in result.once(all_cells).items():
        series = [] if lookup(name, result.case).event else list(_series(result, of))
        if series:
            attrs = derived[name].attrs
            about = {"name": name, "title": attrs.get("long_name", name), "unit": attrs.get("units", "")}
            about |= {"reference": attrs.get("reference", ""), "percent": lookup(name, result.case).percent}
            indicators.append(about | {"dims": list(of.labels)[:-1], "series": series})
    return {"years": [int(y) for y in derived["year"].values], "indicators": indicators}


def _series(result: Result, of: Cells) -> Iterable[dict[str, Any]]:
    found = of.grid(of.after)
    known = None if of.before is None else of.grid(of.before)[np.isin(PROBABILITIES, PRIOR_PROBABILITIES)]
    *dims, _ = of.labels
    for index in np.ndindex(*found.shape[1:-1]):
        q = found[(slice(None), *index)]
        if not np.isfinite(q).any() or not np.nanmax(np.abs(q)) > 0:
            continue
        at = [str(of.labels[d][i]) for d, i in zip(dims, index, strict=True)]
        one: dict[str, Any] = {"at": at, "q": q}
        if known is not None and np.isfinite(known[(slice(None), *index)]).any():
            one["p"] = known[(slice(None), *index)]
        points = [
            {"from": row.years[0], "to": row.years[-1], "value": row.value, "source": row.source, "text": row.told}
            for row in values_of(result, of.name, dict(zip(dims, at, strict=True)), int(of.labels["year"][0]))
        ]
        yield one | ({"points": points} if points else {})


def fan(
    result: Result,
    name: str,
    at: Iterable[str],
    *,
    id: str,
    title: str = "",
    height: int = 320,
    caption: str = "",
    together: Iterable[Iterable[str]] = (),
) -> Figure:
    """Fan chart of one series, by default with its labels as title; its axis also holds those shown ``together``."""
    labels = list(at)
    known: dict[str, dict[str, Any]] = {one["name"]: one for one in result.once(fans)["indicators"]}
    about = known.get(name, {"dims": []})
    heading = title or series_title({"indicator": name, **dict(zip(about["dims"], labels, strict=False))})
    return figure(
        id,
        heading,
        lambda: {"kind": "fan", "indicator": name, "at": labels, "together": [list(one) for one in together]},
        alt=f"Fan chart of {heading} over the years: median, 50, 80 and 90 % equal-tailed intervals, prior behind.",
        caption=caption,
        height=height,
    )


def fans_of(
    result: Result,
    name: str,
    *,
    id: str,
    only: Mapping[str, str] | None = None,
    but: Collection[Mapping[str, str]] = (),
    short: bool = False,
    height: int = 260,
) -> list[Figure]:
    """Fans of every series of an indicator that the system has, with `only` these labels, and not labelled as any of
    `but`. ``short``: headings name the labels alone, and up to `ABREAST` of them have one axis.
    """
    labels = (only or {}).items()
    wanted = [(n, at) for n, at in enumerate(series_of(result, name)) if labels <= at.items() and at not in but]
    together = [list(at.values()) for _, at in wanted] if short and len(wanted) <= ABREAST else []
    titles = [", ".join(at.values()) if short else "" for _, at in wanted]
    return [
        fan(result, name, at.values(), id=f"{id}-{n}", title=title, height=height, together=together)
        for (n, at), title in zip(wanted, titles, strict=True)
    ]


def series_of(result: Result, name: str) -> list[dict[str, str]]:
    """Labels of every series of an indicator that the system has; none if it has no such indicator."""
    found: dict[str, Any] | None = next((i for i in result.once(fans)["indicators"] if i["name"] == name), None)
    return [] if found is None else [dict(zip(found["dims"], one["at"], strict=True)) for one in found["series"]]


WIDTH, HEIGHT, MARGIN = 260.0, 46.0, 8.0


def tag(name: str, content: str = "", /, **attributes: object) -> Markup:
    """An element of an inline picture; in the name of an attribute, an underscore stands for a hyphen.

    >>> print(tag("text", "a < b", class_="note", text_anchor="end"), tag("line", x1=0.5))
    <text class="note" text-anchor="end">a &lt; b</text> <line x1="0.5"/>
    """
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    named = Markup("").join(Markup(' {}="{}"').format(*pair) for pair in pairs)
    return (
        Markup("<{0}{1}>{2}</{0}>").format(name, named, content) if content else Markup("<{}{}/>").format(name, named)
    )


Ends = tuple[float, float, float]  # lower bound, median and upper bound; NaN if missing


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

    parts = [tag("line", class_="axis", x1=MARGIN, x2=WIDTH - MARGIN, y1=30, y2=30)]
    cut = {"start": "", "end": ""}
    if known:
        parts.append(_bar("prior", at(prior[0]), at(prior[2]), 20, 8))
        slack = 0.001 * (high - low)
        cut["start"] = f"◂ prior from {_ticks(prior[0], prior[2], unit)[0]}" if f(prior[0]) < low - slack else ""
        cut["end"] = f"prior to {_ticks(prior[0], prior[2], unit)[1]} ▸" if f(prior[2]) > high + slack else ""
    parts.append(_bar("posterior", at(posterior[0]), at(posterior[2]), 12, 12))
    parts.append(tag("line", class_="median", x1=at(posterior[1]), x2=at(posterior[1]), y1=8, y2=28))
    ends = _ticks(*((math.exp(low), math.exp(high)) if log else (low, high)), unit)
    for end, tick in zip(cut, ends, strict=True):
        x = MARGIN if end == "start" else WIDTH - MARGIN
        parts.append(tag("text", cut[end] or tick, x=x, y=43, text_anchor=end))
    if log and not any(cut.values()):
        parts.append(tag("text", "log scale", x=WIDTH / 2, y=43, text_anchor="middle"))
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return tag("svg", Markup("").join(parts), class_="interval", viewBox=box, role="img", aria_label=label)


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
    return tag("rect", class_=name, x=left, y=top, width=round(max(right - left, 1.5), 1), height=height, rx=2)


def _ticks(low: float, high: float, unit: str) -> list[str]:
    """Both ends of a scale, with the digits that an interval as wide has."""
    _, *ends = numbers(low, low, high, percent=unit == "1")
    return [f"{end} {'%' if unit == '1' else unit}".strip() for end in ends]
