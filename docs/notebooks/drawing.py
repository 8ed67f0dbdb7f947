"""Axes in the look of the package, for figures that a notebook draws itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from reeuncert.plots.draw_matplotlib import new_figure
from reeuncert.plots.style import mpl_style, theme_of


def axes_row(count: int = 1, *, width: float = 3.8, height: float = 2.9, **more: Any) -> tuple[Figure, Any]:
    """A figure with axes side by side; with one alone, the axes themselves."""
    with rc_context(mpl_style(theme_of("light"))):
        figure = new_figure(max(5.4, width * count), height)
        axes = figure.subplots(1, count, squeeze=False, **more)[0]
    return figure, axes[0] if count == 1 else np.asarray(axes)
