"""Formats numbers and names, for all sections of the report."""

from __future__ import annotations

import math
import re

from markupsafe import Markup

from reeuncert.indicators.headlines import number as number
from reeuncert.system.definition import Selector

_URL = re.compile(r"https?://[^\s\"'<>]+", re.ASCII)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"'<>;,]+", re.ASCII)


def interval(low: float, high: float, unit: str = "") -> str:
    """Both bounds of an interval.

    Examples
    --------
    >>> interval(0.1, 0.25, "1"), interval(1.5, 20.0, "kt")
    ('10–25 %', '1.5–20 kt')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not defined"
    factor, shown = (100.0, "%") if unit == "1" else (1.0, unit)
    dash = " to " if low < 0 else "–"
    return f"{number(factor * low)}{dash}{number(factor * high)} {shown}".strip()


def selector_text(selector: Selector) -> str:
    """A selector in words.

    Examples
    --------
    >>> selector_text(Selector.of(quantity="trade+declared", product="salt", origin="A", destination="B"))
    'trade + declared of salt, from A to B'
    """
    fields = {name: " + ".join(values) for name, values in selector.fields.items()}
    parts = [plain_words(fields.pop("quantity", "")) or "mass"]
    if "product" in fields:
        parts.append(f"of {fields.pop('product')}")
    origin, destination = fields.pop("origin", ""), fields.pop("destination", "")
    if origin and origin == destination:
        parts[-1] += f", in {origin}"
    else:
        both = [f"from {origin}"] * bool(origin) + [f"to {destination}"] * bool(destination)
        if both:
            parts[-1] += f", {' '.join(both)}"
    if "end_use" in fields:
        parts.append(f"for {fields.pop('end_use')}")
    rest = ", ".join(f"{plain_words(k)} {v}" for k, v in fields.items())
    return " ".join(parts) + (f" ({rest})" if rest else "")


def plain_words(name: str) -> str:
    """A name of a table without its underscores.

    Examples
    --------
    >>> plain_words("mine_production")
    'mine production'
    """
    return name.replace("_", " ")


def linked(text: str) -> Markup:
    """A reference with its web address or DOI as a link; everything else is escaped.

    Examples
    --------
    >>> print(linked("doi 10.1000/x1 <b>"))
    doi <a href="https://doi.org/10.1000/x1">10.1000/x1</a> &lt;b&gt;
    """
    found = _URL.search(text) or _DOI.search(text)
    if found is None:
        return Markup("{}").format(text)
    shown = found.group().rstrip(".,;)")
    href = shown if shown.startswith("http") else f"https://doi.org/{shown}"
    before, after = text[: found.start()], text[found.start() + len(shown) :]
    return Markup('{}<a href="{}">{}</a>{}').format(before, href, shown, after)
