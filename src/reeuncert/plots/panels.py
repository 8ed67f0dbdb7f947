"""What a figure shows, independent of the library that draws it: panels of areas, lines, points, texts and ribbons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from reeuncert.plots.style import PROBABILITIES, band_opacity, interval_name
from reeuncert.result.quantiles import interval_columns
from reeuncert.words.estimates import estimate, interval, with_unit


@dataclass(frozen=True)
class Area:
    """A filled polygon; without corners it is an entry of the legend alone.

    As in all marks, ``colour`` is hexadecimal or one of `reeuncert.plots.style.NAMED`;
    marks of one ``name`` have one entry of the legend, without a name none; Plotly's legend switches a ``group`` (by
    default the marks of one name) on and off; ``hover`` has lines of plain text, the first in bold; ``hatch`` is a
    pattern of matplotlib.
    """

    x: Sequence[float] | np.ndarray = ()
    y: Sequence[float] | np.ndarray = ()
    colour: str = "muted"
    opacity: float = 1.0
    name: str = ""
    group: str = ""
    hover: str = ""
    hatch: str = ""

    @classmethod
    def box(cls, left: float, right: float, low: float, high: float, colour: str, **more: Any) -> Self:
        """A rectangle."""
        return cls((left, right, right, left), (low, low, high, high), colour, **more)


@dataclass(frozen=True)
class Line:
    """A line through points; NaN interrupts it. Hover has a text for each point, which is then marked by a dot."""

    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    colour: str = "muted"
    width: float = 1.0
    dash: str = "solid"
    name: str = ""
    group: str = ""
    hover: tuple[str, ...] = ()
    opacity: float = 1.0


@dataclass(frozen=True)
class Points:
    """A symbol for each value, with a bar from ``low`` to ``high`` where these are given and not NaN.

    Symbols: ``circle``, ``square``, ``diamond``, ``triangle-up``, ``triangle-down``.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: str = "point"
    symbol: str = "diamond"
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    hover: tuple[str, ...] = ()
    hollow: bool = False
    opacity: float = 1.0


@dataclass(frozen=True)
class Text:
    """Plain text at a point; `size` in points, `ground` a colour behind it."""

    x: float
    y: float
    text: str
    colour: str = "ink"
    size: float = 8.0
    bold: bool = False
    italic: bool = False
    align: str = "center"
    ground: str = ""


@dataclass(frozen=True)
class Node:
    """A node of a Sankey diagram in the unit square: middle, upper end (from 0, the lower edge) and height."""

    x: float
    top: float
    height: float
    colour: str
    hover: str = ""


@dataclass(frozen=True)
class Ribbon:
    """A ribbon between two nodes (their positions): its value, upper ends at both nodes, and height."""

    source: int
    target: int
    value: float
    start: float
    end: float
    height: float
    colour: str
    hatch: str = ""
    hover: str = ""


@dataclass(frozen=True)
class Ribbons:
    """A Sankey diagram in the unit square. ``part``: part of the height that the fullest column takes when every node
    stands as far left as possible; Plotly finds its scale from that column.
    """

    nodes: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    unit: str
    part: float


Mark = Area | Line | Points | Text | Ribbons


@dataclass(frozen=True)
class Fan:
    """One quantity over the years, from rows of a tidy table, one a year; years without a row are gaps. It has a
    median, an interval for each probability of `probs`, innermost first, and the prior, if the table has one.
    """

    table: pd.DataFrame
    label: str
    colour: str
    years: Sequence[int] | None = None
    probs: tuple[float, ...] = PROBABILITIES
    with_prior: bool = True
    dashed: bool = False

    @cached_property
    def rows(self) -> pd.DataFrame:
        """A row for every year."""
        rows = self.table.set_index("year")
        return rows.reindex(list(self.years or range(rows.index.min(), rows.index.max() + 1)))

    def column(self, name: str) -> np.ndarray:
        return self.rows[name].to_numpy(dtype=float)

    @cached_property
    def bands(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Lower and upper ends of the interval of each probability."""
        return [(self.column(low), self.column(high)) for low, high in map(interval_columns, self.probs)]

    @cached_property
    def prior(self) -> tuple[np.ndarray, ...] | None:
        """Median, lower and upper end of the prior."""
        names = ("prior_median", "prior_eti90_lb", "prior_eti90_ub")
        known = self.with_prior and names[0] in self.rows and self.rows[names[0]].notna().any()
        return tuple(map(self.column, names)) if known else None

    def marks(self, unit: str) -> list[Mark]:
        """Bands and median, in the unit of the axis."""
        scale, x, median = scale_of(unit), self.rows.index.to_numpy(), self.column("median")
        out: list[Mark] = []
        for i, (lower, upper) in reversed(list(enumerate(self.bands))):
            opacity = band_opacity(i, len(self.bands))
            out += _band(x, scale * lower, scale * upper, Area((), (), self.colour, opacity, group=self.label))
        name = f"{self.label}, median" if self.label else "median"
        dash = "dash" if self.dashed else "solid"
        hover = tuple(self._hover(i, unit, value) for i, value in enumerate(median))
        out.append(Line(x, scale * median, self.colour, 1.7, dash, name, self.label, hover))
        return [*out, Area((), (), self.colour, 0.4, interval_name(*self.probs))]

    def prior_marks(self, unit: str) -> list[Mark]:
        """Band and dotted median of the prior, in the unit of the axis; empty without prior."""
        if self.prior is None:
            return []
        median, lower, upper = (scale_of(unit) * values for values in self.prior)
        x = self.rows.index.to_numpy()
        band = _band(x, lower, upper, Area((), (), "prior", 0.16, group="prior"))
        return [*band, Line(x, median, "prior", 1.0, "dot", group="prior")]

    def _hover(self, i: int, unit: str, median: float) -> str:
        lower, upper = self.bands[-1]
        text = f"{self.label or 'median'}: {with_unit(median, unit)}\n"
        text += f"{interval_name(self.probs[-1])}: {interval(lower[i], upper[i], unit)}"
        if self.prior is not None:
            text += f"\nprior: {estimate(*(v[i] for v in self.prior), unit=unit)}"
        return text


@dataclass(frozen=True)
class Axis:
    """An axis: its title, ends (also from high to low), and ticks (value, label); by default as the library chooses."""

    title: str = ""
    limits: tuple[float, float] | None = None
    ticks: tuple[tuple[float, str], ...] = ()
    log: bool = False


@dataclass(frozen=True)
class Panel:
    """One set of axes and its marks, from back to front; entries of the legend that stand alone are last. Without ``x``
    its marks are over years. A ``bare`` panel has no axes, and one scale for both directions.
    """

    title: str
    marks: Sequence[Mark]
    x: Axis | None
    y: Axis
    bare: bool = False


def fan_panel(
    title: str,
    unit: str,
    fans: Sequence[Fan],
    points: Sequence[Points] = (),
    marks: Sequence[Mark] = (),
    y: Axis | None = None,
) -> Panel:
    """A panel over years: fans and points in a unit (``"1"``: ratios, in per cent), and marks in those of the axes.
    Points get their value as the last line of their hover, which begins with their name if they have none.
    """
    scale = scale_of(unit)
    out = [mark for fan in fans for mark in fan.prior_marks(unit)]
    out += [mark for fan in fans for mark in fan.marks(unit)]
    if any(fan.prior is not None for fan in fans):
        out.append(Area((), (), "prior", 0.3, f"prior, {interval_name()} (dotted: median)", "prior"))
    for one in points:
        hover = one.hover or (one.name,) * len(one.y)
        texts = tuple(f"{t}\n{with_unit(v, unit)}" for t, v in zip(hover, one.y, strict=True))
        out.append(replace(one, y=scale * one.y, hover=texts))
    low, high = limits_of(fans, points)
    return Panel(title, [*out, *marks], None, y or Axis(shown_unit(unit), (scale * low, scale * high)))


@dataclass(frozen=True)
class Board:
    """Panels in rows, with a title and, below it, lines of a subtitle; sizes of a panel in inches."""

    title: str
    panels: tuple[Panel, ...]
    columns: int = 3
    panel_height: float = 2.2
    panel_width: float = 3.6
    subtitle: str = ""


def scale_of(unit: str) -> float:
    """Factor from data to axis: ratios are shown in per cent."""
    return 100.0 if unit == "1" else 1.0


def shown_unit(unit: str) -> str:
    """The unit of an axis: per cent for ratios."""
    return "%" if unit == "1" else unit


def limits_of(fans: Sequence[Fan], points: Sequence[Points]) -> tuple[float, float]:
    """Ends of the vertical axis, in the unit of the data: all of the posterior and the points, not all of the prior.

    A prior that is ten times as wide as the posterior would make a flat line of the latter. It may fill 60 % more of
    the axis; what is cut off is in the table.
    """
    said = [p.y for p in points]
    low = _extreme([f.bands[-1][0] for f in fans] + said, np.nanmin)
    top = _extreme([f.bands[-1][1] for f in fans] + said, np.nanmax)
    before = [f.prior for f in fans if f.prior is not None]
    if before:
        reach = _extreme([p[2] for p in before], np.nanmax)
        top = min(reach, top + 0.6 * (top - min(low, 0.0))) if reach > top else top
        depth = _extreme([p[1] for p in before], np.nanmin)
        low = max(depth, low - 0.6 * (top - low)) if depth < low else low
    low = min(low, 0.0)
    if not np.isfinite(top) or not np.isfinite(low) or top <= low:
        return 0.0, 1.0
    return low - (0.04 * (top - low) if low < 0 else 0.0), top + 0.05 * (top - low)


def _band(x: np.ndarray, lower: np.ndarray, upper: np.ndarray, like: Area) -> list[Mark]:
    """One polygon for each run of years without a gap; a year alone becomes a narrow box."""
    out: list[Mark] = []
    for start, stop in _runs(np.isfinite(lower) & np.isfinite(upper)):
        years = x[start:stop].astype(float)
        low, high = lower[start:stop], upper[start:stop]
        if stop - start == 1:
            years, low, high = years + np.array([-0.2, 0.2]), np.repeat(low, 2), np.repeat(high, 2)
        out.append(replace(like, x=np.r_[years, years[::-1]], y=np.r_[high, low[::-1]]))
    return out


def _runs(there: np.ndarray) -> list[tuple[int, int]]:
    """Beginnings and ends of the runs of True.

    >>> _runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.r_[0, there.astype(int), 0]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _extreme(arrays: Sequence[np.ndarray], of: Any) -> float:
    values = np.concatenate([np.asarray(a, dtype=float).ravel() for a in arrays]) if arrays else np.empty(0)
    return float(of(values)) if np.isfinite(values).any() else float("nan")
