"""Boards drawn by the library that is asked for; charts of rows as boards; what the docstrings of all figures say."""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reeuncert.errors import ArgumentError, ReeUncertError
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points, scale_of
from reeuncert.plots.style import BACKENDS, BOARD, interval_name
from reeuncert.result.quantiles import interval_columns
from reeuncert.words.estimates import interval, with_unit

MOST_PANELS = 40
LABEL_WIDTH = 44
FAINT = 0.35


_SECTIONS = """
Parameters
----------
{shared}
    See `{data}`.
backend
    ``"matplotlib"`` or ``"plotly"``.
{own}
Returns
-------
matplotlib.figure.Figure or plotly.graph_objects.Figure

Raises
------
ReeUncertError
    As `{data}`, or if these data cannot be drawn.
"""


def figure_of[**P, R](data: Callable[..., object], **own: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Complete the docstring of the ``plot_x`` that draws the table `data`; `own` describes further arguments."""

    def described(plot: Callable[P, R]) -> Callable[P, R]:
        takes = inspect.signature(data).parameters
        shared = ", ".join(name for name in inspect.signature(plot).parameters if name in takes)
        further = "".join(f"{name}\n    {text}\n" for name, text in own.items())
        sections = _SECTIONS.format(shared=shared, data=getattr(data, "__name__", ""), own=further)
        plot.__doc__ = f"{inspect.getdoc(plot)}\n{sections}"
        return plot

    return described


def render(board: Board, backend: str) -> Any:
    """Draw a board in matplotlib or Plotly, or return it."""
    return render_steps({"": board}, "", backend)


def render_steps(boards: Mapping[str, Board], start: str, backend: str) -> Any:
    """Draw boards of the same panels by the label of their step: in Plotly with a slider, in matplotlib only one."""
    if backend not in (*BACKENDS, BOARD):
        raise ArgumentError(f"backend is {backend!r}; there are: {', '.join(BACKENDS)}")
    for board in boards.values():
        if not board.panels:
            raise ReeUncertError(f"'{board.title}' has nothing to draw: what is chosen has no value in this system")
        if len(board.panels) > MOST_PANELS:
            raise ReeUncertError(
                f"'{board.title}' would have {len(board.panels)} panels (at most {MOST_PANELS}); "
                "choose fewer labels by coords"
            )
    if backend == BOARD:
        return boards[start] if len(boards) == 1 else dict(boards)
    if backend == "plotly":
        from reeuncert.plots.draw_plotly import draw_steps

        return draw_steps(boards, start)
    if len(boards) > 1:
        raise ReeUncertError("a matplotlib figure shows one year: give one by coords, or use backend='plotly'")
    from reeuncert.plots.draw_matplotlib import draw_board

    return draw_board(boards[start])


@dataclass(frozen=True)
class Span:
    """A bar between two values that fills a part (``height``) of its row; ``name`` is its entry in the legend."""

    start: float
    end: float
    colour: str
    name: str = ""
    height: float = 0.7
    opacity: float = 1.0


@dataclass(frozen=True)
class Row:
    """One line of a chart: a label beside the axis, and on it bars, a whisker (Monte Carlo error), a dot, and a tick
    (noise of the computation). Hover: lines of plain text; a faint row is not reliable.
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
    """Rows over one horizontal axis, the first on top; ``line``: a value and its name; names stand in the legend."""

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
    limits: tuple[float, float] | None = None

    @property
    def height(self) -> float:
        """Of its panel, in inches."""
        lines = sum(1 + 0.55 * (len(wrapped(row.label)) - 1) for row in self.rows)
        return max(1.3, 0.3 * lines + 0.6)

    def panel(self, title: str = "") -> Panel:
        """The chart as a panel; row 0 is at height 0, the next at 1, downwards."""
        marks: list[Mark] = []
        told_of = ["\n".join((row.label, *row.hover)) for row in self.rows]
        for place, (row, told) in enumerate(zip(self.rows, told_of, strict=True)):
            for span in row.spans:
                opacity = span.opacity * (FAINT if row.faint else 1.0)
                low, high = place - 0.5 * span.height, place + 0.5 * span.height
                left, right = sorted((span.start, span.end))
                if span.name and row.faint:
                    marks.append(Area((), (), span.colour, span.opacity, span.name))
                marks.append(Area.box(left, right, low, high, span.colour, opacity=opacity, name=span.name, hover=told))
        there = list(enumerate(self.rows))
        ends = -0.6, len(self.rows) - 0.4
        whiskers = [(place, *row.whisker) for place, row in there if row.whisker is not None]
        if whiskers:
            x = [v for _, low, high in whiskers for v in (low, high, np.nan)]
            marks.append(Line(x, np.repeat([float(w[0]) for w in whiskers], 3), "ink", 1.0, name=self.whisker_name))
        ticks = [(place, row.tick) for place, row in there if row.tick is not None]
        if ticks:
            x = [v for _, tick in ticks for v in (tick, tick, np.nan)]
            y = [v for place, _ in ticks for v in (place - 0.38, place + 0.38, np.nan)]
            marks.append(Line(x, y, "ink", 1.4, name=self.tick_name))
        dots = [(place, row) for place, row in there if row.point is not None]
        if dots:
            x, y = np.array([(row.point, place) for place, row in dots], dtype=float).T
            hover = tuple(told_of[place] for place, _ in dots)
            marks.append(Points(self.point_name, x, y, "ink", "circle", hover=hover))
        if self.from_zero:
            marks.append(Line((0.0, 0.0), ends, "muted", 0.8))
        if self.line is not None:
            marks.append(Line((self.line[0],) * 2, ends, "muted", 1.0, "dash", self.line[1]))
        if any(row.faint for row in self.rows):
            marks.append(Area((), (), "muted", FAINT, f"faint: {self.faint_name}"))
        labels = tuple((float(place), "\n".join(wrapped(row.label))) for place, row in there)
        across = Axis(self.x_title, self.limits or self._limits())
        return Panel(title, marks, x=across, y=Axis(limits=ends[::-1], ticks=labels))

    def _limits(self) -> tuple[float, float]:
        values = [v for row in self.rows for v in (*(row.whisker or ()), row.point, row.tick) if v is not None]
        values += [v for row in self.rows for span in row.spans for v in (span.start, span.end)]
        values += [self.line[0]] if self.line is not None else []
        values += [0.0] if self.from_zero else []
        kept = [v for v in values if np.isfinite(v)] or [0.0, 1.0]
        low, high = min(kept), max(kept)
        room = 0.05 * (high - low) or 0.5
        return low - room * (low != 0.0 or not self.from_zero), high + room * (high != 0.0 or low == 0.0)


def wrapped(label: str) -> list[str]:
    """A label in lines.

    >>> wrapped("one two", ), len(wrapped("a word " * 12))
    (['one two'], 2)
    """
    return textwrap.wrap(label, LABEL_WIDTH) or [""]


def interval_row(label: str, record: Mapping[Any, Any], unit: str, colour: str) -> Row:
    """The median of a row of a table and its 50 and 90 % intervals."""
    scale, spans = scale_of(unit), []
    for prob, height, opacity in ((0.9, 0.28, 0.45), (0.5, 0.5, 0.9)):
        low, high = (scale * float(record[name]) for name in interval_columns(prob))
        spans.append(Span(low, high, colour, interval_name(prob), height, opacity))
    ends = interval(float(record["eti90_lb"]), float(record["eti90_ub"]), unit)
    told = f"median {with_unit(float(record['median']), unit)}", f"{interval_name(0.9)}: {ends}"
    return Row(label, tuple(spans), point=scale * float(record["median"]), hover=told)


def render_chart(chart: Chart, backend: str) -> Any:
    """Draw a chart in matplotlib or Plotly."""
    if not chart.rows:
        raise ReeUncertError(f"'{chart.title}' has nothing to draw")
    board = Board(chart.title, (chart.panel(),), 1, chart.height, 8.2, chart.subtitle)
    return render(board, backend)
