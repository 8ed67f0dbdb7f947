"""What a figure of panels shows, told apart from the library that draws it: fans over the years, and points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.plots.style import PROBABILITIES, check_backend, theme_of

MOST_PANELS = 40


@dataclass(frozen=True)
class Fan:
    """One quantity over the years: its median, bands of intervals, and the prior faintly behind.

    Parameters
    ----------
    x
        Years.
    median
        One value a year; NaN leaves a gap.
    bands
        (lower, upper) arrays for each probability of `probs`, innermost first.
    prior
        (median, lower, upper) of the prior, or None.
    dashed
        Dash the line of the median.
    """

    label: str
    colour: str
    x: np.ndarray
    median: np.ndarray
    bands: tuple[tuple[np.ndarray, np.ndarray], ...]
    probs: tuple[float, ...] = PROBABILITIES
    prior: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    dashed: bool = False

    @classmethod
    def of(
        cls,
        table: pd.DataFrame,
        label: str,
        colour: str,
        *,
        years: Sequence[int] | None = None,
        probs: tuple[float, ...] = PROBABILITIES,
        prior: bool = True,
        dashed: bool = False,
    ) -> Fan:
        """From rows of a tidy table, one a year; years without a row are gaps."""
        rows = table.set_index("year")
        span = list(years) if years is not None else list(range(int(rows.index.min()), int(rows.index.max()) + 1))
        rows = rows.reindex(span)

        def column(name: str) -> np.ndarray:
            return rows[name].to_numpy(dtype=float)

        bands = tuple((column(f"eti{100 * p:.6g}_lb"), column(f"eti{100 * p:.6g}_ub")) for p in probs)
        before = None
        if prior and "prior_median" in rows.columns and rows["prior_median"].notna().any():
            before = (column("prior_median"), column("prior_eti90_lb"), column("prior_eti90_ub"))
        return cls(label, colour, np.array(span), column("median"), bands, probs, before, dashed)


@dataclass(frozen=True)
class Points:
    """Published or reported figures: a symbol each, with a bar where a range was given.

    Parameters
    ----------
    symbol
        ``circle``, ``square``, ``diamond``, ``triangle-up`` or ``triangle-down``.
    low, high
        Ends of the bar; NaN for none.
    hover
        Plain text for each point (escaped when drawn).
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    colour: str = ""
    symbol: str = "diamond"
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    hover: tuple[str, ...] = ()
    hollow: bool = False


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Parameters
    ----------
    unit
        ``"1"``: ratios, shown in per cent.
    ceiling
        No higher than this on the vertical axis (in the unit of the data), or None: as high as the posterior needs.
    """

    title: str
    unit: str
    y_title: str = ""
    fans: tuple[Fan, ...] = ()
    points: tuple[Points, ...] = ()
    x_title: str = "Year"
    floor: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True)
class Board:
    """Panels in rows, with a title and what the bands mean."""

    title: str
    panels: tuple[Panel, ...]
    columns: int = 3
    panel_height: float = 2.2
    panel_width: float = 3.6


def scale_of(unit: str) -> float:
    """Factor from data to axis: ratios are shown in per cent."""
    return 100.0 if unit == "1" else 1.0


def limits_of(panel: Panel) -> tuple[float, float]:
    """Ends of the vertical axis, in the unit of the data: all of the posterior and the points, not all of the prior.

    A prior that is ten times as wide as what was learned would else make a flat line of the posterior; it may fill
    as much again above the posterior, and what is cut off is in the table.
    """
    tops = [f.bands[-1][1] for f in panel.fans] + [p.y for p in panel.points]
    tops += [p.high for p in panel.points if p.high is not None]
    lows = [f.bands[-1][0] for f in panel.fans] + [p.y for p in panel.points]
    lows += [p.low for p in panel.points if p.low is not None]
    top, low = _extreme(tops, np.nanmax), _extreme(lows, np.nanmin)
    before = [f.prior for f in panel.fans if f.prior is not None]
    if before:
        reach = _extreme([p[2] for p in before], np.nanmax)
        top = min(reach, top + 0.6 * (top - min(low, 0.0))) if reach > top else top
        depth = _extreme([p[1] for p in before], np.nanmin)
        low = max(depth, low - 0.6 * (top - low)) if depth < low else low
    low = min(low, 0.0) if panel.floor is None else panel.floor
    top = top if panel.ceiling is None else min(top, panel.ceiling)
    if not np.isfinite(top) or not np.isfinite(low) or top <= low:
        return 0.0, 1.0
    return low - (0.04 * (top - low) if low < 0 else 0.0), top + 0.05 * (top - low)


def render(board: Board, backend: str, theme: str) -> Any:
    """Draw a board in matplotlib or Plotly.

    Raises
    ------
    ValueError
        If backend or theme is unknown, or there is nothing or too much to draw.
    """
    check_backend(backend)
    colours = theme_of(theme)
    if not board.panels:
        raise ValueError(f"'{board.title}' has nothing to draw: no quantity of this kind exists in the system")
    if len(board.panels) > MOST_PANELS:
        raise ValueError(
            f"'{board.title}' would have {len(board.panels)} panels (at most {MOST_PANELS}); "
            "choose fewer labels by coords"
        )
    if backend == "matplotlib":
        from reeuncert.plots.draw_matplotlib import draw_board
    else:
        from reeuncert.plots.draw_plotly import draw_board
    return draw_board(board, colours)


def _extreme(arrays: Sequence[np.ndarray], of: Any) -> float:
    values = np.concatenate([np.asarray(a, dtype=float).ravel() for a in arrays]) if arrays else np.empty(0)
    return float(of(values)) if np.isfinite(values).any() else float("nan")
