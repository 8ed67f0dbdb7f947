"""Figures of the page: drawn by `reeuncert.plots`, stored as compact JSON; a failure is shown in their place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from reeuncert.errors import ReeUncertError
from reeuncert.parts import Failed, attempt

DIGITS = 4
"""Significant digits of numbers in figures; intervals are not known better."""


@dataclass(frozen=True)
class Figure:
    """One figure of the page.

    Parameters
    ----------
    id
        Unique in the page.
    title, alt, caption
        Heading, text in place of the picture, and what to see in it.
    spec
        ``{"kind": ..., ...}``: which drawing function of ``report.js`` takes it, and its data.
    error
        Why there is no figure; empty if there is one.
    height
        In CSS pixels, reserved so that nothing moves when the figure is drawn.
    """

    id: str
    title: str
    alt: str
    spec: Mapping[str, Any] | None
    caption: str = ""
    error: str = ""
    height: int = 420

    @property
    def json(self) -> Markup:
        """The spec as JSON that can stand inside a script element."""
        return script_json(self.spec)


def figure(name: str, title: str, draw: Callable[[], Any], *, alt: str, caption: str = "", height: int = 420) -> Figure:
    """Draw a figure, or say why it cannot be drawn.

    Parameters
    ----------
    draw
        Returns a Plotly figure, or a spec for a drawing function of the page (a mapping with ``kind``).
    """

    def made() -> Mapping[str, Any] | str:
        try:
            drawn = draw()
        except ReeUncertError as error:  # the result lacks what this figure shows, and the message says so
            return str(error)
        spec = drawn if isinstance(drawn, Mapping) else plotly_spec(drawn)
        script_json(spec)
        return spec

    spec = attempt(f"figure '{title}'", made)
    if isinstance(spec, Failed | str):
        return Figure(name, title, alt, None, caption, str(spec), height)
    return Figure(name, title, alt, spec, caption, "", height)


def plotly_spec(drawn: Any) -> dict[str, Any]:
    """A Plotly figure as data for the page: without its template, which every figure would repeat."""
    content = drawn.to_plotly_json()
    layout = dict(content.get("layout", {}))
    layout.pop("template", None)
    spec = {"kind": "plotly", "data": content.get("data", []), "layout": layout}
    frames = [{"name": f.name, "data": [t.to_plotly_json() for t in f.data]} for f in getattr(drawn, "frames", ())]
    return spec | ({"frames": frames} if frames else {})


def script_json(value: Any) -> Markup:
    r"""Compact JSON that no text inside can break out of a script element with.

    Examples
    --------
    >>> print(script_json({"a": "</script><b>", "x": [1 / 3, float("nan")]}))
    {"a":"\u003c/script\u003e\u003cb\u003e","x":[0.3333,null]}
    """
    text = json.dumps(rounded(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # every character that matters to HTML has just been escaped


def rounded(value: Any) -> Any:
    """Plain values for JSON: arrays as lists, floats to `DIGITS` significant digits, what is not finite as None."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiu" and value.ndim == 1:
            return [rounded(item) for item in value.tolist()]
        return [rounded(item) for item in value]
    if isinstance(value, np.generic):
        return rounded(value.item())
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        short = float(f"{value:.{DIGITS}g}")
        return int(short) if short == int(short) and abs(short) < 1e15 else short
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)
