"""Figures of the page: drawn by `reeuncert.plots`, stored as compact JSON; a failed figure shows its error."""

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
"""Significant digits of numbers in figures."""


@dataclass(frozen=True)
class Figure:
    """One figure of the page.

    Parameters
    ----------
    id
        Unique in the page.
    title, alt, caption
        Heading, alternative text, and caption.
    spec
        ``{"kind": ..., ...}``: drawing function of ``report.js`` and its data.
    error
        Reason why the figure could not be drawn, else empty.
    height
        In CSS pixels, reserved to avoid layout shifts.
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
    """Draw a figure, or return one with the error. ``draw`` returns a Plotly figure, or a spec for a drawing function
    of the page (a mapping with ``kind``).
    """

    def made() -> Mapping[str, Any] | str:
        try:
            drawn = draw()
        except ReeUncertError as error:  # the result lacks the data of this figure; the message tells which
            return str(error)
        spec = drawn if isinstance(drawn, Mapping) else plotly_spec(drawn)
        script_json(spec)
        return spec

    spec = attempt(f"figure '{title}'", made)
    if isinstance(spec, Failed | str):
        return Figure(name, title, alt, None, caption, str(spec), height)
    return Figure(name, title, alt, spec, caption, "", height)


def plotly_spec(drawn: Any) -> dict[str, Any]:
    """A Plotly figure as data for the page, without its template, which is the same for all figures."""
    content = drawn.to_plotly_json()
    layout = dict(content.get("layout", {}))
    layout.pop("template", None)
    spec = {"kind": "plotly", "data": content.get("data", []), "layout": layout}
    frames = [{"name": f.name, "data": [t.to_plotly_json() for t in f.data]} for f in getattr(drawn, "frames", ())]
    return spec | ({"frames": frames} if frames else {})


def script_json(value: Any) -> Markup:
    r"""Compact JSON that is safe inside a script element.

    Examples
    --------
    >>> print(script_json({"a": "</script><b>", "x": [1 / 3, float("nan")]}))
    {"a":"\u003c/script\u003e\u003cb\u003e","x":[0.3333,null]}
    """
    text = json.dumps(rounded(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # all HTML special characters are escaped


def rounded(value: Any) -> Any:
    """Plain values for JSON: arrays as lists, floats with `DIGITS` significant digits, non-finite values as None."""
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
