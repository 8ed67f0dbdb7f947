"""What a chart of rows shows, told apart from the library that draws it: bars, intervals and marks beside labels."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from reeuncert.plots.style import check_backend, theme_of

LABEL_WIDTH = 44


@dataclass(frozen=True)
class Span:
    """A bar from one value to another.

    Parameters
    ----------
    name
        Its entry in the legend; empty for none.
    height
        Part of the row that it fills.
    """

    start: float
    end: float
    colour: str
    name: str = ""
    height: float = 0.7
    opacity: float = 1.0


@dataclass(frozen=True)
class Row:
    """One line of a chart.

    Parameters
    ----------
    label
        Beside the axis, plain text.
    spans
        Bars, drawn in this order.
    whisker
        Ends of a thin line over the bars: Monte Carlo error.
    point
        A dot.
    tick
        A short line across the bar: what chance alone would give.
    hover
        Lines of plain text.
    faint
        Draw it paler: not to be relied on.
    """

    label: str
    spans: tuple[Span, ...] = ()
    whisker: tuple[float, float] | None = None
    point: float | None = None
    tick: float | None = None
    hover: tuple[str, ...] = ()
    faint: bool = False


@dataclass(frozen=True)
class Chart:
    """Rows over one horizontal axis, the first on top.

    Parameters
    ----------
    line
        Value at which a line is drawn down the chart, and what it is.
    point_name, tick_name, whisker_name, faint_name
        Entries of the legend; empty for none.
    """

    title: str
    x_title: str
    rows: tuple[Row, ...]
    subtitle: str = ""
    line: tuple[float, str] | None = None
    point_name: str = ""
    tick_name: str = ""
    whisker_name: str = ""
    faint_name: str = "not reliable"
    from_zero: bool = True

    @property
    def height(self) -> float:
        """In inches."""
        lines = sum(1 + 0.55 * (len(wrapped(row.label)) - 1) for row in self.rows)
        return max(2.4, 0.3 * lines + 1.7)


def wrapped(label: str) -> list[str]:
    """A label in lines.

    Examples
    --------
    >>> wrapped("one two", ), len(wrapped("a word " * 12))
    (['one two'], 2)
    """
    return textwrap.wrap(label, LABEL_WIDTH) or [""]


def render_chart(chart: Chart, backend: str, theme: str) -> Any:
    """Draw a chart in matplotlib or Plotly.

    Raises
    ------
    ValueError
        If backend or theme is unknown, or there is no row.
    """
    check_backend(backend)
    colours = theme_of(theme)
    if not chart.rows:
        raise ValueError(f"'{chart.title}' has nothing to draw")
    if backend == "matplotlib":
        from reeuncert.plots.rows_matplotlib import draw
    else:
        from reeuncert.plots.rows_plotly import draw
    return draw(chart, colours)
